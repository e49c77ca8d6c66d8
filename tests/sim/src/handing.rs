//! What people hand over: the right thing mostly, and now and then another's, an old one, an altered or a made-up one.

use sparekey_device::{
    PartView, RecoveryId, Shows,
    ways::{SheetCode, Way},
};
use sparekey_protocol::{
    DeviceId, Nonce, RequestIdentity,
    files::{KeyFilePayload, KeyFileSecret},
};

use crate::{
    proofs::{File, Given, Line, Paper, Truth},
    recorder::enrolment,
    recovering::{kind, named},
    steps::Mood,
    world::{Shown, World},
};

impl World {
    pub(crate) fn any_way(&mut self) -> Way {
        // Who guesses, guesses at eight digits and at answers.
        let email = if self.mood == Mood::Siege { 40 } else { 6 };
        self.chance.weighted(&[
            (email, Way::Email),
            (3, Way::Desk),
            (2, Way::KeyFile),
            (2, Way::Sheet),
            (2, Way::Questions),
            (1, Way::SecurityCode),
        ])
    }

    /// What is typed for a request: mostly something of the kind that its next part waits for.
    pub(crate) fn given_for(&mut self, of: Shown) -> Given {
        let request = self.recorders[of.device].model.request(kind(of.caller), of.id);
        let next = request.and_then(|request| request.parts.iter().find(|part| !part.proven)).cloned();
        let (way, identity) = next.map_or((Way::Email, named(of.id)), |part| (part.way, part.identity));
        let way = if self.chance.percent(95) { way } else { self.any_way() };
        match way {
            Way::Email | Way::SecurityCode => Given::Code(self.typed_for(identity)),
            Way::Desk if self.chance.percent(30) => Given::Code(self.typed_for(identity)),
            Way::Desk => Given::Grant(self.any_paper(of.device)),
            Way::KeyFile => Given::KeyFile(self.any_file(of.device)),
            Way::Sheet => Given::SheetCode(self.any_line(of.device)),
            Way::Questions => {
                let known = self.recorders[of.device].model.questions.unwrap_or(0);
                Given::Answers(if self.is_honest() { known } else { self.chance.below(1_000) })
            }
        }
    }

    /// In a siege almost nobody is.
    fn is_honest(&mut self) -> bool {
        let honest = if self.mood == Mood::Siege { 1 } else { 70 };
        self.chance.percent(honest)
    }

    fn any_file(&mut self, device: usize) -> File {
        if self.is_honest()
            && let Some(file) = self.files.iter().rev().find(|file| file.device == device)
        {
            return file.clone();
        }
        match self.chance.place(&self.files) {
            Some(at) if self.chance.percent(50) => self.files[at].clone(),
            _ => {
                let of = self.recorders[device].device.identity().device_id();
                let of = if self.chance.percent(80) { of } else { DeviceId([7; 16]) };
                let secret = KeyFileSecret::from_bytes(self.chance.bytes());
                File { device, number: 0, payload: KeyFilePayload { device: of, secret } }
            }
        }
    }

    fn any_line(&mut self, device: usize) -> Line {
        let of_device: Vec<_> = self.lines.iter().filter(|line| line.device == device).cloned().collect();
        if self.is_honest()
            && let Some(at) = self.chance.place(&of_device)
        {
            return of_device[at].clone();
        }
        match self.chance.place(&self.lines) {
            Some(at) if self.mood != Mood::Siege && self.chance.percent(50) => self.lines[at].clone(),
            _ => Line { device, number: 0, code: SheetCode::from_seed(&self.chance.bytes()) },
        }
    }

    fn any_paper(&mut self, device: usize) -> Paper {
        let id = self.recorders[device].device.identity().device_id();
        let mine: Vec<_> = self.papers.iter().filter(|paper| paper.device == id).cloned().collect();
        if self.is_honest()
            && let Some(at) = self.chance.place(&mine)
        {
            return mine[at].clone();
        }
        match self.chance.place(&self.papers) {
            // A stranger has no good one.
            Some(at)
                if self.chance.percent(60) && (self.mood != Mood::Siege || self.papers[at].truth != Truth::Good) =>
            {
                self.papers[at].clone()
            }
            _ => {
                let truth = self.chance.one_of(&[Truth::OtherSigner, Truth::Altered, Truth::Unwitnessed]);
                Paper::new(id, Nonce(self.chance.bytes()), self.time, truth, 777)
            }
        }
    }

    /// What an owner who has everything gives for a part.
    pub(crate) fn right_for(&self, device: usize, id: RecoveryId, part: &PartView) -> Given {
        let model = &self.recorders[device].model;
        match &part.shows {
            Shows::Email { request, .. } => {
                let opened = self.service.open(request).expect("the service opens what a device seals");
                Given::Code(opened.contents.code.expose().to_owned())
            }
            Shows::Desk { request, .. } => {
                let opened = self.service.open(request).expect("the service opens what a device seals");
                let of = self.recorders[device].device.identity().device_id();
                Given::Grant(Paper::new(of, opened.nonce, self.time, Truth::Good, 0))
            }
            Shows::KeyFile => {
                let file = self.files.iter().find(|file| Some(file.number) == model.key_file);
                Given::KeyFile(file.unwrap_or_else(|| panic!("no file for {id}")).clone())
            }
            Shows::Sheet => {
                let line = self.lines.iter().find(|line| model.has_line(line.number));
                Given::SheetCode(line.expect("a line is good").clone())
            }
            Shows::Questions(_) => Given::Answers(model.questions.expect("they are set")),
            Shows::SecurityCode(question) => Given::Code(question.answer(&enrolment(device as u8)).expose().to_owned()),
        }
    }

    /// What is typed as a code: its own, if its mail came; or that of another, a slip, or a guess.
    pub(crate) fn typed_for(&mut self, identity: RequestIdentity) -> String {
        let honest = if self.mood == Mood::Siege { 1 } else { 60 };
        let letters = self.ledger.mailbox();
        let own = letters.iter().find(|letter| letter.identity == identity).map(|letter| letter.code.clone());
        if self.chance.percent(honest)
            && let Some(code) = own
        {
            return code;
        }
        let guess = format!("{:08}", self.chance.below(100_000_000));
        match (self.chance.below(3), own, self.chance.place(letters)) {
            (0, _, Some(other)) if self.mood != Mood::Siege => letters[other].code.clone(),
            (1, Some(code), _) => self.slipped(&code),
            _ => guess,
        }
    }
}

impl Given {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Code(_) => "code",
            Self::KeyFile(_) => "key file",
            Self::SheetCode(_) => "sheet code",
            Self::Answers(_) => "answers",
            Self::Grant(_) => "grant",
        }
    }
}
