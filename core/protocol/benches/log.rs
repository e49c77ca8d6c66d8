//! A public log of ten million leaves: how fast it grows, how large it is, and what a proof out of it costs; and the check of a grant as
//! a device does it, on one core.
//!
//! `cargo bench -p sparekey-protocol --bench log`; the tiles go to a folder of the system's for temporary files, which needs 1.3 GB (another number of leaves: `LEAVES`).
//! Figures are in `docs/ref/performance.md`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::{
    env, fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use sparekey_protocol::{
    BaseUrl, Card, CardName, CaseNumber, DeviceId, MakerId, Nonce, OpeningKey, SigningKey, Time, VerifierKey,
    Witnesses,
    grant::{self, Grant},
    log::{
        Act, Checkpoint, Edge, Hash, Leaf, LogProof, Node, Tile, TileKind, consistency_proof, cosign,
        cosigner_verifier_key, inclusion_proof,
    },
    log_verifier_key,
};

const ORIGIN: &str = "recover.example.org/log";
/// Leaves of one checkpoint: as many as a busy service publishes at once.
const EACH: u64 = 256;

fn main() {
    let leaves: u64 = env::var("LEAVES").map_or(10_000_000, |text| text.parse().unwrap());
    let folder = env::temp_dir().join(format!("sparekey-log-bench-{}", std::process::id()));
    let log = SigningKey::from_seed(&[8; 32]);

    // In memory: what the tree itself costs. Then with its files, without waiting for the disk.
    let grown = grow(leaves, &log, None);
    println!("tree alone: {:.0} leaves/s", leaves as f64 / grown.0.as_secs_f64());
    let (took, edge) = grow(leaves, &log, Some(&folder));
    println!("with files and a checkpoint each {EACH} leaves: {:.0} leaves/s", leaves as f64 / took.as_secs_f64());
    let (files, bytes) = size_of(&folder);
    println!(
        "{leaves} leaves: {files} files, {:.2} GB, {:.1} bytes a leaf",
        bytes as f64 / 1e9,
        bytes as f64 / leaves as f64
    );

    let size = edge.size();
    let read = |tile: Tile| fs::read(folder.join(tile.path())).unwrap();
    let start = Instant::now();
    let tiles: Vec<_> = Edge::tiles(size).map(|tile| (tile, read(tile))).collect();
    assert_eq!(Edge::from_tiles(size, &tiles).unwrap().root(), edge.root());
    println!("edge read again at a start: {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
    let lookup = |node: Node| -> Result<Hash, ()> {
        let tile = Tile::of_node(node, size).ok_or(())?;
        tile.node(&read(tile), node).ok_or(())
    };
    let mut place = 1;
    let mut length = 0;
    let proving = median(2_000, || {
        // All over the log (Knuth's multiplicative hash).
        place = place * 2_654_435_761 % size;
        length = inclusion_proof(place, size, lookup).unwrap().unwrap().len();
    });
    println!("inclusion proof out of the files, {length} hashes: {:.0} µs", proving.as_secs_f64() * 1e6);
    let consistent = median(500, || drop(black_box(consistency_proof(size / 3, size, lookup).unwrap())));
    println!("consistency proof out of the files: {:.0} µs", consistent.as_secs_f64() * 1e6);

    check_a_grant(edge, &log, lookup);
    fs::remove_dir_all(&folder).unwrap();
}

/// Adds leaves, a checkpoint each so many.
fn grow(leaves: u64, log: &SigningKey, folder: Option<&Path>) -> (Duration, Edge) {
    let mut edge = Edge::default();
    let start = Instant::now();
    let mut number = 0;
    while number < leaves {
        let next = leaves.min(number + EACH);
        let batch = (number..next).map(|number| leaf(number).encode()).collect();
        let tiles = edge.append(batch);
        if let Some(folder) = folder {
            for (tile, bytes) in &tiles {
                let path = folder.join(tile.path());
                // What is no longer at the edge is dropped; a log that is read by others keeps it until its tile is whole.
                let _ = fs::remove_dir_all(folder.join(format!("{}.p", tile.whole().path())));
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, bytes).unwrap();
            }
        }
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: edge.size(), root: edge.root() };
        black_box(checkpoint.sign(log));
        number = next;
    }
    (start.elapsed(), edge)
}

