//! Photos through the child process, as the service reads them.
//!
//! The child is the example `decode_photo`, which Cargo builds along with all tests of the crate.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, RgbaImage, imageops};
use lopdf::{Document, Stream, dictionary};
use qrcode::{Color, EcLevel, QrCode};
use rustix::process::Signal;
use sparekey_service::photo::{MAX_BYTES, PhotoError, PhotoReader, Unreadable, read_symbols};

const WHITE: Luma<u8> = Luma([255]);
const BLACK: Luma<u8> = Luma([0]);

/// The text of a request of 401 bytes.
fn request_text() -> String {
    let digits = (0..974u32).map(|i| char::from(b'0' + (i * i % 97 % 10) as u8));
    "https://recover.example.org/r#".chars().chain(digits).collect()
}

/// The symbol of `text` as it is shown: `module` pixels a module, quiet zone 4 modules.
fn symbol(text: &str, module: u32) -> GrayImage {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
    let (width, colors) = (code.width(), code.to_colors());
    let side = (width as u32 + 8) * module;
    GrayImage::from_fn(side, side, |x, y| {
        let at = |v: u32| (v / module).checked_sub(4).map(|v| v as usize).filter(|&v| v < width);
        match at(x).zip(at(y)).map(|(x, y)| colors[y * width + x]) {
            Some(Color::Dark) => BLACK,
            _ => WHITE,
        }
    })
}

/// `picture` in the middle of a grey wall, turned by `degrees`.
fn turned(picture: &GrayImage, degrees: f32) -> GrayImage {
    let side = picture.width() * 3 / 2;
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (middle, centre) = (side as f32 / 2.0, picture.width() as f32 / 2.0);
    GrayImage::from_fn(side, side, |x, y| {
        let (dx, dy) = (x as f32 - middle, y as f32 - middle);
        let (sx, sy) = (centre + dx * cos + dy * sin, centre - dx * sin + dy * cos);
        let inside = |v: f32| v >= 0.0 && v < picture.width() as f32;
        if inside(sx) && inside(sy) { *picture.get_pixel(sx as u32, sy as u32) } else { Luma([120]) }
    })
}

fn written(picture: impl Into<DynamicImage>, format: ImageFormat) -> Bytes {
    let mut file = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner().into()
}

fn png(picture: impl Into<DynamicImage>) -> Bytes {
    written(picture, ImageFormat::Png)
}

/// Twelve megapixels of finder patterns: each three of them might be a symbol.
fn hostile() -> Bytes {
    png(GrayImage::from_fn(4000, 3000, |x, y| {
        let ring = |v: u32| (v / 3 % 8).abs_diff(3);
        match ring(x).max(ring(y)) {
            0 | 1 | 3 => BLACK,
            _ => WHITE,
        }
    }))
}

fn child() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples/decode_photo");
    assert!(program.exists(), "build it: cargo build -p sparekey-service --example decode_photo");
    program
}

fn reader() -> PhotoReader {
    PhotoReader::new(child(), vec![], 1)
}

/// A reader whose child is a shell with this script.
fn shell(script: &str) -> PhotoReader {
    PhotoReader::new("/bin/sh".into(), vec!["-c".into(), script.into()], 1)
}

#[tokio::test]
async fn pictures_of_one_request() {
    let text = request_text();
    let plain = symbol(&text, 5);
    let clear = RgbaImage::from_fn(plain.width(), plain.height(), |x, y| {
        let dark = *plain.get_pixel(x, y) == BLACK;
        image::Rgba([0, 0, 0, if dark { 255 } else { 0 }])
    });
    let pictures = [
        ("PNG", png(plain.clone())),
        ("JPEG", written(plain.clone(), ImageFormat::Jpeg)),
        ("JPEG in colour", written(DynamicImage::from(plain.clone()).to_rgb8(), ImageFormat::Jpeg)),
        ("WebP", written(DynamicImage::from(plain.clone()).to_rgb8(), ImageFormat::WebP)),
        ("PNG of 16 bits", png(DynamicImage::from(plain.clone()).to_rgb16())),
        ("PNG on a transparent ground", png(clear)),
        ("a quarter turn", png(imageops::rotate90(&plain))),
        ("upside down", png(imageops::rotate180(&plain))),
        ("turned by 30 degrees", png(turned(&plain, 30.0))),
        ("turned by 101 degrees", png(turned(&plain, 101.0))),
        ("two pixels a module", png(symbol(&text, 2))),
        ("20 pixels a module", png(symbol(&text, 20))),
    ];
    let reader = reader();
    for (name, image) in pictures {
        assert_eq!(reader.read(image).await.as_ref(), Ok(&text), "{name}");
    }
}

