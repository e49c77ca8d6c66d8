//! Live pictures by WebRTC, for less than half a second of delay: an offer in, an answer out, as WHEP has it (RFC 9725 for the way in;
//! draft-ietf-wish-whep for the way out). Pictures only: browsers take no AAC here.
//!
//! The recorder is ICE-lite: it has an address that the browser reaches, for the page came from there.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use mp4_atom::{Codec, Decode};
use serde::Deserialize;
use sparekey_agent::guest::Owner;
use sparekey_web::{
    listen::Peer,
    messages::{self, Message},
    problem::Problem,
};
use str0m::{
    Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig, RtcError,
    change::SdpOffer,
    media::{MediaTime, Mid},
    net::{Protocol, Receive},
};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use super::camera;
use crate::{
    disk::Stream,
    hub::{Hub, Live},
    media::{Frame, Track, Tracks},
    recorder::Inside,
};

/// At once.
const MOST: usize = 32;
/// Between two looks whether the session goes on.
const ASK: Duration = Duration::from_secs(3);
/// A browser that was never reached.
const UNREACHED: Duration = Duration::from_secs(15);
/// No offer of one media is longer.
const LONGEST_OFFER: usize = 32 * 1024;
const DATAGRAM: usize = 2_000;
/// A millisecond of video time: between pictures that are sent at once.
const CLOSE: i64 = 90;

const TOO_MANY: Message = Message {
    name: "too-many",
    status: StatusCode::TOO_MANY_REQUESTS,
    title: "As many watch in this way as this recorder can serve.",
    detail: "Watch in the other way, or close a window.",
};
const NOT_READY: Message = Message {
    name: "not-ready",
    status: StatusCode::CONFLICT,
    title: "This camera sends nothing at the moment, or nothing that can be shown in this way.",
    detail: "Look at how it does, and try again.",
};

/// Those that watch so, by their numbers.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<(u64, BTreeMap<u64, CancellationToken>)>);

impl Sessions {
    fn begin(&self) -> Option<(u64, CancellationToken)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.1.len() >= MOST {
            return None;
        }
        all.0 += 1;
        let (id, stop) = (all.0, CancellationToken::new());
        all.1.insert(id, stop.clone());
        Some((id, stop))
    }

    fn end(&self, id: u64) {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&id);
        if let Some(stop) = &ended {
            stop.cancel();
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default = "super::main")]
    stream: Stream,
}

pub(super) async fn offer(
    owner: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    Query(which): Query<Which>,
    peer: Peer,
    headers: HeaderMap,
    offer: String,
) -> Result<Response, Problem> {
    let is_sdp = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/sdp");
    let malformed = || {
        Problem::new(messages::MALFORMED).detail("Send an SDP offer, with the header Content-Type: application/sdp.")
    };
    if !is_sdp || offer.len() > LONGEST_OFFER {
        return Err(malformed());
    }
    let (_, running) = camera(&recorder, id)?;
    let hub = running.stream(which.stream).map(|stream| Arc::clone(&stream.hub));
    let hub = hub.filter(|hub| hub.tracks().is_some()).ok_or_else(|| Problem::new(NOT_READY))?;
    drop(running);
    let offer = SdpOffer::from_sdp_string(&offer).map_err(|_| malformed())?;
    let refused = |error: &dyn std::fmt::Display| {
        tracing::info!(%error, "an offer was refused");
        Problem::new(NOT_READY)
    };
    let socket = UdpSocket::bind((reached(peer.local.ip()), 0)).await.map_err(|error| refused(&error))?;
    let local = socket.local_addr().map_err(|error| refused(&error))?;
    let mut rtc =
        RtcConfig::new().set_ice_lite(true).clear_codecs().enable_h264(true).enable_h265(true).build(Instant::now());
    rtc.add_local_candidate(Candidate::host(local, "udp").map_err(|error| refused(&error))?);
    let answer = rtc.sdp_api().accept_offer(offer).map_err(|error| refused(&error))?.to_sdp_string();
    let (number, stop) = recorder.whep.begin().ok_or_else(|| Problem::new(TOO_MANY))?;
    let ended = Arc::clone(&recorder);
    tokio::spawn(async move {
        let mut watcher = Watcher { rtc, socket, local, mid: None, connected: false, frames: Frames::default() };
        let shown = stop.run_until_cancelled(watcher.show(&hub, &owner)).await;
        if let Some(Err(error)) = shown {
            tracing::debug!(%error, "a browser that watched is gone");
        }
        ended.whep.end(number);
    });
    let location = format!("/api/v1/whep/{number}");
    Ok((
        StatusCode::CREATED,
        [(header::CONTENT_TYPE, "application/sdp".to_owned()), (header::LOCATION, location)],
        answer,
    )
        .into_response())
}

