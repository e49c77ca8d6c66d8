//! Checkpoints (c2sp.org/tlog-checkpoint): what a log says of itself, signed.

use alloc::{borrow::ToOwned, format, string::String};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{note_key, tree::Hash};
use crate::keys::SigningKey;

/// How large a log's tree is, and its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root of the tree over all of them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text of the note: origin, size and root, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// The signed note, under the log's origin as the key's name. Whoever signs must have seen that it extends what was signed before.
    #[must_use]
    pub fn sign(&self, log: &SigningKey) -> String {
        let text = self.text();
        let line = note_key::sign(&self.origin, log, &text);
        [&text, "\n", &line].concat()
    }

    /// Reads the text of a note. Lines beyond the third are opaque: not empty, and passed over.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        if origin.is_empty() || lines.any(str::is_empty) {
            return None;
        }
        Some(Self { origin: origin.to_owned(), size: parse_decimal(size)?, root: parse_hash(root)? })
    }
}

/// A number in ASCII digits without leading zeros.
pub(super) fn parse_decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// A hash in base64 (RFC 4648 section 4), in its one spelling.
pub(super) fn parse_hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok().map(Hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

    #[test]
    fn the_example_of_the_specification() {
        let text = format!("example.com/behind-the-sofa\n20852163\n{ROOT}\n");
        let checkpoint = Checkpoint::parse(&text).unwrap();
        assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
        assert_eq!(checkpoint.text(), text);
        assert_eq!(Checkpoint::parse(&format!("{text}an extension\n")), Some(checkpoint));
    }

    #[test]
    fn what_is_no_checkpoint() {
        for text in [
            "",
            "\n",
            "o\n1\n",
            &format!("\n1\n{ROOT}\n"),
            &format!("o\n01\n{ROOT}\n"),
            &format!("o\n\n{ROOT}\n"),
            &format!("o\n+1\n{ROOT}\n"),
            &format!("o\n-1\n{ROOT}\n"),
            &format!("o\n١\n{ROOT}\n"),
            &format!("o\n18446744073709551616\n{ROOT}\n"),
            &format!("o\n1\n{}\n", &ROOT[..43]),
            &format!("o\n1\n{}\n", ROOT.replace("q2I=", "q2J=")),
            &format!("o\n1\n{ROOT}"),
            &format!("o\n1\n{ROOT}\n\n"),
            &format!("o\n1\n{ROOT}\n\nx\n"),
        ] {
            assert_eq!(Checkpoint::parse(text), None, "{text:?}");
        }
    }
}
