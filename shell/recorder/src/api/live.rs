//! Live pictures over a WebSocket (RFC 6455), for Media Source Extensions: a text message that says which codecs, an initialization
//! segment, then fragments of one frame each, the first with all pictures since the last one that is decoded by itself.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        Path, Query, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
};
use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;
use sparekey_agent::guest::Owner;
use sparekey_web::{
    messages,
    problem::Problem,
    same_site::{Origin, Sender},
};
use tokio::time::{Instant, timeout_at};

use super::camera;
use crate::{
    disk::Stream,
    hub::{Hub, Live, Subscription},
    media::{Frame, Track, Tracks, VIDEO_RATE},
    mp4::write::{self, Run, Sample},
    recorder::Inside,
};

/// Between two looks whether the session goes on.
const ASK: Duration = Duration::from_secs(3);
/// A browser that takes nothing for so long is gone.
const STUCK: Duration = Duration::from_secs(10);
/// Of a frame behind which none came yet, in ticks of its track.
const USUAL: (u32, u32) = (VIDEO_RATE / 25, 1_024);
/// What a browser sends is nothing to us.
const LONGEST_MESSAGE: usize = 1_024;

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default = "super::main")]
    stream: Stream,
}

pub(super) async fn watch(
    owner: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    Query(which): Query<Which>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    // A page of another site may open one in the owner's name; same-origin rules do not hold for these.
    if matches!(
        Sender::of(&headers, Origin::of_request(&headers, owner.tls()).as_ref()),
        Sender::Foreign | Sender::Opaque
    ) {
        return Err(Problem::new(messages::CROSS_SITE));
    }
    let (_, running) = camera(&recorder, id)?;
    let hub = running
        .stream(which.stream)
        .map(|stream| Arc::clone(&stream.hub))
        .ok_or_else(|| Problem::new(messages::NOT_FOUND))?;
    drop(running);
    Ok(upgrade.max_message_size(LONGEST_MESSAGE).on_upgrade(async move |socket| show(&hub, &owner, socket).await))
}

/// Until either side ends it, or the session is over.
async fn show(hub: &Hub, owner: &Owner, mut socket: WebSocket) {
    let mut stream = Outgoing::default();
    let Subscription { tracks, frames, mut next, watching: _watching } = hub.subscribe();
    let begun = match &tracks {
        Some(tracks) => {
            stream.begin(&mut socket, tracks).await.is_some() && stream.send(&mut socket, &frames).await.is_some()
        }
        None => gone(&mut socket).await.is_some(),
    };
    if !begun {
        return;
    }
    let mut ask = Instant::now() + ASK;
    loop {
        let live = tokio::select! {
            live = timeout_at(ask, next.recv()) => live,
            // A close, or an end; anything else is not waited for.
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        };
        let done = match live {
            Err(_) => {
                ask = Instant::now() + ASK;
                if owner.is_in().await { Some(()) } else { None }
            }
            Ok(Ok(Live::Tracks(tracks))) => stream.begin(&mut socket, &tracks).await,
            Ok(Ok(Live::Gone)) => gone(&mut socket).await,
            Ok(Ok(Live::Frame(frame))) => stream.send(&mut socket, &[frame]).await,
            // Too slow, or the camera was taken away: the browser begins anew.
            Ok(Err(_)) => None,
        };
        if done.is_none() {
            let _ = socket.send(Message::Close(None)).await;
            return;
        }
        if Instant::now() >= ask {
            ask = Instant::now() + ASK;
            if !owner.is_in().await {
                let _ = socket.send(Message::Close(None)).await;
                return;
            }
        }
    }
}

/// What one browser gets.
#[derive(Default)]
struct Outgoing {
    tracks: Option<Arc<Tracks>>,
    /// The time of the first picture that was sent: the browser's zero.
    zero: Option<i64>,
    number: u32,
    /// How long the last picture was.
    usual: Option<u32>,
    last: Option<i64>,
}

impl Outgoing {
    async fn begin(&mut self, socket: &mut WebSocket, tracks: &Arc<Tracks>) -> Option<()> {
        let (width, height) = tracks.video.size;
        let told = json!({ "type": "tracks", "codecs": tracks.codecs(), "width": width, "height": height });
        let init = write::init(tracks).ok()?;
        *self = Self { tracks: Some(Arc::clone(tracks)), ..Self::default() };
        send(socket, Message::Text(told.to_string().into())).await?;
        send(socket, Message::Binary(init)).await
    }

    /// Sends frames as one fragment. What cannot be decoded yet is left out.
    async fn send(&mut self, socket: &mut WebSocket, frames: &[Arc<Frame>]) -> Option<()> {
        match self.fragment(frames) {
            Some(fragment) => send(socket, Message::Binary(fragment)).await,
            None => Some(()),
        }
    }

    fn fragment(&mut self, frames: &[Arc<Frame>]) -> Option<Bytes> {
        let tracks = Arc::clone(self.tracks.as_ref()?);
        let of = |track: Track| frames.iter().filter(move |frame| frame.track == track);
        if self.zero.is_none() {
            self.zero = of(Track::Video).find(|frame| frame.key).map(|frame| frame.ticks);
        }
        let zero = self.zero?;
        let times: Vec<_> = of(Track::Video).map(|frame| frame.ticks).collect();
        if let (Some(last), Some(first)) = (self.last, times.first()) {
            self.usual =
                u32::try_from(first - last).ok().filter(|ticks| (1..VIDEO_RATE).contains(ticks)).or(self.usual);
        }
        self.last = times.last().copied().or(self.last);
        let video = run(of(Track::Video), zero, self.usual.unwrap_or(USUAL.0));
        let audio = match &tracks.audio {
            Some(entry) => {
                let zero = i128::from(zero) * i128::from(entry.rate) / i128::from(VIDEO_RATE);
                run(of(Track::Audio), i64::try_from(zero).unwrap_or_default(), USUAL.1)
            }
            None => Run::default(),
        };
        if video.samples.is_empty() && audio.samples.is_empty() {
            return None;
        }
        self.number = self.number.wrapping_add(1);
        write::fragment(self.number, None, &video, &audio).ok()
    }
}

/// Frames of one track, from the browser's zero on.
fn run<'f>(frames: impl Iterator<Item = &'f Arc<Frame>>, zero: i64, usual: u32) -> Run {
    let frames: Vec<_> = frames.skip_while(|frame| frame.ticks < zero).collect();
    let Some(first) = frames.first() else { return Run::default() };
    let next = frames.iter().skip(1).map(|frame| Some(frame.ticks)).chain([None]);
    let sample = |(frame, next): (&&Arc<Frame>, Option<i64>)| Sample {
        duration: next.and_then(|next| u32::try_from(next - frame.ticks).ok()).unwrap_or(usual),
        key: frame.key,
        data: frame.data.clone(),
    };
    Run {
        begins: u64::try_from(first.ticks - zero).unwrap_or_default(),
        samples: frames.iter().zip(next).map(sample).collect(),
    }
}

/// That nothing comes for now.
async fn gone(socket: &mut WebSocket) -> Option<()> {
    send(socket, Message::Text(json!({ "type": "gone" }).to_string().into())).await
}

async fn send(socket: &mut WebSocket, message: Message) -> Option<()> {
    tokio::time::timeout(STUCK, socket.send(message)).await.ok()?.ok()
}
