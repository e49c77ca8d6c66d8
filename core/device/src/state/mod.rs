//! All that a device keeps, and how it stands in the vault.

mod v1;

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use sparekey_protocol::{ReservedEmail, Time};
use zeroize::Zeroizing;

use crate::{
    asks::ServiceAsks,
    card::NewerCard,
    event::Record,
    guard::Guards,
    notice::{MailServers, Notices},
    password::{HashedPassword, Username},
    pending::Pending,
    session::Sessions,
    time::Running,
    transfer,
    ways::{SetUp, SheetCodeState, Way},
};

/// Keys of these maps are kept in vaults: never give one a second meaning. A later version may add keys; an earlier one
/// passes over them.
#[derive(Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct State {
    #[n(0)]
    pub(crate) running: Running,
    #[n(1)]
    pub(crate) owner: Option<Owner>,
    /// Empty but while a vault of version 1 is read.
    #[n(2)]
    pending_v1: Vec<v1::Pending>,
    #[n(3)]
    pub(crate) guards: Guards,
    #[n(4)]
    pub(crate) record: Record,
    #[cbor(n(5), default)]
    pub(crate) pending: Vec<Pending>,
    /// In place of the one that the device was provisioned with.
    #[n(6)]
    pub(crate) card: Option<NewerCard>,
    /// Handed over, and waiting for the new owner.
    #[n(7)]
    pub(crate) transfer: Option<transfer::Waiting>,
    #[cbor(n(8), default)]
    pub(crate) notices: Notices,
    /// The recordings are to be erased before anything else.
    #[cbor(n(9), default)]
    pub(crate) erase: bool,
    /// What was asked of the service.
    #[cbor(n(10), default)]
    pub(crate) asks: ServiceAsks,
    #[cbor(n(11), default)]
    pub(crate) mail_servers: MailServers,
    #[cbor(skip)]
    pub(crate) sessions: Sessions,
}

/// Whoever activated the device.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Owner {
    #[n(0)]
    pub(crate) username: Username,
    #[n(1)]
    pub(crate) password: HashedPassword,
    /// Grows with every change, so that a verdict on an earlier password is worth nothing.
    #[n(2)]
    pub(crate) password_edition: u64,
    #[n(3)]
    pub(crate) contacts: Vec<Contact>,
    /// The last event that the owner was shown.
    #[n(4)]
    pub(crate) seen: u64,
    /// The ways back in.
    #[cbor(n(5), default)]
    pub(crate) set_up: SetUp,
}

/// A reserved email.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Contact {
    #[n(0)]
    pub(crate) email: ReservedEmail,
    /// When a code that was sent there came back, by the device's clock.
    #[n(1)]
    pub(crate) confirmed: Option<Time>,
}

impl State {
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(minicbor::to_vec(self).expect("encoding to memory cannot fail"))
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let mut state: Self = decoder.decode().ok()?;
        state.pending.extend(core::mem::take(&mut state.pending_v1).into_iter().map(Into::into));
        (decoder.position() == bytes.len()).then_some(state)
    }

    /// A code that was sent to this reserved email came back.
    pub(crate) fn confirmed(&mut self, contact: usize, at: Time) {
        if let Some(owner) = &mut self.owner
            && let Some(contact) = owner.contacts.get_mut(contact)
        {
            contact.confirmed = Some(at);
            owner.set_up.set_tested(Way::Email, at);
        }
    }

    /// A way was found to work. `contact` is the reserved email that a test confirms; a recovery confirms none.
    pub(crate) fn tested(&mut self, way: Way, contact: Option<usize>, at: Time) {
        match (contact, &mut self.owner) {
            (Some(contact), _) => self.confirmed(contact, at),
            (None, Some(owner)) => owner.set_up.set_tested(way, at),
            (None, None) => {}
        }
    }

    /// Codes of the recovery sheet that set a new password.
    pub(crate) fn use_sheet_codes(&mut self, codes: &[usize]) {
        if let Some(sheet) = self.owner.as_mut().and_then(|owner| owner.set_up.sheet.as_mut()) {
            codes.iter().for_each(|code| sheet.end(*code, SheetCodeState::Used));
        }
    }

    /// Everything that a new password voids: sessions, requests, tickets, counted tries, the key file. `by` are the ways that
    /// proved who set it, if it was a recovery.
    pub(crate) fn set_password(&mut self, password: HashedPassword, by: &[Way]) {
        if let Some(owner) = &mut self.owner {
            owner.password = password;
            owner.password_edition += 1;
            owner.set_up.password_changed(by);
        }
        self.sessions.end_all();
        self.pending.clear();
        self.guards.reset();
    }
}
