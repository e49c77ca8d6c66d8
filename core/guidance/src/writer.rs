//! From facts and a language to what an owner is told.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::{
    Facts, Language,
    condition::{Kind, Verdict},
    guidance::{Device, Fit, Guidance, Labels, LeftOut, Line, Source, Way},
    vendor::{FILES, LineOf, SourceOf, Vendor, WayOf, Words},
};

/// Of a vendor's name, in letters.
const LONGEST_NAME: usize = 32;

/// What the owner of this device can do, in a language.
#[must_use]
pub fn guidance(facts: &Facts, language: Language) -> Guidance {
    let (file, vendor) = Vendor::of(facts);
    let words = Words::load();
    let kind = vendor.kind(facts);
    let mut writer = Writer { words: &words, language, sources: Vec::new() };
    let mut notes = writer.notes(&vendor, facts, kind);
    let (mut ways, left_out) = writer.ways(&vendor, facts, kind);
    // Nothing of its vendor's is for this device: what helps with any.
    let (last, text) = FILES[FILES.len() - 1];
    let is_general = file == last || ways.is_empty();
    if ways.is_empty() {
        let general = Vendor::load(text);
        notes.extend(writer.notes(&general, facts, kind));
        ways = writer.ways(&general, facts, kind).0;
    }
    let said_name = facts.vendor.as_ref().filter(|said| file == last && is_name(said));
    let name = said_name.unwrap_or(&vendor.name).clone();
    let what = facts.serial.as_ref().or(facts.model.as_ref()).or(facts.mac.as_ref()).unwrap_or(&name);
    let values = [("{device}", what.as_str()), ("{vendor}", name.as_str())];
    let said = |name| words.said(name, language, &values);
    let inactive = facts.state.as_deref() == Some("inactive");
    let closing =
        if inactive { ["closing-inactive", "closing-inactive-do"] } else { ["closing", "closing-do"] }.map(said);
    let first = match () {
        () if inactive => "inactive",
        () if is_general => "general",
        () => "never-touched",
    };
    notes.insert(0, Line { text: said(first), sources: Vec::new() });
    notes.push(Line { text: said("beware"), sources: Vec::new() });
    Guidance {
        language: language.tag(),
        file,
        device: device(facts, kind),
        notes,
        ways,
        left_out,
        network: facts.network.clone(),
        closing,
        labels: Labels::new(&words, language),
        sources: writer.sources,
        vendor: name,
    }
}

/// Whether a stranger's word can stand in our own sentences as a vendor's name: it is short, and names no place to go to or to call.
fn is_name(said: &str) -> bool {
    let plain = |letter: char| letter.is_alphabetic() || " -&'.,()".contains(letter);
    let places = said.split([' ', '-']).any(|word| word.trim_end_matches(['.', ',', ')']).contains(['.', ',']));
    let digits = said.chars().filter(char::is_ascii_digit).count();
    (1..=LONGEST_NAME).contains(&said.chars().count())
        && digits <= 3
        && !places
        && said.chars().all(|letter| plain(letter) || letter.is_ascii_digit())
}

fn device(facts: &Facts, kind: Option<Kind>) -> Device {
    let Facts { vendor, model, serial, firmware, start_time, mac, state, .. } = facts.clone();
    let kind = kind.map(|kind| match kind {
        Kind::Recorder => "recorder",
        Kind::Camera => "camera",
    });
    Device { vendor, model, serial, firmware, start_time, mac, state, kind }
}

/// Puts texts into one language, and numbers their sources in the order in which they come.
struct Writer<'a> {
    words: &'a Words,
    language: Language,
    sources: Vec<Source>,
}

