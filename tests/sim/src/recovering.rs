//! From *Forgot password* to a new one: by owners, and by others.

use sparekey_device::{Asked, Caller, Progress, RecoveryView, Typed, ways::Way};
use sparekey_protocol::Code;

use crate::{
    model::{Kind, ok},
    recorder::said,
    world::{Pass, Shown, Verdict, World, keep, language},
};

fn kind(caller: Caller) -> Kind {
    if caller == Caller::Screen { Kind::Screen } else { Kind::Link }
}

fn is_link(caller: Caller) -> bool {
    caller != Caller::Screen
}

impl World {
    pub(crate) fn open(&mut self) {
        let (device, caller, fate) = (self.any_device(), self.any_caller(), self.fate());
        let contact = self.chance.weighted(&[(8, 0), (2, 1), (1, 2)]);
        let (draft, seeds) = self.draft();
        let asked = Asked { contact, ..Way::Email.into() };
        let recorder = &mut self.recorders[device];
        let expected = recorder.model.asked_to_open(caller, contact);
        let outcome = recorder
            .command(fate, |device, now| device.open_recovery(now, caller, asked, &language(), &[draft], &seeds));
        assert_eq!(said(&outcome), expected, "opening");
        let ran = recorder.ran;
        if let Some(wait) = expected.strip_prefix("too-many-tries ") {
            self.ledger.waits(device, is_link(caller), ran, wait.parse().expect("seconds"));
        }
        self.tell("open", &expected);
        let opened = outcome.ok().flatten();
        if let Some(opened) = &opened {
            self.ledger.opened(device, is_link(caller), ran);
            self.began(device, kind(caller), contact, opened);
        }
        if self.survives(device, fate)
            && let Some(opened) = opened
        {
            let identity = sparekey_protocol::RequestIdentity::of(opened.request().expect("sealed"));
            keep(&mut self.shown, Shown { device, caller, id: opened.id, identity });
            keep(&mut self.air, opened.qr_text().expect("a QR").to_owned());
        }
    }

    /// A request is stored: the model and the ledger take down what the service will find in it.
    pub(crate) fn began(&mut self, device: usize, kind: Kind, contact: usize, opened: &RecoveryView) {
        let request =
            self.service.open(opened.request().expect("sealed")).expect("the service opens what a device seals");
        let recorder = &mut self.recorders[device];
        let code = request.contents.code.expose().to_owned();
        recorder.model.did_open(kind, opened.id, request.identity, code);
        let address = recorder.model.contacts[contact].0.clone();
        assert_eq!(request.contents.ask.email().map(|email| email.as_str()), Some(&*address), "another address");
        assert_eq!(request.certificate.serial, recorder.serial, "another serial");
        self.ledger.began(device, opened.id, request.identity, address, recorder.ran);
    }

    pub(crate) fn take_try(&mut self) {
        let Some(at) = self.chance.place(&self.shown) else { return };
        let of = self.shown[at];
        let (caller, fate, typed) = (self.about(of.caller), self.fate(), self.typed_for(of.identity));
        let recorder = &mut self.recorders[of.device];
        let expected = recorder.model.asked_for_a_try(caller, of.id);
        let code = Typed::Code(Code::parse(&typed).expect("eight digits"));
        let outcome = recorder.command(fate, |device, now| device.take_try(now, caller, of.id, code));
        assert_eq!(said(&outcome), expected, "taking a try");
        let check = outcome.ok().flatten();
        if check.is_some() {
            recorder.model.did_take_a_try(kind(caller), of.id);
            self.ledger.looked_at(of.device, of.id);
            if self.recorders[of.device].model.is_closed(kind(caller)) {
                self.tell("stop", &ok());
            }
        }
        self.tell("take a try", &expected);
        if self.survives(of.device, fate)
            && let Some(check) = check
        {
            let checked = check.run();
            keep(&mut self.verdicts, Verdict { of: Shown { caller, ..of }, typed, checked });
        }
    }

