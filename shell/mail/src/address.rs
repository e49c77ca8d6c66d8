//! A mailbox that may be written to.
//!
//! A device stores the owner's address; the service writes to exactly that one. So an address is either refused or used
//! byte for byte: no case folding, no normalisation, no repair. The one exception is the domain, which travels as its
//! A-label (RFC 5891), so that a mailbox with an ASCII local part needs no SMTPUTF8 (RFC 6531) anywhere on its way.

use std::fmt;

use sparekey_protocol::ReservedEmail;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Bytes of a local part (RFC 5321 section 4.5.3.1.1).
const LOCAL_BYTES: usize = 64;

/// Exactly one mailbox, fit to stand in an envelope and in a header.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    stored: ReservedEmail,
    at: usize,
    domain: String,
}

/// Why a stored address cannot be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Shorter than 3 or longer than 254 bytes, also with the domain as A-label.
    #[error("the address is too short or too long\nAn email address has 3 to 254 bytes.")]
    Length,
    /// Not one `@` with something on both sides.
    #[error("this is not one email address\nGive exactly one, such as owner@example.org.")]
    NotOne,
    /// The local part is longer than 64 bytes, starts or ends with a dot, or holds a character that a bare mailbox does not.
    #[error(
        "the part before the @ cannot be used\nUse letters, digits and dots; quotes, spaces and brackets are not accepted."
    )]
    Local,
    /// The domain is not one of at least two labels that IDNA (UTS 46, RFC 5891) accepts, or is an IP address.
    #[error("the part after the @ is not a domain name\nGive a whole name, such as example.org.")]
    Domain,
}

impl Address {
    /// Takes the address as it is stored on a device.
    ///
    /// # Errors
    /// [`BadAddress`] for anything but one plain mailbox: lists, quoted local parts, comments, angle brackets, domain
    /// literals, white space, control and format characters (so also line separators and bidirectional controls).
    pub fn parse(stored: &str) -> Result<Self, BadAddress> {
        let bounded = ReservedEmail::new(stored).map_err(|_| BadAddress::Length)?;
        let (local, domain) = stored.split_once('@').ok_or(BadAddress::NotOne)?;
        if domain.contains('@') || local.is_empty() || domain.is_empty() {
            return Err(BadAddress::NotOne);
        }
        check_local(local)?;
        let ascii = domain_to_a_label(domain)?;
        if local.len() + 1 + ascii.len() > ReservedEmail::MAX {
            return Err(BadAddress::Length);
        }
        Ok(Self { stored: bounded, at: local.len(), domain: ascii })
    }

    /// The address as the device stores it.
    #[must_use]
    pub fn as_stored(&self) -> &str {
        self.stored.as_str()
    }

    /// The part before the `@`, byte for byte as stored.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.stored.as_str()[..self.at]
    }

    /// The domain as it travels: its A-label where it was written in another script, else as stored.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether every mail server can carry it; if not, it takes SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.local_part().is_ascii()
    }

    /// The address in the protocol's own type, which also tells what may be shown of it.
    #[must_use]
    pub fn reserved(&self) -> &ReservedEmail {
        &self.stored
    }

    /// The key under which limits count this address.
    ///
    /// Spellings that a mail server may take for one mailbox fall together (case, full-width letters, composed and
    /// decomposed letters, U-label and A-label), so that no spelling gets a limit of its own. Never write to it.
    #[must_use]
    pub fn bucket(&self) -> String {
        let folded: String = self.local_part().nfkc().flat_map(char::to_lowercase).nfkc().collect();
        format!("{folded}@{}", self.domain.to_ascii_lowercase())
    }

    /// The address for lettre, which would check less than [`Address::parse`] has.
    pub(crate) fn for_transport(&self) -> lettre::Address {
        lettre::Address::new_dangerous(self.local_part(), &self.domain)
    }
}

/// Shows the masked form only: an address in a log would be a leak.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.stored.masked())
    }
}

