//! The presence detector: whether somebody stands before the device.
//!
//! A device has a button, and the button is a file: while `presence/button` is in the device's folder, it is pressed. A firmware
//! lets the driver of a real button put the file there and take it away. A press counts once it was held for ten seconds, and
//! once: it has to be seen released before, so that a button which is stuck, or a file that was forgotten, is no hand. Then
//! the screen has two minutes for one act.
//!
//! Who can write into the folder can replace the vault, too: the file opens nothing that was closed to them.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sparekey_device::Presence;

/// How long a button has to be held.
pub(crate) const HOLD: Duration = Duration::from_secs(10);
/// For how long a hand counts as being there.
const PRESENT: Duration = Duration::from_secs(120);
/// Between two looks at the button.
const LOOK: Duration = Duration::from_millis(250);

/// The folder of the button, in the device's folder.
pub(crate) const FOLDER: &str = "presence";
const BUTTON: &str = "button";

/// The time in which somebody who showed to be there may act. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hand(Arc<Mutex<Option<Instant>>>);

impl Hand {
    /// Seconds left to act; none if nobody is there.
    pub(crate) fn seconds_left(&self) -> Option<u64> {
        let until = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let left = until.checked_duration_since(Instant::now())?;
        Some(left.as_secs().max(1))
    }

    /// The one act that a press is good for.
    pub(crate) fn take(&self) -> Option<Presence> {
        let until = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        (Instant::now() < until).then(Presence::detected)
    }

    /// Somebody held the button long enough.
    pub(crate) fn shown(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PRESENT);
    }
}

/// Looks at the button in this folder, which it makes, for as long as it is polled.
pub(crate) async fn watch(folder: PathBuf, hand: Hand) {
    if let Err(error) = DirBuilder::new().recursive(true).mode(0o700).create(&folder) {
        tracing::warn!(%error, "the folder of the button cannot be made: a factory reset is not possible");
    }
    let file = folder.join(BUTTON);
    let mut button = Button::default();
    loop {
        // What cannot be read is not pressed.
        let pressed = file.try_exists().unwrap_or(false);
        if button.look(pressed, Instant::now()) {
            tracing::warn!("the button was held: somebody stands before the device");
            hand.shown();
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A button over time.
#[derive(Clone, Copy, Debug, Default)]
enum Button {
    /// Pressed since before it was looked at, or a press that counted already.
    #[default]
    Spent,
    Released,
    Pressed(Instant),
}

impl Button {
    /// Takes note of how the button is now. Whether a press counts from now on.
    fn look(&mut self, pressed: bool, now: Instant) -> bool {
        match (*self, pressed) {
            (_, false) => *self = Self::Released,
            (Self::Released, true) => *self = Self::Pressed(now),
            (Self::Pressed(since), true) if now.duration_since(since) >= HOLD => {
                *self = Self::Spent;
                return true;
            }
            (Self::Pressed(_) | Self::Spent, true) => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds, of these looks at the button, at which a press counts.
    fn counts(looks: impl IntoIterator<Item = (u64, bool)>) -> Vec<u64> {
        let (start, mut button) = (Instant::now(), Button::default());
        let counts = |(second, pressed)| button.look(pressed, start + Duration::from_secs(second)).then_some(second);
        looks.into_iter().filter_map(counts).collect()
    }

    #[test]
    fn a_press_counts_once_it_was_held_and_once() {
        assert_eq!(counts((0..60).map(|second| (second, second > 4))), [15]);
        assert!(counts((0..60).map(|second| (second, second % 9 != 0))).is_empty(), "never long enough");
        assert_eq!(counts((0..60).map(|second| (second, second % 30 != 0))), [11, 41]);
    }

    #[test]
    fn a_button_that_is_stuck_is_no_hand() {
        assert!(counts((0..600).map(|second| (second, true))).is_empty());
    }

    #[test]
    fn a_hand_is_good_for_one_act() {
        let hand = Hand::default();
        assert!(hand.take().is_none() && hand.seconds_left().is_none());
        hand.shown();
        assert!(hand.clone().seconds_left().is_some_and(|left| left <= PRESENT.as_secs()));
        assert!(hand.take().is_some() && hand.take().is_none() && hand.seconds_left().is_none());
    }
}