#[tokio::test]
async fn digits_alone_are_a_request_too() {
    let text = request_text();
    let digits = text.rsplit_once('#').unwrap().1;
    assert_eq!(reader().read(png(symbol(digits, 4))).await.as_deref(), Ok(digits));
}

#[tokio::test]
async fn of_several_symbols_the_request_is_taken() {
    let text = request_text();
    let (label, request) = (symbol("DS-7608 SN 0420240001", 14), symbol(&text, 5));
    let height = label.height().max(request.height());
    let mut table = GrayImage::from_pixel(label.width() + request.width(), height, WHITE);
    imageops::replace(&mut table, &label, 0, 0);
    imageops::replace(&mut table, &request, label.width().into(), 0);
    let reader = reader();
    assert_eq!(reader.read(png(table)).await, Ok(text));
    assert_eq!(reader.read(png(label)).await, Err(PhotoError::NoQr));
}

#[tokio::test]
async fn what_is_no_photo_of_a_request() {
    let good = png(symbol(&request_text(), 5));
    let jpeg = written(symbol(&request_text(), 5), ImageFormat::Jpeg);
    let bomb = png(GrayImage::new(10_000, 6_000));
    assert!(bomb.len() < 1024 * 1024);
    let mut wide = written(GrayImage::new(8, 8), ImageFormat::Jpeg).to_vec();
    let size = wide.windows(2).position(|w| w == [0xff, 0xc0]).unwrap() + 5;
    wide[size..size + 4].fill(0xff); // 65,535 by 65,535 in the header
    let cases = [
        ("nothing", Bytes::new(), PhotoError::NoQr),
        ("text", Bytes::from_static(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), PhotoError::NoQr),
        ("GIF", Bytes::from_static(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"), PhotoError::NoQr),
        ("a magic number alone", good.slice(..8), PhotoError::NoQr),
        ("half a PNG", good.slice(..good.len() / 2), PhotoError::NoQr),
        ("a third of a JPEG", jpeg.slice(..jpeg.len() / 3), PhotoError::NoQr),
        ("no symbol", png(GrayImage::new(600, 600)), PhotoError::NoQr),
        ("one pixel", png(GrayImage::new(1, 1)), PhotoError::NoQr),
        ("moving PNG", moving_png(&good), PhotoError::NoQr),
        ("moving WebP", Bytes::from_static(MOVING_WEBP), PhotoError::NoQr),
        ("60 megapixels", bomb.clone(), PhotoError::TooLarge),
        ("60 megapixels, its header alone", bomb.slice(..100), PhotoError::TooLarge),
        ("JPEG of 4,295 megapixels", wide.into(), PhotoError::TooLarge),
        ("13 MiB", vec![0xff; MAX_BYTES + 1].into(), PhotoError::TooLarge),
    ];
    let reader = reader();
    for (name, image, expected) in cases {
        assert_eq!(reader.read(image).await, Err(expected), "{name}");
    }
}

#[test]
fn unreadable_says_why() {
    let good = png(symbol(&request_text(), 3));
    assert!(read_symbols(&good).is_ok());
    for (name, image, why) in [
        ("moving PNG", moving_png(&good), Unreadable::Animated),
        ("moving WebP", Bytes::from_static(MOVING_WEBP), Unreadable::Animated),
        ("still WebP", written(DynamicImage::new_rgb8(9, 9), ImageFormat::WebP), Unreadable::NoSymbol),
        ("half a PNG", good.slice(..good.len() / 2), Unreadable::NotAnImage),
    ] {
        assert_eq!(read_symbols(&image), Err(why), "{name}");
    }
}

#[tokio::test]
async fn a_hostile_photo_is_stopped_and_the_next_one_read() {
    let (hostile, text) = (hostile(), request_text());
    let reader = reader();
    let start = Instant::now();
    let stopped = reader.read(hostile.clone()).await;
    // On a machine that is busy otherwise the clock may come before the processor's limit.
    assert!(matches!(stopped, Err(PhotoError::NoQr | PhotoError::Busy)), "{stopped:?}");
    assert!(start.elapsed() > Duration::from_millis(1500), "it was not hostile");
    assert_eq!(reader.read(png(symbol(&text, 5))).await, Ok(text));

    // It was the limit of processor time that stopped it, not the clock.
    let mut child = Command::new(child()).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&hostile).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(Signal::XCPU.as_raw()));
}

