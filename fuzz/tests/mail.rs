//! Mail to the service: whatever comes, the reader ends, keeps its bounds, and finds the same again.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bolero::check;
use sparekey_fuzz::edited;
use sparekey_protocol::files::MAX_FILE;
use sparekey_service::mail_in::{MOST_FILES, MOST_PICTURES, Mail};

/// A mail with a picture, a file, and another mail with both.
const MAIL: &str = "From: \"Ada\" <ada@example.org>\r\nMessage-ID: <1@example.org>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgoAAAA=\r\n\
--b\r\nContent-Type: application/xml\r\n\r\n<Batch xmlns=\"urn:sparekey:recovery:1\"/>\r\n\
--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/alternative; boundary=\"c d\"\r\n\r\n\
--c d\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<Batch xmlns=3D\"urn:sparekey:recovery:1\"/>\r\n\
--c d\r\n\r\n\u{fffd}\r\n--c d--\r\n--b--\r\n";

fn holds(bytes: &[u8]) {
    let Some(mail) = Mail::read(bytes) else { return };
    assert!(mail.pictures.len() <= MOST_PICTURES && mail.files.len() <= MOST_FILES);
    assert!(mail.pictures.iter().map(Vec::len).sum::<usize>() <= bytes.len());
    assert!(mail.files.iter().all(|file| file.len() <= MAX_FILE));
    let again = Mail::read(bytes).unwrap();
    assert_eq!((again.pictures, again.files), (mail.pictures, mail.files));
}

#[test]
fn any_mail() {
    let mail = Mail::read(MAIL.as_bytes()).unwrap();
    assert_eq!((mail.pictures.len(), mail.files.len()), (1, 2));
    check!().with_test_time(Duration::from_secs(2)).for_each(holds);
}

#[test]
fn any_mail_that_was_altered() {
    check!()
        .with_type::<Vec<(u16, u8, u8)>>()
        .with_test_time(Duration::from_secs(2))
        .for_each(|edits| holds(&edited(MAIL.as_bytes(), edits)));
}
