//! Proofs that something stands in the log, to be checked without it (c2sp.org/tlog-proof, version 1).

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    checkpoint::{parse_decimal, parse_hash},
    leaf::Leaf,
    policy::{CheckpointRefusal, LogPolicy},
    tree::{Hash, verify_inclusion},
};
use crate::cbor::Malformed;

/// The most bytes of a proof: what fits, in base64 and with a grant, into a file of 64 KiB (protocol section 8).
pub const MAX_PROOF: usize = 46 * 1024;

const HEAD: &str = "c2sp.org/tlog-proof@v1\n";
const INDEX: &str = "index ";
/// The longest path of a tree whose size is a number of 64 bits.
const MAX_PATH: usize = 64;

/// A proof, none of which has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof<'p> {
    /// Which leaf, from zero.
    pub index: u64,
    /// From the leaf's sibling up.
    pub path: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: &'p str,
}

impl<'p> LogProof<'p> {
    /// Takes a proof apart. An `extra` line is refused: this protocol has none.
    ///
    /// # Errors
    /// [`Malformed::TooLong`] over [`MAX_PROOF`] bytes or 64 hashes, else [`Malformed::Shape`].
    pub fn parse(text: &'p str) -> Result<Self, Malformed> {
        if text.len() > MAX_PROOF {
            return Err(Malformed::TooLong);
        }
        let rest = text.strip_prefix(HEAD).ok_or(Malformed::Shape)?;
        let (index, mut rest) =
            rest.strip_prefix(INDEX).and_then(|rest| rest.split_once('\n')).ok_or(Malformed::Shape)?;
        let index = parse_decimal(index).ok_or(Malformed::Shape)?;
        let mut path = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(Malformed::Shape)?;
            rest = after;
            if line.is_empty() {
                return Ok(Self { index, path, checkpoint: rest });
            }
            if path.len() == MAX_PATH {
                return Err(Malformed::TooLong);
            }
            path.push(parse_hash(line).ok_or(Malformed::Shape)?);
        }
    }

    /// The text of the proof.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::from(HEAD);
        text.push_str(INDEX);
        text.push_str(&self.index.to_string());
        text.push('\n');
        for hash in &self.path {
            STANDARD.encode_string(hash.0, &mut text);
            text.push('\n');
        }
        text.push('\n');
        text.push_str(self.checkpoint);
        text
    }

    /// Whether this leaf stands in this log: the checkpoint is believed, and the leaf is in its tree.
    ///
    /// # Errors
    /// `Some` says what is wrong with the checkpoint; `None`, that its tree does not hold the leaf at that place.
    pub fn verify(&self, leaf: &Leaf, policy: &LogPolicy) -> Result<(), Option<CheckpointRefusal>> {
        let checkpoint = policy.open(self.checkpoint.as_bytes()).map_err(Some)?;
        let stands = verify_inclusion(self.index, checkpoint.size, &leaf.hash(), &self.path, &checkpoint.root);
        if stands { Ok(()) } else { Err(None) }
    }
}
