//! What really happened, by real time and real mails, held against what was promised.

use std::collections::{BTreeMap, BTreeSet};

use sparekey_device::{RecoveryId, ways::Way};
use sparekey_protocol::{Nonce, RequestIdentity, Serial};

use crate::{
    desk::Two,
    model::{Class, Part},
    proofs::Given,
};

/// One mail that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) code: String,
    pub(crate) identity: RequestIdentity,
}

/// One request of one device, from its opening on.
#[derive(Debug)]
struct Life {
    /// What it asks for: the identity of each part, and where its code goes to.
    parts: Vec<(Way, RequestIdentity, String)>,
    /// Real seconds that the device had run when it was opened.
    opened: u64,
    looked_at: u32,
    proven_with: Vec<Used>,
    proven: u64,
    resets: u32,
}

/// A proof, to see that it is used once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Used {
    Code(RequestIdentity),
    KeyFile(u64),
    Line(u64),
    /// They are the owner's, as often as they are right.
    Answers,
    Grant([u8; 16]),
}

/// A mail that the service decided to send.
struct Sent {
    at: u64,
    device: Serial,
    to: String,
    identity: RequestIdentity,
}

/// Promised by the service: so many mails at once to a device or an address, and one more each period.
const BURST: usize = 6;
const PERIOD: u64 = 4 * 3_600;

#[derive(Default)]
pub(crate) struct Ledger {
    lives: Vec<(usize, RecoveryId, Life)>,
    arrived: Vec<Letter>,
    sent: Vec<Sent>,
    deliveries: BTreeMap<RequestIdentity, u32>,
    repeats: BTreeMap<RequestIdentity, u32>,
    /// When a wait began, and how long it was, for each device and kind of caller: none once it was lifted.
    waits: BTreeMap<(usize, bool, Class), (u64, u64)>,
    /// What stands in the public log, and which two people let in whoever comes with it.
    logged: BTreeMap<[u8; 16], Two>,
    /// Requests that the desk answered.
    answered: BTreeSet<RequestIdentity>,
    /// Devices that were handed over, and the code that goes with each.
    handed_over: BTreeMap<usize, u64>,
    /// Proofs that set a new password.
    used: Vec<Used>,
}

impl Ledger {
    fn life(&mut self, device: usize, id: RecoveryId) -> &mut Life {
        let found = self.lives.iter_mut().find(|(of, named, _)| *of == device && *named == id);
        &mut found.expect("a request that was never opened").2
    }

    /// Waits are never shorter than they were said to be, whatever was restarted meanwhile.
    pub(crate) fn passed(&mut self, device: usize, on_link: bool, class: Class, ran: u64) {
        if let Some((began, wait)) = self.waits.get(&(device, on_link, class)) {
            assert!(ran - began >= *wait, "a wait of {wait} s was over after {} s", ran - began);
        }
    }

    pub(crate) fn waits(&mut self, device: usize, on_link: bool, class: Class, ran: u64, wait: u64) {
        self.waits.insert((device, on_link, class), (ran, wait));
    }

    pub(crate) fn waits_no_more(&mut self, device: usize) {
        self.waits.retain(|(of, _, _), _| *of != device);
    }

    pub(crate) fn began(&mut self, device: usize, id: RecoveryId, parts: &[(Part, String)], ran: u64) {
        let parts: Vec<_> = parts.iter().map(|(part, to)| (part.way, part.identity, to.clone())).collect();
        let known = |identity| self.lives.iter().any(|(_, _, life)| life.parts.iter().any(|part| part.1 == identity));
        assert!(!parts.iter().any(|part| known(part.1)), "two requests of the same bytes");
        let life = Life { parts, opened: ran, looked_at: 0, proven_with: Vec::new(), proven: 0, resets: 0 };
        self.lives.push((device, id, life));
    }

    /// The owner handed the device over, with this code.
    pub(crate) fn handed_over(&mut self, device: usize, code: u64) {
        self.handed_over.insert(device, code);
    }

    /// A hand on the device ended a transfer, too.
    pub(crate) fn reset_by_hand(&mut self, device: usize) {
        self.handed_over.remove(&device);
    }

    /// The device has an owner: after a transfer, one who typed its code.
    pub(crate) fn activated(&mut self, device: usize, typed: Option<u64>) {
        let code = self.handed_over.remove(&device);
        assert!(code.is_none() || code == typed, "a device that was handed over is somebody else's");
    }

    /// A code may be looked at.
    pub(crate) fn looked_at(&mut self, device: usize, id: RecoveryId) {
        let life = self.life(device, id);
        life.looked_at += 1;
        let codes = life.parts.iter().filter(|part| Class::of(part.0) == Class::Codes || part.0 == Way::Desk).count();
        assert!(life.looked_at <= 5 * codes as u32, "a sixth code of one part of a request was looked at");
    }

