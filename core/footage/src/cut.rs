//! Where a stream of pictures is cut: into fragments of a second or less, and, where its time breaks, into files.

/// Ticks of video time in a second (RFC 3551 section 5).
const RATE: i64 = 90_000;
/// No fragment is longer.
const LONGEST: i64 = RATE;
/// Pictures that are further apart are not of one file: the file would claim to have what is between.
const GAP: i64 = 2 * RATE;
/// So far a picture may come out of order: some cameras stamp two alike, or a little back.
const WOBBLE: i64 = RATE / 2;

/// What is to be done before a picture is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It belongs to the fragment that is open.
    Same,
    /// The open fragment ends where it begins.
    Cut,
    /// The file ends: with the fragment that is open.
    Break(Break),
}

/// Why a file ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The camera sent nothing for a while.
    Gap,
    /// The camera's clock was set.
    ClockJump,
}

impl Break {
    /// A stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::ClockJump => "clock-jump",
        }
    }
}

/// Where one stream stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cutter {
    /// Of the first and the last picture of the open fragment.
    open: Option<(i64, i64)>,
}

impl Cutter {
    /// Looks at a picture: its time in ticks of 1/90000 s, and whether it can be decoded by itself. Answers what is to be done before
    /// it is taken, and the time to take it at: never before the picture before it.
    pub fn look(&mut self, ticks: i64, key: bool) -> (Verdict, i64) {
        let Some((first, last)) = self.open else {
            self.open = Some((ticks, ticks));
            return (Verdict::Same, ticks);
        };
        let (verdict, at) = match ticks - last {
            jump if jump < -WOBBLE => (Verdict::Break(Break::ClockJump), ticks),
            back if back <= 0 => (Verdict::Same, last + 1),
            gap if gap > GAP => (Verdict::Break(Break::Gap), ticks),
            _ => (Verdict::Same, ticks),
        };
        let verdict = match verdict {
            Verdict::Same if key || at - first >= LONGEST => Verdict::Cut,
            other => other,
        };
        self.open = Some((if verdict == Verdict::Same { first } else { at }, at));
        (verdict, at)
    }

    /// Forgets what is open: the next picture begins anew.
    pub fn reset(&mut self) {
        self.open = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const FRAME: i64 = RATE / 25;

    fn verdicts(frames: impl IntoIterator<Item = (i64, bool)>) -> Vec<(Verdict, i64)> {
        let mut cutter = Cutter::default();
        frames.into_iter().map(|(ticks, key)| cutter.look(ticks, key)).collect()
    }

    #[test]
    fn a_fragment_ends_at_a_key_picture_or_after_a_second() {
        // Key pictures every two seconds, 25 a second.
        let all = verdicts((0..101).map(|n| (n * FRAME, n % 50 == 0)));
        let cuts: Vec<_> = all.iter().enumerate().filter(|(_, (verdict, _))| *verdict == Verdict::Cut).collect();
        assert_eq!(cuts.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [25, 50, 75, 100]);
    }

    #[test]
    fn what_breaks_a_file() {
        for (ticks, verdict, at) in [
            (10 * RATE + 1, Verdict::Same, 10 * RATE + 1),
            (10 * RATE, Verdict::Same, 10 * RATE + 1),
            (10 * RATE - WOBBLE, Verdict::Same, 10 * RATE + 1),
            (10 * RATE - WOBBLE - 1, Verdict::Break(Break::ClockJump), 10 * RATE - WOBBLE - 1),
            (0, Verdict::Break(Break::ClockJump), 0),
            (12 * RATE, Verdict::Cut, 12 * RATE),
            (12 * RATE + 1, Verdict::Break(Break::Gap), 12 * RATE + 1),
            (i64::MAX / 2, Verdict::Break(Break::Gap), i64::MAX / 2),
        ] {
            assert_eq!(verdicts([(10 * RATE, true), (ticks, false)])[1], (verdict, at), "{ticks}");
        }
    }

    proptest! {
        #[test]
        fn no_fragment_is_longer_than_a_second_and_a_picture(steps in proptest::collection::vec((-RATE..3 * RATE, any::<bool>()), 1..200)) {
            let mut cutter = Cutter::default();
            let (mut ticks, mut first, mut last) = (0, None, 0);
            for (step, key) in steps {
                ticks += step;
                let (verdict, at) = cutter.look(ticks, key);
                match (verdict, first) {
                    (Verdict::Same, Some(first)) => prop_assert!(at > last && at - first < LONGEST),
                    (Verdict::Same, None) => first = Some(at),
                    _ => first = Some(at),
                }
                (last, ticks) = (at, at);
            }
        }
    }
}
