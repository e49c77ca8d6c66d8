//! What is wrong with the network, and with the way to a device: a sentence, and the command that mends it on this system.
//!
//! What is a cause, and which is the likelier, `sparekey_discovery::diagnosis` decides; here it is told (`words`), with what mends it (`mend`:
//! everything that differs between systems). [`Checkup`] has all there is to tell, for a terminal, for programs, for a window.

mod checkup;
mod mend;
mod words;

pub mod ways;

use std::net::Ipv4Addr;

use serde::Serialize;
use sparekey_discovery::{
    Search,
    diagnosis::{Cause, Look, Machine, Weight, What},
};

pub use self::checkup::{Checkup, Interface, Visit, of_address, of_this_computer};
use self::words::Words;

/// Something that is wrong, or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable name, such as `no-carrier`.
    pub name: &'static str,
    /// Whether it keeps devices from being found or reached.
    pub hinders: bool,
    /// What it is: one sentence.
    pub happened: String,
    /// What to do; empty if there is nothing to do.
    pub mend: String,
    /// The command that does it on this system, if one does.
    pub command: Option<String>,
    /// The interface that it is about.
    pub interface: Option<String>,
    /// The serial number of the device that it is about.
    pub serial: Option<String>,
    /// The address that several have.
    pub address: Option<Ipv4Addr>,
    /// Whether it is worth a line beside a list of devices.
    #[serde(skip)]
    pub(crate) weight: Weight,
}

impl Finding {
    fn of(cause: &Cause, words: &Words<'_>) -> Self {
        let (mend, command) = mend::mend(cause, words, mend::System::HERE);
        Self {
            name: cause.what.name(),
            hinders: cause.weight == Weight::Hinders,
            happened: words.happened(cause),
            mend,
            command,
            interface: cause.interface.map(|index| words.name(index)),
            serial: cause.device.and_then(|id| words.serial(id)),
            address: match cause.what {
                What::SharedAddress(address) | What::OwnAddress(address) | What::TakenAddress(address, _) => {
                    Some(address)
                }
                _ => None,
            },
            weight: cause.weight,
        }
    }

    /// What to do, with its command.
    #[must_use]
    pub fn to_do(&self) -> String {
        match (&self.command, self.mend.is_empty()) {
            (None, _) => self.mend.clone(),
            (Some(command), true) => command.clone(),
            (Some(command), false) => format!("{}:  {command}", self.mend.trim_end_matches('.')),
        }
    }

    /// All of it in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let to_do = self.to_do();
        if to_do.is_empty() { self.happened.clone() } else { format!("{} {to_do}", self.happened) }
    }
}

/// What these facts come to, the likeliest first.
pub(crate) fn findings(look: &Look<'_>, concerns: impl Fn(&Cause) -> bool) -> Vec<Finding> {
    let words = Words { machine: look.machine, search: look.search };
    look.causes().iter().filter(|cause| concerns(cause)).map(|cause| Finding::of(cause, &words)).collect()
}

/// The facts of a search, or of this computer alone.
pub(crate) fn look<'a>(machine: &'a Machine, search: Option<&'a Search>) -> Look<'a> {
    Look { machine, search, chosen: &[], hitches: &[], unheard: &[], asked: &[] }
}

#[cfg(test)]
mod tests;
