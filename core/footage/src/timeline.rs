//! What a timeline shows: where there are recordings, and where not.

use alloc::vec::Vec;

use crate::Span;

/// Files that follow each other this closely, in milliseconds, are shown as one: a picture is 40.
pub const JOINED: u64 = 250;

/// What of a range is recorded: spans in the order of their beginnings, joined where at most `joined` milliseconds are between them, and
/// no longer than the range.
pub fn recorded(spans: impl IntoIterator<Item = Span>, range: Span, joined: u64) -> Vec<Span> {
    let mut shown: Vec<Span> = Vec::new();
    for span in spans.into_iter().filter_map(|span| span.common(range)) {
        match shown.last_mut().filter(|last| span.from <= last.to.after(joined)) {
            Some(last) => last.to = last.to.max(span.to),
            None => shown.push(span),
        }
    }
    shown
}

/// What of a range is not: between the recorded spans, before and behind them.
#[must_use]
pub fn gaps(recorded: &[Span], range: Span) -> Vec<Span> {
    let begins = recorded.iter().map(|span| span.from).chain([range.to]);
    let ends = [range.from].into_iter().chain(recorded.iter().map(|span| span.to));
    ends.zip(begins).filter_map(|(from, to)| Span::new(from, to)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;
    use proptest::prelude::*;

    fn span((from, to): (u64, u64)) -> Span {
        Span::new(Moment(from), Moment(to)).unwrap()
    }

    #[test]
    fn files_are_joined_and_gaps_stay() {
        let files = [(0, 600), (600, 1_200), (1_400, 2_000), (5_000, 6_000), (5_500, 5_900)].map(span);
        let range = span((100, 7_000));
        let shown = recorded(files, range, JOINED);
        assert_eq!(shown, [(100, 2_000), (5_000, 6_000)].map(span));
        assert_eq!(gaps(&shown, range), [(2_000, 5_000), (6_000, 7_000)].map(span));
        assert_eq!(gaps(&[], range), [range]);
        assert_eq!(recorded(files, span((3_000, 4_000)), JOINED), []);
    }

    proptest! {
        #[test]
        fn recorded_and_gaps_are_the_range(mut files in proptest::collection::vec((0..1_000u64, 1..100u64), 0..40), from in 0..500u64, long in 1..600u64) {
            files.sort_unstable();
            let range = span((from, from + long));
            let shown = recorded(files.iter().map(|(from, long)| span((*from, from + long))), range, 0);
            let (there, not): (u64, u64) = (
                shown.iter().map(|span| span.milliseconds()).sum(),
                gaps(&shown, range).iter().map(|span| span.milliseconds()).sum(),
            );
            prop_assert_eq!(there + not, range.milliseconds());
            for moment in range.from.0..range.to.0 {
                let recorded = files.iter().any(|(from, long)| (*from..from + long).contains(&moment));
                prop_assert_eq!(shown.iter().any(|span| span.has(Moment(moment))), recorded);
            }
        }
    }
}
