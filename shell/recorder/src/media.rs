//! Pictures and sound on their way from a camera: encoded as the camera did it, and never again.

use bytes::Bytes;

/// Ticks of video time in a second (RFC 3551 section 5): what every video track here counts in.
pub(crate) const VIDEO_RATE: u32 = 90_000;

/// Which of a stream's tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Track {
    Video,
    Audio,
}

/// One picture, or one frame of sound.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) track: Track,
    /// In ticks of its track, from a beginning that is the same for all tracks of a connection.
    pub(crate) ticks: i64,
    /// A picture that is decoded without those before it.
    pub(crate) key: bool,
    /// NAL units behind their lengths (ISO/IEC 14496-15), or a raw AAC frame.
    pub(crate) data: Bytes,
}

/// What a decoder has to know of a track before its first frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The sample entry box (ISO/IEC 14496-12 section 8.5.2).
    pub(crate) sample_entry: Bytes,
    /// As a browser is asked for it: `avc1.640028` (RFC 6381).
    pub(crate) codec: String,
    /// Ticks in a second.
    pub(crate) rate: u32,
    /// In pixels; 0 × 0 for sound.
    pub(crate) size: (u16, u16),
}

/// The tracks of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tracks {
    pub(crate) video: Entry,
    pub(crate) audio: Option<Entry>,
}

impl Tracks {
    /// Both codecs: `avc1.640028,mp4a.40.2`.
    pub(crate) fn codecs(&self) -> String {
        let audio = self.audio.iter().map(|entry| entry.codec.as_str());
        [self.video.codec.as_str()].into_iter().chain(audio).collect::<Vec<_>>().join(",")
    }
}
