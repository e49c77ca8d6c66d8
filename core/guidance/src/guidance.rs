//! What an owner is told.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use crate::{Language, vendor::Words};

/// What the owner of another vendor's device can do. All texts are in one language, but for the network's sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Guidance {
    /// The language (BCP 47).
    pub language: &'static str,
    /// The file it came from: `hikvision`, or `general` where the vendor is not known.
    pub file: &'static str,
    /// What the vendor is called.
    pub vendor: String,
    /// The device, as its own answer tells it: what its vendor's support asks for.
    pub device: Device,
    /// What there is to know first.
    pub notes: Vec<Line>,
    /// The ways back in, the best match first.
    pub ways: Vec<Way>,
    /// The vendor's ways that this device does not have, and why.
    pub left_out: Vec<LeftOut>,
    /// What keeps this computer from reaching it, in English.
    pub network: Option<String>,
    /// Where all this was read.
    pub sources: Vec<Source>,
    /// What happened, and what to do: the two lines at the end.
    pub closing: [String; 2],
    /// The words around it.
    pub labels: Labels,
}

/// A device, as it tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Who made it.
    pub vendor: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its firmware.
    pub firmware: Option<String>,
    /// When it started, by its own clock.
    pub start_time: Option<String>,
    /// Its hardware address.
    pub mac: Option<String>,
    /// `inactive` or `active`.
    pub state: Option<String>,
    /// `recorder` or `camera`, where its model tells.
    pub kind: Option<&'static str>,
}

/// A sentence or two, and where they were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The text.
    pub text: String,
    /// Numbers in [`Guidance::sources`].
    pub sources: Vec<usize>,
}

/// Where something was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its number, from 1.
    pub number: usize,
    /// Its address; `None` where it was read nowhere.
    pub url: Option<String>,
    /// The vendor's own page.
    pub official: bool,
    /// A single source of little weight: to be doubted.
    pub weak: bool,
}

/// How well a way matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// The device itself announces it.
    Announced,
    /// For this model and firmware.
    Fits,
    /// Whether it has it, the device does not tell.
    Unsure,
}

/// A way back in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Its stable name, within its vendor's file.
    pub name: String,
    /// What it is.
    pub title: String,
    /// How well it matches.
    pub fit: Fit,
    /// That in a sentence, where there is something to say.
    pub why: Option<String>,
    /// What has to be so.
    pub needs: Vec<String>,
    /// What to have at hand.
    pub at_hand: Vec<String>,
    /// The steps.
    pub steps: Vec<Line>,
    /// How long its code or file is valid.
    pub lives: Option<String>,
    /// What makes it void before.
    pub void: Vec<String>,
    /// What not to do meanwhile.
    pub avoid: Vec<String>,
    /// What is lost.
    pub loses: String,
    /// The vendor's own page on it.
    pub page: Option<String>,
}

/// A way that this device does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What it is.
    pub title: String,
    /// Why not.
    pub why: String,
}

/// The words around it, for whoever shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "each is called by what stands behind it")]
pub struct Labels {
    pub firmware: String,
    pub start_time: String,
    pub needs: String,
    pub at_hand: String,
    pub steps: String,
    pub lives: String,
    pub void: String,
    pub avoid: String,
    pub loses: String,
    pub page: String,
    pub left_out: String,
    pub network: String,
    pub sources: String,
    pub weak: String,
    pub unread: String,
}

impl Labels {
    pub(crate) fn new(words: &Words, language: Language) -> Self {
        let label = |name| words.label(name, language);
        Self {
            firmware: label("firmware"),
            start_time: label("start-time"),
            needs: label("needs"),
            at_hand: label("at-hand"),
            steps: label("steps"),
            lives: label("lives"),
            void: label("void"),
            avoid: label("avoid"),
            loses: label("loses"),
            page: label("page"),
            left_out: label("left-out"),
            network: label("network"),
            sources: label("sources"),
            weak: label("weak"),
            unread: label("unread"),
        }
    }
}
