use alloc::vec::Vec;

use super::tree::{Hash, Node, node_hash};

/// The right edge of a tree: all that is needed to add leaves and to know the root. At most 64 hashes, whatever the size.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// The roots of the whole trees that this one is made of, from the largest to the smallest: one for each bit set in `size`.
    whole: Vec<Hash>,
}

impl Frontier {
    /// The edge of a tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of a tree that is stored. `lookup` gives the hashes of nodes of which all leaves are there.
    ///
    /// # Errors
    /// Whatever `lookup` fails with.
    pub fn read<E>(size: u64, mut lookup: impl FnMut(Node) -> Result<Hash, E>) -> Result<Self, E> {
        let mut whole = Vec::new();
        let mut at: u64 = 0;
        for level in (0..64).rev().filter(|level| size >> level & 1 == 1) {
            whole.push(lookup(Node { level, index: at >> level })?);
            at += 1 << level;
        }
        Ok(Self { size, whole })
    }

    /// The edge of a tree of this size, out of what [`Frontier::hashes`] gave; `None` if they are more or fewer than such a tree has.
    #[must_use]
    pub fn from_hashes(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        (hashes.len() == size.count_ones() as usize).then_some(Self { size, whole: hashes })
    }

    /// All that it is, besides its size.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.whole
    }

    /// How many leaves the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash, and hands out each node that is whole with it, the leaf first.
    pub fn append(&mut self, leaf: Hash, mut done: impl FnMut(Node, Hash)) {
        let mut node = Node { level: 0, index: self.size };
        let mut hash = leaf;
        done(node, hash);
        while node.index & 1 == 1 {
            let left = self.whole.pop().expect("one hash for each bit of the size");
            hash = node_hash(&left, &hash);
            node = Node { level: node.level + 1, index: node.index >> 1 };
            done(node, hash);
        }
        self.whole.push(hash);
        self.size += 1;
    }

    /// The tree's root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut hashes = self.whole.iter().rev();
        let Some(last) = hashes.next() else { return Hash::of_empty_tree() };
        hashes.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, vec};

    use super::*;
    use crate::log::{leaf_hash, root};

    #[test]
    fn it_grows_as_the_tree_does() {
        let mut nodes = BTreeMap::new();
        let mut frontier = Frontier::new();
        for size in 0..300_u64 {
            let lookup = |node: Node| nodes.get(&node).copied().ok_or(node);
            assert_eq!(Ok(frontier.root()), root(size, lookup));
            assert_eq!(Frontier::read(size, lookup).as_ref(), Ok(&frontier));
            assert_eq!(frontier.size(), size);
            assert_eq!(Frontier::from_hashes(size, frontier.hashes().to_vec()).as_ref(), Some(&frontier));
            assert_eq!(Frontier::from_hashes(size, vec![Hash([0; 32]); 65]), None);
            frontier.append(leaf_hash(&size.to_be_bytes()), |node, hash| {
                assert_eq!(nodes.insert(node, hash), None, "{node:?} is made once");
            });
        }
    }
}
