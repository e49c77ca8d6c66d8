//! What can happen next, and how often it does.

/// What a story is mostly about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Owners who forget their passwords, and mix up their mails.
    Forgetful,
    /// A stranger on the link, or before the screen, who guesses and guesses.
    Siege,
    /// A power line that fails all the time.
    Storm,
}

/// One thing that somebody does, or that happens.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    Activate,
    Open,
    Carry,
    Forge,
    Post,
    TakeTry,
    Redeem,
    SetPassword,
    TypePassword,
    LogIn,
    LogOut,
    ChangePassword,
    SetContacts,
    OpenConfirmation,
    TryConfirmation,
    Confirm,
    Restart,
    Pass,
    WholeWay,
    WholeConfirmation,
    Guesses,
    SetUp,
    WholeSetUp,
    Desk,
    LiftStops,
    FactoryReset,
    Transfer,
    TryTransfer,
    /// Without the code.
    GuessTransfer,
    WholeTransfer,
    GuessedTransfer,
    Test,
    WholeTest,
}

/// An owner's way back in, from *Forgot password* to the login.
pub(crate) const WAY: [Step; 11] = [
    Step::Open,
    Step::Carry,
    Step::Post,
    Step::Desk,
    Step::TakeTry,
    Step::Redeem,
    Step::TakeTry,
    Step::Redeem,
    Step::SetPassword,
    Step::TypePassword,
    Step::LogIn,
];
/// An owner who prepares.
pub(crate) const SET_UP: [Step; 5] = [Step::TypePassword, Step::LogIn, Step::SetUp, Step::SetUp, Step::SetUp];
/// An owner who sells the device, and the one who buys it.
pub(crate) const TRANSFER: [Step; 5] =
    [Step::TypePassword, Step::LogIn, Step::Transfer, Step::TryTransfer, Step::Activate];
/// A stranger who comes before the buyer, with a guess more than there are tries.
pub(crate) const GUESSED_TRANSFER: [Step; 11] = [
    Step::TypePassword,
    Step::LogIn,
    Step::Transfer,
    Step::GuessTransfer,
    Step::Activate,
    Step::GuessTransfer,
    Step::GuessTransfer,
    Step::GuessTransfer,
    Step::GuessTransfer,
    Step::GuessTransfer,
    Step::Pass,
];
/// An owner who tries a way out.
pub(crate) const TEST: [Step; 8] =
    [Step::TypePassword, Step::LogIn, Step::Test, Step::Carry, Step::Post, Step::Desk, Step::TakeTry, Step::Redeem];
/// An owner's way to a confirmed email.
pub(crate) const CONFIRMATION: [Step; 7] = [
    Step::TypePassword,
    Step::LogIn,
    Step::OpenConfirmation,
    Step::Carry,
    Step::Post,
    Step::TryConfirmation,
    Step::Confirm,
];

/// A stranger's way: a request, and all the tries that it bears and one more.
pub(crate) const GUESSES: [Step; 13] = [
    Step::Open,
    Step::TakeTry,
    Step::Redeem,
    Step::TakeTry,
    Step::Redeem,
    Step::TakeTry,
    Step::Redeem,
    Step::TakeTry,
    Step::Redeem,
    Step::TakeTry,
    Step::Redeem,
    Step::TakeTry,
    Step::Redeem,
];

impl Mood {
    /// How often each step is taken, of the sum of all.
    pub(crate) fn weights(self) -> Vec<(u64, Step)> {
        let (guessing, owning, restarting, whole, guesses) = match self {
            Self::Forgetful => (8, 5, 1, 3, 2),
            Self::Siege => (10, 0, 1, 0, 10),
            Self::Storm => (8, 5, 8, 3, 3),
        };
        let mut weights = vec![
            (2, Step::Activate),
            (3, Step::Open),
            (10, Step::Carry),
            (1, Step::Forge),
            (10, Step::Post),
            (guessing, Step::TakeTry),
            (guessing, Step::Redeem),
            (if self == Self::Siege { 1 } else { 5 }, Step::SetPassword),
            (owning, Step::TypePassword),
            (owning, Step::LogIn),
            (1, Step::LogOut),
            (2, Step::ChangePassword),
            (1, Step::SetContacts),
            (2, Step::OpenConfirmation),
            (4, Step::TryConfirmation),
            (3, Step::Confirm),
            (restarting, Step::Restart),
            (10, Step::Pass),
            (whole, Step::WholeWay),
            (whole, Step::WholeConfirmation),
            (guesses, Step::Guesses),
            (2, Step::SetUp),
            (if self == Self::Siege { 1 } else { 3 }, Step::WholeSetUp),
            (if self == Self::Siege { 2 } else { 6 }, Step::Desk),
            (if self == Self::Siege { 0 } else { 1 }, Step::LiftStops),
            (if self == Self::Siege { 0 } else { 2 }, Step::TryTransfer),
            (if self == Self::Siege { 0 } else { 2 }, Step::Test),
            (if self == Self::Siege { 0 } else { 2 }, Step::WholeTest),
        ];
        // Once in a long while.
        weights.iter_mut().for_each(|(weight, _)| *weight *= 8);
        weights.push((1, Step::FactoryReset));
        // It forgets what a siege has counted so far.
        if self != Self::Siege {
            weights.extend([(1, Step::Transfer), (3, Step::WholeTransfer), (3, Step::GuessedTransfer)]);
        }
        weights
    }
}
