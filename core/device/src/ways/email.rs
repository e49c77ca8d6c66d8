//! Reserved email: the device's own code, carried to the owner by the service.
//!
//! An email that was never confirmed counts as ready, and says so. A mistyped one would send the code to a stranger, who can do nothing
//! with it without standing before the device or on its link; refusing it would lock out every owner who skipped one step.

use super::{Readiness, Why};
use crate::state::Owner;

pub(crate) fn readiness(owner: &Owner, closed: bool) -> Readiness {
    if owner.contacts.is_empty() {
        Readiness::NotReady(Why::NotSetUp)
    } else if closed {
        Readiness::NotReady(Why::TooManyWrongCodes)
    } else if owner.contacts.iter().all(|contact| contact.confirmed.is_none()) {
        Readiness::Unproven
    } else {
        Readiness::Ready
    }
}