/// RFC 5321 `Dot-string` with RFC 6531's extension, which is narrowed to letters, digits and marks of any script: what is
/// left out (spaces, controls, format characters, symbols) has no use in a mailbox but to deceive.
fn check_local(local: &str) -> Result<(), BadAddress> {
    let atoms_are_fine = local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_local_char) && !atom.starts_with(is_combining_mark));
    if local.len() <= LOCAL_BYTES && atoms_are_fine { Ok(()) } else { Err(BadAddress::Local) }
}

fn is_local_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_letter_of_another_script(c)
}

/// Hangul fillers count as letters and show nothing.
fn is_letter_of_another_script(c: char) -> bool {
    !c.is_ascii()
        && (c.is_alphanumeric() || is_combining_mark(c))
        && !matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{034f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn domain_to_a_label(domain: &str) -> Result<String, BadAddress> {
    // UTS 46 drops some invisible characters and turns others into dots: nothing may vanish here.
    let visible = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-') || is_letter_of_another_script(c);
    if !domain.chars().all(visible) {
        return Err(BadAddress::Domain);
    }
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| BadAddress::Domain)?;
    let (_, last_label) = ascii.rsplit_once('.').ok_or(BadAddress::Domain)?;
    if last_label.is_empty() || last_label.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BadAddress::Domain);
    }
    // An ASCII domain is kept as stored, also its case.
    Ok(if domain.is_ascii() { domain.to_owned() } else { ascii })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_mailboxes_are_taken_as_stored() {
        for (stored, domain, ascii) in [
            ("owner@example.org", "example.org", true),
            ("O.Wner+nvr%site@Example.ORG", "Example.ORG", true),
            ("a@b.cd", "b.cd", true),
            ("!#$&'*/=?^_`{|}~-@x-y.museum", "x-y.museum", true),
            ("owner@bücher.example", "xn--bcher-kva.example", true),
            ("owner@xn--bcher-kva.example", "xn--bcher-kva.example", true),
            ("owner@straße.example", "xn--strae-oqa.example", true),
            ("董事长@例子.测试", "xn--fsqu00a.xn--0zwm56d", false),
            ("mıke@example.org", "example.org", false),
            ("अध्यक्ष@example.org", "example.org", false),
            ("ｏwner@example.org", "example.org", false),
        ] {
            let address = Address::parse(stored).unwrap_or_else(|error| panic!("{stored}: {error}"));
            assert_eq!(address.as_stored(), stored);
            assert_eq!(address.domain(), domain);
            assert_eq!(address.is_ascii(), ascii, "{stored}");
            assert_eq!(address.for_transport().to_string(), format!("{}@{domain}", address.local_part()));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        use BadAddress::{Domain, Length, Local, NotOne};
        let long_local = format!("{}@example.org", "a".repeat(65));
        let too_long = format!("a@{}.org", "b.".repeat(126));
        let long_as_a_label = format!("{}@{}example", "a".repeat(60), "ü.".repeat(28));
        for (stored, why) in [
            ("", Length),
            ("a@", Length),
            (too_long.as_str(), Length),
            (long_as_a_label.as_str(), Length),
            ("owner", NotOne),
            ("@example.org", NotOne),
            ("owner@", NotOne),
            ("a@b.example,c@d.example", NotOne),
            ("a@b.example c@d.example", NotOne),
            ("\"a@b\"@example.org", NotOne),
            ("owner@example.org\r\nBcc: x@y.example", NotOne),
            (long_local.as_str(), Local),
            (".a@example.org", Local),
            ("a..b@example.org", Local),
            ("a.@example.org", Local),
            ("\"a b\"@example.org", Local),
            ("\"a\"@example.org", Local),
            ("a(comment)@example.org", Local),
            ("Owner <owner@example.org>", Local),
            ("<owner@example.org", Local),
            ("group:owner@example.org", Local),
            ("a;b@example.org", Local),
            ("a\\b@example.org", Local),
            ("a,b@example.org", Local),
            ("own\rer@example.org", Local),
            ("own\ner@example.org", Local),
            ("own\0er@example.org", Local),
            ("own\ter@example.org", Local),
            (" owner@example.org", Local),
            ("own\u{a0}er@example.org", Local),
            ("own\u{85}er@example.org", Local),
            ("own\u{2028}er@example.org", Local),
            ("own\u{2029}er@example.org", Local),
            ("own\u{202e}er@example.org", Local),
            ("own\u{2066}er@example.org", Local),
            ("own\u{200b}er@example.org", Local),
            ("own\u{ad}er@example.org", Local),
            ("own\u{feff}er@example.org", Local),
            ("own\u{3164}er@example.org", Local),
            ("own\u{ff20}er@example.org", Local),
            ("\u{301}owner@example.org", Local),
            ("owner@example.org\r\n", Domain),
            ("owner@example.org\n", Domain),
            ("owner@example.org>", Domain),
            ("owner@example.org ", Domain),
            ("owner@example.org%0d%0a", Domain),
            ("owner@exa\u{200d}mple.org", Domain),
            ("owner@exa\u{ad}mple.org", Domain),
            ("owner@example。org", Domain),
            ("owner@[127.0.0.1]", Domain),
            ("owner@127.0.0.1", Domain),
            ("owner@localhost", Domain),
            ("owner@example.org.", Domain),
            ("owner@.example.org", Domain),
            ("owner@exa_mple.org", Domain),
            ("owner@-example.org", Domain),
            ("owner@xn--a.org", Domain),
        ] {
            assert_eq!(Address::parse(stored), Err(why), "{stored:?}");
        }
    }

    #[test]
    fn only_the_mask_is_printed() {
        let address = Address::parse("owner@example.org").expect("is an address");
        assert_eq!(format!("{address:?}"), "Address(o••••@e••••.org)");
    }

    #[test]
    fn spellings_of_one_mailbox_share_a_bucket_and_others_do_not() {
        let bucket = |stored: &str| Address::parse(stored).expect(stored).bucket();
        let owner = bucket("owner@bücher.example");
        for same in [
            "OWNER@Bücher.example",
            "ｏwner@bücher.example",
            "owner@XN--BCHER-KVA.EXAMPLE",
            "owner@bu\u{308}cher.example",
        ] {
            assert_eq!(bucket(same), owner, "{same}");
        }
        assert_eq!(bucket("jos\u{e9}@example.org"), bucket("JOSE\u{301}@example.org"));
        assert_ne!(bucket("mıke@example.org"), bucket("mike@example.org"));
        assert_ne!(bucket("a@straße.example"), bucket("a@strasse.example"));
    }

    proptest! {
        /// Whatever is accepted goes out byte for byte, on one line, as one mailbox.
        #[test]
        fn accepted_addresses_travel_unchanged(stored in "[\\p{L}\\p{M}\\p{N}]{0,6}\\PC?[a-zA-Zäß.+]{0,8}[,<>\"'\\s]?@[a-zA-Zäß]{1,9}[.\\-\\pM]?[a-z]{0,9}\\.(org|рф)") {
            if let Ok(address) = Address::parse(&stored) {
                prop_assert_eq!(address.as_stored(), &stored);
                let sent = address.for_transport().to_string();
                let (local, domain) = sent.split_once('@').expect("has an @");
                prop_assert_eq!(local, &stored[..local.len()]);
                prop_assert!(domain.is_ascii());
                prop_assert!(!sent.chars().any(|c| c.is_control() || c.is_whitespace() || "<>\",;:()[]\\".contains(c)));
            }
        }

        #[test]
        fn nothing_panics(stored in any::<String>()) {
            if let Ok(address) = Address::parse(&stored) {
                prop_assert!(!address.bucket().is_empty());
            }
        }

        /// Limits cannot be dodged by case.
        #[test]
        fn buckets_ignore_case(local in "[a-zA-Z0-9äöüß]{1,12}", domain in "[a-zA-Z]{1,8}\\.org") {
            let bucket = |stored: String| Address::parse(&stored).map(|address| address.bucket());
            prop_assert_eq!(
                bucket(format!("{local}@{domain}")),
                bucket(format!("{}@{}", local.to_lowercase(), domain.to_uppercase()))
            );
        }
    }
}