fn leaf(number: u64) -> Leaf {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    Leaf::new(Time(1_790_000_000 + number / 100), Act::CodeMailed, DeviceId([7; 16]), Nonce(nonce))
}

/// The last leaf is a grant's. Its bundle is opened as a device does, with no witness and with three of three.
fn check_a_grant(mut edge: Edge, log: &SigningKey, lookup: impl Fn(Node) -> Result<Hash, ()>) {
    let grant_key = SigningKey::from_seed(&[7; 32]);
    let grant = Grant {
        device: DeviceId([1; 16]),
        nonce: Nonce([2; 16]),
        issued_at: Time(1_790_000_000),
        not_after: Time(1_790_086_400),
        case: CaseNumber::new("2026-000001").unwrap(),
    };
    let signed = grant.sign(&grant_key);
    let tiles = edge.append(vec![grant.leaf(&signed).encode()]);
    let size = edge.size();
    let lookup = |node: Node| {
        let tile = Tile::of_node(node, size).ok_or(())?;
        let made = tiles.iter().find(|(made, _)| *made == tile && matches!(tile.kind, TileKind::Hashes(_)));
        made.map_or_else(|| lookup(node), |(tile, bytes)| tile.node(bytes, node).ok_or(()))
    };
    let path = inclusion_proof(size - 1, size, lookup).unwrap().unwrap();
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size, root: edge.root() };
    let (text, note) = (checkpoint.text(), checkpoint.sign(log));
    let witnesses: Vec<_> =
        (0..3).map(|n| (format!("witness.example/{n}"), SigningKey::from_seed(&[40 + n; 32]))).collect();
    let lines: String = witnesses.iter().map(|(name, key)| cosign(name, key, Time(1_790_000_000), &text)).collect();
    let keys = witnesses.iter().map(|(name, key)| cosigner_verifier_key(name, &key.public()).unwrap());
    let keys = keys.map(|key| VerifierKey::new(&key).unwrap()).collect();
    for (what, note, witnesses) in
        [("no witness", note.clone(), None), ("three witnesses", note + &lines, Witnesses::new(3, keys))]
    {
        let card = Card {
            maker: MakerId([0; 8]),
            edition: 1,
            name: CardName::new("Recovery").unwrap(),
            url: BaseUrl::new("https://recover.example.org").unwrap(),
            opening_key: OpeningKey::from_bytes(&[5; 32]).public(),
            grant_key: grant_key.public().to_bytes(),
            log_key: VerifierKey::new(&log_verifier_key(ORIGIN, &log.public())).unwrap(),
            witnesses,
        };
        let bundle = grant::bundle(&signed, &LogProof { index: size - 1, path: path.clone(), checkpoint: &note });
        let check = || drop(black_box(grant::open(&bundle, &card, grant.device, |_| true).unwrap()));
        println!(
            "a grant checked on the device, {what}, {} bytes: {:.0} µs",
            bundle.len(),
            median(2_000, check).as_secs_f64() * 1e6
        );
    }
}

fn median(rounds: usize, mut work: impl FnMut()) -> Duration {
    let mut each: Vec<_> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    each.sort_unstable();
    each[rounds / 2]
}

fn size_of(folder: &Path) -> (u64, u64) {
    let mut sum = (0, 0);
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (files, bytes) =
            if entry.path().is_dir() { size_of(&entry.path()) } else { (1, entry.metadata().unwrap().len()) };
        sum = (sum.0 + files, sum.1 + bytes);
    }
    sum
}
