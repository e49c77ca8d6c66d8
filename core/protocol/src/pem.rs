//! Keys in files: PKCS#8 and SubjectPublicKeyInfo in PEM (RFC 7468, RFC 8410), one form of each.

use alloc::{string::String, vec::Vec};

use pem_rfc7468::LineEnding;
use zeroize::Zeroizing;

use crate::keys::{OpeningKey, OpeningPublicKey, PublicKey, SigningKey};

/// Everything of a PKCS#8 version 1 key before its 32 bytes: OID 1.3.101.112 (Ed25519) or 1.3.101.110 (X25519).
const SECRET_ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const SECRET_X25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20";
/// Everything of a public key before its 32 bytes.
const PUBLIC_ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const PUBLIC_X25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00";

const SECRET_LABEL: &str = "PRIVATE KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";

/// A signing key's file.
#[must_use]
pub fn write_signing_key(key: &SigningKey) -> Zeroizing<String> {
    write(SECRET_LABEL, SECRET_ED25519, &key.seed())
}

/// A signing key out of its file; `None` if it is anything else.
#[must_use]
pub fn read_signing_key(pem: &str) -> Option<SigningKey> {
    read(SECRET_LABEL, SECRET_ED25519, pem).map(|seed| SigningKey::from_seed(&seed))
}

/// An opening key's file.
#[must_use]
pub fn write_opening_key(key: &OpeningKey) -> Zeroizing<String> {
    write(SECRET_LABEL, SECRET_X25519, &key.to_bytes())
}

/// An opening key out of its file; `None` if it is anything else.
#[must_use]
pub fn read_opening_key(pem: &str) -> Option<OpeningKey> {
    read(SECRET_LABEL, SECRET_X25519, pem).map(|bytes| OpeningKey::from_bytes(&bytes))
}

/// An Ed25519 public key's file.
#[must_use]
pub fn write_public_key(key: &PublicKey) -> String {
    (*write(PUBLIC_LABEL, PUBLIC_ED25519, &key.to_bytes())).clone()
}

/// An Ed25519 public key out of its file; `None` if it is anything else, or no point of the curve.
#[must_use]
pub fn read_public_key(pem: &str) -> Option<PublicKey> {
    read(PUBLIC_LABEL, PUBLIC_ED25519, pem).and_then(|bytes| PublicKey::from_bytes(&bytes))
}

/// An opening public key's file.
#[must_use]
pub fn write_opening_public_key(key: &OpeningPublicKey) -> String {
    (*write(PUBLIC_LABEL, PUBLIC_X25519, &key.0)).clone()
}

/// An opening public key out of its file; `None` if it is anything else.
#[must_use]
pub fn read_opening_public_key(pem: &str) -> Option<OpeningPublicKey> {
    read(PUBLIC_LABEL, PUBLIC_X25519, pem).map(|bytes| OpeningPublicKey(*bytes))
}

fn write(label: &str, prefix: &[u8], key: &[u8; 32]) -> Zeroizing<String> {
    let der = Zeroizing::new([prefix, key].concat());
    let pem = pem_rfc7468::encode_string(label, LineEnding::LF, &der);
    Zeroizing::new(pem.expect("48 bytes fit into a PEM text"))
}

fn read(label: &str, prefix: &[u8], pem: &str) -> Option<Zeroizing<[u8; 32]>> {
    let (found, der) = pem_rfc7468::decode_vec(pem.trim_ascii().as_bytes()).ok()?;
    let der: Zeroizing<Vec<u8>> = Zeroizing::new(der);
    let key = der.strip_prefix(prefix).filter(|_| found == label)?;
    key.try_into().ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410 section 10.3.
    const RFC_8410: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    /// RFC 8410 section 10.1.
    const RFC_8410_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn the_standards_own_example() {
        let key = read_signing_key(RFC_8410).unwrap();
        assert_eq!(*write_signing_key(&key), RFC_8410);
        assert_eq!(write_public_key(&key.public()), RFC_8410_PUBLIC);
        assert_eq!(read_public_key(RFC_8410_PUBLIC), Some(key.public()));
    }

    #[test]
    fn an_opening_key_there_and_back() {
        let key = OpeningKey::from_bytes(&[9; 32]);
        let again = read_opening_key(&write_opening_key(&key)).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(read_opening_public_key(&write_opening_public_key(&key.public())), Some(key.public()));
    }

    #[test]
    fn one_kind_is_not_the_other() {
        let opening = write_opening_key(&OpeningKey::from_bytes(&[9; 32]));
        assert!(read_signing_key(&opening).is_none());
        assert!(read_opening_key(RFC_8410).is_none());
        assert!(read_signing_key(RFC_8410_PUBLIC).is_none());
        assert!(read_public_key(RFC_8410).is_none());
        assert!(read_signing_key("").is_none());
        assert!(read_signing_key(&RFC_8410.replace("MC4C", "MC5C")).is_none());
    }
}
