//! What owners do, and others try: activation, logging in, passwords, reserved emails.

use sparekey_device::{Caller, HashedPassword, NewOwner, Username};
use sparekey_protocol::{Code, RequestIdentity, ReservedEmail};

use crate::{
    model::{Kind, ok},
    proofs::Given,
    recorder::said,
    world::{Confirming, Known, NAME, World, keep, language},
};

const ADDRESSES: [&str; 3] = ["owner@example.org", "spare@example.net", "new@example.com"];

impl World {
    pub(crate) fn activate(&mut self) {
        let (device, caller, fate) = (self.any_device(), self.any_caller(), self.fate());
        let (password, hashed) = self.new_password(device);
        let addresses = self.addresses();
        let unlocked = self.transfers.iter().rposition(|verdict| verdict.device == device);
        let unlocked = unlocked.filter(|_| self.chance.percent(90));
        let recorder = &mut self.recorders[device];
        let owner = new_owner(hashed, &addresses);
        // A code that was found right opens the transfer that it was typed for.
        let opened = unlocked.map(|at| &self.transfers[at]);
        let opens = opened.and_then(|opened| (opened.typed == opened.transfer).then_some(opened.transfer));
        let expected = recorder.model.asked_to_activate(caller, opens);
        let outcome =
            recorder.command(fate, |device, now| device.activate(now, caller, owner, opened.map(|o| &o.checked)));
        // A wrong code is put on record, so the refusal comes out of a change that is stored.
        let answer = match outcome {
            Err(refusal) => Some(Err(refusal)),
            Ok(answer) => answer,
        };
        if let Some(answer) = &answer {
            assert_eq!(said(answer), expected, "activating");
        }
        if answer == Some(Ok(())) {
            let handed_over = recorder.model.transfer.is_some();
            recorder.model.did_activate(&password, addresses);
            self.ledger.activated(device, opened.map(|opened| opened.typed));
            self.ledger.waits_no_more(device);
            if handed_over {
                self.tell("take over", &expected);
            }
        }
        self.tell("activate", &expected);
        self.survives(device, fate);
    }

    /// One or two, mostly; now and then none.
    fn addresses(&mut self) -> Vec<String> {
        let (first, count) = (self.chance.index(3), self.chance.weighted(&[(1, 0), (8, 1), (8, 2)]));
        (0..count).map(|at| ADDRESSES[(first + at) % 3].to_owned()).collect()
    }

    /// A name and a password are typed; the verdict comes back in a later step.
    pub(crate) fn type_password(&mut self) {
        let device = self.any_device();
        let name = self.chance.weighted(&[(8, NAME), (2, "ADMIN"), (1, "nobody")]);
        let recorder = &self.recorders[device];
        let Some(password) = recorder.model.password.clone() else {
            assert!(recorder.device.password_check(name).is_err(), "a password of a device without an owner");
            return;
        };
        let typed = self.chance.weighted(&[(6, &*password), (1, "tall ladder 1"), (1, "tall ladder"), (1, "")]);
        let checked = recorder.device.password_check(name).expect("it is active").run(typed);
        let (right, edition) = (name != "nobody" && typed == password, recorder.model.edition);
        keep(&mut self.known, Known { device, checked, right, edition });
    }

    pub(crate) fn log_in(&mut self) {
        let Some(at) = self.chance.place(&self.known) else { return };
        let (caller, fate, seed) = (self.any_caller(), self.fate(), self.chance.bytes());
        let Known { device, checked, right, edition } = &self.known[at];
        let (device, recorder) = (*device, &mut self.recorders[*device]);
        let expected = recorder.model.asked_to_log_in(*right, *edition);
        let outcome = recorder.command(fate, |device, now| device.log_in(now, caller, checked, &seed));
        if recorder.model.password.is_none() {
            // Its owner was one before somebody reset it by hand.
            assert_eq!(said(&outcome), "not-active", "logging in");
            return self.tell("log in", "not-active");
        }
        let logged_in = outcome.expect("it is active");
        let token = logged_in.and_then(|answer| {
            assert_eq!(said(&answer), expected, "logging in");
            answer.ok().map(|logged_in| logged_in.token.expose().to_owned())
        });
        if let Some(token) = &token {
            recorder.model.did_log_in(token);
            self.ledger.waits_no_more(device);
        }
        self.tell("log in", &expected);
        if self.survives(device, fate)
            && let Some(token) = token
            && let Some((device, oldest)) = keep(&mut self.tokens, (device, token))
        {
            self.end_session(device, &oldest);
        }
    }

    pub(crate) fn log_out(&mut self) {
        let Some(at) = self.chance.place(&self.tokens) else { return };
        let (device, token) = self.tokens[at].clone();
        self.end_session(device, &token);
    }

    fn end_session(&mut self, device: usize, token: &str) {
        let recorder = &mut self.recorders[device];
        recorder.device.log_out(token);
        recorder.model.did_log_out(token);
        assert!(recorder.device.session(recorder.now(), token).is_err(), "a session that was ended lives");
    }

    /// A session and a verdict on the password, both of the same device.
    pub(crate) fn session_and_password(&mut self) -> Option<(usize, String, usize)> {
        let (token, known) = (self.chance.place(&self.tokens)?, self.chance.place(&self.known)?);
        let (device, token) = self.tokens[token].clone();
        (self.known[known].device == device).then_some((device, token, known))
    }

