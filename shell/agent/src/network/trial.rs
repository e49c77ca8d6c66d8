//! From a change to its confirmation, or back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sparekey_device::{Addressing, Caller, ListenPorts, NetworkChange, NetworkConfirmation, NetworkTrial, Unconfirmed};
use tokio_util::sync::CancellationToken;

use super::{Kept, Network, Plan, Refused, set, write};
use crate::failure::Failure;
use crate::rand::random;

/// Between the answer and the change: the answer goes out at the address that is still there.
const BEFORE: Duration = Duration::from_millis(400);
/// How often the way back is tried again at once, and how long between.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// A change under way.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) trial: NetworkTrial,
    change: NetworkChange,
    before: (Addressing, ListenPorts),
    /// When it comes into force; none once it is.
    starts: Option<Instant>,
}

/// What the keeper does next.
#[derive(Clone, Copy)]
enum Step {
    Apply,
    Return,
}

impl Network {
    /// Begins a change: what to return to is on the disk when this answers, and the change follows.
    pub(crate) async fn begin(self: &Arc<Self>, plan: Plan) -> Result<NetworkConfirmation, Failure> {
        let own = Arc::clone(self);
        self.blocking(move || {
            let within = u64::try_from(own.within.as_millis()).unwrap_or(u64::MAX);
            let (trial, confirmation) = NetworkTrial::begin(own.now(), within, &random());
            let Plan { change, before, changes, .. } = plan;
            let mut inner = own.inner();
            inner.is_free(own.now())?;
            if inner.changes != changes {
                // What it would return to is not in force any more.
                return Err(Refused::UnderWay { retry_after: 1 }.into());
            }
            let addressing = change.addressing.is_some().then(|| before.clone());
            inner.file.before = Some(Kept { addressing, ports: inner.file.kept.ports });
            if let Err(error) = inner.file.write(&own.folder) {
                tracing::error!(%error, "network.json cannot be written: the network stays as it is");
                inner.file.before = None;
                return Err(Failure::Unstored);
            }
            let before = (before, inner.ports);
            inner.changes += 1;
            inner.trial = Some(Running { trial, change, before, starts: Some(Instant::now() + BEFORE) });
            own.wake.notify_one();
            tracing::info!("the network changes, and returns unless that is confirmed");
            Ok(confirmation)
        })
        .await
    }

    /// Makes a change permanent, for who reached the device with it.
    pub(crate) async fn confirm(self: &Arc<Self>, caller: Caller, token: String) -> Result<(), Failure> {
        let own = Arc::clone(self);
        self.blocking(move || {
            let addressed = {
                let inner = own.inner();
                let running = inner.trial.as_ref().ok_or(Refused::Nothing)?;
                running.trial.confirm(own.now(), &token).map_err(refused)?;
                running.change.addressing != Some(Addressing::Dhcp)
            };
            // Whoever came by IPv6 has not seen that a server lent an address.
            if !addressed && own.interface.in_force().map_or(true, |in_force| in_force.address.is_none()) {
                return Err(Refused::NotYet.into());
            }
            let mut inner = own.inner();
            let running = inner.trial.as_ref().ok_or(Refused::Nothing)?;
            running.trial.confirm(own.now(), &token).map_err(refused)?;
            let NetworkChange { addressing, ports } = running.change.clone();
            let mut file = inner.file.clone();
            file.kept.addressing = addressing.or(file.kept.addressing);
            file.kept.ports = ports.or(file.kept.ports);
            file.before = None;
            if let Err(error) = file.write(&own.folder) {
                tracing::error!(%error, "network.json cannot be written: the change is not confirmed");
                return Err(Failure::Unstored);
            }
            inner.file = file;
            inner.trial = None;
            inner.notes.push((caller, true));
            own.wake.notify_one();
            own.noted.notify_one();
            tracing::info!("the change of the network was confirmed");
            Ok(())
        })
        .await
    }

    /// Sees to it that changes come into force and end, until `stop`; then the device returns from what was not confirmed.
    pub(crate) async fn keep(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let step = async {
                match self.next_step() {
                    Some((at, step)) => {
                        tokio::time::sleep_until(at.into()).await;
                        step
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.wake.notified() => {}
                step = step => match step {
                    Step::Apply => self.apply().await,
                    Step::Return => drop(self.go_back().await),
                }
            }
        }
        self.go_back().await;
    }

    fn next_step(&self) -> Option<(Instant, Step)> {
        let inner = self.inner();
        let running = inner.trial.as_ref()?;
        let ends = self.began + Duration::from_millis(running.trial.ends());
        Some(running.starts.map_or((ends, Step::Return), |starts| (starts, Step::Apply)))
    }

    async fn apply(self: &Arc<Self>) {
        let Some(change) = self.inner().trial.as_ref().map(|running| running.change.clone()) else { return };
        let own = Arc::clone(self);
        let addressing = change.addressing;
        let applied = self.blocking(move || addressing.map_or(Ok(()), |addressing| own.interface.apply(&addressing)));
        if let Err(error) = applied.await {
            tracing::error!(%error, "the network cannot be set like this");
            self.go_back().await;
            return;
        }
        let mut inner = self.inner();
        let Some(running) = &mut inner.trial else { return };
        running.starts = None;
        running.trial.is_in_force();
        if let Some(ports) = change.ports {
            inner.ports = ports;
            self.moved.notify_one();
        }
    }

    /// Returns to what was before a change that is not confirmed, if there is one. Whether there was.
    pub(crate) async fn go_back(self: &Arc<Self>) -> bool {
        let Some(running) = self.take_trial() else { return false };
        tracing::warn!("the change of the network was not confirmed: returning to what was before");
        let Running { change, before: (addressing, ports), starts, .. } = running;
        // Not even begun, there is nothing to undo.
        if change.addressing.is_some() && starts.is_none_or(|starts| starts <= Instant::now()) {
            self.set_again(addressing).await;
        }
        let own = Arc::clone(self);
        self.blocking(move || {
            let mut inner = own.inner();
            inner.file.before = None;
            write(&inner.file, &own.folder);
            inner.returning = false;
            if inner.ports != ports {
                inner.ports = ports;
                own.moved.notify_one();
            }
            inner.notes.push((Caller::Screen, false));
            own.noted.notify_one();
        })
        .await;
        true
    }

    fn take_trial(&self) -> Option<Running> {
        let mut inner = self.inner();
        let running = inner.trial.take()?;
        inner.returning = true;
        Some(running)
    }

    async fn set_again(self: &Arc<Self>, addressing: Addressing) {
        for left in (0..TRIES).rev() {
            let (own, addressing) = (Arc::clone(self), addressing.clone());
            let is_last = left == 0;
            let done = self.blocking(move || {
                if is_last {
                    set(&*own.interface, Some(&addressing));
                    return true;
                }
                own.interface.apply(&addressing).is_ok()
            });
            if done.await {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn refused(unconfirmed: Unconfirmed) -> Refused {
    match unconfirmed {
        Unconfirmed::NotYet => Refused::NotYet,
        Unconfirmed::Nothing => Refused::Nothing,
    }
}
