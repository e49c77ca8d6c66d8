//! When a way is for a device.

use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec::Vec};

use serde::Deserialize;

use crate::{Facts, Firmware, pattern::fits, vendor::has_word};

/// What a device has to be. All that is given has to hold; nothing given, everything fits.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    pub(crate) state: Option<State>,
    pub(crate) kind: Option<Kind>,
    /// Brands, where one vendor builds for many: one has to be named.
    #[serde(default)]
    pub(crate) brands: Vec<String>,
    /// Patterns of models: one has to fit.
    #[serde(default)]
    pub(crate) models: Vec<String>,
    /// The first whose models fit counts.
    #[serde(default)]
    pub(crate) firmware: Vec<Least>,
    /// Fields of its answer that announce the way.
    #[serde(default)]
    pub(crate) says: BTreeMap<String, bool>,
    /// Fields that rule it out, and announce nothing.
    #[serde(default)]
    pub(crate) unless: BTreeMap<String, bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Inactive,
    Active,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Recorder,
    Camera,
}

/// A firmware that is needed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Least {
    #[serde(default)]
    pub(crate) models: Vec<String>,
    pub(crate) least: String,
}

/// Whether a way is for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The device itself announces it.
    Announced,
    /// All that is asked for is so.
    Fits,
    /// Something is not known; the firmware that is needed, if it is that.
    Unsure(Option<String>),
    /// For devices of another state or kind: nothing to tell.
    Another,
    /// The device says that it does not know this way.
    NotAnnounced,
    /// Other models have it.
    OtherModel,
    /// The firmware that is needed, and the device's.
    TooOld(String, String),
}

impl When {
    /// `kind` is what the device is, where its vendor's models tell.
    pub(crate) fn judge(&self, facts: &Facts, kind: Option<Kind>) -> Verdict {
        let (mut unsure, mut needed) = (false, None);
        let state = facts.state.as_deref().and_then(State::read);
        match (self.state, state) {
            // A device that does not say is taken for one that has an owner.
            (Some(State::Inactive), None) => return Verdict::Another,
            (Some(wanted), Some(state)) if wanted != state => return Verdict::Another,
            _ => {}
        }
        match (self.kind, kind) {
            (Some(wanted), Some(kind)) if wanted != kind => return Verdict::Another,
            (Some(_), None) => unsure = true,
            _ => {}
        }
        let named =
            |brand: &String| [&facts.vendor, &facts.name].into_iter().flatten().any(|text| has_word(text, brand));
        if !self.brands.is_empty() && !self.brands.iter().any(named) {
            return Verdict::Another;
        }
        let any = |patterns: &[String], model: &str| patterns.iter().any(|pattern| fits(pattern, model));
        match facts.model.as_deref() {
            _ if self.models.is_empty() => {}
            Some(model) if !any(&self.models, model) => return Verdict::OtherModel,
            Some(_) => {}
            None => unsure = true,
        }
        let said = |field: &String| facts.remarks.get(field).and_then(|said| is_true(said));
        if self.unless.iter().any(|(field, banned)| said(field) == Some(*banned)) {
            return Verdict::NotAnnounced;
        }
        let mut announced = false;
        for (field, wanted) in &self.says {
            match said(field) {
                Some(said) if said == *wanted => announced = true,
                Some(_) => return Verdict::NotAnnounced,
                None => {}
            }
        }
        let model = facts.model.as_deref().unwrap_or_default();
        let least = self.firmware.iter().find(|least| least.models.is_empty() || any(&least.models, model));
        match least.and_then(|least| Some((least, Firmware::read(&least.least)?))) {
            Some((least, version)) => match facts.firmware.as_deref().and_then(|own| Some((own, Firmware::read(own)?)))
            {
                Some((_, own)) if own.is_at_least(&version) => {}
                // What the device says of itself is worth more than a list of versions.
                Some((own, _)) if !announced => return Verdict::TooOld(least.least.clone(), own.to_owned()),
                Some(_) => {}
                None => needed = Some(least.least.clone()),
            },
            None => unsure |= !self.firmware.is_empty(),
        }
        match () {
            () if announced => Verdict::Announced,
            () if unsure || needed.is_some() => Verdict::Unsure(needed),
            () => Verdict::Fits,
        }
    }
}