    pub(crate) fn redeem(&mut self) {
        let Some(at) = self.chance.place(&self.verdicts) else { return };
        let verdict = self.verdicts.remove(at);
        let of = verdict.of;
        let (caller, fate, seed) = (self.about(of.caller), self.fate(), self.chance.bytes());
        let recorder = &mut self.recorders[of.device];
        let expected = recorder.model.asked_to_redeem(caller, of.id, &verdict.typed);
        let outcome = recorder.command(fate, |device, now| device.redeem(now, caller, &verdict.checked, &seed));
        // A wrong code is put on record, so the refusal comes out of a change that is stored.
        let ticket = match outcome {
            Err(refusal) => {
                assert_eq!(said::<()>(&Err(refusal)), expected, "redeeming");
                None
            }
            Ok(None) => None,
            Ok(Some(answer)) => {
                assert_eq!(said(&answer), expected, "redeeming");
                answer.ok().map(|progress| match progress {
                    Progress::Proven(ticket) => ticket,
                    Progress::More | Progress::Tested => unreachable!("one proof of a reset is asked for"),
                })
            }
        };
        let ran = recorder.ran;
        if let Some(ticket) = &ticket {
            recorder.model.did_redeem(kind(caller), of.id, ticket.expose());
            self.ledger.proven(of.device, of.id, &verdict.typed, ran);
            self.ledger.waits_no_more(of.device);
        }
        self.tell("redeem", &expected);
        if self.survives(of.device, fate) {
            if let Some(ticket) = ticket {
                keep(&mut self.passes, Pass { of: Shown { caller, ..of }, ticket: ticket.expose().to_owned() });
            }
            if self.chance.percent(20) {
                // The same verdict comes once more.
                keep(&mut self.verdicts, verdict);
            }
        }
    }

    pub(crate) fn set_password(&mut self) {
        let Some(at) = self.chance.place(&self.passes) else { return };
        let (Pass { of, ticket }, other) = (self.passes[at].clone(), self.chance.index(self.passes.len()));
        let ticket = if self.chance.percent(90) { ticket } else { self.passes[other].ticket.clone() };
        let (caller, fate) = (self.about(of.caller), self.fate());
        let (password, hashed) = self.new_password(of.device);
        let recorder = &mut self.recorders[of.device];
        let expected = recorder.model.asked_to_set_password(caller, of.id, &ticket);
        let asked = recorder.device.check_ticket(recorder.now(), caller, of.id, &ticket);
        let outcome = recorder.command(fate, |device, now| device.set_password(now, caller, of.id, &ticket, hashed));
        assert_eq!(said(&outcome), expected, "setting a password");
        assert_eq!(said(&asked), expected, "asking about a ticket");
        let ran = recorder.ran;
        if outcome == Ok(Some(())) {
            recorder.model.did_set_password(&password);
            self.ledger.reset(of.device, of.id, ran);
            self.ledger.waits_no_more(of.device);
            self.nothing_older_lives(of.device, None);
            self.passes.retain(|pass| pass.of.device != of.device || self.chance.percent(20));
            // The agent restarts.
            self.recorders[of.device].restart();
            self.after_restart(of.device);
        }
        self.tell("set a password", &expected);
        self.survives(of.device, fate);
    }

    /// After a new password no request, no ticket and no session from before is worth anything, but one's own.
    pub(crate) fn nothing_older_lives(&mut self, device: usize, mine: Option<&str>) {
        let recorder = &mut self.recorders[device];
        let now = recorder.now();
        for shown in self.shown.iter().filter(|shown| shown.device == device) {
            assert!(recorder.device.recovery(now, shown.caller, shown.id).is_err(), "an older request lives");
        }
        for pass in self.passes.iter().filter(|pass| pass.of.device == device) {
            let checked = recorder.device.check_ticket(now, pass.of.caller, pass.of.id, &pass.ticket);
            assert!(checked.is_err(), "an older ticket lives");
        }
        for (_, token) in self.tokens.iter().filter(|(of, token)| *of == device && Some(&**token) != mine) {
            assert!(recorder.device.session(now, token).is_err(), "an older session lives");
        }
    }
}
