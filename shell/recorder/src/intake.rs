//! The thread that takes cameras' pictures. While nobody watches, it sleeps between looks: what came meanwhile waits in the system's
//! buffers, and one waking serves all cameras. Measured, that costs a third of waking for every packet.

use std::{
    io,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

use crate::hub::Watchers;

/// Between two looks while nobody watches. It adds to what a power cut costs.
const NAP: Duration = Duration::from_millis(150);
/// For as long as somebody watches, it looks all the time, and this often whether anybody still does.
const WATCHED: Duration = Duration::from_millis(50);
/// A look: long enough for timers that are due.
const LOOK: Duration = Duration::from_millis(1);
/// Turns of all that can go on, before and after.
const TURNS: usize = 16;

/// The thread, and the runtime on it.
pub(crate) struct Intake {
    handle: Handle,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Intake {
    pub(crate) fn start(watchers: Watchers) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, stop) = (runtime.handle().clone(), CancellationToken::new());
        let stopped = stop.clone();
        let thread = thread::Builder::new().name("intake".to_owned()).spawn(move || {
            while !stopped.is_cancelled() {
                let watched = watchers.any();
                runtime.block_on(async {
                    turns().await;
                    tokio::time::sleep(if watched { WATCHED } else { LOOK }).await;
                    turns().await;
                });
                if !watched {
                    thread::sleep(NAP);
                }
            }
            // What was cancelled closes its files.
            runtime.block_on(async {
                tokio::time::sleep(WATCHED).await;
                turns().await;
            });
        })?;
        Ok(Self { handle, stop, thread: Some(thread) })
    }

    /// Runs a camera.
    pub(crate) fn spawn(&self, camera: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(camera));
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn turns() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}
