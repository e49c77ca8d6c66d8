//! Photos: to the interface, and by the form.

use axum::body::Body;
use http::Request;
use sparekey_protocol::digits;

use crate::stand::{Answer, Stand, photo, photo_of};

const BOUNDARY: &str = "----boundary";

async fn send(stand: &Stand, kind: &str, body: Vec<u8>) -> Answer {
    stand.call(Request::post("/v1/requests/photo").header("content-type", kind).body(Body::from(body)).unwrap()).await
}

fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in fields {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn form_kind() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

#[tokio::test]
async fn a_photo_is_as_good_as_its_digits() {
    let stand = Stand::new().await;
    let request = stand.request(1);
    let by_photo = send(&stand, "image/png", photo(&request)).await;
    assert_eq!(by_photo.status, 202, "{}", by_photo.text());
    let kept = by_photo.headers["sparekey-request"].to_str().unwrap();
    assert_eq!(kept, digits::encode(&request), "the phone gets what it may hand in again");
    let by_digits = stand.submit(&request).await;
    assert_eq!(by_photo.json()["id"], by_digits.json()["id"]);
    assert!(!by_digits.headers.contains_key("sparekey-request"));
    let by_form = send(&stand, &form_kind(), form(&[("photo", &photo(&request))])).await;
    assert_eq!(by_form.json()["id"], by_digits.json()["id"]);
}

#[tokio::test]
async fn what_a_symbol_says_before_its_digits_goes_nowhere() {
    let stand = Stand::new().await;
    let request = stand.request(1);
    let text = format!("https://\u{202e}é.example\r\nSet-Cookie: a=b/r#{}", digits::encode(&request));
    let answer = send(&stand, "image/png", photo_of(&text)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.headers["sparekey-request"], digits::encode(&request).as_str());
    assert!(!answer.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn what_is_no_photo_of_a_request_has_its_name() {
    let stand = Stand::new().await;
    let picture = photo(&stand.request(1));
    let two = form(&[("photo", &picture), ("photo", &picture)]);
    for (kind, body, name, status) in [
        ("image/png", b"not a picture".to_vec(), "no-qr", 422),
        ("image/png", vec![], "no-qr", 422),
        ("image/jpeg", picture[..200].to_vec(), "no-qr", 422),
        ("image/svg+xml", b"<svg/>".to_vec(), "no-qr", 422),
        ("image/png", vec![0; 12 * 1024 * 1024 + 1], "too-large", 413),
        ("image/png", vec![0; 13 * 1024 * 1024], "too-large", 413),
        ("application/json", b"{}".to_vec(), "malformed", 400),
        ("", picture.clone(), "malformed", 400),
        (&form_kind(), form(&[("other", &picture)]), "malformed", 400),
        (&form_kind(), two, "malformed", 400),
        (&form_kind(), form(&[("photo", b"")]), "malformed", 400),
        (&form_kind(), form(&[]), "malformed", 400),
        (&form_kind(), b"--nonsense".to_vec(), "malformed", 400),
        ("multipart/form-data", form(&[("photo", &picture)]), "malformed", 400),
    ] {
        let answer = send(&stand, kind, body).await;
        assert_eq!((answer.problem().as_str(), answer.status.as_u16()), (name, status), "{kind}");
    }
}

#[tokio::test]
async fn the_form_works_without_scripts() {
    let stand = Stand::new().await;
    let post = |body: Vec<u8>| {
        Request::post("/reset/photo").header("content-type", form_kind()).body(Body::from(body)).unwrap()
    };
    let taken = stand.call(post(form(&[("photo", &photo(&stand.request(1)))]))).await;
    assert_eq!(taken.status, 303);
    assert!(taken.headers["location"].to_str().unwrap().starts_with("/requests/"));
    let empty = stand.call(post(form(&[("photo", b"")]))).await;
    assert_eq!(empty.status, 400);
    assert!(empty.text().contains("Choose a picture first"));
}
