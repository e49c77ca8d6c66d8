//! A small public log in memory, a witness, and a card that pins both.

use std::{cell::RefCell, collections::BTreeMap, convert::Infallible};

use sparekey_protocol::{
    BaseUrl, Card, CardName, MakerId, SigningKey, Time, VerifierKey, Witnesses,
    log::{
        Checkpoint, Frontier, Hash, LogProof, Node, consistency_proof, cosign, cosigner_verifier_key, inclusion_proof,
        leaf_hash, root,
    },
    log_verifier_key,
};

use crate::fixture::{maker, opening};

pub(crate) const ORIGIN: &str = "recover.example.org/log";
pub(crate) const WITNESS: &str = "witness.example.org";

pub(crate) fn grant_key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

pub(crate) fn log_key() -> SigningKey {
    SigningKey::from_seed(&[8; 32])
}

pub(crate) fn witness_key(number: u8) -> SigningKey {
    SigningKey::from_seed(&[40 + number; 32])
}

fn witness_name(number: u8) -> String {
    format!("{WITNESS}/{number}")
}

/// A card that asks for so many of three witnesses; for none if it is zero.
pub(crate) fn card(quorum: u64) -> Card {
    let witness = |number| {
        let text = cosigner_verifier_key(&witness_name(number), &witness_key(number).public()).unwrap();
        VerifierKey::new(&text).unwrap()
    };
    Card {
        maker: MakerId::of(&maker().public().to_bytes()),
        edition: 1,
        name: CardName::new("Recovery").unwrap(),
        url: BaseUrl::new("https://recover.example.org").unwrap(),
        opening_key: opening().public(),
        grant_key: grant_key().public().to_bytes(),
        log_key: VerifierKey::new(&log_verifier_key(ORIGIN, &log_key().public())).unwrap(),
        witnesses: Witnesses::new(quorum, (0..3).map(witness).collect()),
    }
}

/// What a log is made of, with everything that a log must not do left possible.
#[derive(Clone, Default)]
pub(crate) struct TestLog {
    frontier: Frontier,
    nodes: RefCell<BTreeMap<Node, Hash>>,
}

impl TestLog {
    /// A log with so many entries that do not matter.
    pub(crate) fn with(entries: u64) -> Self {
        let mut log = Self::default();
        for n in 0..entries {
            log.append(&n.to_be_bytes());
        }
        log
    }

    pub(crate) fn append(&mut self, leaf: &[u8]) -> u64 {
        let mut nodes = self.nodes.borrow_mut();
        self.frontier.append(leaf_hash(leaf), |node, hash| {
            nodes.insert(node, hash);
        });
        self.frontier.size() - 1
    }

    fn lookup(&self, node: Node) -> Result<Hash, Infallible> {
        Ok(self.nodes.borrow()[&node])
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        let root = root(size, |node| self.lookup(node)).unwrap();
        Checkpoint { origin: ORIGIN.into(), size, root }
    }

    pub(crate) fn signed(&self, size: u64) -> String {
        self.checkpoint(size).sign(&log_key())
    }

    /// Signed, and cosigned by these witnesses.
    pub(crate) fn cosigned(&self, size: u64, witnesses: &[u8]) -> String {
        let text = self.checkpoint(size).text();
        let lines = witnesses
            .iter()
            .map(|number| cosign(&witness_name(*number), &witness_key(*number), Time(1_790_000_000), &text));
        self.signed(size) + &lines.collect::<String>()
    }

    pub(crate) fn proof<'c>(&self, index: u64, size: u64, checkpoint: &'c str) -> LogProof<'c> {
        let path = inclusion_proof(index, size, |node| self.lookup(node)).unwrap().unwrap();
        LogProof { index, path, checkpoint }
    }

    pub(crate) fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        consistency_proof(old, new, |node| self.lookup(node)).unwrap().unwrap()
    }
}
