//! The public log (protocol section 7): a Merkle tree to which leaves are only ever added, and the proofs out of it.
//!
//! Every format is one of C2SP's (c2sp.org): signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-proof. The tree's
//! mathematics are those of RFC 6962 section 2.1 and RFC 9162 section 2.1. Nothing here reads or stores: whoever has the tiles
//! hands in a function that looks a node up.

mod checkpoint;
mod edge;
mod frontier;
mod leaf;
mod note;
mod note_key;
mod policy;
mod proof;
mod tile;
mod tree;

pub(crate) use self::note_key::verifier_key;
pub use self::{
    checkpoint::Checkpoint,
    edge::Edge,
    frontier::Frontier,
    leaf::{Act, Leaf, MAX_LEAF, commitment},
    note::{MAX_NOTE, MAX_SIGNATURES, Note, NoteError, NoteSignature},
    note_key::{Algorithm, KeyError, NoteKey, cosign, cosigner_verifier_key},
    policy::{CheckpointRefusal, LogPolicy},
    proof::{LogProof, MAX_PROOF},
    tile::{MAX_BUNDLE_BYTES, Tile, TileKind, decode_entries, encode_entries},
    tree::{
        Hash, Node, consistency_proof, inclusion_proof, leaf_hash, node_hash, root, verify_consistency,
        verify_inclusion,
    },
};
