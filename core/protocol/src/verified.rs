use core::ops::Deref;

/// A value whose every check has passed.
///
/// Only the opening functions of this crate make one, so holding a `Verified<T>` is the proof that the signatures held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// To be called at the end of an opening function, and nowhere else.
    pub(crate) fn after_all_checks(value: T) -> Self {
        Self(value)
    }

    /// The value, without the proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
