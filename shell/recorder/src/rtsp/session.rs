//! One program: what it asks, and what it is sent.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use rtsp_types::{HeaderName, Message, Method, ParseError, Request, Response, StatusCode, Version, headers};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    Account, USERNAME,
    digest::Challenge,
    packets::{Kind, Packets},
    sdp,
};
use crate::{
    disk::Stream,
    hub::{Hub, Live, Subscription},
    media::{Frame, Track, Tracks},
    recorder::Inside,
};

/// What is read of a program before it makes sense.
const LONGEST: usize = 16 * 1024;
/// A program that asks for nothing and is sent nothing.
const IDLE: Duration = Duration::from_secs(60);
/// A program that takes nothing for so long is gone.
const STUCK: Duration = Duration::from_secs(10);
/// Wrong answers to the challenge.
const MOST_WRONG: u8 = 3;
/// As RTSP names it; nobody needs it to be secret, for it is of this connection.
const SESSION: &str = "1";

/// What a program has set up.
struct Setup {
    hub: Arc<Hub>,
    tracks: Arc<Tracks>,
    /// The channel of each track on the connection.
    video: Option<u8>,
    audio: Option<u8>,
}

struct Session<'a> {
    inside: &'a Weak<Inside>,
    account: &'a Account,
    challenge: Challenge,
    wrong: u8,
    setup: Option<Setup>,
}

/// What is done after an answer.
enum Then {
    Read,
    Play,
    End,
}

/// Serves one connection.
pub(super) async fn serve(mut stream: TcpStream, inside: &Weak<Inside>, account: &Account) {
    let Some(challenge) = Challenge::draw() else { return };
    let _ = stream.set_nodelay(true);
    let mut session = Session { inside, account, challenge, wrong: 0, setup: None };
    let (mut buffer, mut playing) = (Vec::new(), None::<Playing>);
    loop {
        // Whole messages first.
        match Message::<Vec<u8>>::parse(&buffer) {
            Ok((message, length)) => {
                buffer.drain(..length);
                let Message::Request(request) = message else { continue };
                let (answer, then) = session.answer(&request);
                let mut bytes = Vec::new();
                if answer.write(&mut bytes).is_err() || write(&mut stream, &bytes).await.is_none() {
                    return;
                }
                match then {
                    Then::Read => {}
                    Then::Play => playing = session.setup.as_ref().map(Playing::begin),
                    Then::End => return,
                }
                continue;
            }
            Err(ParseError::Incomplete(_)) if buffer.len() < LONGEST => {}
            Err(_) => return,
        }
        let mut part = [0; 2_048];
        let read = match &mut playing {
            None => match timeout(IDLE, stream.read(&mut part)).await {
                Ok(read) => read,
                Err(_) => return,
            },
            Some(playing) => tokio::select! {
                read = stream.read(&mut part) => read,
                packets = playing.next() => {
                    let Some(packets) = packets else { return };
                    if write(&mut stream, &packets).await.is_none() {
                        return;
                    }
                    continue;
                }
            },
        };
        match read {
            Ok(0) | Err(_) => return,
            Ok(length) => buffer.extend_from_slice(&part[..length]),
        }
    }
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) -> Option<()> {
    timeout(STUCK, stream.write_all(bytes)).await.ok()?.ok()
}

