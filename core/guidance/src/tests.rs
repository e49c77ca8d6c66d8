//! What has to hold of every vendor's file, and what a few devices' owners read.

use alloc::{
    borrow::ToOwned,
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    Facts, Firmware, Fit, Guidance, Language,
    condition::{Kind, State, Verdict, When},
    guidance,
    language::Text,
    vendor::{FILES, LineOf, Vendor, WayOf, Words},
};

/// What fits on a screen, in letters.
const MAX_TEXT: usize = 420;
const MAX_TITLE: usize = 100;
const MAX_STEPS: usize = 8;

fn all() -> Vec<(&'static str, Vendor)> {
    FILES
        .into_iter()
        .map(|(file, text)| (file, toml::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"))))
        .collect()
}

fn lines(vendor: &Vendor) -> impl Iterator<Item = &LineOf> {
    vendor.notes.iter().chain(vendor.ways.iter().flat_map(|way| &way.steps))
}

/// A text is there in each language, is not the English one, and fits.
fn check(place: &str, text: &Text, longest: usize) {
    let mut seen = BTreeSet::new();
    for language in Language::ALL {
        let said = text.in_language(language);
        let letters = said.chars().count();
        assert!((1..=longest).contains(&letters), "{place} {language:?}: {letters} letters");
        assert!(said.trim() == said && !said.contains(char::is_control), "{place} {language:?}: {said}");
        let chinese = said.chars().any(|c| matches!(c, '\u{4e00}'..='\u{9fff}'));
        assert_eq!(chinese, language == Language::Zh, "{place} {language:?}: {said}");
        seen.insert(said);
    }
    assert!(seen.len() >= 3, "{place} is not translated");
}

#[test]
fn every_text_is_there_in_every_language_and_fits() {
    for (file, vendor) in all() {
        for way in &vendor.ways {
            let place = format!("{file} {}", way.name);
            check(&place, &way.title, MAX_TITLE);
            assert!((1..=MAX_STEPS).contains(&way.steps.len()), "{place}: {} steps", way.steps.len());
        }
        for line in lines(&vendor) {
            check(file, &line.text, MAX_TEXT);
        }
    }
    let words: Words = toml::from_str(crate::vendor::WORDS).unwrap();
    for (name, text) in words.said.iter().chain(&words.words) {
        check(name, text, MAX_TEXT);
    }
    for (name, text) in words.labels.iter().filter(|(name, _)| *name != "firmware") {
        check(name, text, MAX_TITLE);
    }
}

#[test]
fn every_line_has_a_source_and_every_source_is_used() {
    for (file, vendor) in all() {
        let mut used: BTreeSet<&String> = vendor.ways.iter().filter_map(|way| way.page.as_ref()).collect();
        for line in lines(&vendor) {
            assert!(!line.sources.is_empty(), "{file}: {:?}", line.text);
            used.extend(&line.sources);
        }
        let known: BTreeSet<_> = vendor.sources.keys().collect();
        assert_eq!(used, known, "{file}");
        for (name, source) in &vendor.sources {
            let url = source.url.as_deref().unwrap_or_default();
            let host = url.strip_prefix("https://").or(url.strip_prefix("http://")).unwrap_or_default();
            assert!(host.is_empty() == source.url.is_none(), "{file} {name}: {url}");
            assert!(source.url.is_some() || source.weak, "{file} {name}: what was read nowhere is weak");
            assert!(!host.starts_with(|c: char| c.is_ascii_digit()), "{file} {name}: a host without a name");
        }
        for page in vendor.ways.iter().filter_map(|way| way.page.as_ref()) {
            assert!(vendor.sources[page].official, "{file}: {page} is not the vendor's own");
        }
    }
}

#[test]
fn every_word_is_there_and_is_used() {
    let words = Words::load();
    let mut used = BTreeSet::new();
    for (file, vendor) in all() {
        let names: BTreeSet<_> = vendor.ways.iter().map(|way| &way.name).collect();
        assert_eq!(names.len(), vendor.ways.len(), "{file}: two ways of one name");
        for WayOf { needs, at_hand, lives, void, avoid, loses, .. } in vendor.ways {
            used.extend([needs, at_hand, void, avoid].concat().into_iter().chain(lives).chain([loses]));
        }
    }
    assert_eq!(used, words.words.keys().cloned().collect());
}

/// A device for which all conditions hold.
fn meant(vendor: &Vendor, when: &When) -> (Facts, Option<Kind>) {
    let example = |patterns: &[String]| patterns.first().map(|pattern| pattern.replace('*', "1"));
    let of_kind = |kind: Kind| match kind {
        Kind::Recorder => example(&vendor.recorders),
        Kind::Camera => example(&vendor.cameras),
    };
    let least = when.firmware.first();
    let model =
        example(&when.models).or(least.and_then(|least| example(&least.models))).or(when.kind.and_then(of_kind));
    let state = when.state.map(|state| if state == State::Active { "active" } else { "inactive" });
    let facts = Facts {
        vendor: when.brands.first().cloned().or(Some(vendor.names.first().cloned().unwrap_or_default())),
        model,
        firmware: least.map(|least| least.least.clone()),
        state: state.map(str::to_owned),
        remarks: when.says.iter().map(|(field, value)| (field.clone(), value.to_string())).collect(),
        ..Facts::default()
    };
    (facts, when.kind)
}

#[test]
fn every_condition_can_be_met_and_every_state_has_a_way() {
    for (file, vendor) in all() {
        let conditions = vendor.ways.iter().map(|way| &way.when).chain(lines(&vendor).map(|line| &line.when));
        for when in conditions {
            let (facts, kind) = meant(&vendor, when);
            let verdict = when.judge(&facts, kind);
            let wanted = if when.says.is_empty() { Verdict::Fits } else { Verdict::Announced };
            assert_eq!(verdict, wanted, "{file}: {when:?}");
            for least in &when.firmware {
                assert!(Firmware::read(&least.least).is_some(), "{file}: {}", least.least);
            }
            // Fields that no answer is read for would never hold.
            for field in when.says.keys().chain(when.unless.keys()) {
                let read = [
                    "DeviceLock",
                    "HCPlatformEnable",
                    "PasswordResetAbility",
                    "SupportGUID",
                    "SupportMailBox",
                    "SupportSecurityQuestion",
                ];
                assert!(read.contains(&field.as_str()), "{file}: {field}");
            }
        }
        for state in [None, Some("active"), Some("inactive")] {
            let facts =
                Facts { vendor: vendor.names.first().cloned(), state: state.map(str::to_owned), ..Facts::default() };
            let guidance = guidance(&facts, Language::En);
            assert_eq!(guidance.file, file);
            assert!(!guidance.ways.is_empty(), "{file} {state:?}");
            assert!(guidance.ways.iter().all(|way| !way.steps.is_empty()));
        }
        for kind in [&vendor.recorders, &vendor.cameras] {
            let model = kind.first().map(|pattern| pattern.replace('*', "1"));
            let facts = Facts {
                vendor: vendor.names.first().cloned(),
                model,
                state: Some("active".to_owned()),
                ..Facts::default()
            };
            assert!(!guidance(&facts, Language::De).ways.is_empty(), "{file} {kind:?}");
        }
    }
}

#[test]
fn nothing_goes_around_a_device_s_protection() {
    let words = ["12345", "default password", "backdoor", "exploit", "keygen", "telnet", "master password"];
    for (file, text) in FILES.into_iter().chain([("words", crate::vendor::WORDS)]) {
        let texts: Vec<_> = text.lines().filter(|line| !line.contains("url = ")).map(str::to_lowercase).collect();
        for word in words {
            assert!(!texts.iter().any(|line| line.contains(word)), "{file}: {word}");
        }
    }
}

#[test]
fn whose_device_it_is() {
    let facts = |vendor: &str, name: &str, model: &str, found_by: &str| {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Facts {
            vendor: some(vendor),
            name: some(name),
            model: some(model),
            found_by: some(found_by).into_iter().collect(),
            ..Facts::default()
        }
    };
    for (vendor, name, model, found_by, file) in [
        ("Hikvision", "", "DS-7608NI-K2", "sadp", "hikvision"),
        ("HIKVISION", "", "", "onvif", "hikvision"),
        ("", "HIKVISION DS-2CD2043", "", "onvif", "hikvision"),
        ("", "", "DS-2CD2043G2", "onvif", "hikvision"),
        ("HiLook", "", "", "onvif", "hikvision"),
        ("General", "", "", "dahua", "dahua"),
        ("Amcrest", "", "IP8M-2496E", "dahua", "dahua"),
        ("UNV", "", "IPC322", "onvif", "uniview"),
        ("AXIS", "", "AXIS P3245", "mdns", "axis"),
        ("Hanwha Techwin", "", "XNV-8080R", "onvif", "hanwha"),
        ("", "Reolink", "", "onvif", "reolink"),
        ("Ubiquiti", "", "", "onvif", "unifi"),
        ("TP-Link", "", "VIGI C340", "onvif", "vigi"),
        ("", "", "VIGI NVR1008H", "onvif", "vigi"),
        // A vendor that is named weighs more than a dialect that its devices speak too.
        ("Reolink", "", "", "sadp", "reolink"),
        ("Acme", "", "Eye 3", "onvif", "general"),
        ("", "", "", "", "general"),
    ] {
        assert_eq!(guidance(&facts(vendor, name, model, found_by), Language::En).file, file, "{vendor} {name} {model}");
    }
}

fn recorder(firmware: &str, remarks: &[(&str, &str)], language: Language) -> Guidance {
    let remarks: BTreeMap<_, _> =
        remarks.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let some = |text: &str| Some(text.to_owned());
    let facts = Facts {
        vendor: some("Hikvision"),
        model: some("DS-7608NI-K2"),
        serial: some("0820200101CCWRC00000001WCVU"),
        firmware: some(firmware),
        start_time: some("2026-11-01 08:00:00"),
        state: some("active"),
        network: some("This computer is 10.0.0.5/24 …"),
        remarks,
        ..Facts::default()
    };
    guidance(&facts, language)
}

#[test]
fn the_best_match_is_first_and_what_is_not_there_is_told() {
    let names = |guidance: &Guidance| guidance.ways.iter().map(|way| way.name.clone()).collect::<Vec<_>>();
    let new = recorder("V4.30.005 build 200101", &[], Language::En);
    assert_eq!(names(&new), ["email-recorder", "guid-file", "questions", "account", "support", "installer"]);
    assert!(new.left_out.is_empty());
    assert_eq!(new.device.kind, Some("recorder"));

    let announced =
        recorder("V4.30.005", &[("SupportSecurityQuestion", "true"), ("SupportMailBox", "false")], Language::En);
    assert_eq!((announced.ways[0].name.as_str(), announced.ways[0].fit), ("questions", Fit::Announced));
    assert_eq!(announced.left_out.len(), 1);

    let old = recorder("V4.1", &[], Language::De);
    assert_eq!(names(&old)[0], "guid-file");
    assert_eq!(old.left_out[0].why, "nötig ist Firmware V4.21.000 oder neuer, und dieses Gerät hat V4.1");

    let locked = recorder("V4.30", &[("DeviceLock", "true")], Language::Es);
    assert!(locked.notes.iter().any(|note| note.text.contains("bloqueado")), "{:?}", locked.notes);
    assert!(!new.notes.iter().any(|note| note.text.contains("locked")));
    assert!(
        !recorder("V4.30", &[("DeviceLock", "false")], Language::Es)
            .notes
            .iter()
            .any(|note| note.text.contains("bloqueado"))
    );
}

#[test]
fn it_reads_as_a_sheet() {
    let text = recorder("V4.30.005", &[("SupportMailBox", "true")], Language::En).to_string();
    for part in [
        "Hikvision  DS-7608NI-K2  0820200101CCWRC00000001WCVU\n   Firmware: V4.30.005\n   Started (by its own clock): 2026-11-01 08:00:00\n",
        "\n1  Code to the reserved email, by a QR on the recorder's screen\n   The device itself announces this way.\n",
        "   Valid for: 48 hours\n   Void after:\n   - a restart of the device\n   - a change of the stored email address\n",
        "   Have at hand: the mailbox's spam folder\n   1. At the recorder's login: Forgot Password, ",
        "   Meanwhile, do not:\n   - restart the device or cut its power\n",
        "\nNetwork: This computer is 10.0.0.5/24 …\n",
        "\nWhere this was read:\n   [1] https://",
        "(a single weak source: be careful)",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(recorder("V4.30", &[], Language::Zh).to_string().contains("有效期: 48 小时"));
}

#[test]
fn an_inactive_device_has_none_to_recover() {
    let facts = Facts { vendor: Some("Hikvision".to_owned()), state: Some("inactive".to_owned()), ..Facts::default() };
    let guidance = guidance(&facts, Language::De);
    assert_eq!(guidance.ways.len(), 1);
    assert!(guidance.notes[0].text.contains("noch niemand ein Passwort"));
    assert!(guidance.closing[0].contains("hat noch kein Passwort"), "{:?}", guidance.closing);
}

#[test]
fn texts_of_a_stranger_are_not_taken_for_places() {
    let facts = Facts { vendor: Some("{device}".to_owned()), serial: Some("{vendor}".to_owned()), ..Facts::default() };
    let said: Vec<String> = guidance(&facts, Language::En).closing.into();
    assert!(said[0].len() < 300, "{said:?}");
}
