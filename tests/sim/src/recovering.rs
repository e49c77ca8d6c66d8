//! From *Forgot password* to a new one: by owners, and by others.

use sparekey_device::{Asked, Caller, OpenSeeds, PartView, Progress, RecoveryId, RecoveryView, Shows, ways::Way};
use sparekey_protocol::{RequestIdentity, request::Request};

use crate::{
    ledger::Letter,
    model::{Class, Kind, Opening, Part, ok},
    proofs::Given,
    recorder::{brought, enrolment, said},
    world::{Pass, Shown, Verdict, World, keep, language},
};

pub(crate) fn kind(caller: Caller) -> Kind {
    if caller == Caller::Screen { Kind::Screen } else { Kind::Link }
}

pub(crate) fn is_link(caller: Caller) -> bool {
    caller != Caller::Screen
}

/// The seconds of an answer that says to wait.
pub(crate) fn wait(answer: &str) -> Option<u64> {
    Some(answer.strip_prefix("too-many-tries ")?.parse().expect("seconds"))
}

impl World {
    pub(crate) fn open(&mut self) {
        let way = self.any_way();
        let (device, caller, fate) = (self.any_device(), self.any_caller(), self.fate());
        let contact = self.chance.weighted(&[(8, 0), (2, 1), (1, 2)]);
        let (drafts, seeds) = self.drafts();
        let asked = Asked { contact, ..way.into() };
        let recorder = &mut self.recorders[device];
        let opening = recorder.model.asked_to_open(caller, way, contact);
        let expected = opening.answer();
        let outcome = recorder
            .command(fate, |device, now| device.open_recovery(now, caller, asked, &language(), &drafts, &seeds));
        assert_eq!(said(&outcome), expected, "opening by {way:?}");
        let ran = recorder.ran;
        if let Some(wait) = wait(&expected) {
            self.ledger.waits(device, is_link(caller), Class::of(way), ran, wait);
        }
        self.tell(&format!("open {}", way.name()), &expected);
        let opened = outcome.ok().flatten();
        if let Some(opened) = &opened {
            match opening {
                Opening::Again(id) => assert_eq!(opened.id, id, "another request is shown"),
                Opening::New(wanted) => {
                    let ways: Vec<_> = opened.parts.iter().map(|part| part.way).collect();
                    assert_eq!(ways, wanted, "other proofs are asked for");
                    self.ledger.passed(device, is_link(caller), Class::of(way), ran);
                    self.began(device, kind(caller), contact, opened);
                }
                Opening::Refused(_) => unreachable!("it was compared"),
            }
        }
        if self.survives(device, fate)
            && let Some(opened) = opened
        {
            self.is_shown(device, caller, &opened);
        }
    }

    pub(crate) fn is_shown(&mut self, device: usize, caller: Caller, opened: &RecoveryView) {
        keep(&mut self.shown, Shown { device, caller, id: opened.id });
        for part in &opened.parts {
            if let Some(qr_text) = part.shows.qr_text() {
                keep(&mut self.air, qr_text.to_owned());
            }
            if let Shows::SecurityCode(question) = part.shows {
                // Somebody telephones, mostly.
                if self.chance.percent(70) {
                    let code = question.answer(&enrolment(device as u8)).expose().to_owned();
                    self.ledger.arrived(Letter { to: "telephone".to_owned(), code, identity: named(opened.id) });
                }
            }
        }
    }

    /// A request is stored: the model and the ledger take down what the service will find in it.
    pub(crate) fn began(&mut self, device: usize, kind: Kind, contact: usize, opened: &RecoveryView) {
        let both = self.recorders[device].model.both && !matches!(kind, Kind::Confirmation(_)) && !opened.test;
        let mut emails = if both { vec![0, 1] } else { vec![contact] }.into_iter();
        let mut parts = Vec::new();
        for part in &opened.parts {
            let to = match part.way {
                Way::Email => {
                    let contact = emails.next().expect("a code for each contact");
                    Some(self.recorders[device].model.contacts[contact].0.clone())
                }
                _ => None,
            };
            parts.push(self.part(device, opened.id, part, to));
        }
        let ran = self.recorders[device].ran;
        self.ledger.began(device, opened.id, &parts, ran);
        let parts = parts.into_iter().map(|(part, _)| part).collect();
        self.recorders[device].model.did_open(kind, opened.id, parts, opened.test.then_some(contact));
    }

