//! Who calls: a password's digest beside the call (WS-Security UsernameToken Profile 1.1, section 3.1; ONVIF Core Specification section 5.12).

use alloc::{format, string::String};

use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};
use sparekey_xml::escape;

use crate::DateTime;

const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
const BASE64: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// The header of one call. The password is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsernameToken {
    header: String,
}

impl UsernameToken {
    /// `nonce` is random; `created` is the time of the camera's own clock, or it refuses.
    #[must_use]
    pub fn new(name: &str, password: &str, nonce: [u8; 16], created: DateTime) -> Self {
        let DateTime { year, month, day, hour, minute, second } = created;
        let created = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        let digest = Sha1::new().chain_update(nonce).chain_update(&created).chain_update(password).finalize();
        let (digest, nonce) = (BASE64_STANDARD.encode(digest), BASE64_STANDARD.encode(nonce));
        let header = format!(
            "<w:Security xmlns:w=\"{SECURITY}\" xmlns:u=\"{UTILITY}\" s:mustUnderstand=\"1\"><w:UsernameToken><w:Username>{}</w:Username>\
             <w:Password Type=\"{DIGEST}\">{digest}</w:Password><w:Nonce EncodingType=\"{BASE64}\">{nonce}</w:Nonce>\
             <u:Created>{created}</u:Created></w:UsernameToken></w:Security>",
            escape(name)
        );
        Self { header }
    }

    pub(crate) fn header(&self) -> &str {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the ONVIF Application Programmer's Guide, section 6.1.1.3.
    #[test]
    fn the_digest_of_the_programmers_guide() {
        let nonce = BASE64_STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap().try_into().unwrap();
        let created = DateTime { year: 2010, month: 9, day: 16, hour: 7, minute: 50, second: 45 };
        let token = UsernameToken::new("user", "userpassword", nonce, created);
        assert!(token.header().contains("tuOSpGlFlIXsozq4HFNeeGeFLEI="), "{}", token.header());
        assert!(
            token.header().contains("<u:Created>2010-09-16T07:50:45Z<") && !token.header().contains("userpassword")
        );
    }
}
