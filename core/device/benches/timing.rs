//! Whether the time that an answer takes tells anything: Welch's t between two kinds of calls, interleaved.
//!
//! `cargo bench -p sparekey-device --bench timing`. |t| below 4.5 over thousands of samples is the usual bound for "cannot be
//! told apart" (Goodwill et al., "A testing methodology for side-channel resistance validation"). Argon2id is at its least
//! cost here, so that a difference around it would show more, not less, than on a real device.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::{
    convert::Infallible,
    hint::black_box,
    time::{Duration, Instant},
};

use sparekey_device::{
    Caller, CodeDraft, CodeSeeds, Device, HashingCost, Identity, NewOwner, Now, OpenSeeds, Policy, RecoveryId,
    Username, ways::Way,
};
use sparekey_protocol::{
    BaseUrl, Card, CardName, Certificate, Code, Firmware, Language, MakerId, Model, OpeningKey, ReservedEmail, Serial,
    SigningKey, Time, VerifierKey, log_verifier_key,
};
use zeroize::Zeroizing;

const SAMPLES: usize = 20_000;
const CHEAP: HashingCost = HashingCost { memory: 8, passes: 1, lanes: 1 };
const NOW: Now = Now { since_start: 0, clock: Time(1_800_000_000), started: Time(1_800_000_000) };

fn main() {
    // `cargo test` runs benches too, to see that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let mut device = device();
    println!("| two kinds of calls | samples of each | medians, µs | t |");
    println!("|---|---|---|---|");
    compare("login: known name, wrong password / unknown name", |n| {
        let name = if n { "admin" } else { "nobody" };
        black_box(device.password_check(name).unwrap().run("another tall ladder"));
    });
    compare("login: right password / wrong password", |n| {
        let password = if n { "first tall ladder" } else { "third tall ladder" };
        black_box(device.password_check("admin").unwrap().run(password));
    });

    let id = open(&mut device, 1);
    compare("ticket: of this request, wrong / of a request that never was", |n| {
        let id = if n { id } else { RecoveryId::parse("00000000000000000000000000000000").unwrap() };
        black_box(device.check_ticket(NOW, Caller::Screen, id, "x").unwrap_err());
    });

    let code = Code::parse("12345678").unwrap();
    let other = Code::parse("12345679").unwrap();
    compare("codes: equal / different in the last digit", |n| {
        black_box(black_box(&code) == black_box(if n { &code } else { &other }));
    });
}

fn compare(name: &str, mut call: impl FnMut(bool)) {
    let mut took = [Vec::with_capacity(SAMPLES), Vec::with_capacity(SAMPLES)];
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..2 * SAMPLES {
        // xorshift: the order is not to be a pattern that the processor learns.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let kind = random & 1 == 1;
        let begun = Instant::now();
        call(kind);
        took[usize::from(kind)].push(begun.elapsed());
    }
    let [one, other] = took.each_mut().map(Summary::of);
    let t = (one.mean - other.mean) / (one.variance / one.count + other.variance / other.count).sqrt();
    println!("| {name} | {} | {:.2} / {:.2} | {t:.1} |", SAMPLES, one.median, other.median);
}

struct Summary {
    count: f64,
    mean: f64,
    variance: f64,
    median: f64,
}

impl Summary {
    /// In microseconds, without the slowest hundredth, which is the machine's own business.
    fn of(samples: &mut Vec<Duration>) -> Self {
        samples.sort_unstable();
        samples.truncate(samples.len() * 99 / 100);
        let micros: Vec<f64> = samples.iter().map(|sample| sample.as_secs_f64() * 1e6).collect();
        let count = micros.len() as f64;
        let mean = micros.iter().sum::<f64>() / count;
        let variance = micros.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count, mean, variance, median: micros[micros.len() / 2] }
    }
}

fn device() -> Device {
    let (maker, key, opening) =
        (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]), OpeningKey::from_bytes(&[3; 32]));
    let (serial, model) = (Serial::new("NVR-1").unwrap(), Model::new("NVR").unwrap());
    let certificate = Certificate::new(&maker.public(), serial, model, &key.public()).sign(&maker);
    let card = Card {
        maker: MakerId::of(&maker.public().to_bytes()),
        edition: 1,
        name: CardName::new("Timing").unwrap(),
        url: BaseUrl::new("https://recover.example.org").unwrap(),
        opening_key: opening.public(),
        grant_key: SigningKey::from_seed(&[4; 32]).public().to_bytes(),
        log_key: VerifierKey::new(&log_verifier_key("log.example.org", &key.public())).unwrap(),
        witnesses: None,
    };
    let card = card.sign(&maker);
    let identity = Identity::new(key, certificate, &card, &maker.public(), Firmware::new("1").unwrap()).unwrap();
    let mut device = Device::start(identity, Policy::default(), None).unwrap();
    let username = Username::new("admin").unwrap();
    let password = device.judge_password(&username, "first tall ladder", |_, _| 4).unwrap().hash([5; 16], CHEAP);
    let reserved_emails = vec![ReservedEmail::new("owner@example.org").unwrap()];
    let owner = NewOwner { username, password, reserved_emails, questions: None };
    let activated = device.activate(NOW, Caller::Screen, owner, None).unwrap();
    activated.commit(|_| Ok::<_, Infallible>(())).unwrap().unwrap();
    device
}

fn open(device: &mut Device, seed: u8) -> RecoveryId {
    let seeds = CodeSeeds {
        code: Zeroizing::new([seed; 16]),
        salt: [seed; 16],
        nonce: [seed; 16],
        seal: Zeroizing::new([seed; 32]),
    };
    let drafts = [CodeDraft::make(seeds, CHEAP)];
    let language = Language::new("en").unwrap();
    let seeds = OpenSeeds { id: [seed; 16], question: [seed; 16] };
    let change = device.open_recovery(NOW, Caller::Screen, Way::Email.into(), &language, &drafts, &seeds).unwrap();
    change.commit(|_| Ok::<_, Infallible>(())).unwrap().id
}
