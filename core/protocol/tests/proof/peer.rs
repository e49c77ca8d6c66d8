//! The second implementation (`tests/peer/sparekey_peer.py`) opens what ours makes, and ours opens what it makes.
//!
//! It needs Python with the modules of `tests/peer/requirements.txt`. `SPAREKEY_PEER_PYTHON` names that Python, and the test then
//! fails without them; otherwise `python3` is tried, and the test says that it did nothing if the modules are missing.

use std::{
    env,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use sparekey_protocol::{
    Card, Nonce, OpeningKey, PublicKey, ReservedEmail,
    request::{self, Ask},
};

use crate::fixture::{NONCE, SEED, Service, certificate, contents, device, email, maker, opening};

/// Output of the second implementation; `None` if it cannot run here.
fn peer(verb: &str, input: &str) -> Option<String> {
    let named = env::var("SPAREKEY_PEER_PYTHON").ok();
    let python = named.as_deref().unwrap_or("python3");
    let can_run =
        Command::new(python).args(["-c", "import cbor2, cryptography, pyhpke"]).stderr(Stdio::null()).status();
    if named.is_none() && !can_run.is_ok_and(|status| status.success()) {
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer/sparekey_peer.py");
    let mut command = Command::new(python);
    command.arg("-B").arg(script).arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the second implementation refused");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[allow(clippy::print_stderr)]
fn skipped() {
    eprintln!("skipped: no Python with the modules of tests/peer/requirements.txt");
}

#[test]
fn it_opens_ours() {
    let long = ReservedEmail::new(&format!("{}@example.org", "ö".repeat(100))).unwrap();
    for (number, ask) in [Ask::ResetByEmail(email()), Ask::ResetByDesk, Ask::ConfirmEmail(long)].into_iter().enumerate()
    {
        let nonce = Nonce([number as u8; 16]);
        let request =
            request::seal(&contents(ask.clone()), nonce, &SEED, &certificate(), &device(), &opening().public())
                .unwrap();
        let input = format!(
            "maker: {}\nopening-key: {}\nrequest: {}\n",
            hex::encode(maker().public().to_bytes()),
            hex::encode(*opening().to_bytes()),
            hex::encode(&request),
        );
        let Some(said) = peer("open", &input) else { return skipped() };
        let mut expected =
            vec!["serial: NVR-4216-0001".to_owned(), "model: NVR 4216".to_owned(), "code: 02718281".to_owned()];
        expected.push(format!("purpose: {}", ask.purpose().number()));
        expected.push(format!("nonce: {nonce}"));
        expected.extend(ask.email().map(|email| format!("email: {email}")));
        for line in expected {
            assert!(said.lines().any(|said| said == line), "no `{line}` in:\n{said}");
        }
        assert_eq!(said.contains("email: "), ask.email().is_some());
    }
}

#[test]
fn ours_opens_its() {
    let Some(said) = peer("make", "") else { return skipped() };
    let values = |name: &str| -> Vec<&str> {
        said.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
    };
    let bytes = |hex: &str| hex::decode(hex).unwrap();
    let maker = PublicKey::from_bytes(&bytes(values("maker")[0]).try_into().unwrap()).unwrap();
    let opening = OpeningKey::from_bytes(&bytes(values("opening-key")[0]).try_into().unwrap());
    let card = Card::verify(&bytes(values("card")[0]), &maker).unwrap();
    assert_eq!((card.edition, card.opening_key), (7, opening.public()));

    let service = Service { maker, opening, withdrawn: None };
    let requests = values("request");
    assert_eq!(requests.len(), 3);
    for ((request, code), address) in requests.into_iter().zip(values("code")).zip(values("email")) {
        let opened = request::open(&bytes(request), &service).unwrap();
        assert_eq!(opened.certificate.serial.as_str(), "PEER-0001");
        assert_eq!(opened.contents.code.expose(), code);
        assert_eq!(opened.contents.ask.email().map_or("", ReservedEmail::as_str), address);
        assert_ne!(opened.nonce, NONCE);
    }
}
