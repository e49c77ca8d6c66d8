use alloc::string::String;

use crate::{
    keys::PublicKey,
    log::{Algorithm, verifier_key},
};

/// The note verifier key of a log's public key: `<origin>+<hash>+<key>` (C2SP signed-note, "Verifier keys").
#[must_use]
pub fn log_verifier_key(origin: &str, key: &PublicKey) -> String {
    verifier_key(origin, Algorithm::Ed25519, key)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

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
