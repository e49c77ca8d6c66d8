//! Identifiers: fixed byte strings on the wire, hexadecimal for people.

use core::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use sha2::{Digest, Sha256};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// How many bytes it has.
            pub const LENGTH: usize = $length;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                d.bytes()?.try_into().map(Self).map_err(|_| decode::Error::message("wrong length"))
            }
        }
    };
}

identifier!(
    /// First 8 bytes of the SHA-256 of a maker's public key.
    MakerId, 8
);
identifier!(
    /// First 16 bytes of the SHA-256 of a device's public key.
    DeviceId, 16
);
identifier!(
    /// First 8 bytes of the SHA-256 of an opening public key.
    KeyId, 8
);
identifier!(
    /// Drawn by the device for one request.
    Nonce, 16
);
identifier!(
    /// SHA-256 of a request's bytes: the same bytes are the same request, and send nothing twice.
    RequestIdentity, 32
);

impl MakerId {
    /// The identifier of a maker's Ed25519 public key.
    #[must_use]
    pub fn of(public_key: &[u8; 32]) -> Self {
        Self(hash_prefix(public_key))
    }
}

impl DeviceId {
    /// The identifier of a device's Ed25519 public key.
    #[must_use]
    pub fn of(public_key: &[u8; 32]) -> Self {
        Self(hash_prefix(public_key))
    }
}

impl KeyId {
    /// The identifier of a service's X25519 opening key.
    #[must_use]
    pub fn of(public_key: &[u8; 32]) -> Self {
        Self(hash_prefix(public_key))
    }
}

impl RequestIdentity {
    /// The identity of a request, from all its bytes.
    #[must_use]
    pub fn of(request: &[u8]) -> Self {
        Self(hash_prefix(request))
    }
}

fn hash_prefix<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    core::array::from_fn(|i| hash[i])
}
