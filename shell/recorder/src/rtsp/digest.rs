//! Who asks: a digest (RFC 2617), as every camera and its programs do it.

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

pub(super) const REALM: &str = "Sparekey";

/// What is asked for, once a connection.
#[derive(Debug)]
pub(super) struct Challenge(String);

impl Challenge {
    pub(super) fn draw() -> Option<Self> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).ok()?;
        Some(Self(HEXLOWER.encode(&nonce)))
    }

    /// The value of `WWW-Authenticate`.
    pub(super) fn header(&self) -> String {
        format!("Digest realm=\"{REALM}\", nonce=\"{}\", algorithm=MD5", self.0)
    }

    /// Whether an `Authorization` is of who knows the password.
    pub(super) fn is_answered(&self, header: &str, method: &str, username: &str, password: &str) -> bool {
        let Some(fields) = header.strip_prefix("Digest ") else { return false };
        let field = |name: &str| {
            split(fields).find_map(|field| {
                let (known, value) = field.trim().split_once('=')?;
                known.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        let (Some(user), Some(nonce), Some(uri), Some(response)) =
            (field("username"), field("nonce"), field("uri"), field("response"))
        else {
            return false;
        };
        let (ha1, ha2) = (md5(&format!("{username}:{REALM}:{password}")), md5(&format!("{method}:{uri}")));
        let expected = match (field("qop"), field("nc"), field("cnonce")) {
            (Some(qop), Some(count), Some(client)) => md5(&format!("{ha1}:{nonce}:{count}:{client}:{qop}:{ha2}")),
            _ => md5(&format!("{ha1}:{nonce}:{ha2}")),
        };
        let same = |one: &str, other: &str| bool::from(one.as_bytes().ct_eq(other.as_bytes()));
        same(&user, username) & same(&nonce, &self.0) & same(&response.to_ascii_lowercase(), &expected)
    }
}

/// At commas that do not stand in quotation marks.
fn split(fields: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    fields.split(move |letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    })
}

fn md5(text: &str) -> String {
    HEXLOWER.encode(&Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_password_and_answers_this_challenge() {
        let challenge = Challenge("0123456789abcdef".to_owned());
        let (ha1, ha2) = (md5("viewer:Sparekey:secret"), md5("DESCRIBE:rtsp://h/camera/1/main"));
        let right = md5(&format!("{ha1}:0123456789abcdef:{ha2}"));
        let with_qop = md5(&format!("{ha1}:0123456789abcdef:00000001:c,c:auth:{ha2}"));
        let uri = "uri=\"rtsp://h/camera/1/main\"";
        for (header, method, answered) in [
            (
                format!(
                    "Digest username=\"viewer\", realm=\"Sparekey\", nonce=\"0123456789abcdef\", {uri}, response=\"{right}\""
                ),
                "DESCRIBE",
                true,
            ),
            (
                format!(
                    "Digest username=\"viewer\",nonce=\"0123456789abcdef\",{uri},response=\"{}\"",
                    right.to_uppercase()
                ),
                "DESCRIBE",
                true,
            ),
            (
                format!(
                    "Digest username=\"viewer\", nonce=\"0123456789abcdef\", {uri}, qop=auth, nc=00000001, cnonce=\"c,c\", response=\"{with_qop}\""
                ),
                "DESCRIBE",
                true,
            ),
            (
                format!("Digest username=\"viewer\", nonce=\"0123456789abcdef\", {uri}, response=\"{right}\""),
                "PLAY",
                false,
            ),
            (
                format!("Digest username=\"viewer\", nonce=\"1123456789abcdef\", {uri}, response=\"{right}\""),
                "DESCRIBE",
                false,
            ),
            (
                format!("Digest username=\"admin\", nonce=\"0123456789abcdef\", {uri}, response=\"{right}\""),
                "DESCRIBE",
                false,
            ),
            ("Basic dmlld2VyOnNlY3JldA==".to_owned(), "DESCRIBE", false),
            ("Digest".to_owned(), "DESCRIBE", false),
            ("Digest \",,,===\"".to_owned(), "DESCRIBE", false),
        ] {
            assert_eq!(challenge.is_answered(&header, method, "viewer", "secret"), answered, "{method} {header}");
        }
    }
}
