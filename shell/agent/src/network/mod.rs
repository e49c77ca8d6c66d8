//! The network of the device itself: looked at, changed on trial, and put back unless the change is confirmed.
//!
//! What may be set is decided in `sparekey-device`; how it is set on a system is a [`NetworkInterface`]'s. In between is this: the file that a
//! start goes by (`kept`), the minute in which somebody has to reach the device with its new settings, and the way back (`trial`).

mod kept;
mod linux;
mod trial;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sparekey_device::{Addressing, Caller, ChangedLine, ListenPorts, NetworkChange, NetworkInForce, NetworkWanted};
use tokio::sync::Notify;

pub use self::linux::Linux;
use self::{
    kept::{File, Kept},
    trial::Running,
};
use crate::failure::Failure;
use crate::files::Folder;
use crate::refusal;
use crate::sockets::Addresses;

/// One network interface of the device, as its system sets it. Calls may take seconds.
///
/// Nothing but IPv4 is touched: the IPv6 link-local address stays, by which a device that was set wrongly is still found. A firmware brings its
/// own; [`Linux`] is that of a system with iproute2.
pub trait NetworkInterface: fmt::Debug + Send + Sync {
    /// The system's name of it.
    fn name(&self) -> String;

    /// Its hardware address, `68:6d:bc:01:02:03`.
    fn mac(&self) -> Option<String>;

    /// Whether this device can get an address by DHCP.
    fn has_dhcp(&self) -> bool;

    /// What it has now.
    ///
    /// # Errors
    /// The system's.
    fn in_force(&self) -> io::Result<NetworkInForce>;

    /// Sets it, whatever it has now. Done twice it is as done once; it need not outlive a restart of the system.
    ///
    /// # Errors
    /// The system's; part of it may then be done.
    fn apply(&self, addressing: &Addressing) -> io::Result<()>;
}

/// Why the network is not looked at or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No interface is named.
    NotManaged,
    /// DHCP, without a client.
    NoDhcp,
    /// From DHCP, without a client that could go back to it.
    NoWayBack,
    /// The listeners are at one address.
    OneAddress,
    /// The system does not tell.
    Unreadable,
    /// A change waits to be confirmed.
    UnderWay {
        /// For so many seconds at most.
        retry_after: u64,
    },
    /// The change is not in force yet.
    NotYet,
    /// Nothing waits for this confirmation.
    Nothing,
    /// Another program has the port of this field.
    PortTaken(&'static str),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Network(refused)
    }
}

/// What the interface calls tell.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) mac: Option<String>,
    pub(crate) in_force: NetworkInForce,
    pub(crate) ports: ListenPorts,
}

/// A change that was found to be possible.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) lines: Vec<ChangedLine>,
    change: NetworkChange,
    before: Addressing,
    /// How many there had been when it was made.
    changes: u64,
}

impl Plan {
    pub(crate) fn is_nothing(&self) -> bool {
        self.change.is_nothing()
    }
}

/// The device's network, over all restarts of the agent.
#[derive(Debug)]
pub(crate) struct Network {
    interface: Arc<dyn NetworkInterface>,
    folder: Folder,
    began: Instant,
    within: Duration,
    inner: Mutex<Inner>,
    /// The trial is another.
    wake: Notify,
    /// The listeners are to move.
    moved: Notify,
    /// There is something to put on record.
    noted: Notify,
}

#[derive(Debug)]
struct Inner {
    file: File,
    ports: ListenPorts,
    /// Whether the listeners are at all addresses of the device.
    everywhere: bool,
    trial: Option<Running>,
    /// How many there were.
    changes: u64,
    /// The device is on its way back.
    returning: bool,
    /// What is to be put on record: who, and whether it was confirmed.
    notes: Vec<(Caller, bool)>,
}

impl Network {
    /// Takes an interface, and sets it as it was confirmed last: what waited for its confirmation when the power failed is gone.
    /// A change waits `within` to be confirmed.
    pub(crate) async fn open(interface: Arc<dyn NetworkInterface>, folder: Folder, within: Duration) -> Arc<Self> {
        let opening = tokio::task::spawn_blocking(move || Self::open_blocking(interface, folder, within));
        Arc::new(opening.await.expect("opening does not panic"))
    }

    fn open_blocking(interface: Arc<dyn NetworkInterface>, folder: Folder, within: Duration) -> Self {
        let mut file = File::read(&folder).unwrap_or_else(|error| {
            tracing::error!(%error, "network.json cannot be read: the network stays as the system sets it");
            File::default()
        });
        let mut notes = Vec::new();
        let before = file.before.take();
        if let Some(before) = &before {
            tracing::warn!("a change of the network was not confirmed before the agent stopped: returning from it");
            set(&*interface, before.addressing.as_ref().or(file.kept.addressing.as_ref()));
            notes.push((Caller::Screen, false));
            write(&file, &folder);
        } else {
            set(&*interface, file.kept.addressing.as_ref());
        }
        let inner = Inner {
            file,
            ports: ListenPorts { main: 0, lan: None },
            everywhere: false,
            trial: None,
            changes: 0,
            returning: false,
            notes,
        };
        Self {
            interface,
            folder,
            began: Instant::now(),
            within,
            inner: Mutex::new(inner),
            wake: Notify::new(),
            moved: Notify::new(),
            noted: Notify::new(),
        }
    }

