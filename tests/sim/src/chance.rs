use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Every draw of a story.
pub(crate) struct Chance {
    source: ChaCha8Rng,
    /// How often in a hundred times people go on with what came last.
    pub(crate) newest: u64,
}

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self { source: ChaCha8Rng::seed_from_u64(seed), newest: 60 }
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.source.fill_bytes(&mut bytes);
        bytes
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.source.next_u64() % end
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length")
    }

    /// Whether something happens that happens so often in a hundred times.
    pub(crate) fn percent(&mut self, often: u64) -> bool {
        self.below(100) < often
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// One of these by its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(u64, T)]) -> T {
        let mut drawn = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            match drawn.checked_sub(*weight) {
                Some(rest) => drawn = rest,
                None => return *choice,
            }
        }
        unreachable!("what is drawn is below the sum")
    }

    /// One of these, by its place, if there is any: mostly the last, which came last.
    pub(crate) fn place<T>(&mut self, among: &[T]) -> Option<usize> {
        let last = among.len().checked_sub(1)?;
        Some(if self.percent(self.newest) { last } else { self.index(among.len()) })
    }
}
