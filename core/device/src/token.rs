//! Random bearer values of 256 bits: shown once, kept as a hash (OWASP ASVS 6.5.2: above 112 bits a plain hash will do).

use alloc::string::String;
use core::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

macro_rules! bearer {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(Zeroizing<String>);

        impl $name {
            pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
                Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(seed)))
            }

            /// The text to hand to whom it was made for.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            pub(crate) fn hash(&self) -> BearerHash {
                BearerHash::of(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }
    };
}

bearer!(
    /// Stands for a session, in a cookie or behind `Authorization: Bearer`.
    Token
);
bearer!(
    /// Lets its holder set a new password, once, within ten minutes after a right proof.
    Ticket
);
bearer!(
    /// Confirms one change of the device's network, and is worth nothing once that is over.
    NetworkConfirmation
);

/// What is kept of a bearer value.
#[derive(Clone, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct BearerHash(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl BearerHash {
    fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Compares in constant time.
    pub(crate) fn is_of(&self, text: &str) -> bool {
        self.0.ct_eq(&Self::of(text).0).into()
    }
}
