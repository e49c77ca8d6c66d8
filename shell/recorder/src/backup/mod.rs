//! Recordings on another disk or in somebody's storage: what is closed is sent there, once, and looked at again before it counts as sent.
//!
//! One thread sends (`sender`): what is asked for first, then, where there is a standing rule, each closed file, the oldest first. A failure
//! is tried again, later and later. What was sent is marked in the index; where the index was lost, what is there already is found there.

mod sender;
mod store;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use sparekey_footage::Span;

pub(crate) use sender::{Sender, Task};
pub(crate) use store::{Store, StoreError};

use crate::secret::Secret;

/// Where recordings are sent, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backup {
    pub(crate) place: Place,
    /// Every recording, as it is closed; otherwise what is asked for.
    #[serde(default)]
    pub(crate) all: bool,
}

/// A place that is not this disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Place {
    /// A folder: another disk, or one of another computer that is mounted.
    Folder(PathBuf),
    /// Storage that speaks S3.
    S3(Box<S3>),
}

/// Storage that speaks S3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3 {
    /// Such as `https://s3.example.org`.
    pub(crate) endpoint: String,
    pub(crate) bucket: String,
    #[serde(default = "region")]
    pub(crate) region: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: Secret,
}

fn region() -> String {
    "us-east-1".to_owned()
}

/// How it does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Progress {
    /// What is on its way: its name, bytes sent, bytes in all.
    pub(crate) now: Option<(String, u64, u64)>,
    /// Since the recorder started.
    pub(crate) sent: u64,
    /// That wait, as far as they were counted.
    pub(crate) waiting: u64,
    /// What fails, and since when (milliseconds since 1970).
    pub(crate) failing: Option<(String, u64)>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A clip, with the device's word on it.
    Clip { name: String, head: bytes::Bytes, body: Vec<(PathBuf, u64, u64)>, statement: Vec<u8> },
    /// Recordings back from there.
    Restore { camera: u32, span: Span },
}

/// Progress that many look at.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Progress>>);

impl Shared {
    pub(crate) fn get(&self) -> Progress {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