    /// One part of it, with where its code goes to.
    fn part(&self, device: usize, id: RecoveryId, part: &PartView, to: Option<String>) -> (Part, String) {
        let mut made = Part {
            way: part.way,
            identity: named(id),
            code: None,
            nonce: None,
            tries_left: 5,
            proven: false,
            sheet_line: None,
        };
        let Some(bytes) = part.shows.request() else {
            if let Shows::SecurityCode(question) = part.shows {
                made.code = Some(question.answer(&enrolment(device as u8)).expose().to_owned());
            }
            return (made, "telephone".to_owned());
        };
        let opened = self.service.open(bytes).expect("the service opens what a device seals");
        let Request { certificate, nonce, identity, contents } = opened.into_inner();
        assert_eq!(certificate.serial, self.recorders[device].serial, "another serial");
        assert_eq!(contents.ask.email().map(|email| email.as_str()), to.as_deref(), "another address");
        made.identity = identity;
        made.code = Some(contents.code.expose().to_owned());
        if part.way == Way::Desk {
            made.nonce = Some(nonce);
        }
        (made, to.unwrap_or_else(|| "desk".to_owned()))
    }

    pub(crate) fn take_try(&mut self) {
        let Some(at) = self.chance.place(&self.shown) else { return };
        let of = self.shown[at];
        let (caller, fate, given) = (self.about(of.caller), self.fate(), self.given_for(of));
        let class = Class::of_given(&given);
        let clock = self.recorders[of.device].clock;
        let recorder = &mut self.recorders[of.device];
        let expected = recorder.model.asked_for_a_try(caller, of.id, &given);
        let typed = given.typed();
        let outcome = recorder.command(fate, |device, now| device.take_try(now, caller, of.id, typed));
        assert_eq!(said(&outcome), expected, "taking a try with {given:?}");
        let check = outcome.ok().flatten();
        let ran = recorder.ran;
        let mut looked_at = None;
        if check.is_some() {
            let kind = kind(caller);
            looked_at = Some(recorder.model.did_take_a_try(kind, of.id, &given, clock));
            let closed = recorder.model.is_closed(class, kind);
            if let Given::Code(_) = given {
                self.ledger.looked_at(of.device, of.id);
            } else {
                self.ledger.passed(of.device, is_link(caller), class, ran);
            }
            if closed {
                self.tell("stop", &ok());
            }
        } else if let Some(wait) = wait(&expected)
            && class != Class::Codes
        {
            self.ledger.waits(of.device, is_link(caller), class, ran, wait);
        }
        self.tell("take a try", &expected);
        if self.survives(of.device, fate)
            && let (Some(check), Some(expected)) = (check, looked_at)
        {
            let checked = check.run();
            keep(&mut self.verdicts, Verdict { of: Shown { caller, ..of }, given, expected, checked });
        }
    }