/// It may have ended by itself.
pub(super) async fn end(_: Owner, State(recorder): State<Arc<Inside>>, Path(id): Path<u64>) -> StatusCode {
    recorder.whep.end(id);
    StatusCode::NO_CONTENT
}

/// Where the browser reached us, without the scope of a link.
fn reached(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// One browser.
struct Watcher {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    mid: Option<Mid>,
    connected: bool,
    frames: Frames,
}

impl Watcher {
    /// Until the browser is gone, or the session is over.
    async fn show(&mut self, hub: &Hub, owner: &Owner) -> Result<(), RtcError> {
        let begun = Instant::now();
        let mut subscription = hub.subscribe();
        let (mut group, mut is_shown) = (std::mem::take(&mut subscription.frames), false);
        if let Some(tracks) = &subscription.tracks {
            self.frames.begin(tracks);
        }
        let mut ask = Instant::now() + ASK;
        let mut datagram = vec![0; DATAGRAM];
        loop {
            let Some(wake) = self.turn().await? else { return Ok(()) };
            if Instant::now() >= ask {
                ask = Instant::now() + ASK;
                if !owner.is_in().await || !self.connected && begun.elapsed() > UNREACHED {
                    return Ok(());
                }
            }
            if self.connected && !is_shown {
                is_shown = true;
                for (frame, ticks) in at_once(&std::mem::take(&mut group)) {
                    self.write(&frame, ticks)?;
                }
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep_until(wake.min(ask).into()) => self.rtc.handle_input(Input::Timeout(Instant::now()))?,
                received = self.socket.recv_from(&mut datagram) => {
                    // A browser that went away makes the system say so at the next call.
                    let Ok((length, source)) = received else { continue };
                    if let Ok(contents) = datagram[..length].try_into() {
                        let receive = Receive { proto: Protocol::Udp, source, destination: self.local, contents };
                        self.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
                    }
                }
                live = subscription.next.recv() => match live {
                    Ok(Live::Tracks(tracks)) => {
                        self.frames.begin(&tracks);
                        group.clear();
                    }
                    Ok(Live::Frame(frame)) if is_shown => self.write(&frame, frame.ticks)?,
                    Ok(Live::Frame(frame)) => {
                        if frame.key {
                            group.clear();
                        }
                        group.push(frame);
                    }
                    // Too slow, or the camera is gone: the browser looks in the other way, which says so.
                    Ok(Live::Gone) | Err(_) => return Ok(()),
                },
            }
        }
    }

    /// Sends what is to be sent; when to look again, or `None` if the browser is gone.
    async fn turn(&mut self) -> Result<Option<Instant>, RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(wake) => return Ok(Some(wake)),
                Output::Transmit(out) => {
                    let _ = self.socket.send_to(&out.contents, out.destination).await;
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::MediaAdded(media)) => self.mid = Some(media.mid),
                Output::Event(Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed) => {
                    return Ok(None);
                }
                Output::Event(_) => {}
            }
        }
    }

    fn write(&mut self, frame: &Frame, ticks: i64) -> Result<(), RtcError> {
        let Some((data, time)) = self.frames.next(frame, ticks) else { return Ok(()) };
        let Some(writer) = self.mid.and_then(|mid| self.rtc.writer(mid)) else { return Ok(()) };
        let is_of = |codec: str0m::format::Codec| codec == self.frames.codec;
        let Some(kind) = writer.payload_params().find(|params| is_of(params.spec().codec)).map(|params| params.pt())
        else {
            return Ok(());
        };
        writer.write(kind, Instant::now(), MediaTime::from_90khz(time), data)
    }
}

