//! Reads a public log as anybody can, out of its folder, and believes nothing.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use sparekey_protocol::{
    Nonce, VerifierKey,
    log::{Checkpoint, Frontier, Hash, Leaf, LogPolicy, NoteKey, Tile, decode_entries, leaf_hash},
};
use sparekey_service::keys::Keys;

/// The log key that a card of this service would pin.
pub(crate) fn note_key(service: &Path) -> NoteKey {
    NoteKey::parse(&VerifierKey::new(&Keys::public_halves(service).unwrap().log).unwrap()).unwrap()
}

/// The checkpoint that is out, with all its leaves: the tree that they make is the one that was signed.
pub(crate) fn out(log: &Path, key: &NoteKey) -> (Checkpoint, Vec<Leaf>) {
    let note = fs::read(log.join("checkpoint")).unwrap();
    let checkpoint = LogPolicy::of_log(key.clone()).open(&note).unwrap().into_inner();
    let mut leaves = Vec::new();
    let mut frontier = Frontier::new();
    for first in (0..checkpoint.size).step_by(256) {
        let tile = Tile::of_entry(first, checkpoint.size).unwrap();
        // The whole one, if the partial one was dropped meanwhile.
        let bundle = fs::read(log.join(tile.path())).or_else(|_| fs::read(log.join(tile.whole().path()))).unwrap();
        let entries = decode_entries(&bundle, tile.width)
            .or_else(|_| decode_entries(&bundle, 256))
            .unwrap()
            .into_iter()
            .take(tile.width.into());
        for entry in entries {
            frontier.append(leaf_hash(entry), |_, _| {});
            leaves.push(Leaf::decode(entry).unwrap());
        }
    }
    assert_eq!(frontier.root(), checkpoint.root);
    (checkpoint, leaves)
}

/// Whether a log with these leaves extends an earlier checkpoint.
pub(crate) fn consistent(earlier: &Checkpoint, leaves: &[Leaf]) -> bool {
    let mut frontier = Frontier::new();
    let Some(beginning) = leaves.get(..earlier.size as usize) else { return false };
    beginning.iter().for_each(|leaf| frontier.append(leaf.hash(), |_, _| {}));
    frontier.root() == earlier.root
}

/// A hash in base64.
pub(crate) fn hash(line: &str) -> Hash {
    Hash(STANDARD.decode(line).unwrap().try_into().unwrap())
}

/// The nonce in a request.
pub(crate) fn nonce_of(request: &[u8]) -> Nonce {
    let mut envelope = minicbor::Decoder::new(request);
    envelope.array().unwrap();
    envelope.skip().unwrap();
    envelope.skip().unwrap();
    let mut payload = minicbor::Decoder::new(envelope.bytes().unwrap());
    payload.map().unwrap();
    payload.skip().unwrap();
    payload.skip().unwrap();
    assert_eq!(payload.u8().unwrap(), 2);
    payload.decode().unwrap()
}
