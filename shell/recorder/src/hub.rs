//! Live pictures: from a camera to everybody who watches it, beginning with the last picture that can be decoded by itself.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::broadcast;

use crate::media::{Frame, Track, Tracks};

/// Frames that a watcher may be behind, about ten seconds; who is further behind begins anew.
const BEHIND: usize = 512;
/// The pictures that are kept for the next watcher: no group is longer, in bytes and frames.
const LONGEST_GROUP: usize = 8 << 20;
const MOST_FRAMES: usize = 1_500;

/// How many watch, over all cameras: as long as nobody does, the recorder sleeps between looks at its cameras.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watchers(Arc<AtomicUsize>);

impl Watchers {
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn enter(&self) -> Watching {
        self.0.fetch_add(1, Ordering::Relaxed);
        Watching(Arc::clone(&self.0))
    }
}

/// Somebody who watches, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Watching(Arc<AtomicUsize>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What goes to watchers.
#[derive(Clone, Debug)]
pub(crate) enum Live {
    /// From here on these tracks; a key picture follows.
    Tracks(Arc<Tracks>),
    Frame(Arc<Frame>),
    /// The camera is gone, until it has tracks again.
    Gone,
}

/// One stream of a camera.
#[derive(Debug)]
pub(crate) struct Hub {
    sender: broadcast::Sender<Live>,
    group: Mutex<Group>,
    watchers: Watchers,
}

/// Since the last key picture.
#[derive(Debug, Default)]
struct Group {
    tracks: Option<Arc<Tracks>>,
    frames: Vec<Arc<Frame>>,
    bytes: usize,
}

/// What a watcher begins with, and what comes then.
pub(crate) struct Subscription {
    pub(crate) tracks: Option<Arc<Tracks>>,
    pub(crate) frames: Vec<Arc<Frame>>,
    pub(crate) next: broadcast::Receiver<Live>,
    pub(crate) watching: Watching,
}

impl Hub {
    pub(crate) fn new(watchers: Watchers) -> Self {
        Self { sender: broadcast::channel(BEHIND).0, group: Mutex::default(), watchers }
    }

    fn group(&self) -> std::sync::MutexGuard<'_, Group> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream has these tracks from now on; none: it is gone.
    pub(crate) fn set_tracks(&self, tracks: Option<Arc<Tracks>>) {
        let mut group = self.group();
        *group = Group { tracks: tracks.clone(), ..Group::default() };
        let _ = self.sender.send(tracks.map_or(Live::Gone, Live::Tracks));
    }

    pub(crate) fn tracks(&self) -> Option<Arc<Tracks>> {
        self.group().tracks.clone()
    }

    pub(crate) fn publish(&self, frame: Frame) {
        let frame = Arc::new(frame);
        let mut group = self.group();
        if frame.track == Track::Video && frame.key {
            group.frames.clear();
            group.bytes = 0;
        }
        let begins = !group.frames.is_empty() || frame.key && frame.track == Track::Video;
        if begins && group.bytes + frame.data.len() <= LONGEST_GROUP && group.frames.len() < MOST_FRAMES {
            group.bytes += frame.data.len();
            group.frames.push(Arc::clone(&frame));
        } else {
            // Too long to be kept: the next watcher waits for a key picture.
            group.frames.clear();
            group.bytes = 0;
        }
        let _ = self.sender.send(Live::Frame(frame));
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        let watching = self.watchers.enter();
        let group = self.group();
        Subscription {
            tracks: group.tracks.clone(),
            frames: group.frames.clone(),
            next: self.sender.subscribe(),
            watching,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn frame(ticks: i64, key: bool, length: usize) -> Frame {
        Frame { track: Track::Video, ticks, key, data: Bytes::from(vec![0; length]) }
    }

    #[test]
    fn a_watcher_begins_with_the_last_key_picture_and_misses_none() {
        let hub = Hub::new(Watchers::default());
        for n in 0..10 {
            hub.publish(frame(n, n % 4 == 0, 10));
        }
        let mut watcher = hub.subscribe();
        assert_eq!(watcher.frames.iter().map(|frame| frame.ticks).collect::<Vec<_>>(), [8, 9]);
        hub.publish(frame(10, false, 10));
        assert!(matches!(watcher.next.try_recv(), Ok(Live::Frame(frame)) if frame.ticks == 10));
        assert!(hub.watchers.any());
        drop(watcher);
        assert!(!hub.watchers.any());
    }

    #[test]
    fn a_camera_without_key_pictures_costs_bounded_memory() {
        let hub = Hub::new(Watchers::default());
        hub.publish(frame(0, true, 10));
        for n in 1..3_000 {
            hub.publish(frame(n, false, 10_000));
            assert!(hub.group().bytes <= LONGEST_GROUP && hub.group().frames.len() <= MOST_FRAMES);
        }
    }
}
