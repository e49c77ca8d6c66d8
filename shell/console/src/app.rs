//! What all pages use: the picture of the link, and devices met.

use std::{path::Path, sync::Arc};

use http::StatusCode;
use sparekey_lan::{
    LanError, Row,
    device::{Address, Belief, CallError, Device, Known, MeetError},
};
use sparekey_protocol::PublicKey;
use sparekey_web::page::{Banner, Tone};

use crate::{
    jobs::Jobs,
    watch::{Picture, Trust, Watch},
};

/// The state of the window.
pub(crate) struct App {
    watch: Watch,
    trust: Arc<Trust>,
    pub(crate) jobs: Jobs,
}

/// Why something was not done: two lines, at a status.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) status: StatusCode,
    pub(crate) banner: Banner,
}

impl Trouble {
    pub(crate) fn new(happened: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, banner: Banner::new(Tone::Error, happened, to_do) }
    }

    /// An error of `sparekey-lan`, which says both lines itself.
    pub(crate) fn of(error: &impl ToString) -> Self {
        let text = error.to_string();
        let (happened, to_do) = text.split_once('\n').unwrap_or((&text, ""));
        let mut letters = happened.chars();
        let happened: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        Self::new(happened, to_do)
    }
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Self {
        if let CallError::Refused(problem) = &error
            && let Some(left) = problem.tries_left
        {
            return Self::new(problem.title.clone(), format!("{} {left} tries are left.", problem.detail));
        }
        Self::of(&error)
    }
}

impl From<MeetError> for Trouble {
    fn from(error: MeetError) -> Self {
        match error {
            MeetError::Call(error) => error.into(),
            other => Self::of(&other),
        }
    }
}

impl App {
    pub(crate) fn new(maker: Option<PublicKey>, known: &Path) -> Result<Self, LanError> {
        let trust = Arc::new(Trust { maker, known: Known::new(known) });
        Ok(Self { watch: Watch::begin(Arc::clone(&trust))?, trust, jobs: Jobs::default() })
    }

    pub(crate) fn picture(&self) -> Picture {
        self.watch.picture()
    }

    /// Has every Sparekey device called: what that shows comes into the picture.
    pub(crate) fn call_devices(&self) {
        self.watch.call();
    }

    pub(crate) fn row(&self, id: u32) -> Option<Row> {
        self.picture().rows.into_iter().find(|row| row.id == id)
    }

    pub(crate) fn stop(&self) {
        self.watch.stop();
    }

    /// Meets the device of a row: at the first of its addresses at which it proves who it is. A changed key is never outshouted by an address that
    /// does not answer. Blocks.
    pub(crate) fn meet(&self, row: &Row) -> Result<Device, Trouble> {
        let gone = || Trouble::new("This device is not on the link any more.", "Look at the list again.");
        let serial = row.serial.as_deref().filter(|_| row.device_id.is_some()).ok_or_else(gone)?;
        let port = row.ports.iter().find(|port| port.name == "sparekey").map(|port| port.port);
        let belief = self.belief();
        let mut last = None;
        for address in row.addresses.iter().filter_map(|address| Address::read(address, port).ok()) {
            match Device::meet(address, Some(serial), &belief) {
                Ok(device) => return Ok(device),
                Err(error @ MeetError::KeyChanged { .. }) => return Err(error.into()),
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(gone, Trouble::from))
    }

    /// Whom to believe.
    pub(crate) fn belief(&self) -> Belief<'_> {
        self.trust.belief()
    }

    /// Does what blocks, with the device of a row: it is met and let go of on the thread that blocks.
    pub(crate) async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        row: Row,
        work: impl FnOnce(&Device) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let app = Arc::clone(self);
        Self::blocking(move || work(&app.meet(&row)?)).await
    }

    /// Does what blocks.
    pub(crate) async fn blocking<T: Send + 'static>(
        work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| {
            Err(Trouble::new("Something went wrong in this program.", "Do it again; if it stays, report it."))
        })
    }
}
