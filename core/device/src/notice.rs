//! What the contacts are to be told afterwards: every recovery, every one that was refused, the end of an ownership.
//!
//! The device keeps it until somebody told them: the agent through a mail server of the owner's ([`Device::notice_told`]), or a phone that
//! carries a sealed receipt to the service ([`Device::receipt`]). The owner sees it at the next login in any case, in the record.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use sparekey_protocol::{
    Language, ReservedEmail, Time,
    receipt::{self, Receipt, What},
};

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now},
    event::EventKind,
    login::Checked,
    state::State,
    time::Running,
    ways::{Way, Why},
};

/// At most so many; the oldest makes room.
const KEPT: usize = 16;
/// Refused recoveries within so many seconds of running time are one notice: nobody fills a mailbox by guessing.
const REFUSED_EACH: u64 = 6 * 60 * 60;
/// What nobody could be told of for so long, in seconds of running time, is let go, and the addresses with it.
const FORGOTTEN: u64 = 30 * 24 * 60 * 60;

/// What happened. The numbers are kept in vaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum NoticeKind {
    /// A new password after a right proof.
    #[n(0)]
    Recovered,
    /// Somebody used up the tries of a recovery.
    #[n(1)]
    Refused,
    /// The device was reset by hand: the contacts are its contacts no more.
    #[n(2)]
    FactoryReset,
    /// The device was handed over to a new owner.
    #[n(3)]
    Transferred,
}

/// Something to tell the contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Counts up from 1: to name it in the calls that follow.
    pub number: u64,
    /// What.
    pub kind: NoticeKind,
    /// By which way back in.
    pub way: Option<Way>,
    /// When it last happened, by the device's clock.
    pub at: Time,
    /// How often.
    pub count: u32,
    /// Whom to tell: all contacts as they were then.
    pub to: Vec<ReservedEmail>,
    /// The mail server that was in force then ([`Device::mail_server`]). No other may tell it: whoever got in could set one of his own, that
    /// takes all mails and delivers none.
    pub server: Option<u64>,
    /// The owner says that the contacts know.
    pub by_hand: bool,
}

/// The mail servers that the owner set for telling the contacts, each with a number. What they are is the outside's to keep.
#[derive(Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct MailServers {
    #[n(0)]
    last: u64,
    #[n(1)]
    pub(crate) current: Option<u64>,
}

#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Kept {
    #[n(0)]
    number: u64,
    #[n(1)]
    kind: NoticeKind,
    #[n(2)]
    way: Option<Way>,
    #[n(3)]
    at: Time,
    #[n(4)]
    since: Running,
    #[n(5)]
    count: u32,
    /// Nobody, once they were told.
    #[n(6)]
    to: Vec<ReservedEmail>,
    #[n(7)]
    server: Option<u64>,
    #[cbor(n(8), default)]
    by_hand: bool,
}

#[derive(Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Notices {
    #[n(0)]
    last: u64,
    #[n(1)]
    kept: Vec<Kept>,
}

impl State {
    /// Something happened that the contacts are to be told of. Without contacts there is nobody to tell.
    pub(crate) fn notify(&mut self, now: Now, kind: NoticeKind, way: Option<Way>) {
        let contacts = self.owner.iter().flat_map(|owner| &owner.contacts);
        let to: Vec<_> = contacts.map(|contact| contact.email.clone()).collect();
        if to.is_empty() {
            return;
        }
        let (since, Notices { last, kept }) = (self.running, &mut self.notices);
        let same = |notice: &&mut Kept| {
            notice.kind == kind && kind == NoticeKind::Refused && since.at_least_since(notice.since) < REFUSED_EACH
        };
        if let Some(notice) = kept.iter_mut().rev().find(same) {
            notice.count = notice.count.saturating_add(1);
            notice.at = now.clock;
            return;
        }
        if kept.len() == KEPT {
            // What was told is worth nothing any more, and a crowd of refusals pushes out no recovery.
            let told = kept.iter().position(|notice| notice.to.is_empty());
            let refused = || kept.iter().position(|notice| notice.kind == NoticeKind::Refused);
            let oldest = told.or_else(refused).unwrap_or(0);
            kept.remove(oldest);
        }
        *last += 1;
        let server = self.mail_servers.current;
        kept.push(Kept { number: *last, kind, way, at: now.clock, since, count: 1, to, server, by_hand: false });
    }
}

