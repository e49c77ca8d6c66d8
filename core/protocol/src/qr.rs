//! The text of the QR symbol (protocol section 5), and what people paste in its place.

use alloc::{format, string::String, vec::Vec};

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::NO_PAD},
};

use crate::{cbor::Malformed, digits, receipt::MAX_RECEIPT, request::MAX_REQUEST, text::BaseUrl};

/// base64url (RFC 4648 section 5) without padding; one that has it is read too.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::with_decode_padding_mode(NO_PAD, DecodePaddingMode::Indifferent),
);

/// Before a request, after the service's base URL.
const REQUEST: &str = "/r#";
/// Before a receipt.
const RECEIPT: &str = "/t#";

/// What the symbol says: a link whose fragment, the request, never reaches a server's log.
#[must_use]
pub fn text(base_url: &BaseUrl, request: &[u8]) -> String {
    format!("{base_url}{REQUEST}{}", digits::encode(request))
}

/// The same for a receipt.
#[must_use]
pub fn receipt_text(base_url: &BaseUrl, receipt: &[u8]) -> String {
    format!("{base_url}{RECEIPT}{}", digits::encode(receipt))
}

/// The request in what a phone read or a person pasted: the symbol's text, its digits alone (spaces and line breaks
/// passed over), or base64url.
///
/// # Errors
/// [`Malformed::TooLong`] for more than a request can be, [`Malformed::Shape`] for anything else.
pub fn read(pasted: &str) -> Result<Vec<u8>, Malformed> {
    read_after(REQUEST, pasted, MAX_REQUEST)
}

/// The receipt in what a phone read or a person pasted, in the same forms.
///
/// # Errors
/// [`Malformed::TooLong`] for more than a receipt can be, [`Malformed::Shape`] for anything else.
pub fn read_receipt(pasted: &str) -> Result<Vec<u8>, Malformed> {
    read_after(RECEIPT, pasted, MAX_RECEIPT)
}

fn read_after(mark: &str, pasted: &str, most: usize) -> Result<Vec<u8>, Malformed> {
    if pasted.len() > 8 * most {
        return Err(Malformed::TooLong);
    }
    let text: String = pasted.split_whitespace().collect();
    let body = text.rsplit_once(mark).map_or(text.as_str(), |(_, body)| body);
    if body.is_empty() {
        return Err(Malformed::Shape);
    }
    if body.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits::decode(body, most);
    }
    match BASE64URL.decode(body) {
        Ok(bytes) if bytes.len() > most => Err(Malformed::TooLong),
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(Malformed::Shape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        let request = [0_u8, 1, 2, 250, 251, 252, 253, 254, 255];
        let url = BaseUrl::new("https://recover.example.org").unwrap();
        let link = text(&url, &request);
        assert_eq!(link, "https://recover.example.org/r#7149132826922214465534");
        for form in [&link, "7149132826922214465534", " 71491328269 22214465534\n", "AAEC-vv8_f7_", "AAEC-vv8_f7_\r\n"]
        {
            let read = read(form);
            assert_eq!(read.as_deref(), Ok(&request[..]), "{form}");
        }
        let link = receipt_text(&url, &request);
        assert_eq!(link, "https://recover.example.org/t#7149132826922214465534");
        assert_eq!(read_receipt(&link).as_deref(), Ok(&request[..]));
        assert_eq!(read(&link), Err(Malformed::Shape), "a receipt is no request");
    }

    #[test]
    fn refuses_the_rest() {
        for form in [
            "",
            " ",
            "hello world!",
            "https://recover.example.org/r#",
            "https://recover.example.org/r#12",
            "AAEC+vv8/f7/",
        ] {
            assert_eq!(read(form), Err(Malformed::Shape), "{form}");
        }
        assert_eq!(read(&"9".repeat(20_000)), Err(Malformed::TooLong));
        assert_eq!(read(&"A".repeat(3_000)), Err(Malformed::TooLong));
    }
}
