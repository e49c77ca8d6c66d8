//! ISO base media files (ISO/IEC 14496-12) with what `mp4-atom` has: what is written while recording (`write`), read after a crash
//! (`scan`), handed out as a clip (`clip`), and played as if it were a camera (`source`).

pub(crate) mod clip;
mod codec;
pub(crate) mod scan;
pub(crate) mod source;
pub(crate) mod write;

/// The number of the video track in every file of ours.
const VIDEO: u32 = 1;
/// And of the sound.
const AUDIO: u32 = 2;
/// Flags of a sample that depends on none (section 8.8.3.1), and of one that does.
const KEY: u32 = 0x0200_0000;
const NOT_KEY: u32 = 0x0101_0000;