impl State {
    fn read(text: &str) -> Option<Self> {
        match text {
            "inactive" => Some(Self::Inactive),
            "active" => Some(Self::Active),
            _ => None,
        }
    }
}

/// Yes or no; one firmware writes `flase`.
fn is_true(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "flase" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(toml: &str) -> When {
        toml::from_str(toml).unwrap()
    }

    fn facts(model: &str, firmware: &str, state: &str, remarks: &[(&str, &str)]) -> Facts {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Facts {
            model: some(model),
            firmware: some(firmware),
            state: some(state),
            remarks: remarks.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Facts::default()
        }
    }

    #[test]
    fn all_that_is_given_has_to_hold() {
        let firmware =
            "firmware = [{ models = ['*NI*'], least = 'V4.21.000' }, { models = ['*HGHI*'], least = 'V3.4.89' }]";
        let too_old = |least: &str, own: &str| Verdict::TooOld(least.to_owned(), own.to_owned());
        for (asked, device, verdict) in [
            ("", facts("", "", "", &[]), Verdict::Fits),
            ("state = 'inactive'", facts("", "", "inactive", &[]), Verdict::Fits),
            ("state = 'inactive'", facts("", "", "", &[]), Verdict::Another),
            ("state = 'active'", facts("", "", "inactive", &[]), Verdict::Another),
            ("state = 'active'", facts("", "", "", &[]), Verdict::Fits),
            ("models = ['DS-7*', 'DS-9*']", facts("DS-9632NI", "", "", &[]), Verdict::Fits),
            ("models = ['DS-7*', 'DS-9*']", facts("DS-2CD", "", "", &[]), Verdict::OtherModel),
            ("models = ['DS-7*', 'DS-9*']", facts("", "", "", &[]), Verdict::Unsure(None)),
            (firmware, facts("DS-7608NI", "V4.30.005", "", &[]), Verdict::Fits),
            (firmware, facts("DS-7608NI", "V4.1", "", &[]), too_old("V4.21.000", "V4.1")),
            (firmware, facts("DS-7108HGHI-F1", "V3.4.90", "", &[]), Verdict::Fits),
            (firmware, facts("DS-7608NI", "", "", &[]), Verdict::Unsure(Some("V4.21.000".to_owned()))),
            (firmware, facts("DS-1234", "V9", "", &[]), Verdict::Unsure(None)),
            ("says = { SupportMailBox = true }", facts("", "", "", &[]), Verdict::Fits),
            ("says = { SupportMailBox = true }", facts("", "", "", &[("SupportMailBox", "true")]), Verdict::Announced),
            (
                "says = { SupportMailBox = true }",
                facts("", "", "", &[("SupportMailBox", "flase")]),
                Verdict::NotAnnounced,
            ),
            ("says = { SupportMailBox = true }", facts("", "", "", &[("SupportMailBox", "?")]), Verdict::Fits),
            (
                "unless = { ResetAbility = false }",
                facts("", "", "", &[("ResetAbility", "false")]),
                Verdict::NotAnnounced,
            ),
            ("unless = { ResetAbility = false }", facts("", "", "", &[("ResetAbility", "true")]), Verdict::Fits),
            ("brands = ['amcrest']", facts("IPC", "", "", &[]), Verdict::Another),
        ] {
            assert_eq!(when(asked).judge(&device, None), verdict, "{asked} {device:?}");
        }
        let recorder = when("kind = 'recorder'");
        let any = Facts::default();
        assert_eq!(recorder.judge(&any, Some(Kind::Recorder)), Verdict::Fits);
        assert_eq!(recorder.judge(&any, Some(Kind::Camera)), Verdict::Another);
        assert_eq!(recorder.judge(&any, None), Verdict::Unsure(None));
    }

    #[test]
    fn what_a_device_says_of_itself_is_worth_more_than_a_list_of_versions() {
        let asked = when("firmware = [{ least = 'V4.21' }]\nsays = { SupportMailBox = true }");
        assert_eq!(asked.judge(&facts("", "V4.1", "", &[("SupportMailBox", "true")]), None), Verdict::Announced);
    }
}
