//! Guidance as plain text, for a terminal.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{Guidance, Line, guidance::Way};

impl fmt::Display for Guidance {
    /// All of it but the two closing lines. A paragraph is one line, however long: whoever shows it knows how wide that may be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading(f)?;
        for note in &self.notes {
            writeln!(f, "\n{}", Noted(note))?;
        }
        for (way, number) in self.ways.iter().zip(1..) {
            writeln!(f, "\n{number}  {}", way.title)?;
            self.way(way, f)?;
        }
        if !self.left_out.is_empty() {
            writeln!(f, "\n{}", self.labels.left_out)?;
            for left_out in &self.left_out {
                writeln!(f, "   - {}: {}", left_out.title, left_out.why)?;
            }
        }
        if let Some(network) = &self.network {
            writeln!(f, "\n{}: {network}", self.labels.network)?;
        }
        if !self.sources.is_empty() {
            writeln!(f, "\n{}", self.labels.sources)?;
        }
        for source in &self.sources {
            let weak = if source.weak { [" (", &self.labels.weak, ")"].concat() } else { String::new() };
            match &source.url {
                Some(url) => writeln!(f, "   [{}] {url}{weak}", source.number)?,
                None => writeln!(f, "   [{}] {}", source.number, self.labels.unread)?,
            }
        }
        Ok(())
    }
}

impl Guidance {
    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = &self.device;
        let words: Vec<&str> =
            [&device.model, &device.serial, &device.mac].into_iter().flatten().map(String::as_str).collect();
        writeln!(f, "{}  {}", self.vendor, words.join("  "))?;
        for (label, value) in [(&self.labels.firmware, &device.firmware), (&self.labels.start_time, &device.start_time)]
        {
            if let Some(value) = value {
                writeln!(f, "   {label}: {value}")?;
            }
        }
        Ok(())
    }

    fn way(&self, way: &Way, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = &self.labels;
        if let Some(why) = &way.why {
            writeln!(f, "   {why}")?;
        }
        for (label, all) in [(&labels.needs, &way.needs), (&labels.at_hand, &way.at_hand)] {
            list(f, label, all)?;
        }
        for (step, number) in way.steps.iter().zip(1..) {
            writeln!(f, "   {number}. {}", Noted(step))?;
        }
        if let Some(lives) = &way.lives {
            writeln!(f, "   {}: {lives}", labels.lives)?;
        }
        for (label, all) in [(&labels.void, &way.void), (&labels.avoid, &way.avoid)] {
            list(f, label, all)?;
        }
        writeln!(f, "   {}: {}", labels.loses, way.loses)?;
        way.page.iter().try_for_each(|page| writeln!(f, "   {}: {page}", labels.page))
    }
}

/// One thing stands behind its label; several, or one that explains itself, stand below it.
fn list(f: &mut fmt::Formatter<'_>, label: &str, all: &[String]) -> fmt::Result {
    match all {
        [] => Ok(()),
        [one] if !one.contains([':', '：']) => writeln!(f, "   {label}: {one}"),
        several => {
            writeln!(f, "   {label}:")?;
            several.iter().try_for_each(|one| writeln!(f, "   - {one}"))
        }
    }
}

/// A line, and the numbers of its sources behind it.
struct Noted<'a>(&'a Line);

impl fmt::Display for Noted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { text, sources } = self.0;
        f.write_str(text)?;
        sources.iter().try_for_each(|number| write!(f, " [{number}]"))
    }
}
