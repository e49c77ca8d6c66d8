//! Recordings on a disk: fragmented MP4 files, and an index of them that can be made anew from the files.
//!
//! One thread writes (`writer`): a fragment is one write, and once a second all that was written is synced. The index (`index`) has a row
//! a file; what a file that is still open holds is known here (`library`), and after a crash out of the file itself (`repair`).

pub(crate) mod index;
pub(crate) mod library;
mod repair;
pub(crate) mod writer;

use std::{fmt, path::PathBuf};

use serde::Serialize;
use sparekey_footage::{Moment, Span, Stretch};

use crate::mp4::scan::Fragment;

/// A camera's pictures as it is, or smaller ones for small screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stream {
    /// The large ones.
    Main,
    /// The small ones.
    Sub,
}

impl Stream {
    pub(crate) const BOTH: [Self; 2] = [Self::Main, Self::Sub];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which camera's which stream.
pub(crate) type Channel = (u32, Stream);

/// One file, as far as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recording {
    pub(crate) id: i64,
    pub(crate) channel: Channel,
    /// When it was recorded, and how long it plays.
    pub(crate) stretch: Stretch,
    /// Bytes before the first fragment.
    pub(crate) init: u64,
    pub(crate) bytes: u64,
    pub(crate) codecs: String,
    /// A person has locked it.
    pub(crate) locked: bool,
    pub(crate) fragments: Vec<Fragment>,
}

impl Recording {
    pub(crate) fn span(&self) -> Span {
        self.stretch.span
    }

    /// Where it lies, from the recordings' folder: known without an index.
    pub(crate) fn name((camera, stream): Channel, from: Moment) -> String {
        format!("{camera}/{stream}-{:013}.mp4", from.0)
    }

    pub(crate) fn path(&self) -> PathBuf {
        Self::name(self.channel, self.span().from).into()
    }

    /// And back.
    pub(crate) fn of_name(camera: &str, file: &str) -> Option<(Channel, Moment)> {
        let (stream, from) = file.strip_suffix(".mp4")?.split_once('-')?;
        let stream = Stream::BOTH.into_iter().find(|known| known.name() == stream)?;
        Some(((camera.parse().ok()?, stream), Moment(from.parse().ok()?)))
    }
}
