//! Certificates: loading them, making one's own, showing their fingerprint.

use std::fmt;
use std::sync::Arc;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Why a certificate and key cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file has no `CERTIFICATE` block that can be read.
    #[error(
        "The certificate file holds no certificate.\nGive a PEM file that begins with -----BEGIN CERTIFICATE-----."
    )]
    NoCertificate,
    /// The key file has no private key block that can be read.
    #[error("The key file holds no private key.\nGive a PEM file that begins with -----BEGIN PRIVATE KEY-----.")]
    NoKey,
    /// rustls refuses the pair: mostly a key of another certificate.
    #[error(
        "The certificate and the key cannot be used together ({0}).\nGive the key that the certificate was made for."
    )]
    Unusable(#[from] rustls::Error),
    /// A name or address that cannot stand in a certificate.
    #[error("A certificate cannot be made for these names ({0}).\nGive host names or IP addresses.")]
    BadNames(#[from] rcgen::Error),
}

/// A TLS server of HTTP/1.1 with the chain in `certificates` and the key in `key`, both PEM.
///
/// The cryptography is given explicitly, so no process-wide default is needed. TLS 1.2 and 1.3.
///
/// # Errors
/// See [`TlsError`].
pub fn server_config(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(certificates).collect::<Result<_, _>>().map_err(|_| TlsError::NoCertificate)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A certificate that a device made for itself.
pub struct SelfSigned {
    /// The certificate, PEM.
    pub certificate: String,
    /// Its private key, PKCS#8 PEM.
    pub key: Zeroizing<String>,
}

impl fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelfSigned").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// Makes a key (ECDSA P-256) and a certificate for host names and IP addresses.
///
/// It does not expire (RFC 5280 section 4.1.2.5: 9999-12-31), since many devices have no clock, and a certificate that
/// changes would change the fingerprint that the owner compared.
///
/// # Errors
/// [`TlsError::BadNames`].
pub fn self_signed(names: &[String], common_name: &str) -> Result<SelfSigned, TlsError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(9999, 12, 31);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;
    Ok(SelfSigned { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
}

/// The first certificate in a PEM text, as a TLS client sees it (DER).
///
/// # Errors
/// [`TlsError::NoCertificate`].
pub fn der(certificates: &[u8]) -> Result<Vec<u8>, TlsError> {
    CertificateDer::from_pem_slice(certificates).map(|first| first.to_vec()).map_err(|_| TlsError::NoCertificate)
}

/// The SHA-256 fingerprint of the first certificate in a PEM text, as people compare it: `AB:CD:…`, 32 pairs.
///
/// # Errors
/// [`TlsError::NoCertificate`].
pub fn fingerprint(certificates: &[u8]) -> Result<String, TlsError> {
    let pairs: Vec<_> = Sha256::digest(der(certificates)?).iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> SelfSigned {
        let names = ["recorder.local", "192.168.1.64", "::1"].map(String::from);
        self_signed(&names, "Sparekey recorder").unwrap()
    }

    #[test]
    fn a_certificate_made_here_is_accepted_here() {
        let made = made();
        let config = server_config(made.certificate.as_bytes(), made.key.as_bytes()).unwrap();
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    }

    #[test]
    fn the_key_of_another_certificate_is_refused() {
        let error = server_config(made().certificate.as_bytes(), made().key.as_bytes()).unwrap_err();
        assert!(matches!(error, TlsError::Unusable(_)), "{error}");
    }

    #[test]
    fn empty_and_swapped_files_are_named() {
        let made = made();
        let (certificate, key) = (made.certificate.as_bytes(), made.key.as_bytes());
        assert!(matches!(server_config(b"", key), Err(TlsError::NoCertificate)));
        assert!(matches!(server_config(key, key), Err(TlsError::NoCertificate)));
        assert!(matches!(server_config(certificate, certificate), Err(TlsError::NoKey)));
    }

    #[test]
    fn a_fingerprint_is_32_pairs_of_its_own() {
        let (one, two) = (made(), made());
        let of = |made: &SelfSigned| fingerprint(made.certificate.as_bytes()).unwrap();
        assert_eq!(of(&one).split(':').filter(|pair| pair.len() == 2).count(), 32);
        assert_ne!(of(&one), of(&two));
    }

    #[test]
    fn the_key_is_not_in_the_debug_text() {
        assert!(!format!("{:?}", made()).contains("PRIVATE"));
    }
}
