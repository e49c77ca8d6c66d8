//! The device while it runs: its state in memory, its vault on disk, one command at a time.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sparekey_device::{Caller, Change, Device, Now, Refusal};
use sparekey_protocol::Time;
use tokio::sync::{Mutex, MutexGuard, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::files::Files;
use crate::vault::Vault;

/// A device with its vault.
pub(crate) struct Live<F> {
    kept: Arc<Mutex<Kept<F>>>,
    /// Callers from the network stand in line for one place before the lock, so who stands before the device is always
    /// next but one.
    network: Semaphore,
    start: Start,
    /// Cancelled when the state in memory may not be that on the disk any more.
    stale: CancellationToken,
}

struct Kept<F> {
    device: Device,
    vault: Vault<F>,
    /// Whether every state was stored.
    stored: bool,
}

/// When this start of the device began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    instant: Instant,
    clock: Time,
}

impl Start {
    /// Now; no earlier by the clock than the second after `previous`, so that two starts can be told apart.
    pub(crate) fn now(previous: Option<Self>) -> Self {
        let least = previous.map_or(0, |previous| previous.clock.0 + 1);
        Self { instant: Instant::now(), clock: Time(clock().0.max(least)) }
    }

    /// How long ago that was.
    pub(crate) fn age(self) -> Duration {
        self.instant.elapsed()
    }

    pub(crate) fn at(self) -> Now {
        Now { since_start: self.instant.elapsed().as_secs(), clock: clock(), started: self.clock }
    }
}

/// The machine's clock, which may be wrong.
fn clock() -> Time {
    Time(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

impl<F: Files + 'static> Live<F> {
    /// `stale` is cancelled when a write fails: then the device has to be started again from what is on the disk.
    pub(crate) fn new(device: Device, vault: Vault<F>, start: Start, stale: CancellationToken) -> Self {
        Self {
            kept: Arc::new(Mutex::new(Kept { device, vault, stored: true })),
            network: Semaphore::new(1),
            start,
            stale,
        }
    }

    /// Looks at the device, or changes what is only in memory (sessions).
    pub(crate) async fn look<T>(&self, look: impl FnOnce(&mut Device, Now) -> T) -> T {
        look(&mut self.lock().await.device, self.start.at())
    }

    /// Gives a command. Its answer comes when the next state is on the disk.
    pub(crate) async fn command<A: Send + 'static>(
        &self,
        caller: Caller,
        command: impl FnOnce(&mut Device, Now) -> Result<Change<'_, A>, Refusal> + Send + 'static,
    ) -> Result<A, Failure> {
        self.command_then(caller, command, |_| ()).await
    }

    /// Gives a command, and does what has to follow once its state is on the disk: also if nobody waits for the answer
    /// any more. `then` runs within the runtime, on a thread that may block.
    pub(crate) async fn command_then<A: Send + 'static>(
        &self,
        caller: Caller,
        command: impl FnOnce(&mut Device, Now) -> Result<Change<'_, A>, Refusal> + Send + 'static,
        then: impl FnOnce(&A) + Send + 'static,
    ) -> Result<A, Failure> {
        let _place = match caller {
            Caller::Screen => None,
            Caller::Link(_) | Caller::Elsewhere(_) => Some(self.network.acquire().await.expect("it is never closed")),
        };
        let mut kept = Arc::clone(&self.kept).lock_owned().await;
        let (start, stale) = (self.start, self.stale.clone());
        let done = tokio::task::spawn_blocking(move || {
            let Kept { device, vault, stored } = &mut *kept;
            let change = command(device, start.at())?;
            change.commit(|state| vault.write(state)).inspect(then).map_err(|error| {
                tracing::error!(%error, "the vault cannot be written: starting again from what is on the disk");
                *stored = false;
                stale.cancel();
                Failure::Unstored
            })
        });
        done.await.expect("a command does not panic")
    }

    /// Waits until no command is under way. Whether every state was stored.
    pub(crate) async fn settle(&self) -> bool {
        self.lock().await.stored
    }

    async fn lock(&self) -> MutexGuard<'_, Kept<F>> {
        self.kept.lock().await
    }
}
