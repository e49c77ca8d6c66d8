//! The link, looked at by a thread of its own as long as the window is open.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sparekey_lan::{
    Finder, LanError, Row,
    device::{Belief, Known},
    doctor::{Checkup, Finding},
};
use sparekey_protocol::PublicKey;

const STEP: Duration = Duration::from_millis(50);
/// Between two pictures: nobody reads faster.
const EVERY: Duration = Duration::from_millis(500);

/// What was found, as it was a moment ago.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picture {
    pub(crate) rows: Vec<Row>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) interfaces: Vec<Here>,
    /// Whether devices are being called, to see what the link alone does not show.
    pub(crate) calls: bool,
}

/// Whom to believe.
pub(crate) struct Trust {
    pub(crate) maker: Option<PublicKey>,
    pub(crate) known: Known,
}

impl Trust {
    pub(crate) fn belief(&self) -> Belief<'_> {
        Belief { maker: self.maker.as_ref(), known: &self.known }
    }
}

/// An interface of this computer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Here {
    pub(crate) name: String,
    pub(crate) addresses: Vec<String>,
}

/// A search that goes on.
pub(crate) struct Watch {
    picture: Arc<Mutex<Picture>>,
    over: Arc<AtomicBool>,
    /// That devices are to be called.
    wanted: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Watch {
    pub(crate) fn begin(trust: Arc<Trust>) -> Result<Self, LanError> {
        let mut finder = Finder::new(Vec::new())?;
        let (picture, over) = (Arc::new(Mutex::new(Picture::default())), Arc::new(AtomicBool::new(false)));
        let (shown, ends) = (Arc::clone(&picture), Arc::clone(&over));
        let wanted = Arc::new(AtomicBool::new(false));
        let calls = Arc::clone(&wanted);
        let thread = thread::spawn(move || {
            let mut told = Instant::now() - EVERY;
            let mut called = Vec::new();
            while !ends.load(Ordering::Relaxed) {
                if let Err(error) = finder.step(STEP) {
                    tracing::warn!(%error, "the link cannot be searched");
                    thread::sleep(EVERY);
                }
                if told.elapsed() >= EVERY {
                    told = Instant::now();
                    let now = look(&finder, &called);
                    *shown.lock().unwrap_or_else(PoisonError::into_inner) = now;
                }
                if calls.load(Ordering::Relaxed) {
                    called = Checkup::of_link(&mut finder, &trust.belief()).findings;
                    calls.store(false, Ordering::Relaxed);
                }
            }
        });
        Ok(Self { picture, over, wanted, thread: Mutex::new(Some(thread)) })
    }

    pub(crate) fn picture(&self) -> Picture {
        let picture = self.picture.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Picture { calls: self.wanted.load(Ordering::Relaxed), ..picture }
    }

    /// Has the Sparekey devices called, and what that shows kept with the rest.
    pub(crate) fn call(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

/// What is on the link now, with what calls have shown besides.
fn look(finder: &Finder, called: &[Finding]) -> Picture {
    let interfaces = finder.interfaces().iter().map(|interface| {
        let v4 = interface.link.v4.iter().map(|own| format!("{}/{}", own.address, own.bits));
        let v6 = interface.link.v6.iter().map(ToString::to_string);
        Here { name: interface.name.clone(), addresses: v4.chain(v6).collect() }
    });
    let mut findings = finder.findings(&[]);
    let besides: Vec<_> =
        called.iter().filter(|more| findings.iter().all(|told| told.happened != more.happened)).collect();
    findings.extend(besides.into_iter().cloned());
    Picture { rows: finder.rows(), findings, interfaces: interfaces.collect(), calls: false }
}
