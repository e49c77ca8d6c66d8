//! A camera: connected to again and again for as long as it is set up.

mod file;
mod rtsp;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{secret::Secret, stream::Taker};

/// Between two tries: doubled with each that fails, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A camera that sends nothing for so long is gone.
pub(crate) const SILENT: Duration = Duration::from_secs(6);

/// Where pictures come from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A camera's address, as `rtsp://…`; whoever is logged in there.
    Rtsp { url: url::Url, username: String, password: Secret, udp: bool },
    /// An MP4 file, over and over.
    File(PathBuf),
}

/// How a stream does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(crate) enum State {
    /// Being connected to for the first time.
    Connecting,
    /// Its pictures come.
    Live {
        /// Milliseconds since 1970.
        since: u64,
    },
    /// They do not.
    Gone {
        /// Milliseconds since 1970.
        since: u64,
        /// Why: `unreachable`, `not-authorized`, `no-pictures`, `unfit`, `silent`, `ended`.
        why: &'static str,
        /// In the words of what found it.
        says: String,
    },
}

/// Why a connection did not come about, or ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) why: &'static str,
    pub(crate) says: String,
}

/// A state that many look at.
#[derive(Clone, Debug)]
pub(crate) struct Status(Arc<Mutex<State>>);

impl Status {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State::Connecting)))
    }

    pub(crate) fn get(&self) -> State {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Pictures come.
    pub(crate) fn live(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*state, State::Live { .. }) {
            *state = State::Live { since: now() };
        }
    }

    fn gone(&self, ended: Ended) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match *state {
            State::Gone { since, .. } => since,
            _ => now(),
        };
        *state = State::Gone { since, why: ended.why, says: ended.says };
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Takes a stream's frames until `stop`.
pub(crate) async fn run(origin: Origin, mut taker: Taker, status: Status, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    loop {
        let begun = Instant::now();
        let connection = async {
            match &origin {
                Origin::Rtsp { url, username, password, udp } => {
                    rtsp::run(url, username, password, *udp, &mut taker, &status).await
                }
                Origin::File(path) => file::run(path, &mut taker, &status).await,
            }
        };
        let ended = stop.run_until_cancelled(connection).await;
        taker.end();
        let Some(ended) = ended else { return };
        if begun.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        tracing::info!(why = ended.why, says = ended.says, "a camera is gone");
        status.gone(ended);
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
        pause = LONGEST_PAUSE.min(2 * pause);
    }
}
