//! Counters of tries, from the tables of `docs/design/004-ways-back-in.md`.

use sparekey_device::ways::Way;

use crate::proofs::Given;

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Codes,
    Files,
    Sheet,
    Answers,
}

impl Class {
    pub(crate) fn of(way: Way) -> Self {
        match way {
            Way::Email | Way::SecurityCode => Self::Codes,
            Way::Desk | Way::KeyFile => Self::Files,
            Way::Sheet => Self::Sheet,
            Way::Questions => Self::Answers,
        }
    }

    pub(crate) fn of_given(given: &Given) -> Self {
        match given {
            Given::Code(_) => Self::Codes,
            Given::KeyFile(_) | Given::Grant(_) => Self::Files,
            Given::SheetCode(_) => Self::Sheet,
            Given::Answers(_) => Self::Answers,
        }
    }

    fn waits(self) -> &'static [u64] {
        match self {
            Self::Codes | Self::Sheet => &[60, 300, 900, 3_600],
            Self::Files => &[1_800],
            Self::Answers => &[300, 1_800, 14_400, 43_200],
        }
    }

    /// Wrong ones over all requests that begin a wait.
    fn row(self) -> Option<u8> {
        match self {
            Self::Codes => None,
            Self::Files => Some(7),
            Self::Sheet | Self::Answers => Some(5),
        }
    }

    fn stop(self) -> Option<u32> {
        match self {
            Self::Codes => Some(100),
            Self::Answers => Some(20),
            Self::Files | Self::Sheet => None,
        }
    }
}

/// What is counted for callers of one kind and proofs of one class.
#[derive(Clone, Debug, Default)]
struct Guard {
    waits: usize,
    wait_began: u64,
    wrong_in_row: u32,
    row: u8,
}

/// For the screen and for the link, of each class.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guards([[Guard; 4]; 2]);

impl Guards {
    fn of(&self, class: Class, on_link: bool) -> &Guard {
        &self.0[usize::from(on_link)][class as usize]
    }

    fn of_mut(&mut self, class: Class, on_link: bool) -> &mut Guard {
        &mut self.0[usize::from(on_link)][class as usize]
    }

    pub(crate) fn left(&self, class: Class, on_link: bool, counted: u64) -> u64 {
        let guard = self.of(class, on_link);
        match guard.waits {
            0 => 0,
            waits => class.waits()[waits - 1].saturating_sub(counted - guard.wait_began),
        }
    }

    pub(crate) fn begin_wait(&mut self, class: Class, on_link: bool, counted: u64) {
        let guard = self.of_mut(class, on_link);
        if counted - guard.wait_began >= 24 * 3_600 {
            guard.waits = 0;
        }
        guard.waits = (guard.waits + 1).min(class.waits().len());
        guard.wait_began = counted;
    }

    pub(crate) fn tries_left(&self, class: Class, on_link: bool, counted: u64) -> Option<u8> {
        let row = class.row()?;
        let waits = self.left(class, on_link, counted) > 0;
        Some(if waits { 0 } else { row - self.of(class, on_link).row })
    }

    pub(crate) fn count(&mut self, class: Class, on_link: bool, counted: u64) {
        let guard = self.of_mut(class, on_link);
        guard.wrong_in_row += 1;
        if let Some(row) = class.row() {
            guard.row += 1;
            if guard.row == row {
                guard.row = 0;
                self.begin_wait(class, on_link, counted);
            }
        }
    }

    /// A right one that was to change nothing.
    pub(crate) fn uncount(&mut self, class: Class, on_link: bool) {
        let guard = self.of_mut(class, on_link);
        guard.wrong_in_row = guard.wrong_in_row.saturating_sub(1);
        guard.row = guard.row.saturating_sub(1);
    }

    pub(crate) fn is_closed(&self, class: Class, on_link: bool) -> bool {
        class.stop().is_some_and(|stop| self.of(class, on_link).wrong_in_row >= stop)
    }

    pub(crate) fn reset_side(&mut self, on_link: bool) {
        self.0[usize::from(on_link)] = <[Guard; 4]>::default();
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn lift_stops(&mut self) {
        self.0.iter_mut().flatten().for_each(|guard| guard.wrong_in_row = 0);
    }
}
