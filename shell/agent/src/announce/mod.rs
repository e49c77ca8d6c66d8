//! The device says on its links that it is there (protocol section 10), so that whoever lost everything but a cable finds it: by
//! multicast DNS, and as an ONVIF device by WS-Discovery.
//!
//! A thread of its own has the sockets: neither a slow hash nor a restart of the agent keeps a searcher waiting. When and whom to answer is
//! decided in `sparekey-discovery`.

mod speaker;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sparekey_device::ways::Readiness;
use sparekey_device::{Caller, Device, Now};
use sparekey_discovery::{Announcement, State};
use sparekey_link::{Ports, Waker};

use crate::announce::speaker::{Door, Speaker};
use crate::app::App;
use crate::settings::Settings;
use crate::sockets::Addresses;

/// How often the device is looked at: a change is told within this.
const LOOK: Duration = Duration::from_secs(1);

/// What both threads see.
#[derive(Debug, Default)]
struct Shared {
    /// What is to be announced, if it changed.
    next: Mutex<Option<Announcement>>,
    over: AtomicBool,
}

/// Announces the device until it is dropped; then it says goodbye.
#[derive(Debug)]
pub(crate) struct Announcer {
    shared: Arc<Shared>,
    waker: Arc<Waker>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

impl Announcer {
    /// Begins, with nothing to say yet. `None` if the settings do not want it, or nobody outside can reach this device, or the system
    /// refuses.
    pub(crate) fn start(settings: &Settings, addresses: Addresses) -> Option<Self> {
        // The LAN tool's socket is announced; without one, the main one answers it.
        let listener = addresses.lan.unwrap_or(addresses.main);
        if !settings.announce || listener.ip().to_canonical().is_loopback() {
            return None;
        }
        let shared = Arc::new(Shared::default());
        let started = Ports::<Door>::new().and_then(|ports| {
            let waker = ports.waker();
            let speaker = Speaker::new(ports, listener.ip(), addresses.main.port(), settings.title.clone());
            let own = Arc::clone(&shared);
            let thread = thread::Builder::new().name("announcer".to_owned()).spawn(move || speaker.run(&own))?;
            Ok((waker, thread))
        });
        let (waker, thread) =
            started.inspect_err(|error| tracing::warn!(%error, "the device cannot be announced on its links")).ok()?;
        Some(Self { shared, waker, port: listener.port(), thread: Some(thread) })
    }

    /// Looks at the device for as long as it is waited for, and has each change told.
    pub(crate) async fn follow(&self, app: &App) {
        let mut told = None;
        loop {
            let now = app.look(|device, now| describe(device, now, self.port)).await;
            if told.as_ref() != Some(&now) {
                *self.shared.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(now.clone());
                let _ = self.waker.wake();
                told = Some(now);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a device says of itself to everybody.
fn describe(device: &Device, now: Now, port: u16) -> Announcement {
    let identity = device.identity();
    let certificate = identity.certificate();
    // As callers on the link find it.
    let ways = device.ways(Caller::Link(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    let ready = ways.iter().filter(|view| !matches!(view.readiness, Readiness::NotReady(_)));
    Announcement {
        device_id: certificate.device_id().0,
        serial: certificate.serial.to_string(),
        model: certificate.model.to_string(),
        firmware: identity.firmware().to_string(),
        state: if device.is_active() { State::Active } else { State::Inactive },
        ways: ready.map(|view| view.way.name().to_owned()).collect(),
        start_time: now.started.0,
        port,
    }
}
