//! The Merkle tree: hashes, and proofs that are made out of nodes and checked without them.

use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};

/// A SHA-256 of the tree: a leaf's, a node's or a root's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// How many bytes it has.
    pub const LENGTH: usize = 32;

    /// The root of a tree without leaves: the hash of nothing (RFC 6962 section 2.1).
    #[must_use]
    pub fn of_empty_tree() -> Self {
        Self(Sha256::digest([]).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of a leaf's bytes: `SHA-256(0x00 ‖ leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// The hash of two nodes side by side: `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// A node over `2^level` leaves, all of which are there: it never changes. Leaves are level 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// How many times its leaves were paired: at most 63.
    pub level: u8,
    /// Which one of its level, from the left.
    pub index: u64,
}

/// The root of the first `size` leaves. `lookup` gives the hashes of nodes of which all leaves are among them.
///
/// # Errors
/// Whatever `lookup` fails with.
pub fn root<E>(size: u64, mut lookup: impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    if size == 0 { Ok(Hash::of_empty_tree()) } else { span_hash(0, size, &mut lookup) }
}

/// The path from a leaf to the root of the first `size` leaves (RFC 6962 section 2.1.1): the leaf's sibling first.
///
/// `None` if there is no such leaf.
///
/// # Errors
/// Whatever `lookup` fails with.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    mut lookup: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if index >= size {
        return Ok(None);
    }
    // From the root down: what stands beside the way.
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(span_hash(middle, end, &mut lookup)?);
            end = middle;
        } else {
            proof.push(span_hash(start, middle, &mut lookup)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(Some(proof))
}

/// The proof that the first `new` leaves begin with the first `old` (RFC 6962 section 2.1.2). Empty if both are the same.
///
/// `None` if `old` is zero, of which nothing needs proof, or greater than `new`.
///
/// # Errors
/// Whatever `lookup` fails with.
pub fn consistency_proof<E>(
    old: u64,
    new: u64,
    mut lookup: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if old == 0 || old > new {
        return Ok(None);
    }
    // From the root down to where the old tree ends; what is whole in the old tree from its first leaf on is known.
    let (mut start, mut end) = (0, new);
    let mut proof = Vec::new();
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(span_hash(middle, end, &mut lookup)?);
            end = middle;
        } else {
            proof.push(span_hash(start, middle, &mut lookup)?);
            start = middle;
        }
    }
    if start > 0 {
        proof.push(span_hash(start, end, &mut lookup)?);
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Whether this leaf stands at this place of the tree with this root (RFC 9162 section 2.1.3.2).
#[must_use]
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], expected: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for beside in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(beside, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *expected
}

