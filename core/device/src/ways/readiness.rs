//! Which ways back in are ready, for whom, and whether there are enough of them.

use alloc::vec::Vec;

use sparekey_protocol::Time;

use super::{Readiness, Way, Why, email, key_file, questions, security_code, sheet};
use crate::device::{Caller, Device, Side};

/// Fewer independent ways than these are worth a warning.
pub const FEWEST: usize = 2;

/// A way back in, as its owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayView {
    /// The way.
    pub way: Way,
    /// Whether it would work now, for the caller who asks.
    pub readiness: Readiness,
    /// The owner's switch. One that is on can still not be ready.
    pub on: bool,
    /// When it was last found to work, by the device's clock: by a dry test, or by a recovery.
    pub tested: Option<Time>,
    /// For the recovery sheet: how many of its codes are left.
    pub codes_left: Option<usize>,
}

impl Device {
    /// The ways back in, the likeliest first, each as it stands for this caller.
    #[must_use]
    pub fn ways(&self, caller: Caller) -> Vec<WayView> {
        Way::ALL.into_iter().map(|way| self.way(caller, way)).collect()
    }

    /// One way back in, as it stands for this caller.
    #[must_use]
    pub fn way(&self, caller: Caller, way: Way) -> WayView {
        let set_up = self.state().owner.as_ref().map(|owner| &owner.set_up);
        let sheet = set_up.and_then(|set_up| set_up.sheet.as_ref()).filter(|_| way == Way::Sheet);
        WayView {
            way,
            readiness: self.readiness(way, caller.side()),
            on: set_up.is_none_or(|set_up| set_up.switches.is_on(way)),
            tested: set_up.and_then(|set_up| set_up.tested(way)),
            codes_left: sheet.map(sheet::Sheet::left),
        }
    }

    /// How many ways would work that have nothing in common: losing what one of them needs leaves the others.
    ///
    /// Two reserved emails are one way. The desk and the security code are one, and count once a test showed that there is a
    /// desk. Questions that count only beside another way are none.
    #[must_use]
    pub fn independent_ways(&self, caller: Caller) -> usize {
        let side = caller.side();
        let works = |way| !matches!(self.readiness(way, side), Readiness::NotReady(_));
        let proven = |way| self.readiness(way, side) == Readiness::Ready;
        let alone = !self.policy().questions_beside();
        let ways = [
            works(Way::Email),
            works(Way::Sheet),
            works(Way::KeyFile),
            proven(Way::Desk) || proven(Way::SecurityCode),
            alone && works(Way::Questions),
        ];
        ways.into_iter().filter(|counts| *counts).count()
    }

    /// Whether a way is ready for callers of a kind.
    pub(crate) fn readiness(&self, way: Way, side: Side) -> Readiness {
        self.check(way, side).unwrap_or_else(Readiness::NotReady)
    }

    fn check(&self, way: Way, side: Side) -> Result<Readiness, Why> {
        let owner = self.state().owner.as_ref().ok_or(Why::NotActive)?;
        if way.needs_service() && owner.set_up.switches.no_service {
            return Err(Why::NoService);
        }
        if !owner.set_up.switches.is_on(way) {
            return Err(Why::SwitchedOff);
        }
        let guards = &self.state().guards;
        match way {
            Way::Email => email::check(owner, guards, side)?,
            Way::KeyFile => key_file::check(owner)?,
            Way::Sheet => sheet::check(owner)?,
            Way::Questions => {
                questions::check(owner, self.policy(), guards, side)?;
                let mut others = Way::ALL.into_iter().filter(|other| other.goes_beside_questions());
                if self.policy().questions_beside() && others.all(|other| self.check(other, side).is_err()) {
                    return Err(Why::NeedsSecondWay);
                }
            }
            Way::SecurityCode => security_code::check(self.identity(), guards, side)?,
            // Its digits may be closed: the grant is not.
            Way::Desk => {}
        }
        let proven = match way {
            Way::Email => email::is_proven(owner),
            _ => owner.set_up.tested(way).is_some(),
        };
        Ok(if proven { Readiness::Ready } else { Readiness::Unproven })
    }
}