/// A group that is there already, stamped so closely that a browser shows its last picture at once and does not stay behind by its length.
fn at_once(group: &[Arc<Frame>]) -> Vec<(Arc<Frame>, i64)> {
    let pictures: Vec<_> = group.iter().filter(|frame| frame.track == Track::Video).cloned().collect();
    let last = pictures.last().map_or(0, |frame| frame.ticks);
    let count = i64::try_from(pictures.len()).unwrap_or(0);
    pictures.into_iter().zip(0..).map(|(frame, number)| (frame, last - (count - 1 - number) * CLOSE)).collect()
}

/// Pictures as they go over RTP: NAL units behind start codes, with the parameter sets before each that is decoded by itself.
struct Frames {
    codec: str0m::format::Codec,
    parameter_sets: Vec<u8>,
    zero: Option<i64>,
    begun: bool,
}

impl Default for Frames {
    fn default() -> Self {
        Self { codec: str0m::format::Codec::H264, parameter_sets: Vec::new(), zero: None, begun: false }
    }
}

const START: [u8; 4] = [0, 0, 0, 1];

impl Frames {
    fn begin(&mut self, tracks: &Tracks) {
        let units: Vec<Vec<u8>> = match Codec::decode(&mut tracks.video.sample_entry.as_ref()) {
            Ok(Codec::Avc1(of)) => {
                self.codec = str0m::format::Codec::H264;
                of.avcc.sequence_parameter_sets.into_iter().chain(of.avcc.picture_parameter_sets).collect()
            }
            Ok(Codec::Hvc1(of)) => {
                self.codec = str0m::format::Codec::H265;
                of.hvcc.arrays.into_iter().flat_map(|array| array.nalus).collect()
            }
            _ => Vec::new(),
        };
        self.parameter_sets = units.iter().flat_map(|unit| [&START[..], unit].concat()).collect();
        self.begun = false;
    }

    /// A picture and its time from the first one on; `None` for what cannot be shown yet.
    fn next(&mut self, frame: &Frame, ticks: i64) -> Option<(Vec<u8>, u64)> {
        if frame.track != Track::Video || !self.begun && !frame.key {
            return None;
        }
        self.begun = true;
        // Before it lie the pictures that are sent at once.
        let zero = *self.zero.get_or_insert(ticks - 1_000 * CLOSE);
        let time = u64::try_from(ticks - zero).ok()?;
        let mut out = Vec::with_capacity(frame.data.len() + self.parameter_sets.len());
        if frame.key {
            out.extend_from_slice(&self.parameter_sets);
        }
        let mut rest = frame.data.as_ref();
        while let Some((length, behind)) = rest.split_first_chunk::<4>() {
            let (unit, behind) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            out.extend_from_slice(&START);
            out.extend_from_slice(unit);
            rest = behind;
        }
        Some((out, time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn frame(ticks: i64, key: bool, data: &'static [u8]) -> Frame {
        Frame { track: Track::Video, ticks, key, data: Bytes::from_static(data) }
    }

    #[test]
    fn units_stand_behind_start_codes_and_begin_with_what_a_decoder_needs() {
        let mut frames = Frames { parameter_sets: vec![0, 0, 0, 1, 7], ..Frames::default() };
        assert_eq!(frames.next(&frame(0, false, b"\0\0\0\x01A"), 0), None, "nobody can decode it");
        let (data, time) = frames.next(&frame(0, true, b"\0\0\0\x02AB\0\0\0\x01C"), 0).unwrap();
        assert_eq!((data.as_slice(), time), (&b"\0\0\0\x01\x07\0\0\0\x01AB\0\0\0\x01C"[..], 90_000));
        let (data, time) = frames.next(&frame(3_600, false, b"\0\0\0\x01D"), 3_600).unwrap();
        assert_eq!((data.as_slice(), time), (&b"\0\0\0\x01D"[..], 93_600));
        assert_eq!(frames.next(&frame(7_200, false, b"\0\0\xff\x01D"), 7_200), None, "a length that lies");
    }

    #[test]
    fn a_group_is_stamped_closely() {
        let group: Vec<_> = (0..50).map(|n| Arc::new(frame(n * 3_600, n == 0, b""))).collect();
        let times: Vec<_> = at_once(&group).iter().map(|(_, ticks)| *ticks).collect();
        assert_eq!((times[0], times[49]), (49 * 3_600 - 49 * 90, 49 * 3_600));
    }
}
