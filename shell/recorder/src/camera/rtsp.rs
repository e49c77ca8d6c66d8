//! A camera that speaks RTSP (RFC 2326), by `retina`.
//!
//! Odd cameras are dealt with by named policies: `gap` and `clock-jump` end a file (`sparekey-footage`); other parameter sets or another
//! resolution begin one; sound other than AAC is left out; packets that are lost leave a picture damaged until the next key picture, and
//! are counted.

use futures_util::StreamExt;
use retina::{
    client::{
        Credentials, Demuxed, InitialTimestampPolicy, PlayOptions, Session, SessionOptions, SetupOptions, Transport,
        UdpTransportOptions,
    },
    codec::{AudioParameters, CodecItem, FrameFormat, ParametersRef, VideoParameters},
};
use tokio::time::timeout;
use url::Url;

use super::{Ended, SILENT, Status};
use crate::{
    media::{Entry, Frame, Track, Tracks, VIDEO_RATE},
    secret::Secret,
    stream::Taker,
};

/// Which stream of a session is which track.
struct Streams {
    video: usize,
    audio: Option<usize>,
}

/// Connects, and takes frames until the connection ends.
pub(super) async fn run(
    url: &Url,
    username: &str,
    password: &Secret,
    udp: bool,
    taker: &mut Taker,
    status: &Status,
) -> Ended {
    let connected = timeout(SILENT, connect(url, username, password, udp)).await;
    let (mut session, streams) = match connected {
        Ok(Ok(connected)) => connected,
        Ok(Err(ended)) => return ended,
        Err(_) => return Ended { why: "unreachable", says: "it does not answer".to_owned() },
    };
    let mut known = false;
    loop {
        let item = match timeout(SILENT, session.next()).await {
            Ok(Some(Ok(item))) => item,
            Ok(Some(Err(error))) => return ended(&error),
            Ok(None) => return Ended { why: "ended", says: "the camera ended the connection".to_owned() },
            Err(_) => return Ended { why: "silent", says: format!("no picture came for {} s", SILENT.as_secs()) },
        };
        match item {
            CodecItem::VideoFrame(frame) if frame.stream_id() == streams.video => {
                if !known || frame.has_new_parameters() {
                    match tracks(&session, &streams) {
                        Some(Ok(tracks)) => match taker.set_tracks(tracks) {
                            Ok(()) => known = true,
                            Err(error) => return Ended { why: "unfit", says: error.to_string() },
                        },
                        Some(Err(says)) => return Ended { why: "unfit", says },
                        // Some cameras send their parameter sets only before a key picture.
                        None => continue,
                    }
                }
                status.live();
                let (ticks, key) = (frame.timestamp().elapsed(), frame.is_random_access_point());
                taker.take(Frame { track: Track::Video, ticks, key, data: frame.into_data().into() });
            }
            CodecItem::AudioFrame(frame) if Some(frame.stream_id()) == streams.audio => {
                let ticks = frame.timestamp().elapsed();
                let data = bytes::Bytes::copy_from_slice(frame.data());
                taker.take(Frame { track: Track::Audio, ticks, key: true, data });
            }
            _ => {}
        }
    }
}

async fn connect(url: &Url, username: &str, password: &Secret, udp: bool) -> Result<(Demuxed, Streams), Ended> {
    let credentials = (!username.is_empty())
        .then(|| Credentials { username: username.to_owned(), password: password.expose().to_owned() });
    let options = SessionOptions::default().creds(credentials).user_agent("Sparekey".to_owned());
    let mut session = Session::describe(url.clone(), options).await.map_err(|error| ended(&error))?;
    let is = |names: &[&str], media: &str, stream: &retina::client::Stream| {
        stream.media() == media && names.contains(&stream.encoding_name())
    };
    let find = |names: &[&str], media: &str| session.streams().iter().position(|stream| is(names, media, stream));
    let Some(video) = find(&["h264", "h265"], "video") else {
        return Err(Ended { why: "no-pictures", says: "it offers neither H.264 nor H.265".to_owned() });
    };
    let audio = find(&["mpeg4-generic"], "audio");
    for stream in [Some(video), audio].into_iter().flatten() {
        let transport = if udp { Transport::Udp(UdpTransportOptions::default()) } else { Transport::default() };
        let options = SetupOptions::default().transport(transport).frame_format(FrameFormat::MP4);
        session.setup(stream, options).await.map_err(|error| ended(&error))?;
    }
    let options = PlayOptions::default().initial_timestamp(InitialTimestampPolicy::Permissive);
    let session = session.play(options).await.map_err(|error| ended(&error))?;
    let session = session.demuxed().map_err(|error| ended(&error))?;
    Ok((session, Streams { video, audio }))
}

fn ended(error: &retina::Error) -> Ended {
    let why = match error.status_code() {
        Some(401 | 403) => "not-authorized",
        Some(_) => "refused",
        None => "unreachable",
    };
    Ended { why, says: error.to_string().lines().next().unwrap_or_default().chars().take(200).collect() }
}

/// What the streams are now; `None` if the pictures' parameter sets did not come yet.
fn tracks(session: &Demuxed, streams: &Streams) -> Option<Result<Tracks, String>> {
    let parameters = |stream: usize| session.streams().get(stream)?.parameters();
    let Some(ParametersRef::Video(video)) = parameters(streams.video) else { return None };
    let audio = match streams.audio.and_then(parameters) {
        Some(ParametersRef::Audio(audio)) => sound(audio),
        _ => None,
    };
    Some(pictures(video).map(|video| Tracks { video, audio }))
}

fn pictures(of: &VideoParameters) -> Result<Entry, String> {
    let sample_entry = of.mp4_sample_entry().build().map_err(|error| error.to_string())?;
    let (width, height) = of.pixel_dimensions();
    let small = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    let codec = of.rfc6381_codec().to_owned();
    Ok(Entry { sample_entry: sample_entry.into(), codec, rate: VIDEO_RATE, size: (small(width), small(height)) })
}

/// `None` for what an MP4 file does not hold: it is left out.
fn sound(of: &AudioParameters) -> Option<Entry> {
    let sample_entry = of.mp4_sample_entry().build().ok()?;
    Some(Entry {
        sample_entry: sample_entry.into(),
        codec: of.rfc6381_codec()?.to_owned(),
        rate: of.clock_rate(),
        size: (0, 0),
    })
}
