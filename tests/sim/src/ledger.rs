//! What really happened, by real time and real mails, held against what was promised.

use std::collections::BTreeMap;

use sparekey_device::RecoveryId;
use sparekey_protocol::{RequestIdentity, Serial};

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
    identity: RequestIdentity,
    address: String,
    /// Real seconds that the device had run when it was opened.
    opened: u64,
    looked_at: u32,
    proven_with: Option<String>,
    proven: u64,
    resets: u32,
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
    waits: BTreeMap<(usize, bool), (u64, u64)>,
}

impl Ledger {
    fn life(&mut self, device: usize, id: RecoveryId) -> &mut Life {
        let found = self.lives.iter_mut().find(|(of, named, _)| *of == device && *named == id);
        &mut found.expect("a request that was never opened").2
    }

    /// Waits are never shorter than they were said to be, whatever was restarted meanwhile.
    pub(crate) fn opened(&mut self, device: usize, on_link: bool, ran: u64) {
        if let Some((began, wait)) = self.waits.get(&(device, on_link)) {
            assert!(ran - began >= *wait, "a wait of {wait} s was over after {} s", ran - began);
        }
    }

    pub(crate) fn waits(&mut self, device: usize, on_link: bool, ran: u64, wait: u64) {
        self.waits.insert((device, on_link), (ran, wait));
    }

    pub(crate) fn waits_no_more(&mut self, device: usize) {
        self.waits.retain(|(of, _), _| *of != device);
    }

    pub(crate) fn began(
        &mut self,
        device: usize,
        id: RecoveryId,
        identity: RequestIdentity,
        address: String,
        ran: u64,
    ) {
        assert!(self.lives.iter().all(|(_, _, life)| life.identity != identity), "two requests of the same bytes");
        let life = Life { identity, address, opened: ran, looked_at: 0, proven_with: None, proven: 0, resets: 0 };
        self.lives.push((device, id, life));
    }

    /// A code may be looked at.
    pub(crate) fn looked_at(&mut self, device: usize, id: RecoveryId) {
        let life = self.life(device, id);
        life.looked_at += 1;
        assert!(life.looked_at <= 5, "a sixth code of one request was looked at");
    }

    /// A code was found right: it was mailed to the reserved address, for this very request, less than 30 minutes ago.
    pub(crate) fn proven(&mut self, device: usize, id: RecoveryId, typed: &str, ran: u64) {
        let arrived = self.arrived.clone();
        let life = self.life(device, id);
        let is_its =
            |letter: &Letter| letter.identity == life.identity && letter.to == life.address && letter.code == typed;
        assert!(arrived.iter().any(is_its), "a code was right that was never mailed");
        assert!(ran - life.opened < 1_800, "a code was right after {} s", ran - life.opened);
        assert_eq!(life.proven_with, None, "two right codes for one request");
        (life.proven_with, life.proven) = (Some(typed.to_owned()), ran);
    }

    /// A new password was set by a recovery.
    pub(crate) fn reset(&mut self, device: usize, id: RecoveryId, ran: u64) {
        let life = self.life(device, id);
        assert!(life.proven_with.is_some(), "a new password without a right code");
        assert!(ran - life.proven < 600, "a new password {} s after the code", ran - life.proven);
        life.resets += 1;
        assert_eq!(life.resets, 1, "two new passwords by one request");
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
