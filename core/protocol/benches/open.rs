//! What one request costs: made on a device, opened at the service, as digits, as the symbol's text; and a recovery file.
//!
//! `cargo bench -p sparekey-protocol`; figures are in `docs/ref/performance.md`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sparekey_protocol::{
    BaseUrl, Certificate, Code, Firmware, KeyId, Language, MakerId, Model, Nonce, OpeningKey, PublicKey, ReservedEmail,
    Serial, SigningKey, Time, digits,
    files::{self, Document, RequestFile},
    qr,
    request::{self, Ask, Contents, MAX_REQUEST, Trust},
};

struct Service {
    maker: PublicKey,
    opening: OpeningKey,
}

impl Trust for Service {
    fn maker(&self, id: MakerId) -> Option<PublicKey> {
        (id == MakerId::of(&self.maker.to_bytes())).then_some(self.maker)
    }

    fn is_withdrawn(&self, _: MakerId, _: &Serial) -> bool {
        false
    }

    fn opening_key(&self, id: KeyId) -> Option<&OpeningKey> {
        (id == self.opening.public().id()).then_some(&self.opening)
    }
}

fn requests(criterion: &mut Criterion) {
    let (maker, device) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[3; 32]));
    let service = Service { maker: maker.public(), opening: OpeningKey::from_bytes(&[5; 32]) };
    let (serial, model, firmware) =
        (Serial::new("NVR-4216-0001").unwrap(), Model::new("NVR 4216").unwrap(), Firmware::new("4.30.005").unwrap());
    let certificate = Certificate::new(&maker.public(), serial.clone(), model.clone(), &device.public()).sign(&maker);
    let contents = Contents {
        code: Code::from_seed(&[7; 16]),
        ask: Ask::ResetByEmail(ReservedEmail::new("owner@example.org").unwrap()),
        firmware: firmware.clone(),
        device_time: Time(1_790_000_000),
        start_time: Time(1_789_990_000),
        language: Language::new("en").unwrap(),
    };
    let key = service.opening.public();
    let seal = || request::seal(&contents, Nonce([2; 16]), &[9; 32], &certificate, &device, &key).unwrap();
    let request = seal();

    criterion.bench_function("seal", |bencher| bencher.iter(|| black_box(seal())));
    criterion.bench_function("open", |bencher| bencher.iter(|| request::open(black_box(&request), &service).unwrap()));
    let mut altered = request.clone();
    *altered.last_mut().unwrap() ^= 1;
    criterion.bench_function("refuse a bad signature", |bencher| {
        bencher.iter(|| request::open(black_box(&altered), &service).unwrap_err());
    });
    criterion.bench_function("refuse what is no request", |bencher| {
        bencher.iter(|| request::open(black_box(&[0xa5; MAX_REQUEST]), &service).unwrap_err());
    });

    let text = digits::encode(&request);
    criterion.bench_function("digits encode", |bencher| bencher.iter(|| digits::encode(black_box(&request))));
    criterion.bench_function("digits decode", |bencher| {
        bencher.iter(|| digits::decode(black_box(&text), MAX_REQUEST).unwrap())
    });
    let url = BaseUrl::new("https://recover.example.org").unwrap();
    let link = qr::text(&url, &request);
    criterion.bench_function("qr text", |bencher| bencher.iter(|| qr::text(&url, black_box(&request))));
    criterion.bench_function("qr read", |bencher| bencher.iter(|| qr::read(black_box(&link)).unwrap()));

    let file = RequestFile::new(&serial, &model, &firmware, Time(1_790_000_000), Time(1_789_990_000), request);
    let document = Document::Request(file);
    let xml = files::write(&document).unwrap();
    criterion.bench_function("file write", |bencher| bencher.iter(|| files::write(black_box(&document)).unwrap()));
    criterion.bench_function("file parse", |bencher| bencher.iter(|| files::parse(black_box(xml.as_bytes())).unwrap()));
}

criterion_group!(benches, requests);
criterion_main!(benches);
