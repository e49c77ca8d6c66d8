//! Domain names.

use alloc::{string::String, vec::Vec};
use core::{cmp::Ordering, fmt};

/// A name is no longer, with the lengths of its labels and the root (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 63;

/// A name: its labels as on the wire, uncompressed, without the root. Letters are compared without case (RFC 6762 section 16).
#[derive(Clone, Default)]
pub struct Name(Vec<u8>);

impl Name {
    /// A name of ours: labels with dots between.
    ///
    /// # Panics
    /// If a label is empty or too long: such a name is a mistake in the program.
    #[must_use]
    pub fn of(text: &str) -> Self {
        text.split('.').fold(Self::default(), |mut name, label| {
            assert!(name.push(label.as_bytes()), "a name of the program's own: {text}");
            name
        })
    }

    /// One label before another name; `None` if it is empty or too long.
    #[must_use]
    pub fn within(label: &[u8], parent: &Self) -> Option<Self> {
        let mut name = Self::default();
        let fits = name.push(label) && name.0.len() + parent.0.len() < MAX_NAME;
        name.0.extend_from_slice(&parent.0);
        fits.then_some(name)
    }

    /// Adds a label at the end; whether it fits.
    pub(super) fn push(&mut self, label: &[u8]) -> bool {
        let fits = !label.is_empty() && label.len() <= MAX_LABEL && self.0.len() + 1 + label.len() < MAX_NAME;
        if let (true, Ok(length)) = (fits, u8::try_from(label.len())) {
            self.0.push(length);
            self.0.extend_from_slice(label);
        }
        fits
    }

    /// The labels, the first first.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.0[..];
        core::iter::from_fn(move || {
            let (length, after) = rest.split_first()?;
            let (label, after) = after.split_at(usize::from(*length));
            rest = after;
            Some(label)
        })
    }

    /// The first label, if what follows is this name.
    #[must_use]
    pub fn first_before(&self, parent: &Self) -> Option<&[u8]> {
        let first = self.labels().next()?;
        let rest = &self.0[1 + first.len()..];
        rest.eq_ignore_ascii_case(&parent.0).then_some(first)
    }

    /// The labels as on the wire, without the root.
    pub(super) fn wire(&self) -> &[u8] {
        &self.0
    }

    fn lower(&self) -> impl Iterator<Item = u8> {
        // Lengths are at most 63, so none of them is taken for a letter.
        self.0.iter().map(u8::to_ascii_lowercase)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.lower().cmp(other.lower())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.labels().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{}", String::from_utf8_lossy(label).escape_debug())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case() {
        let (one, other) = (Name::of("_Sparekey._tcp.LOCAL"), Name::of("_sparekey._tcp.local"));
        assert_eq!(one, other);
        assert_eq!(one.cmp(&other), Ordering::Equal);
        assert_ne!(Name::of("a.b"), Name::of("ab"));
        assert_eq!(Name::of("x._tcp.local").first_before(&Name::of("_TCP.local")), Some(&b"x"[..]));
        assert_eq!(Name::of("x.y._tcp.local").first_before(&Name::of("_tcp.local")), None);
    }

    #[test]
    fn names_have_bounds() {
        assert!(Name::within(&[b'a'; 64], &Name::default()).is_none());
        assert!(Name::within(b"", &Name::default()).is_none());
        let mut long = Name::default();
        while long.push(&[b'a'; 63]) {}
        assert!(long.wire().len() < MAX_NAME);
        assert!(Name::within(&[b'a'; 63], &long).is_none());
    }
}
