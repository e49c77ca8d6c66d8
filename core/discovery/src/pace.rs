//! When to ask again: soon at first, then ever later.

/// The times at which a question is repeated, in milliseconds after the first.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    first: &'static [u64],
    then_each: u64,
}

impl Pace {
    /// Multicast DNS: a second, then twice as long each time (RFC 6762 section 5.2). While somebody looks on, a new round each 15 seconds:
    /// devices that went away are to be told from those that stay silent.
    pub const MDNS: Self = Self { first: &[0, 1_000, 3_000, 7_000, 15_000], then_each: 15_000 };

    /// The others. Their answers cannot be suppressed, so rounds are few; with a third of all datagrams lost, four of five devices answer one of the
    /// first three.
    pub const OTHERS: Self = Self { first: &[0, 250, 750, 1_500, 3_000, 7_000, 15_000], then_each: 15_000 };

    /// When round `number` is due, in milliseconds after round 0.
    #[must_use]
    pub fn at(self, number: u32) -> u64 {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        self.first.get(index).copied().unwrap_or_else(|| {
            let beyond = u64::from(number) - (self.first.len() as u64 - 1);
            self.first.last().copied().unwrap_or(0) + beyond * self.then_each
        })
    }
}

/// No search is shorter: two rounds of every dialect have been answered then.
const SHORTEST: u64 = 1_700;
/// So long nothing new came.
const QUIET: u64 = 1_200;
/// No search is longer, unless it was asked for.
const LONGEST: u64 = 5_000;

/// Whether a search that lists once is over, `now` and `last_new` (when the newest row came) in milliseconds after its start. Where rows keep coming,
/// there may be more.
#[must_use]
pub fn is_over(now: u64, last_new: Option<u64>) -> bool {
    let quiet_since = last_new.unwrap_or(0);
    now >= LONGEST || (now >= SHORTEST && now.saturating_sub(quiet_since) >= QUIET && last_new.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_grow_and_never_end() {
        for pace in [Pace::MDNS, Pace::OTHERS] {
            let gaps: alloc::vec::Vec<u64> = (0..40).map(|n| pace.at(n + 1) - pace.at(n)).collect();
            assert!(gaps.iter().all(|gap| *gap > 0 && *gap <= 15_000), "{gaps:?}");
            assert_eq!(gaps[20..], [15_000; 20], "each 15 seconds in the end");
        }
        // RFC 6762 section 5.2: the first gap is a second at least, and gaps double until they have their greatest length.
        let gap = |n| Pace::MDNS.at(n + 1) - Pace::MDNS.at(n);
        assert!(gap(0) >= 1_000 && gap(1) >= 2 * gap(0) && gap(2) >= 2 * gap(1) && gap(3) >= 2 * gap(2));
    }

    #[test]
    fn a_search_ends_when_nothing_new_comes_and_always_in_the_end() {
        for (now, last_new, over) in [
            (0, None, false),
            (1_000, Some(10), false),
            (1_700, Some(400), true),
            (1_700, Some(900), false),
            (2_300, Some(1_150), false),
            (2_350, Some(1_150), true),
            (4_999, None, false),
            (5_000, None, true),
            (5_000, Some(4_999), true),
        ] {
            assert_eq!(is_over(now, last_new), over, "{now} {last_new:?}");
        }
    }
}
