//! What a device decides: activation, login, ways back in, tries, waits, and what is voided.
//!
//! [`Device`] is a value. Commands take the time, the caller and fresh random bytes as arguments, and answer with a
//! [`Change`]: the next state and the answer, locked up together until the state was stored ([`Change::commit`]).
//! Slow work, Argon2id, is done on values that the device hands out ([`PasswordCheck`], [`ProofCheck`]), so that nobody
//! waits for somebody else's password.
//!
//! This crate must not do I/O, wait, or retry. Its outside is `sparekey-agent`. To read it, begin with [`Device`], then
//! `recovery/`, the way from *Forgot password* to the new one; a way back in is one file in `ways/`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod activation;
mod asks;
mod card;
mod change;
mod contacts;
mod device;
mod event;
mod guard;
mod identity;
mod login;
mod network;
mod notice;
mod password;
mod pending;
mod policy;
mod presence;
mod proof;
mod recovery;
mod refusal;
mod session;
mod slow_hash;
mod state;
mod switches;
mod time;
mod token;
mod transfer;
pub mod ways;

pub use activation::NewOwner;
pub use asks::ServiceAsk;
pub use change::Change;
pub use contacts::ContactView;
pub use device::{Caller, Damaged, Device, Now};
pub use event::{Event, EventKind};
pub use identity::{BadIdentity, Identity};
pub use login::{Checked, LoggedIn, PasswordCheck};
pub use network::{
    Addressing, BadNetwork, CONFIRM_WITHIN, ChangedLine, Fixed, ListenPorts, NetworkChange, NetworkInForce,
    NetworkTrial, NetworkWanted, Unconfirmed,
};
pub use notice::{Notice, NoticeKind};
pub use password::{AcceptablePassword, HashedPassword, Username, Weak};
pub use pending::RecoveryId;
pub use policy::{Policy, QuestionsPolicy};
pub use presence::{Presence, Recordings};
pub use proof::{CheckedProof, ProofCheck, Typed};
pub use recovery::{Asked, CodeDraft, CodeSeeds, OpenSeeds, PartView, Progress, RecoveryView, Shows};
pub use refusal::Refusal;
pub use session::SessionView;
pub use slow_hash::HashingCost;
pub use time::TICK_SECONDS;
pub use token::{NetworkConfirmation, Ticket, Token};
pub use transfer::{CheckedTransfer, TransferCheck, TransferDraft, Transferred};
