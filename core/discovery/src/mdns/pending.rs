//! Answers that wait for their moment.

use alloc::vec::Vec;
use core::net::SocketAddr;

use super::records::Set;
use crate::{To, dns::Question};

/// Answers that wait on one link. Who asks more at once is not answered: he asks again.
const MOST: usize = 64;
/// Answers to one host each that leave in a second, on one link.
const EACH_SECOND: u32 = 200;

/// One answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) due: u64,
    pub(super) to: To,
    pub(super) set: Set,
    /// Who asked: more known answers may come from there.
    pub(super) asker: SocketAddr,
    /// Of an ordinary resolver: its number and questions.
    pub(super) legacy: Option<(u16, Vec<Question>)>,
    /// It defends a name: the pause between two multicasts does not hold for it.
    pub(super) defends: bool,
}

/// The answers that wait on one link.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Vec<Pending>,
    second: u64,
    sent: u32,
}

impl Queue {
    pub(super) fn push(&mut self, pending: Pending) {
        if self.waiting.len() < MOST {
            self.waiting.push(pending);
        }
    }

    /// Those that wait for this asker.
    pub(super) fn of(&mut self, asker: SocketAddr) -> impl Iterator<Item = &mut Pending> {
        self.waiting.iter_mut().filter(move |pending| pending.asker == asker)
    }

    pub(super) fn drop_empty(&mut self) {
        self.waiting.retain(|pending| !pending.set.is_empty());
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn due(&self) -> Option<u64> {
        self.waiting.iter().map(|pending| pending.due).min()
    }

    /// What is due, as far as the second's budget goes.
    pub(super) fn take(&mut self, now: u64) -> Vec<Pending> {
        if now / 1_000 != self.second {
            (self.second, self.sent) = (now / 1_000, 0);
        }
        let mut due: Vec<_> = self.waiting.extract_if(.., |pending| pending.due <= now).collect();
        due.retain(|pending| {
            let to_one = matches!(pending.to, To::Peer(_));
            self.sent += u32::from(to_one);
            !to_one || self.sent <= EACH_SECOND
        });
        due
    }
}