    /// The ports that were confirmed, if any were ever set over the network.
    pub(crate) fn kept_ports(&self) -> Option<ListenPorts> {
        self.inner().file.kept.ports
    }

    /// Where the listeners are.
    pub(crate) fn listening(&self, addresses: Addresses) {
        let mut inner = self.inner();
        inner.ports = ListenPorts { main: addresses.main.port(), lan: addresses.lan.map(|lan| lan.port()) };
        let all = [Some(addresses.main), addresses.lan];
        inner.everywhere = all.into_iter().flatten().all(|address| address.ip().is_unspecified());
    }

    /// The ports that are wanted now.
    pub(crate) fn ports(&self) -> ListenPorts {
        self.inner().ports
    }

    /// How long a change waits to be confirmed, in seconds.
    pub(crate) fn confirm_within(&self) -> u64 {
        self.within.as_secs()
    }

    /// What is in force.
    pub(crate) async fn look(self: &Arc<Self>) -> Result<Seen, Refused> {
        let own = Arc::clone(self);
        self.blocking(move || {
            let in_force = own.interface.in_force().map_err(|error| {
                tracing::warn!(%error, "the network cannot be read");
                Refused::Unreadable
            })?;
            Ok(Seen { name: own.interface.name(), mac: own.interface.mac(), in_force, ports: own.ports() })
        })
        .await
    }

    /// What would change, if it can.
    pub(crate) async fn plan(self: &Arc<Self>, wanted: NetworkWanted) -> Result<Plan, Failure> {
        let changes = {
            let inner = self.inner();
            inner.is_free(self.now())?;
            inner.changes
        };
        let Seen { in_force, ports, .. } = self.look().await?;
        let change = wanted.change(&in_force, ports).map_err(refusal::bad_network)?;
        let plan = Plan { lines: change.lines(&in_force, ports), before: in_force.addressing(), change, changes };
        let own = Arc::clone(self);
        self.blocking(move || own.possible(&plan).map(|()| plan)).await.map_err(Failure::from)
    }

    /// Whether the device can do it, and return from it.
    fn possible(&self, Plan { change, before, .. }: &Plan) -> Result<(), Refused> {
        if let Some(addressing) = &change.addressing {
            let has_dhcp = self.interface.has_dhcp();
            if *addressing == Addressing::Dhcp && !has_dhcp {
                return Err(Refused::NoDhcp);
            }
            if *before == Addressing::Dhcp && !has_dhcp {
                return Err(Refused::NoWayBack);
            }
            if !self.inner().everywhere {
                return Err(Refused::OneAddress);
            }
        }
        let Some(wanted) = change.ports else { return Ok(()) };
        let own = self.ports();
        for (port, field) in [(Some(wanted.main), "ports.main"), (wanted.lan, "ports.lan")] {
            let is_own = port == Some(own.main) || port == own.lan;
            if port.is_some_and(|port| !is_own && !is_vacant(port)) {
                return Err(Refused::PortTaken(field));
            }
        }
        Ok(())
    }

    /// Waits until the listeners are to move.
    pub(crate) async fn moves(&self) {
        self.moved.notified().await;
    }

    /// What is to be put on record, once there is something.
    pub(crate) async fn notes(&self) -> Vec<(Caller, bool)> {
        loop {
            let notes = std::mem::take(&mut self.inner().notes);
            if !notes.is_empty() {
                return notes;
            }
            self.noted.notified().await;
        }
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        tokio::task::spawn_blocking(work).await.expect("looking at the network does not panic")
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds of running time.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Inner {
    /// Whether no change waits for its confirmation, at this running time in milliseconds.
    fn is_free(&self, now: u64) -> Result<(), Refused> {
        match &self.trial {
            Some(running) => {
                Err(Refused::UnderWay { retry_after: running.trial.ends().saturating_sub(now) / 1_000 + 1 })
            }
            None if self.returning => Err(Refused::UnderWay { retry_after: 5 }),
            None => Ok(()),
        }
    }
}

/// Sets what is named; a failure is logged, and the device goes on: it is still reached by IPv6.
fn set(interface: &dyn NetworkInterface, addressing: Option<&Addressing>) {
    if let Some(Err(error)) = addressing.map(|addressing| interface.apply(addressing)) {
        tracing::error!(%error, interface = interface.name(), "the network cannot be set");
    }
}

fn write(file: &File, folder: &Folder) {
    if let Err(error) = file.write(folder) {
        tracing::error!(%error, "network.json cannot be written");
    }
}

/// Whether nobody listens there.
fn is_vacant(port: u16) -> bool {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)) {
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => false,
        Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok(),
    }
}
