use core::fmt;

use crate::{device::Device, state::State};

/// A command's effect, before it is one: the next state and the answer, locked up together.
///
/// The answer comes out only after the state was stored. Dropped, it leaves the device as it was.
#[must_use = "nothing has happened until it is committed"]
pub struct Change<'d, A> {
    device: &'d mut Device,
    next: State,
    answer: A,
}

impl<'d, A> Change<'d, A> {
    pub(crate) fn new(device: &'d mut Device, next: State, answer: A) -> Self {
        Self { device, next, answer }
    }

    /// Stores the next state (the vault's bytes are `store`'s argument), makes it the device's, and answers.
    ///
    /// # Errors
    /// The store's, and the device is as it was.
    pub fn commit<E>(self, store: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<A, E> {
        store(&self.next.encode())?;
        self.device.replace(self.next);
        Ok(self.answer)
    }
}

impl<A> fmt::Debug for Change<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change(not committed)")
    }
}
