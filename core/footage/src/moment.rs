//! When: moments, spans of them, and where in a file a moment is.

use core::fmt;

/// Milliseconds since 1970 (UTC) by the recording clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// So many milliseconds later.
    #[must_use]
    pub fn after(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// So many milliseconds earlier.
    #[must_use]
    pub fn before(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_sub(milliseconds))
    }

    /// Milliseconds since an earlier moment; 0 if it is none.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// From a moment to a later one, which is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first moment.
    pub from: Moment,
    /// The first one after it.
    pub to: Moment,
}

impl Span {
    /// `None` unless something lies between them.
    #[must_use]
    pub fn new(from: Moment, to: Moment) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// What both have.
    #[must_use]
    pub fn common(self, other: Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.to.min(other.to))
    }

    /// Its length in milliseconds.
    #[must_use]
    pub fn milliseconds(self) -> u64 {
        self.to.since(self.from)
    }

    /// Whether it has this moment.
    #[must_use]
    pub fn has(self, moment: Moment) -> bool {
        self.from <= moment && moment < self.to
    }
}

/// Where in a file a moment is: its media time runs by the camera's clock, which is a little fast or slow, and is stretched to the span
/// that it was recorded in. So a camera's clock that is wrong by a thousandth neither opens gaps between files nor lets them overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// When it was recorded.
    pub span: Span,
    /// How long it plays, in ticks of the video track.
    pub ticks: u64,
}

impl Stretch {
    /// The media time of a moment, within the file.
    #[must_use]
    pub fn ticks_at(self, moment: Moment) -> u64 {
        let into = moment.since(self.span.from).min(self.span.milliseconds());
        scale(into, self.ticks, self.span.milliseconds())
    }

    /// The moment of a media time.
    #[must_use]
    pub fn moment_at(self, ticks: u64) -> Moment {
        self.span.from.after(scale(ticks.min(self.ticks), self.span.milliseconds(), self.ticks))
    }
}

/// `value * to / of`, without overflow.
fn scale(value: u64, to: u64, of: u64) -> u64 {
    if of == 0 {
        return 0;
    }
    u64::try_from(u128::from(value) * u128::from(to) / u128::from(of)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_camera_that_is_slow_is_stretched() {
        // 600 s of recorder's time, 599.4 s of the camera's.
        let span = Span::new(Moment(1_000), Moment(601_000)).unwrap();
        let file = Stretch { span, ticks: 53_946_000 };
        assert_eq!(file.ticks_at(Moment(0)), 0);
        assert_eq!(file.ticks_at(Moment(301_000)), 26_973_000);
        assert_eq!(file.ticks_at(Moment(999_000)), 53_946_000);
        assert_eq!(file.moment_at(26_973_000), Moment(301_000));
        assert_eq!(file.moment_at(u64::MAX), Moment(601_000));
    }

    #[test]
    fn what_is_common_is_part_of_both() {
        let span = |from, to| Span::new(Moment(from), Moment(to));
        for (one, two, both) in [
            ((0, 10), (5, 20), span(5, 10)),
            ((0, 10), (10, 20), None),
            ((0, 10), (2, 3), span(2, 3)),
            ((5, 6), (0, 100), span(5, 6)),
        ] {
            let (one, two) = (span(one.0, one.1).unwrap(), span(two.0, two.1).unwrap());
            assert_eq!((one.common(two), two.common(one)), (both, both));
        }
        assert_eq!((span(5, 5), span(6, 5)), (None, None));
    }

    proptest! {
        #[test]
        fn there_and_back_is_near(from in 0..u64::from(u32::MAX), long in 1..86_400_000u64, drift in 0.9..1.1f64, at in 0.0..1.0f64) {
            let span = Span::new(Moment(from), Moment(from + long)).unwrap();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let (ticks, moment) = ((long as f64 * 90.0 * drift) as u64, Moment(from + (long as f64 * at) as u64));
            let file = Stretch { span, ticks };
            let back = file.moment_at(file.ticks_at(moment));
            prop_assert!(back.0.abs_diff(moment.0) <= 1, "{back} {moment}");
        }
    }
}
