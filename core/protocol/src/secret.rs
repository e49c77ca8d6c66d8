//! Secrets of 32 random bytes: wiped on drop, compared in constant time, never printed.

use core::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        /// Wiped on drop, compared in constant time, never printed.
        #[derive(Clone)]
        pub struct $name(Zeroizing<[u8; 32]>);

        impl $name {
            /// The secret of these 32 random bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(Zeroizing::new(bytes))
            }

            /// The bytes: to hash, to compute with, or for a sealed store, and nothing else.
            #[must_use]
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&*other.0).into()
            }
        }

        impl Eq for $name {}

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&*self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                d.bytes()?.try_into().map(Self::from_bytes).map_err(|_| decode::Error::message("wrong length"))
            }
        }
    };
}

secret!(
    /// What a key file opens its device with. The device keeps the SHA-256 only.
    KeyFileSecret
);
secret!(
    /// What a device and its service share for security codes: 32 random bytes of that device's own.
    EnrolmentSecret
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = KeyFileSecret::from_bytes([0xab; 32]);
        assert_eq!(alloc::format!("{secret:?}"), "KeyFileSecret(secret)");
        assert_eq!(secret, KeyFileSecret::from_bytes([0xab; 32]));
        assert_ne!(secret, KeyFileSecret::from_bytes([0xac; 32]));
    }
}
