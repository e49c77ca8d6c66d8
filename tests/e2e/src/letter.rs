//! What a person writes to the service: a mail with something attached, sent to a mail server as mail programs do.

use std::{
    io::{BufRead, BufReader, Cursor, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{GrayImage, ImageFormat, Luma};
use qrcode::{Color, EcLevel, QrCode};

/// A mail with one attachment.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The bytes, with CRLF.
    pub text: String,
    from: String,
}

impl Letter {
    /// From this address, with a PNG of the symbol of a text.
    pub fn with_photo(from: &str, subject: &str, symbol: &str) -> Self {
        Self::new(from, subject, "image/png; name=photo.png", &photo(symbol))
    }

    /// From this address, with something of this type.
    pub fn new(from: &str, subject: &str, kind: &str, content: &[u8]) -> Self {
        let encoded = STANDARD.encode(content);
        let lines: String = encoded
            .as_bytes()
            .chunks(76)
            .map(|line| format!("{}\r\n", std::str::from_utf8(line).expect("base64 is ASCII")))
            .collect();
        let text = format!(
            "From: \"Somebody\" <{from}>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@test.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\nContent-Type: text/plain\r\n\r\nSee there.\r\n\
             --=_b\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n{lines}--=_b--\r\n"
        );
        Self { text, from: from.to_owned() }
    }

    /// Hands it to a mail server on this loopback port.
    pub fn send(&self, port: u16, to: &str) {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the mail server listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let mut expect = |code: &str| {
            let mut line = String::new();
            lines.read_line(&mut line).expect("it answers");
            assert!(line.starts_with(code), "{line}");
        };
        let say = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes()).expect("it listens");
        expect("220");
        for (command, code) in [
            ("HELO test.example", "250"),
            (format!("MAIL FROM:<{}>", self.from).as_str(), "250"),
            (format!("RCPT TO:<{to}>").as_str(), "250"),
            ("DATA", "354"),
        ] {
            say(command);
            expect(code);
        }
        say(&format!("{}.", self.text));
        expect("250");
        say("QUIT");
    }
}

/// A PNG of the symbol of a text.
pub fn photo(text: &str) -> Vec<u8> {
    let symbol = QrCode::with_error_correction_level(text, EcLevel::M).expect("it fits into a symbol");
    let (width, scale, quiet) = (symbol.width(), 6, 4);
    let side = u32::try_from((width + 2 * quiet) * scale).expect("it is small");
    let colors = symbol.to_colors();
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let module = |at: u32| (at as usize / scale).checked_sub(quiet).filter(|at| *at < width);
        let dark = module(x).zip(module(y)).is_some_and(|(x, y)| colors[y * width + x] == Color::Dark);
        Luma([if dark { 0 } else { 255 }])
    });
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}
