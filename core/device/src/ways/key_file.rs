//! Key file: 256 random bits that the owner keeps in a file (protocol section 8), and whose SHA-256 the device keeps.
//!
//! It is void after use, after a new export and after any change of the administrator's password; readiness says which, for a void
//! file in a drawer is the trap that people fall into.

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use sparekey_protocol::{
    DeviceId,
    files::{KeyFile, KeyFilePayload, KeyFileSecret},
};
use subtle::ConstantTimeEq;

use super::{Way, Why};
use crate::{
    Change, Refusal,
    device::{Caller, Device, Now},
    event::EventKind,
    login::Checked,
    proof::{Of, Verdict},
    state::Owner,
};

/// What is kept of the last key file.
#[derive(Clone, Default, Encode, Decode)]
pub(crate) enum Kept {
    /// None was ever exported.
    #[default]
    #[n(0)]
    Never,
    #[n(1)]
    Hash(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    #[n(2)]
    Void(#[n(0)] Cause),
}

/// What made a key file void.
#[derive(Clone, Copy, Encode, Decode)]
#[cbor(index_only)]
pub(crate) enum Cause {
    #[n(0)]
    Used,
    #[n(1)]
    PasswordChanged,
}

impl Kept {
    /// A new password was set; `by_it` if this key file proved who set it.
    ///
    /// Says whether there was one.
    pub(crate) fn void(&mut self, by_it: bool) -> bool {
        let was_good = matches!(self, Self::Hash(_));
        if was_good {
            *self = Self::Void(if by_it { Cause::Used } else { Cause::PasswordChanged });
        }
        was_good
    }
}

pub(crate) fn check(owner: &Owner) -> Result<(), Why> {
    match owner.set_up.key_file {
        Kept::Hash(_) => Ok(()),
        Kept::Never => Err(Why::NotSetUp),
        Kept::Void(Cause::Used) => Err(Why::VoidAfterUse),
        Kept::Void(Cause::PasswordChanged) => Err(Why::VoidAfterPasswordChange),
    }
}

/// What a key file is held against.
pub(crate) struct Against {
    pub(crate) device: DeviceId,
    pub(crate) hash: [u8; 32],
}

impl Against {
    pub(crate) fn of(owner: &Owner, device: DeviceId) -> Option<Self> {
        let Kept::Hash(hash) = owner.set_up.key_file else { return None };
        Some(Self { device, hash })
    }

    pub(crate) fn verdict(&self, payload: &KeyFilePayload) -> Verdict {
        if payload.device != self.device {
            return Verdict::Refused(Refusal::NotForThisDevice);
        }
        let right = hash(&payload.secret).ct_eq(&self.hash).into();
        if right { Verdict::Right(Of::Part) } else { Verdict::Wrong }
    }
}

/// A plain hash will do for 256 random bits (OWASP ASVS 6.5.2).
fn hash(secret: &KeyFileSecret) -> [u8; 32] {
    Sha256::digest(secret.expose()).into()
}

impl Device {
    /// Makes a new key file, to be written with [`sparekey_protocol::files::write`]. It comes out once; an earlier one is void, and
    /// so is every open request.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password; [`Refusal::MethodNotReady`] if the way is switched off.
    pub fn export_key_file(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        seed: [u8; 32],
    ) -> Result<Change<'_, KeyFile>, Refusal> {
        let (mut next, mut owner) = self.changed_by_owner(now, token, checked)?;
        if !owner.set_up.switches.is_on(Way::KeyFile) {
            return Err(Refusal::MethodNotReady(Why::SwitchedOff));
        }
        let secret = KeyFileSecret::from_bytes(seed);
        owner.set_up.key_file = Kept::Hash(hash(&secret));
        owner.set_up.forget_test(Way::KeyFile);
        next.owner = Some(owner);
        next.record.add(now.clock, EventKind::KeyFileExported, caller);
        let payload = KeyFilePayload { device: self.identity().device_id(), secret };
        let file = KeyFile::new(&self.identity().certificate().serial, now.clock, payload);
        Ok(Change::new(self, next, file))
    }
}