impl Session<'_> {
    fn answer(&mut self, request: &Request<Vec<u8>>) -> (Response<Vec<u8>>, Then) {
        let sequence = request.header(&headers::CSEQ).map_or("0", |value| value.as_str()).to_owned();
        let plain = |status: StatusCode| {
            Response::builder(Version::V1_0, status)
                .header(headers::CSEQ, sequence.as_str())
                .header(headers::SERVER, "Sparekey")
        };
        if *request.method() == Method::Options {
            let methods = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER";
            return (plain(StatusCode::Ok).header(headers::PUBLIC, methods).build(Vec::new()), Then::Read);
        }
        let method: &str = request.method().into();
        let said = request.header(&headers::AUTHORIZATION).map(|value| value.as_str());
        let is_in = |said: &str| self.challenge.is_answered(said, method, USERNAME, self.account.password.expose());
        if !said.is_some_and(is_in) {
            self.wrong += u8::from(said.is_some());
            let answer = plain(StatusCode::Unauthorized).header(headers::WWW_AUTHENTICATE, self.challenge.header());
            return (answer.build(Vec::new()), if self.wrong < MOST_WRONG { Then::Read } else { Then::End });
        }
        let session = HeaderName::from_static_str("Session").expect("it is the name of a header");
        match request.method() {
            Method::Describe => {
                let described = self.find(request).and_then(|(_, tracks)| sdp::describe(&tracks));
                let Some(text) = described else { return (plain(StatusCode::NotFound).build(Vec::new()), Then::Read) };
                let base = request
                    .request_uri()
                    .map_or_else(String::new, |url| format!("{}/", url.as_str().trim_end_matches('/')));
                let answer = plain(StatusCode::Ok)
                    .header(headers::CONTENT_TYPE, "application/sdp")
                    .header(headers::CONTENT_BASE, base);
                (answer.build(text.into_bytes()), Then::Read)
            }
            Method::Setup => match self.set_up(request) {
                Ok(transport) => {
                    let answer = plain(StatusCode::Ok).header(headers::TRANSPORT, transport).header(session, SESSION);
                    (answer.build(Vec::new()), Then::Read)
                }
                Err(status) => (plain(status).build(Vec::new()), Then::Read),
            },
            Method::Play if self.setup.is_some() => {
                let answer = plain(StatusCode::Ok).header(session, SESSION).header(headers::RANGE, "npt=now-");
                (answer.build(Vec::new()), Then::Play)
            }
            Method::Play => (plain(StatusCode::MethodNotValidInThisState).build(Vec::new()), Then::Read),
            Method::GetParameter | Method::SetParameter => {
                (plain(StatusCode::Ok).header(session, SESSION).build(Vec::new()), Then::Read)
            }
            Method::Teardown => (plain(StatusCode::Ok).header(session, SESSION).build(Vec::new()), Then::End),
            _ => (plain(StatusCode::NotImplemented).build(Vec::new()), Then::Read),
        }
    }

    /// The stream that an address names: `/camera/1/main`, `/camera/1/sub`, with a track behind it or not.
    fn find(&self, request: &Request<Vec<u8>>) -> Option<(Arc<Hub>, Arc<Tracks>)> {
        let mut path = request.request_uri()?.path_segments()?;
        let (Some("camera"), Some(id), stream) = (path.next(), path.next(), path.next()) else { return None };
        let stream = if stream == Some("sub") { Stream::Sub } else { Stream::Main };
        let (_, running) = self.inside.upgrade()?.camera(id.parse().ok()?)?;
        let hub = Arc::clone(&running.stream(stream)?.hub);
        let tracks = hub.tracks()?;
        Some((hub, tracks))
    }

    fn set_up(&mut self, request: &Request<Vec<u8>>) -> Result<String, StatusCode> {
        let transport = request.header(&headers::TRANSPORT).map_or("", |value| value.as_str());
        // Of those that are offered, the one over this connection.
        let offered =
            transport.split(',').find(|one| one.contains("RTP/AVP/TCP")).ok_or(StatusCode::UnsupportedTransport)?;
        let channels = offered.split(';').find_map(|field| field.trim().strip_prefix("interleaved="));
        let channel = channels.map_or(Some(0), |channels| channels.split('-').next()?.parse::<u8>().ok());
        let channel = channel.ok_or(StatusCode::BadRequest)?;
        let track = request.request_uri().and_then(|url| url.path_segments()?.next_back().map(str::to_owned));
        let (hub, tracks) = self.find(request).ok_or(StatusCode::NotFound)?;
        let setup = self.setup.get_or_insert(Setup { hub, tracks, video: None, audio: None });
        match track.as_deref() {
            Some("1") if setup.tracks.audio.is_some() => setup.audio = Some(channel),
            Some("0") => setup.video = Some(channel),
            _ => return Err(StatusCode::NotFound),
        }
        Ok(format!("RTP/AVP/TCP;unicast;interleaved={channel}-{}", channel.saturating_add(1)))
    }
}

/// Frames on their way.
struct Playing {
    subscription: Subscription,
    tracks: Arc<Tracks>,
    /// Those that are there already.
    group: std::vec::IntoIter<Arc<Frame>>,
    video: Option<(u8, Packets)>,
    audio: Option<(u8, Packets)>,
    /// A picture that is decoded by itself was sent.
    begun: bool,
}

impl Playing {
    fn begin(setup: &Setup) -> Self {
        let mut subscription = setup.hub.subscribe();
        let group = std::mem::take(&mut subscription.frames).into_iter();
        let pictures = sdp::pictures(&setup.tracks.video);
        let video = setup.video.zip(pictures).map(|(channel, pictures)| {
            (channel, Packets::new(pictures.kind, sdp::VIDEO, 0x5350_0001, pictures.parameter_sets))
        });
        let audio = setup.audio.map(|channel| (channel, Packets::new(Kind::Aac, sdp::AUDIO, 0x5350_0002, Vec::new())));
        Self { subscription, tracks: Arc::clone(&setup.tracks), group, video, audio, begun: false }
    }

    /// The packets of the next frame; `None` if there will be none of these tracks.
    async fn next(&mut self) -> Option<Vec<u8>> {
        let frame = match self.group.next() {
            Some(frame) => frame,
            None => match self.subscription.next.recv().await {
                Ok(Live::Frame(frame)) => frame,
                Ok(Live::Tracks(tracks)) if tracks == self.tracks => return Some(Vec::new()),
                // Other pictures need another description: the program asks for it when the connection ends.
                Ok(Live::Tracks(_) | Live::Gone) | Err(_) => return None,
            },
        };
        self.begun |= frame.track == Track::Video && frame.key;
        let of = if frame.track == Track::Video { &mut self.video } else { &mut self.audio };
        let Some((channel, packets)) = of.as_mut().filter(|_| self.begun) else { return Some(Vec::new()) };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "RTP's time wraps")]
        let time = frame.ticks as u32;
        let mut out = Vec::with_capacity(frame.data.len() + 256);
        for packet in packets.of(&frame, time) {
            out.extend_from_slice(&[b'$', *channel]);
            out.extend_from_slice(&u16::try_from(packet.len()).unwrap_or_default().to_be_bytes());
            out.extend_from_slice(&packet);
        }
        Some(out)
    }
}