#[tokio::test]
async fn a_pdf_that_wants_too_much_ends_its_child_and_nothing_else() {
    // Megabytes of small values, packed to kilobytes: each takes its place in memory once it is read.
    let mut bomb = Document::with_version("1.5");
    let above = bomb.new_object_id();
    let page = bomb.add_object(dictionary! { "Type" => "Page", "Parent" => above });
    bomb.set_object(above, dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 });
    let catalog = bomb.add_object(dictionary! { "Type" => "Catalog", "Pages" => above });
    bomb.trailer.set("Root", catalog);
    for number in 0..8 {
        let values = format!("{} 0 [{}]", 1_000 + number, "1 ".repeat(7_500_000));
        let first = values.find('[').unwrap();
        let mut packed =
            Stream::new(dictionary! { "Type" => "ObjXxx", "N" => 1, "First" => first as i64 }, values.into_bytes());
        packed.compress().unwrap();
        bomb.add_object(packed);
    }
    let mut bytes = Vec::new();
    bomb.save_to(&mut bytes).unwrap();
    assert!(bytes.len() < 1024 * 1024, "{}", bytes.len());
    // The writer would leave out what is called so.
    let names: Vec<_> =
        bytes.windows(6).enumerate().filter(|(_, name)| name == b"ObjXxx").map(|(place, _)| place).collect();
    for place in names {
        bytes[place..place + 6].copy_from_slice(b"ObjStm");
    }
    assert_eq!(reader().clean_pdf(bytes.into()).await, Err(PhotoError::BadPdf));
    assert_eq!(reader().clean_pdf(vec![0; 8 * 1024 * 1024 + 1].into()).await, Err(PhotoError::TooLarge));
    for (script, error) in [
        ("kill -ABRT $$", PhotoError::BadPdf),
        ("kill -XCPU $$", PhotoError::BadPdf),
        ("kill -KILL $$", PhotoError::Failed),
        ("echo '\"redrawn\"'", PhotoError::Failed),
        ("echo '\"cleaned\"'; head -c 8388700 /dev/zero", PhotoError::TooLarge),
    ] {
        assert_eq!(shell(script).clean_pdf(Bytes::from_static(b"x")).await, Err(error), "{script}");
    }
}

#[tokio::test]
async fn children_that_answer_badly() {
    let image = png(GrayImage::new(8, 8));
    for (name, script) in [
        ("killed", "kill -9 $$"),
        ("failed", "echo '{\"symbols\":[]}'; exit 3"),
        ("silent", "true"),
        ("garbled", "echo '{\"symbols\":'"),
        ("endless", "cat /dev/zero"),
    ] {
        assert_eq!(shell(script).read(image.clone()).await, Err(PhotoError::Failed), "{name}");
    }
    let missing = PhotoReader::new("/nonexistent/sparekey".into(), vec![], 1);
    assert_eq!(missing.read(image).await, Err(PhotoError::Failed));
}

#[tokio::test]
async fn a_child_gets_no_environment() {
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "Cargo sets it for tests");
    let digits = "1".repeat(974);
    let script = format!("echo '{{\"symbols\":[\"'${{CARGO_MANIFEST_DIR:-{digits}}}'\"]}}'");
    assert_eq!(shell(&script).read(Bytes::from_static(b"x")).await, Ok(digits));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_hangs_is_given_up() {
    // The clock leaps as soon as nothing but it is left to wait for.
    let hanging = shell("exec sleep 600");
    assert_eq!(hanging.read(Bytes::from_static(b"x")).await, Err(PhotoError::Busy));
}

#[tokio::test]
async fn a_full_queue_answers_at_once() {
    let hanging = Arc::new(shell("exec sleep 600"));
    let image = Bytes::from_static(b"x");
    let one = || {
        let (hanging, image) = (hanging.clone(), image.clone());
        async move { hanging.read(image).await }
    };
    let waiting: Vec<_> = (0..9).map(|_| tokio::spawn(one())).collect();
    tokio::task::yield_now().await;
    let start = Instant::now();
    assert_eq!(hanging.read(image.clone()).await, Err(PhotoError::Busy));
    assert!(start.elapsed() < Duration::from_secs(1));
    waiting.iter().for_each(tokio::task::JoinHandle::abort); // kills the child that runs
}

/// `png` with a chunk that says: three frames (APNG's acTL, right after the header).
fn moving_png(png: &Bytes) -> Bytes {
    let chunk = b"acTL\0\0\0\x03\0\0\0\0";
    let crc = !chunk.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    });
    let header = 8 + 25; // signature and IHDR
    [&png[..header], &8u32.to_be_bytes(), chunk, &crc.to_be_bytes(), &png[header..]].concat().into()
}

/// Two frames of two by two pixels, black and white.
const MOVING_WEBP: &[u8] = b"RIFF\x84\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x01\x00\x00\
    ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00ANMF&\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x01\x00\x00\x01\x00\x00d\x00\x00\x02VP8L\x0e\x00\x00\x00/\x01@\x00\x00\x07\x10\
    \x11\xfd\x0fDD\xff\x03ANMF*\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x01\x00\
    \x00d\x00\x00\x00VP8L\x11\x00\x00\x00/\x01@\x00\x00\x07\xd0\xff\xfe\xf7\xbf\xff\x81\
    \x88\xe8\x7f\x00\x00";
