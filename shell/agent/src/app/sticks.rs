//! Sticks at the device's own screen. Callers from the network neither see nor use any.

use sparekey_device::Caller;
use zeroize::Zeroizing;

use super::App;
use crate::failure::{Failure, Malformed};
use crate::removable::{NewFile, Stick};
use crate::visitor::Visitor;

const NOT_READ: Malformed = Malformed {
    field: "file",
    title: "This file cannot be read from the stick.",
    detail: "See that the stick is in and the file is still there, and look again.",
};
const NOT_WRITTEN: Malformed = Malformed {
    field: "stick",
    title: "The stick cannot be written to.",
    detail: "See that it is in, has room and is not locked, or save the file elsewhere.",
};

impl App {
    /// The sticks that are in; `None` for who is not at the device's own screen, and where the device has no place for sticks.
    pub(crate) async fn sticks(&self, visitor: &Visitor) -> Option<Vec<Stick>> {
        if !matches!(visitor.caller, Caller::Screen) || self.removable.is_none() {
            return None;
        }
        let removable = self.removable.clone();
        // A task that panicked found none.
        Some(tokio::task::spawn_blocking(move || removable.sticks()).await.unwrap_or_default())
    }

    /// A file on a stick.
    pub(crate) async fn read_stick(
        &self,
        visitor: &Visitor,
        place: String,
        name: String,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        at_screen(visitor)?;
        let removable = self.removable.clone();
        let read = tokio::task::spawn_blocking(move || removable.read(&place, &name)).await;
        read.ok().and_then(Result::ok).ok_or_else(|| NOT_READ.into())
    }

    /// Saves a new key file to a stick, and says under what name. The place for it is made first, so that a stick which takes nothing
    /// does not cost the file from before.
    pub(crate) async fn export_to_stick(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        place: String,
        stem: String,
    ) -> Result<String, Failure> {
        at_screen(visitor)?;
        let removable = self.removable.clone();
        let new = tokio::task::spawn_blocking(move || removable.create(&place, &stem)).await;
        let new: NewFile = new.ok().and_then(Result::ok).ok_or(NOT_WRITTEN)?;
        let file = Zeroizing::new(self.export_key_file(visitor, password).await?.to_string());
        let written = tokio::task::spawn_blocking(move || new.write(file.as_bytes())).await;
        written.ok().and_then(Result::ok).ok_or_else(|| NOT_WRITTEN.into())
    }
}

fn at_screen(visitor: &Visitor) -> Result<(), Failure> {
    if matches!(visitor.caller, Caller::Screen) { Ok(()) } else { Err(Failure::NotAtScreen) }
}
