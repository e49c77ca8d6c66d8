//! What programs and the pages' own modules ask: JSON, fragments, clips, live pictures.

pub(crate) mod backup;
pub(crate) mod cameras;
mod live;
mod programs;
mod recordings;
pub(crate) mod whep;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post},
};
use http::StatusCode;
use serde::Deserialize;
use sparekey_footage::{Moment, Span};
use sparekey_web::{
    messages::{self, Message},
    problem::Problem,
};

use crate::{
    disk::Stream,
    recorder::{Inside, Running},
    settings::Camera,
};

pub(crate) fn router() -> Router<Arc<Inside>> {
    Router::new()
        .route("/api/v1/cameras", get(cameras::list).post(cameras::add))
        .route("/api/v1/cameras/{id}", get(cameras::show).patch(cameras::change).delete(cameras::remove))
        .route("/api/v1/cameras/{id}/live", get(live::watch))
        .route("/api/v1/cameras/{id}/whep", post(whep::offer))
        .route("/api/v1/whep/{id}", delete(whep::end))
        .route("/api/v1/cameras/{id}/recorded", get(recordings::recorded))
        .route("/api/v1/cameras/{id}/fragments", get(recordings::fragments))
        .route("/api/v1/cameras/{id}/playlist.m3u8", get(recordings::playlist))
        .route("/api/v1/cameras/{id}/clip.mp4", get(recordings::clip))
        .route("/api/v1/cameras/{id}/clip.statement", get(recordings::statement))
        .route("/api/v1/cameras/{id}/locks", post(recordings::lock))
        .route("/api/v1/locks/{id}", delete(recordings::unlock))
        .route("/api/v1/recordings/{name}", get(recordings::file))
        .route("/api/v1/cameras/{id}/backup", post(backup::send))
        .route("/api/v1/backup", get(backup::show).put(backup::set))
        .route("/api/v1/backup/restore", post(backup::restore))
        .route("/api/v1/programs", get(programs::show).post(programs::draw).delete(programs::remove))
        .route("/api/v1/recorder", get(cameras::recorder).patch(cameras::keep))
}

const DISK: Message = Message {
    name: "disk",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "The disk with the recordings does not do what it is asked to.",
    detail: "Look whether it is there and has room; recording goes on by itself when it does.",
};
const NOTHING: Message = Message {
    name: "nothing-recorded",
    status: StatusCode::NOT_FOUND,
    title: "Nothing is recorded then.",
    detail: "Choose a time at which the timeline shows a recording.",
};

/// The longest span that is asked for at once, in milliseconds: 32 days.
const LONGEST_SPAN: u64 = 32 * 86_400_000;
/// Of pictures to be played, or one clip: a day. A table of its frames has to have room.
const LONGEST_CLIP: u64 = 86_400_000;

pub(crate) fn disk(error: impl std::fmt::Display) -> Problem {
    tracing::warn!(%error, "recordings cannot be read");
    Problem::new(DISK)
}

fn camera(recorder: &Inside, id: u32) -> Result<(Camera, Arc<Running>), Problem> {
    recorder.camera(id).ok_or_else(|| Problem::new(messages::NOT_FOUND))
}

/// From when to when, in milliseconds since 1970; of which stream.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    from: u64,
    to: u64,
    #[serde(default = "main")]
    stream: Stream,
}

fn main() -> Stream {
    Stream::Main
}

impl Range {
    fn span(self) -> Result<Span, Problem> {
        let span = Span::new(Moment(self.from), Moment(self.to)).filter(|span| span.milliseconds() <= LONGEST_SPAN);
        span.ok_or_else(|| {
            Problem::new(messages::MALFORMED)
                .detail("Give from and to in milliseconds since 1970, at most 32 days apart.")
        })
    }
}

impl Range {
    /// A span whose pictures are wanted.
    fn of_pictures(self) -> Result<Span, Problem> {
        let span = self.span()?;
        let too_long = || {
            Problem::new(messages::MALFORMED)
                .detail("Give from and to at most a day apart; save a longer time in parts.")
        };
        if span.milliseconds() <= LONGEST_CLIP { Ok(span) } else { Err(too_long()) }
    }
}

/// Does what waits for the disk.
pub(crate) async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| Err(Problem::internal()))
}
