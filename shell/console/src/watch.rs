//! The link, looked at by a thread of its own as long as the window is open.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sparekey_lan::{Finder, LanError, Row, doctor::Finding};

const STEP: Duration = Duration::from_millis(50);
/// Between two pictures: nobody reads faster.
const EVERY: Duration = Duration::from_millis(500);

/// What was found, as it was a moment ago.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picture {
    pub(crate) rows: Vec<Row>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) interfaces: Vec<Here>,
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
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Watch {
    pub(crate) fn begin() -> Result<Self, LanError> {
        let mut finder = Finder::new(Vec::new())?;
        let (picture, over) = (Arc::new(Mutex::new(Picture::default())), Arc::new(AtomicBool::new(false)));
        let (shown, ends) = (Arc::clone(&picture), Arc::clone(&over));
        let thread = thread::spawn(move || {
            let mut told = Instant::now() - EVERY;
            while !ends.load(Ordering::Relaxed) {
                if let Err(error) = finder.step(STEP) {
                    tracing::warn!(%error, "the link cannot be searched");
                    thread::sleep(EVERY);
                }
                if told.elapsed() >= EVERY {
                    told = Instant::now();
                    let now = look(&finder);
                    *shown.lock().unwrap_or_else(PoisonError::into_inner) = now;
                }
            }
        });
        Ok(Self { picture, over, thread: Mutex::new(Some(thread)) })
    }

    pub(crate) fn picture(&self) -> Picture {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

fn look(finder: &Finder) -> Picture {
    let interfaces = finder.interfaces().iter().map(|interface| {
        let v4 = interface.link.v4.iter().map(|own| format!("{}/{}", own.address, own.bits));
        let v6 = interface.link.v6.iter().map(ToString::to_string);
        Here { name: interface.name.clone(), addresses: v4.chain(v6).collect() }
    });
    Picture { rows: finder.rows(), findings: finder.findings(&[]), interfaces: interfaces.collect() }
}
