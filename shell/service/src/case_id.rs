use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sparekey_protocol::RequestIdentity;

/// Names a case to those who may see it: 144 random bits, so that nobody guesses one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CaseId(pub(crate) [u8; 18]);

impl CaseId {
    /// A new one.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 18];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// What a call stands under: it is no request that anybody could ask about.
    pub(crate) fn of_call(identity: RequestIdentity) -> Self {
        let (first, _) = identity.0.split_first_chunk().expect("a SHA-256 has 32 bytes");
        Self(*first)
    }

    /// Reads 24 characters of base64url (RFC 4648 section 5).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Decoding allocates by the length: bounded first.
        let bytes = (text.len() == 24).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// Whoever holds the id may see the case: it is not for logs.
impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaseId(private)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let id = CaseId::random().unwrap();
        assert_eq!(CaseId::parse(&id.to_string()), Some(id));
        for text in ["", "a", "AAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAA+", "AAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(CaseId::parse(text), None, "{text}");
        }
    }
}
