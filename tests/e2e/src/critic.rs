//! A page judged at every size, light and dark: axe-core's rules, what is wider than its window, what the browser complains of. Pictures go to
//! `target/screenshots`.

use crate::{axe::Axe, browser::Browser};

/// Looks at pages, and gathers what is wrong with them.
pub struct Critic {
    axe: Option<Axe>,
    found: Vec<String>,
}

impl Critic {
    /// With axe-core, where it can be had.
    #[must_use]
    pub fn new() -> Self {
        Self { axe: Axe::install(), found: Vec::new() }
    }

    /// Judges the page that is open, at every size, light and dark.
    pub fn judge(&mut self, browser: &Browser, name: &str) {
        let mut complain = |what: String| self.found.push(format!("{name}: {what}"));
        for [part, script] in [
            ["title", "return document.title"],
            ["language", "return document.documentElement.lang"],
            [
                "heading",
                "return document.querySelectorAll('h1').length === 1 ? document.querySelector('h1').innerText : ''",
            ],
        ] {
            if browser.script(script).as_str().is_none_or(str::is_empty) {
                complain(format!("no {part}, or more than one"));
            }
        }
        for (size, width, height) in [
            ("narrow", 360, 640),
            ("phone", 390, 844),
            ("laptop", 1366, 768),
            ("monitor", 1920, 1080),
            ("4k", 3840, 2160),
        ] {
            browser.resize(width, height);
            let wide = browser.script("return document.documentElement.scrollWidth").as_u64().unwrap();
            if wide > u64::from(width) {
                complain(format!("{wide} px wide in a window of {width}"));
            }
            for (scheme, dark) in [("light", false), ("dark", true)] {
                browser.dark(dark);
                if !matches!(size, "narrow" | "4k") {
                    browser.save(&format!("{name}-{size}-{scheme}"));
                }
                if matches!(size, "phone" | "monitor") {
                    let violations = self.axe.as_ref().map(|axe| axe.violations(browser)).unwrap_or_default();
                    violations.into_iter().for_each(|violation| complain(format!("{size} {scheme}: {violation}")));
                }
            }
        }
        browser.dark(false);
        browser.complaints().into_iter().for_each(|complaint| complain(format!("console: {complaint}")));
    }

    /// Fails if anything was wrong.
    pub fn conclude(self) {
        assert!(self.found.is_empty(), "{}", self.found.join("\n"));
    }
}

impl Default for Critic {
    fn default() -> Self {
        Self::new()
    }
}
