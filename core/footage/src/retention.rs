//! Which recordings go when room is wanted: what is too old, what is over a camera's share, then the oldest of all. What a person has
//! locked never goes, and what is being written does not.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{Moment, Span};

const DAY: u64 = 86_400_000;

/// One file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its number in the index.
    pub id: i64,
    /// The number of its camera.
    pub camera: u32,
    /// When it was recorded.
    pub span: Span,
    /// Its size.
    pub bytes: u64,
    /// A person has locked it.
    pub locked: bool,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// No longer than so many days.
    pub days: Option<u32>,
    /// No more than so many bytes of each camera.
    pub bytes_of_camera: Option<u64>,
    /// So many bytes of the disk stay free.
    pub free: u64,
}

/// What is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of each camera, with what is being written.
    pub of_camera: BTreeMap<u32, u64>,
    /// Bytes that are free on the disk.
    pub free: u64,
}

/// The files that go, out of those that are not being written, the oldest first. It reads no further than it must.
pub fn goes(oldest_first: impl IntoIterator<Item = File>, limits: &Limits, usage: &Usage, now: Moment) -> Vec<i64> {
    let oldest_kept = limits.days.map(|days| now.before(u64::from(days) * DAY));
    let mut usage = usage.clone();
    let mut gone = Vec::new();
    for file in oldest_first {
        let is_over = |bytes: &u64| limits.bytes_of_camera.is_some_and(|most| *bytes > most);
        let is_old = oldest_kept.is_some_and(|oldest| file.span.to <= oldest);
        let wants_room = usage.free < limits.free;
        if !is_old && !wants_room && !usage.of_camera.values().any(is_over) {
            break;
        }
        if file.locked || !(is_old || wants_room || usage.of_camera.get(&file.camera).is_some_and(is_over)) {
            continue;
        }
        if let Some(bytes) = usage.of_camera.get_mut(&file.camera) {
            *bytes = bytes.saturating_sub(file.bytes);
        }
        usage.free = usage.free.saturating_add(file.bytes);
        gone.push(file.id);
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn file(id: i64, camera: u32, day: u64, bytes: u64) -> File {
        let span = Span::new(Moment(day * DAY), Moment(day * DAY + 600_000)).unwrap();
        File { id, camera, span, bytes, locked: false }
    }

    fn usage(files: &[File], free: u64) -> Usage {
        let mut usage = Usage { free, ..Usage::default() };
        for file in files {
            *usage.of_camera.entry(file.camera).or_default() += file.bytes;
        }
        usage
    }

    #[test]
    fn what_is_too_old_then_what_is_over_a_share_then_the_oldest() {
        let files = [file(1, 1, 0, 10), file(2, 2, 1, 10), file(3, 1, 2, 10), file(4, 2, 3, 10), file(5, 1, 4, 10)];
        let now = Moment(5 * DAY);
        for (limits, free, gone) in [
            (Limits::default(), 0, vec![]),
            (Limits { days: Some(3), ..Limits::default() }, 0, vec![1, 2]),
            (Limits { days: Some(30), ..Limits::default() }, 0, vec![]),
            (Limits { bytes_of_camera: Some(20), ..Limits::default() }, 0, vec![1]),
            (Limits { bytes_of_camera: Some(10), ..Limits::default() }, 0, vec![1, 2, 3]),
            (Limits { free: 25, ..Limits::default() }, 5, vec![1, 2]),
            (Limits { free: 1_000, ..Limits::default() }, 5, vec![1, 2, 3, 4, 5]),
        ] {
            assert_eq!(goes(files, &limits, &usage(&files, free), now), gone, "{limits:?}");
        }
    }

    #[test]
    fn what_is_locked_never_goes() {
        let mut files = [file(1, 1, 0, 10), file(2, 1, 1, 10)];
        files[0].locked = true;
        let limits = Limits { days: Some(1), bytes_of_camera: Some(1), free: 1_000 };
        assert_eq!(goes(files, &limits, &usage(&files, 0), Moment(9 * DAY)), [2]);
    }

    #[test]
    fn it_reads_no_further_than_it_must() {
        let limits = Limits { free: 10, ..Limits::default() };
        let mut read = 0;
        let endless = (0..).map(|n| {
            read += 1;
            file(n, 1, 0, 10)
        });
        assert_eq!(goes(endless, &limits, &Usage::default(), Moment(0)), [0]);
        assert_eq!(read, 2);
    }

    proptest! {
        #[test]
        fn what_stays_is_within_the_limits_or_locked(
            sizes in proptest::collection::vec((1..4u32, 1..100u64, any::<bool>()), 1..60),
            days in proptest::option::of(0..60u32), share in proptest::option::of(0..500u64), free in 0..3_000u64,
        ) {
            let files: Vec<_> = sizes.iter().zip(0..).map(|((camera, bytes, locked), n)| {
                File { locked: *locked, ..file(n, *camera, n.unsigned_abs(), *bytes) }
            }).collect();
            let limits = Limits { days, bytes_of_camera: share, free };
            let now = Moment(60 * DAY);
            let gone = goes(files.iter().copied(), &limits, &usage(&files, 0), now);
            let stays: Vec<_> = files.iter().copied().filter(|file| !gone.contains(&file.id)).collect();
            prop_assert!(files.iter().all(|file| !file.locked || stays.contains(file)));
            let freed: u64 = files.iter().filter(|file| gone.contains(&file.id)).map(|file| file.bytes).sum();
            for file in stays.iter().filter(|file| !file.locked) {
                prop_assert!(days.is_none_or(|days| file.span.to > now.before(u64::from(days) * DAY)));
                let of_camera: u64 = stays.iter().filter(|other| other.camera == file.camera).map(|file| file.bytes).sum();
                prop_assert!(share.is_none_or(|share| of_camera <= share) && freed >= free);
            }
        }
    }
}