impl Notices {
    /// Lets go what nobody could be told of for so long.
    pub(crate) fn forget(&mut self, running: Running) {
        self.kept.retain(|notice| running.at_least_since(notice.since) < FORGOTTEN);
    }
}

impl Device {
    /// What the contacts were not told of yet, oldest first.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        let untold = self.state().notices.kept.iter().filter(|notice| !notice.to.is_empty());
        let notice = |kept: &Kept| {
            let Kept { number, kind, way, at, count, to, server, by_hand, .. } = kept.clone();
            Notice { number, kind, way, at, count, to, server, by_hand }
        };
        untold.map(notice).collect()
    }

    /// The contacts were told of it: a mail server, or the service, took it for all of them. Their addresses are let go.
    pub fn notice_told(&mut self, now: Now, number: u64) -> Change<'_, ()> {
        let mut next = self.next(now);
        for notice in next.notices.kept.iter_mut().filter(|notice| notice.number == number) {
            notice.to.clear();
        }
        Change::new(self, next, ())
    }

    /// The owner says that the contacts know: it is shown no more, and no phone carries it. A mail server that was in force then tells them
    /// all the same, for whoever got in may say so too. Every open request is void.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password; [`Refusal::Expired`] if there is no such notice.
    pub fn dismiss_notice(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        number: u64,
    ) -> Result<Change<'_, ()>, Refusal> {
        let (mut next, owner) = self.changed_by_owner(now, token, checked)?;
        next.owner = Some(owner);
        let mut untold = next.notices.kept.iter_mut().filter(|notice| !notice.to.is_empty() && !notice.by_hand);
        let notice = untold.find(|notice| notice.number == number).ok_or(Refusal::Expired)?;
        notice.by_hand = true;
        if notice.server.is_none() {
            notice.to.clear();
        }
        next.record.add(now.clock, EventKind::NoticeDismissed, caller);
        Ok(Change::new(self, next, ()))
    }

    /// The number of the mail server that tells the contacts; none if the owner set none.
    #[must_use]
    pub fn mail_server(&self) -> Option<u64> {
        self.state().mail_servers.current
    }

    /// Another mail server is to tell the contacts, or none. Answers with its number, under which the outside keeps it, after this. What
    /// happened before is told by the one before: that one is to be kept until it is told, or let go. Every open request is void.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password.
    pub fn set_mail_server(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        set: bool,
    ) -> Result<Change<'_, Option<u64>>, Refusal> {
        let (mut next, owner) = self.changed_by_owner(now, token, checked)?;
        next.owner = Some(owner);
        let servers = &mut next.mail_servers;
        servers.current = set.then_some(servers.last + 1);
        servers.last += u64::from(set);
        let current = servers.current;
        next.record.add(now.clock, EventKind::MailServerChanged, caller);
        Ok(Change::new(self, next, current))
    }

    /// A notice for a phone to carry: signed by the device, sealed to its service, which mails it to the contacts
    /// ([`sparekey_protocol::receipt`]). `seed` is 32 fresh random bytes.
    ///
    /// # Errors
    /// [`Refusal::Expired`] if there is no such notice, or they were told; [`Refusal::MethodNotReady`] if the owner wants no service, or
    /// the card cannot be used.
    pub fn receipt(&self, number: u64, language: &Language, seed: &[u8; 32]) -> Result<Vec<u8>, Refusal> {
        if !self.service_on() {
            return Err(Refusal::MethodNotReady(Why::NoService));
        }
        let notice = self.notices().into_iter().find(|notice| notice.number == number).ok_or(Refusal::Expired)?;
        let receipt = Receipt {
            number,
            what: match notice.kind {
                NoticeKind::Recovered => What::Recovered,
                NoticeKind::Refused => What::Refused,
                NoticeKind::FactoryReset => What::FactoryReset,
                NoticeKind::Transferred => What::Transferred,
            },
            way: notice.way.map(|way| way.name().into()),
            at: notice.at,
            count: notice.count,
            to: notice.to,
            language: language.clone(),
        };
        let identity = self.identity();
        receipt::seal(&receipt, seed, identity.certificate_bytes(), &identity.key, &self.card().opening_key)
            .ok_or(Refusal::MethodNotReady(Why::BadCard))
    }
}