    /// The desk answers a request once.
    fn answered(&mut self, identity: RequestIdentity, two: Two) {
        assert!(self.answered.insert(identity), "a request was answered twice");
        assert_ne!(two.0, two.1, "one person alone let somebody in");
    }

    /// The desk read out the digits of a request.
    pub(crate) fn read_out(&mut self, identity: RequestIdentity, code: String, two: Two) {
        self.answered(identity, two);
        self.arrived.push(Letter { to: "desk".to_owned(), code, identity });
    }

    /// The service put a grant into its log.
    pub(crate) fn granted(&mut self, nonce: Nonce, identity: RequestIdentity, two: Two) {
        self.answered(identity, two);
        self.logged.insert(nonce.0, two);
    }

    /// A proof was found right. A code was mailed to the reserved address, for this very request; a grant is in the log. That a file, a
    /// line or answers were right is for the model to know.
    pub(crate) fn proven(&mut self, device: usize, id: RecoveryId, given: &Given, ran: u64) {
        let (arrived, logged) = (self.arrived.clone(), self.logged.clone());
        let life = self.life(device, id);
        let good_for = if life.parts[0].0 == Way::Desk { 48 * 3_600 } else { 1_800 };
        assert!(ran - life.opened < good_for, "a proof was right after {} s", ran - life.opened);
        let used = match given {
            Given::Code(typed) => {
                let is_its = |part: &&(Way, RequestIdentity, String)| {
                    let (_, identity, to) = part;
                    arrived
                        .iter()
                        .any(|letter| letter.identity == *identity && letter.to == *to && letter.code == *typed)
                };
                let part = life.parts.iter().find(is_its);
                Used::Code(part.expect("a code was right that was never sent").1)
            }
            Given::Grant(paper) => {
                assert!(logged.contains_key(&paper.nonce.0), "a grant was right that is in no log");
                Used::Grant(paper.nonce.0)
            }
            Given::KeyFile(file) => Used::KeyFile(file.number),
            Given::SheetCode(line) => Used::Line(line.number),
            Given::Answers(_) => Used::Answers,
        };
        assert!(!life.proven_with.contains(&used), "one proof for two parts");
        life.proven_with.push(used);
        life.proven = ran;
    }

    /// A new password was set by a recovery: by every proof that was asked for, none of which had set one before.
    pub(crate) fn reset(&mut self, device: usize, id: RecoveryId, ran: u64) {
        let life = self.life(device, id);
        assert_eq!(life.proven_with.len(), life.parts.len(), "a new password without every proof");
        assert!(ran - life.proven < 600, "a new password {} s after the last proof", ran - life.proven);
        life.resets += 1;
        assert_eq!(life.resets, 1, "two new passwords by one request");
        let proofs = life.proven_with.clone();
        for proof in proofs.into_iter().filter(|proof| *proof != Used::Answers) {
            assert!(!self.used.contains(&proof), "two new passwords by {proof:?}");
            self.used.push(proof);
        }
    }

    /// The service decided to send a mail.
    pub(crate) fn sent(&mut self, at: u64, device: Serial, to: String, identity: RequestIdentity) {
        let before: Vec<_> = self.sent.iter().filter(|sent| sent.identity == identity).collect();
        assert!(before.len() < 3, "a fourth mail for one request");
        assert!(before.iter().all(|sent| at - sent.at >= 60), "two mails for one request within a minute");
        self.sent.push(Sent { at, device, to, identity });
        let last = self.sent.last().expect("just added");
        for same in [|a: &Sent, b: &Sent| a.device == b.device, |a: &Sent, b: &Sent| a.to == b.to] {
            let times: Vec<_> = self.sent.iter().filter(|sent| same(sent, last)).map(|sent| sent.at).collect();
            for (first, from) in times.iter().enumerate() {
                let allowed = BURST + usize::try_from((at - from) / PERIOD).expect("few");
                assert!(times.len() - first <= allowed, "more mails than the budget");
            }
        }
    }

    /// The mail's note was lost in a crash: it may come once more.
    pub(crate) fn note_lost(&mut self, identity: RequestIdentity) {
        *self.repeats.entry(identity).or_default() += 1;
    }

    /// A mail server took a mail.
    pub(crate) fn accepted(&mut self, letter: &Letter) {
        let accepted = self.deliveries.entry(letter.identity).or_default();
        *accepted += 1;
        let decided = self.sent.iter().filter(|sent| sent.identity == letter.identity).count();
        let repeats = self.repeats.get(&letter.identity).copied().unwrap_or_default();
        assert!(u64::from(*accepted) <= decided as u64 + u64::from(repeats), "a mail was sent twice");
    }

    pub(crate) fn arrived(&mut self, letter: Letter) {
        self.arrived.push(letter);
    }

    /// Mails to this address; the owner reads them.
    pub(crate) fn mailbox(&self) -> &[Letter] {
        &self.arrived
    }

    pub(crate) fn resets(&self) -> u32 {
        self.lives.iter().map(|(_, _, life)| life.resets).sum()
    }
}
