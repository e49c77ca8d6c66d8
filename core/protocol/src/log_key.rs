use alloc::{format, string::String, vec::Vec};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::keys::PublicKey;

/// Signature type Ed25519 of C2SP signed-note.
const ED25519: u8 = 0x01;

/// The note verifier key of a log's public key: `<origin>+<hash>+<key>` (C2SP signed-note, "Verifier keys").
#[must_use]
pub fn log_verifier_key(origin: &str, key: &PublicKey) -> String {
    let typed: Vec<u8> = core::iter::once(ED25519).chain(key.to_bytes()).collect();
    let hash = Sha256::new().chain_update(origin).chain_update(b"\n").chain_update(&typed).finalize();
    format!("{origin}+{}+{}", hex::encode(&hash[..4]), STANDARD.encode(&typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        // The key of the Go checksum database, whose verifier key is published.
        let published = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        let key = STANDARD.decode("Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8").unwrap();
        let key = PublicKey::from_bytes(&key[1..].try_into().unwrap()).unwrap();
        assert_eq!(log_verifier_key("sum.golang.org", &key), published);
    }
}