    pub(crate) fn change_password(&mut self) {
        let Some((device, token, known)) = self.session_and_password() else { return };
        let (fate, (password, hashed)) = (self.fate(), self.new_password(device));
        let (recorder, known) = (&mut self.recorders[device], &self.known[known]);
        let expected = recorder.model.asked_to_change(&token, known.right, known.edition);
        let outcome = recorder
            .command(fate, |device, now| device.change_password(now, Caller::Screen, &token, &known.checked, hashed));
        assert_eq!(said(&outcome), expected, "changing a password");
        if outcome == Ok(Some(())) {
            recorder.model.did_change_password(&token, &password);
            assert_eq!(said(&recorder.device.session(recorder.now(), &token)), ok(), "one's own session ended");
            self.ledger.waits_no_more(device);
            self.nothing_older_lives(device, Some(&token));
        }
        self.tell("change a password", &expected);
        self.survives(device, fate);
    }

    pub(crate) fn set_contacts(&mut self) {
        let Some((device, token, known)) = self.session_and_password() else { return };
        let (fate, addresses) = (self.fate(), self.addresses());
        let (recorder, known) = (&mut self.recorders[device], &self.known[known]);
        let expected = recorder.model.asked_to_change(&token, known.right, known.edition);
        let outcome = recorder.command(fate, |device, now| {
            device.set_contacts(now, Caller::Screen, &token, &known.checked, emails(&addresses))
        });
        assert_eq!(said(&outcome), expected, "setting reserved emails");
        if outcome == Ok(Some(())) {
            recorder.model.did_set_contacts(addresses);
        }
        self.tell("set contacts", &expected);
        self.survives(device, fate);
    }

    pub(crate) fn open_confirmation(&mut self) {
        let Some(at) = self.chance.place(&self.tokens) else { return };
        let (device, token) = self.tokens[at].clone();
        let (contact, fate) = (self.chance.weighted(&[(6, 0), (3, 1), (1, 2)]), self.fate());
        let (draft, seeds) = self.draft();
        let recorder = &mut self.recorders[device];
        let expected = recorder.model.asked_to_open_confirmation(&token, contact);
        let outcome = recorder
            .command(fate, |device, now| device.open_confirmation(now, &token, contact, &language(), &draft, &seeds));
        assert_eq!(said(&outcome), expected, "opening a confirmation");
        let opened = outcome.ok().flatten();
        if let Some(opened) = &opened {
            self.began(device, Kind::Confirmation(contact), contact, opened);
        }
        self.tell("open a confirmation", &expected);
        if self.survives(device, fate)
            && let Some(opened) = opened
        {
            keep(&mut self.air, opened.qr_text().expect("a QR").to_owned());
        }
    }

    pub(crate) fn try_confirmation(&mut self) {
        let Some(at) = self.chance.place(&self.tokens) else { return };
        let (device, token) = self.tokens[at].clone();
        let (contact, fate) = (self.chance.weighted(&[(2, 0), (1, 1)]), self.fate());
        let open =
            self.recorders[device].model.confirmation(contact).map(|request| (request.id, request.parts[0].identity));
        let typed = self.typed_for(open.map_or(RequestIdentity([0; 32]), |(_, identity)| identity));
        let recorder = &mut self.recorders[device];
        let expected = recorder.model.asked_for_a_confirmation_try(&token, contact);
        let code = Code::parse(&typed).expect("eight digits");
        let outcome = recorder.command(fate, |device, now| device.take_confirmation_try(now, &token, contact, code));
        assert_eq!(said(&outcome), expected, "taking a confirmation's try");
        let check = outcome.ok().flatten();
        let id = open.map(|(id, _)| id);
        if let (Some(_), Some(id)) = (&check, id) {
            let given = Given::Code(typed.clone());
            recorder.model.did_take_a_try(Kind::Confirmation(contact), id, &given, 0);
            self.ledger.looked_at(device, id);
        }
        self.tell("take a confirmation's try", &expected);
        if self.survives(device, fate)
            && let (Some(check), Some(id)) = (check, id)
        {
            let checked = check.run();
            keep(&mut self.confirming, Confirming { device, contact, id, typed, checked });
        }
    }

    pub(crate) fn confirm(&mut self) {
        let (Some(at), Some(session)) = (self.chance.place(&self.confirming), self.chance.place(&self.tokens)) else {
            return;
        };
        let fate = self.fate();
        let Confirming { device, contact, id, typed, checked } = self.confirming.swap_remove(at);
        let token = self.tokens[session].1.clone();
        let recorder = &mut self.recorders[device];
        let expected = recorder.model.asked_to_confirm(&token, contact, id, &typed);
        let outcome = recorder.command(fate, |device, now| device.confirm(now, Caller::Screen, &token, &checked));
        assert_eq!(said(&outcome), expected, "confirming");
        if outcome == Ok(Some(())) {
            recorder.model.did_confirm(contact);
            self.ledger.proven(device, id, &Given::Code(typed), recorder.ran);
        }
        self.check_contacts(device, &token);
        self.tell("confirm", &expected);
        self.survives(device, fate);
    }

    /// The device shows the reserved emails that the model has, and those confirmed that were.
    fn check_contacts(&mut self, device: usize, token: &str) {
        let recorder = &mut self.recorders[device];
        if recorder.model.asked_for_session(token) != ok() {
            return;
        }
        let now = recorder.now();
        let shown = recorder.device.contacts(now, token).expect("the session lives");
        let shown: Vec<_> =
            shown.iter().map(|shown| (shown.email.as_str().to_owned(), shown.confirmed.is_some())).collect();
        assert_eq!(shown, recorder.model.contacts);
    }
}

/// What is set on the first day.
pub(crate) fn new_owner(password: HashedPassword, addresses: &[String]) -> NewOwner {
    let username = Username::new(NAME).expect("a short name");
    NewOwner { username, password, reserved_emails: emails(addresses), questions: None }
}

fn emails(addresses: &[String]) -> Vec<ReservedEmail> {
    addresses.iter().map(|address| ReservedEmail::new(address).expect("a short address")).collect()
}