/// Whether the tree of `new` leaves with that root begins with the tree of `old` leaves with that root (RFC 9162 section 2.1.4.2).
/// Every tree begins with the empty one.
#[must_use]
pub fn verify_consistency(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == Hash::of_empty_tree();
    }
    // A tree of a power of two leaves is itself the first node of the way.
    let (first, rest) = if old.is_power_of_two() {
        (*old_root, proof)
    } else {
        match proof.split_first() {
            Some((first, rest)) => (*first, rest),
            None => return false,
        }
    };
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for beside in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_hash = node_hash(beside, &old_hash);
            new_hash = node_hash(beside, &new_hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

/// Where a tree of this many leaves is split: at the greatest power of two below it.
fn split(leaves: u64) -> u64 {
    let below = leaves - 1;
    1 << (u64::BITS - 1 - below.leading_zeros())
}

/// The hash over these leaves, which are whole nodes from the left: as in every tree and in its parts that a split leaves.
fn span_hash<E>(start: u64, end: u64, lookup: &mut impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    let mut whole = Vec::new();
    let mut at = start;
    while at < end {
        let level = (u64::BITS - 1 - (end - at).leading_zeros()) as u8;
        whole.push(lookup(Node { level, index: at >> level })?);
        at += 1 << level;
    }
    let mut hashes = whole.into_iter().rev();
    let last = hashes.next().expect("a span has leaves");
    Ok(hashes.fold(last, |right, left| node_hash(&left, &right)))
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use super::*;

    /// RFC 6962 section 2.1, written down as it stands there.
    fn mth(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Hash::of_empty_tree(),
            [leaf] => leaf_hash(leaf),
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
                node_hash(&mth(left), &mth(right))
            }
        }
    }

    fn leaves(count: u64) -> Vec<Vec<u8>> {
        (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
    }

    fn of(leaves: &[Vec<u8>]) -> impl FnMut(Node) -> Result<Hash, Infallible> + '_ {
        |node| {
            let start = (node.index << node.level) as usize;
            Ok(mth(&leaves[start..start + (1 << node.level)]))
        }
    }

    #[test]
    fn the_roots_of_the_certificate_transparency_project() {
        // The test data of its reference implementation, eight leaves.
        let data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let leaves: Vec<Vec<u8>> = data.iter().map(|hex| hex::decode(hex).unwrap()).collect();
        for (size, expected) in [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            let hash = root(size, of(&leaves)).unwrap();
            assert_eq!(hex::encode(hash.0), expected, "{size} leaves");
        }
    }

    #[test]
    fn every_leaf_of_every_tree_is_proven_and_no_other() {
        let leaves = leaves(70);
        for size in 1..=70 {
            let tree = root(size, of(&leaves)).unwrap();
            assert_eq!(tree, mth(&leaves[..size as usize]));
            for index in 0..size {
                let proof = inclusion_proof(index, size, of(&leaves)).unwrap().unwrap();
                let leaf = leaf_hash(&leaves[index as usize]);
                assert!(verify_inclusion(index, size, &leaf, &proof, &tree), "{index} of {size}");
                assert!(!verify_inclusion(index, size, &leaf_hash(b"other"), &proof, &tree));
                assert!(!verify_inclusion(index + 1, size, &leaf, &proof, &tree));
                assert!(!verify_inclusion(index, size, &leaf, &proof, &leaf_hash(b"other")));
                assert!(!verify_inclusion(index, size, &leaf, &[&proof[..], &[tree]].concat(), &tree));
                if let Some((_, short)) = proof.split_last() {
                    assert!(!verify_inclusion(index, size, &leaf, short, &tree));
                }
            }
            assert_eq!(inclusion_proof(size, size, of(&leaves)).unwrap(), None);
        }
    }

    #[test]
    fn every_tree_extends_those_before_it_and_no_other() {
        let leaves = leaves(40);
        let mut forked = leaves.clone();
        forked[3] = b"another".to_vec();
        for new in 0..=40 {
            let new_root = root(new, of(&leaves)).unwrap();
            for old in 0..=new {
                let old_root = root(old, of(&leaves)).unwrap();
                let proof = consistency_proof(old, new, of(&leaves)).unwrap().unwrap_or_default();
                assert!(verify_consistency(old, &old_root, new, &new_root, &proof), "{old} to {new}");
                assert!(old == 0 || !verify_consistency(old, &old_root, new, &leaf_hash(b"x"), &proof));
                assert!(!verify_consistency(old, &leaf_hash(b"x"), new, &new_root, &proof));
                assert!(!verify_consistency(old, &old_root, new, &new_root, &[&proof[..], &[old_root]].concat()));
                if let Some((_, short)) = proof.split_last() {
                    assert!(!verify_consistency(old, &old_root, new, &new_root, short));
                }
                if old < new {
                    assert!(!verify_consistency(new, &new_root, old, &old_root, &proof), "rolled back");
                }
                if old > 3 {
                    let other = root(old, of(&forked)).unwrap();
                    let proof = consistency_proof(old, new, of(&forked)).unwrap().unwrap();
                    assert!(!verify_consistency(old, &other, new, &new_root, &proof), "forked at {old}");
                }
            }
        }
        assert_eq!(consistency_proof(0, 5, of(&leaves)).unwrap(), None);
        assert_eq!(consistency_proof(6, 5, of(&leaves)).unwrap(), None);
    }

    #[test]
    fn the_greatest_trees_have_proofs_of_at_most_64_hashes() {
        let any = |_| Ok::<_, Infallible>(Hash([0; 32]));
        for size in [u64::MAX, 1 << 63, (1 << 63) + 1] {
            for index in [0, size / 2, size - 1] {
                let proof = inclusion_proof(index, size, any).unwrap().unwrap();
                assert!(proof.len() <= 64);
                assert!(!verify_inclusion(index, size, &Hash([0; 32]), &proof, &Hash([0; 32])));
            }
            assert!(consistency_proof(size - 1, size, any).unwrap().unwrap().len() <= 65);
        }
    }
}
