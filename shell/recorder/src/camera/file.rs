//! An MP4 file in the place of a camera.

use std::{path::Path, time::Duration};

use tokio::time::Instant;

use super::{Ended, Status};
use crate::{
    media::{Frame, Track, VIDEO_RATE},
    mp4::source::Source,
    stream::Taker,
};

/// Plays it over and over; ends only if it cannot be read.
pub(super) async fn run(path: &Path, taker: &mut Taker, status: &Status) -> Ended {
    let unfit = |says: String| Ended { why: "unfit", says };
    let opened = path.to_owned();
    let source = match tokio::task::spawn_blocking(move || Source::open(&opened)).await {
        Ok(Ok(source)) => source,
        Ok(Err(error)) => return unfit(error.to_string()),
        Err(error) => return unfit(error.to_string()),
    };
    if let Err(error) = taker.set_tracks(source.tracks.clone()) {
        return unfit(error.to_string());
    }
    status.live();
    let audio = source.tracks.audio.as_ref().map_or(VIDEO_RATE, |entry| entry.rate);
    let begun = Instant::now();
    let mut round = 0i64;
    loop {
        for frame in &source.frames {
            let rate = if frame.track == Track::Video { VIDEO_RATE } else { audio };
            let ticks = frame.ticks + round * source.ticks * i64::from(rate) / i64::from(VIDEO_RATE);
            let due = Duration::from_micros(u64::try_from(ticks.max(0)).unwrap_or(0) * 1_000_000 / u64::from(rate));
            tokio::time::sleep_until(begun + due).await;
            taker.take(Frame { ticks, ..frame.clone() });
        }
        round += 1;
    }
}