    pub(crate) fn redeem(&mut self) {
        let Some(at) = self.chance.place(&self.verdicts) else { return };
        let verdict = self.verdicts.remove(at);
        let of = verdict.of;
        let (caller, fate, seed) = (self.about(of.caller), self.fate(), self.chance.bytes());
        let recorder = &mut self.recorders[of.device];
        let expected = recorder.model.asked_to_redeem(caller, of.id, &verdict.given, &verdict.expected);
        let outcome = recorder.command(fate, |device, now| device.redeem(now, caller, &verdict.checked, &seed));
        // A wrong proof is put on record, so the refusal comes out of a change that is stored.
        let answer = match outcome {
            Err(refusal) => Some(Err(refusal)),
            Ok(answer) => answer,
        };
        let (mut ticket, mut tested) = (None, false);
        if let Some(answer) = answer {
            let said = brought(&answer);
            if expected == "somehow" {
                let known = ["malformed", "not-in-log", "not-for-this-device", "wrong-proof"];
                assert!(known.iter().any(|name| said.starts_with(name)), "an altered grant: {said}");
            } else {
                assert_eq!(said, expected, "redeeming {:?}", verdict.given);
            }
            if let Ok(progress) = &answer {
                let ran = recorder.ran;
                let its = if let Progress::Proven(ticket) = progress { Some(ticket.expose()) } else { None };
                let class = Class::of_given(&verdict.given);
                recorder.model.did_prove(kind(caller), of.id, class, &verdict.expected, its);
                self.ledger.proven(of.device, of.id, &verdict.given, ran);
                tested = matches!(progress, Progress::Tested);
                if let Some(its) = its {
                    ticket = Some(its.to_owned());
                    self.ledger.waits_no_more(of.device);
                }
            }
        }
        let name = format!("{} {}", if tested { "try out" } else { "redeem" }, verdict.given.name());
        self.tell(&name, &expected);
        if self.survives(of.device, fate) {
            if let Some(ticket) = ticket {
                keep(&mut self.passes, Pass { of: Shown { caller, ..of }, ticket });
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
            recorder.model.did_recover(kind(caller), of.id, &password);
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

    /// Nobody with a right way is locked out for good, whatever happened: a hand on the device, and no longer than a day.
    pub(crate) fn everybody_gets_in(&mut self) {
        for device in 0..self.recorders.len() {
            self.new_owner_gets_in(device);
            for caller in [Caller::Screen, crate::world::LINK] {
                self.recorders[device].pass(25 * 3_600);
                self.recorders[device].clock = self.time;
                self.lift_stops_of(device, crate::recorder::Fate::Fine);
                for way in Way::ALL {
                    if self.recorders[device].model.is_ready(way, kind(caller)) {
                        self.gets_in(device, caller, way);
                    }
                }
            }
        }
    }

    fn gets_in(&mut self, device: usize, caller: Caller, way: Way) {
        let (drafts, seeds): (_, OpenSeeds) = self.drafts();
        let seed = self.chance.bytes();
        let recorder = &mut self.recorders[device];
        let now = recorder.now();
        let opened = recorder.device.open_recovery(now, caller, way.into(), &language(), &drafts, &seeds);
        let opened = opened.unwrap_or_else(|refusal| panic!("{way:?} is closed for good: {refusal:?}"));
        let opened = opened.commit(|_| Ok::<_, ()>(())).expect("stored");
        let mut given: Vec<Given> = opened.parts.iter().map(|part| self.right_for(device, opened.id, part)).collect();
        let last = given.pop().expect("a proof is asked for");
        for given in given {
            let progress = self.gives(device, caller, opened.id, &given, &seed);
            assert!(matches!(progress, Progress::More), "{way:?}: {progress:?}");
        }
        let progress = self.gives(device, caller, opened.id, &last, &seed);
        assert!(matches!(progress, Progress::Proven(_)), "{way:?}: {progress:?}");
        // Nothing of it was stored, so nothing of it is to be seen in what follows.
        self.recorders[device].restart();
        self.tell("gets in", way.name());
    }

    fn gives(&mut self, device: usize, caller: Caller, id: RecoveryId, given: &Given, seed: &[u8; 32]) -> Progress {
        let recorder = &mut self.recorders[device];
        let now = recorder.now();
        let check = recorder.device.take_try(now, caller, id, given.typed());
        let check = check.unwrap_or_else(|refusal| panic!("{given:?}: {refusal:?}"));
        let checked = check.commit(|_| Ok::<_, ()>(())).expect("stored").run();
        let redeemed = recorder.device.redeem(now, caller, &checked, seed).expect("it waits for it");
        redeemed.commit(|_| Ok::<_, ()>(())).expect("stored").unwrap_or_else(|refusal| panic!("{given:?}: {refusal:?}"))
    }
}

/// Where a request has no bytes that the service sees, its own name stands for them.
pub(crate) fn named(id: RecoveryId) -> RequestIdentity {
    let mut identity = [0; 32];
    identity.copy_from_slice(id.to_string().as_bytes());
    RequestIdentity(identity)
}