impl Writer<'_> {
    fn notes(&mut self, vendor: &Vendor, facts: &Facts, kind: Option<Kind>) -> Vec<Line> {
        let fits = |note: &&LineOf| matches!(note.when.judge(facts, kind), Verdict::Announced | Verdict::Fits);
        // A note on a field is for devices that say it.
        let said = |note: &&LineOf| note.when.says.keys().all(|field| facts.remarks.contains_key(field));
        vendor.notes.iter().filter(fits).filter(said).map(|note| self.line(vendor, note)).collect()
    }

    fn ways(&mut self, vendor: &Vendor, facts: &Facts, kind: Option<Kind>) -> (Vec<Way>, Vec<LeftOut>) {
        let (mut fitting, mut left_out) = (Vec::new(), Vec::new());
        for way in &vendor.ways {
            let why = match way.when.judge(facts, kind) {
                Verdict::Another => continue,
                Verdict::Announced => {
                    fitting.push((Fit::Announced, Some(self.said("announced", &[])), way));
                    continue;
                }
                Verdict::Fits => {
                    fitting.push((Fit::Fits, None, way));
                    continue;
                }
                Verdict::Unsure(needed) => {
                    let why = match &needed {
                        Some(least) => self.said("unsure-firmware", &[("{least}", least)]),
                        None => self.said("unsure", &[]),
                    };
                    fitting.push((Fit::Unsure, Some(why), way));
                    continue;
                }
                Verdict::NotAnnounced => self.said("not-announced", &[]),
                Verdict::OtherModel => self.said("other-model", &[]),
                Verdict::TooOld(least, own) => self.said("too-old", &[("{least}", &least), ("{firmware}", &own)]),
            };
            left_out.push(LeftOut { title: way.title.in_language(self.language).to_owned(), why });
        }
        // The file's own order among those that match alike.
        fitting.sort_by_key(|(fit, ..)| *fit);
        (fitting.into_iter().map(|(fit, why, way)| self.way(vendor, facts, kind, (fit, why, way))).collect(), left_out)
    }

    fn way(
        &mut self,
        vendor: &Vendor,
        facts: &Facts,
        kind: Option<Kind>,
        (fit, why, way): (Fit, Option<String>, &WayOf),
    ) -> Way {
        let words = |names: &[String]| names.iter().map(|name| self.words.word(name, self.language)).collect();
        let fits = |step: &&LineOf| !matches!(step.when.judge(facts, kind), Verdict::Another | Verdict::OtherModel);
        let page = way.page.as_ref().and_then(|name| vendor.sources.get(name)).and_then(|source| source.url.clone());
        Way {
            name: way.name.clone(),
            title: way.title.in_language(self.language).to_owned(),
            fit,
            why,
            needs: words(&way.needs),
            at_hand: words(&way.at_hand),
            lives: way.lives.as_ref().map(|name| self.words.word(name, self.language)),
            void: words(&way.void),
            avoid: words(&way.avoid),
            loses: self.words.word(&way.loses, self.language),
            page,
            steps: way.steps.iter().filter(fits).map(|step| self.line(vendor, step)).collect(),
        }
    }

    fn line(&mut self, vendor: &Vendor, line: &LineOf) -> Line {
        let sources =
            line.sources.iter().filter_map(|name| vendor.sources.get(name)).map(|of| self.source(of)).collect();
        Line { text: line.text.in_language(self.language).to_owned(), sources }
    }

    fn source(&mut self, of: &SourceOf) -> usize {
        if let Some(known) = self.sources.iter().find(|known| known.url == of.url) {
            return known.number;
        }
        let number = self.sources.len() + 1;
        self.sources.push(Source { number, url: of.url.clone(), official: of.official, weak: of.weak });
        number
    }

    fn said(&self, name: &str, values: &[(&str, &str)]) -> String {
        self.words.said(name, self.language, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_that_nobody_knows_is_called_by_a_name_and_by_nothing_else() {
        for (said, is) in [
            ("Acme", true),
            ("Acme Video Co., Ltd.", true),
            ("Bosch (Security)", true),
            ("360 Vision", true),
            ("安讯士", true),
            ("", false),
            ("https://unlock.example", false),
            ("unlock.example", false),
            ("call +1 555 010 0199", false),
            ("call 555 0100", false),
            ("help@unlock.example", false),
            ("[1] a-source", false),
            ("a name that is longer than any vendor has", false),
        ] {
            assert_eq!(is_name(said), is, "{said}");
            let facts = Facts { vendor: Some(said.to_owned()), ..Facts::default() };
            let told = guidance(&facts, Language::En);
            assert_eq!((told.file, told.vendor.as_str()), ("general", if is { said } else { "?" }));
            assert!(told.notes[0].text.contains("is not known here"), "{:?}", told.notes);
        }
    }
}
