//! Codes on their way out: chosen by the device, sealed to its service.

use alloc::vec::Vec;
use core::fmt;

use sparekey_protocol::{
    Code, Language, Nonce,
    request::{self, Ask, Contents},
};
use zeroize::Zeroizing;

use crate::{
    Refusal,
    device::{Device, Now},
    slow_hash::{HashingCost, SlowHash},
    ways::Why,
};

/// Fresh random bytes for one code.
pub struct CodeSeeds {
    /// The code grows out of these.
    pub code: Zeroizing<[u8; 16]>,
    /// For its hash.
    pub salt: [u8; 16],
    /// Names the sealed request to the service.
    pub nonce: [u8; 16],
    /// For sealing.
    pub seal: Zeroizing<[u8; 32]>,
}

/// A code and its hash, made off the device's lock, with what is needed to seal it.
pub struct CodeDraft {
    code: Code,
    pub(crate) hash: SlowHash,
    pub(crate) nonce: Nonce,
    seal: Zeroizing<[u8; 32]>,
}

impl CodeDraft {
    /// Slow: hashes the code of these random bytes.
    #[must_use]
    pub fn make(seeds: CodeSeeds, cost: HashingCost) -> Self {
        let code = Code::from_seed(&seeds.code);
        let hash = SlowHash::make(code.expose().as_bytes(), seeds.salt, cost.for_codes());
        Self { code, hash, nonce: Nonce(seeds.nonce), seal: seeds.seal }
    }
}

impl fmt::Debug for CodeDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeDraft(secret)")
    }
}

/// A code that is to be sealed, and for what.
pub(crate) struct Sealing<'a> {
    pub(crate) ask: Ask,
    pub(crate) draft: &'a CodeDraft,
    pub(crate) language: &'a Language,
}

impl Device {
    /// A request's bytes (protocol section 4).
    pub(crate) fn seal(&self, now: Now, sealing: Sealing<'_>) -> Result<Vec<u8>, Refusal> {
        let Sealing { ask, draft, language } = sealing;
        let identity = self.identity();
        let contents = Contents {
            code: draft.code.clone(),
            ask,
            firmware: identity.firmware().clone(),
            device_time: now.clock,
            start_time: now.started,
            language: language.clone(),
        };
        let (certificate, service) = (identity.certificate_bytes(), &self.card().opening_key);
        request::seal(&contents, draft.nonce, &draft.seal, certificate, &identity.key, service)
            .ok_or(Refusal::MethodNotReady(Why::BadCard))
    }
}
