//! The public log of the service, whole, and the one witness that both devices want to have seen it.

use std::convert::Infallible;

use sparekey_protocol::{
    SigningKey, Time,
    log::{
        Checkpoint, Hash, Leaf, LogProof, Node, consistency_proof, cosign, cosigner_verifier_key, inclusion_proof,
        node_hash, root, verify_consistency,
    },
};

use crate::proofs::log_key;

pub(crate) const ORIGIN: &str = "example";
const WITNESS: &str = "witness.example";

fn witness_key() -> SigningKey {
    SigningKey::from_seed(&[6; 32])
}

/// The key that the devices' card names.
pub(crate) fn witness() -> String {
    cosigner_verifier_key(WITNESS, &witness_key().public()).expect("a name of a key")
}

/// A checkpoint's text, with what the witness adds.
pub(crate) fn witnessed(checkpoint: &str, time: u64) -> String {
    let text = checkpoint.split_once("\n\n").expect("a note").0.to_owned() + "\n";
    checkpoint.to_owned() + &cosign(WITNESS, &witness_key(), Time(time), &text)
}

/// Leaves, and how much of it the witness has seen.
#[derive(Default)]
pub(crate) struct PublicLog {
    leaves: Vec<Leaf>,
    seen: Option<Checkpoint>,
}

impl PublicLog {
    pub(crate) fn append(&mut self, leaf: Leaf) {
        self.leaves.push(leaf);
    }

    pub(crate) fn place(&self, leaf: &Leaf) -> Option<u64> {
        self.leaves.iter().position(|kept| kept == leaf).map(|place| place as u64)
    }

    /// The proof for a leaf, from the log as it is now; the witness signs only what goes on from what it saw.
    pub(crate) fn proof<T>(&mut self, index: u64, time: u64, take: impl FnOnce(&LogProof) -> T) -> T {
        let size = self.leaves.len() as u64;
        let Ok(now) = root::<Infallible>(size, |node| Ok(self.hash(node)));
        if let Some(seen) = &self.seen {
            let Ok(proof) = consistency_proof::<Infallible>(seen.size, size, |node| Ok(self.hash(node)));
            let proof = proof.expect("it only grows");
            assert!(verify_consistency(seen.size, &seen.root, size, &now, &proof), "the log forgot something");
        }
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: now };
        let text = witnessed(&checkpoint.sign(&log_key()), time);
        self.seen = Some(checkpoint);
        let Ok(path) = inclusion_proof::<Infallible>(index, size, |node| Ok(self.hash(node)));
        take(&LogProof { index, path: path.expect("it is in the log"), checkpoint: &text })
    }

    fn hash(&self, node: Node) -> Hash {
        match node.level {
            0 => self.leaves[usize::try_from(node.index).expect("few")].hash(),
            level => {
                let child = |index| self.hash(Node { level: level - 1, index });
                node_hash(&child(2 * node.index), &child(2 * node.index + 1))
            }
        }
    }
}
