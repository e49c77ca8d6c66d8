//! Signed notes (c2sp.org/signed-note): a text, an empty line, and lines of signatures.

use alloc::{string::String, vec::Vec};
use core::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::note_key::{NoteKey, is_key_name};

/// The most bytes of a note: 16 of the largest signatures that are in use fit.
pub const MAX_NOTE: usize = 64 * 1024;
/// The most signatures of a note.
pub const MAX_SIGNATURES: usize = 64;

/// What a line of a signature begins with: an em dash and a space.
const MARK: &str = "\u{2014} ";

/// Why something is not a signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// More bytes, or more signatures, than the bound.
    TooLong,
    /// Not the shape of a signed note.
    Malformed,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "longer than a signed note may be",
            Self::Malformed => "not a signed note",
        })
    }
}

impl core::error::Error for NoteError {}

/// A note whose signatures have not been checked. Its text is to be ignored until one was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'n> {
    text: &'n str,
    signatures: Vec<NoteSignature<'n>>,
}

/// One line of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature<'n> {
    /// Whose it says it is.
    pub name: &'n str,
    /// The identifier of the key.
    pub id: [u8; 4],
    /// The signature itself; its form depends on the key's algorithm.
    pub signature: Vec<u8>,
    /// The whole line, with its line feed.
    line: &'n str,
}

impl<'n> NoteSignature<'n> {
    /// The line as it stands in the note, with its line feed.
    #[must_use]
    pub fn line(&self) -> &'n str {
        self.line
    }
}

impl<'n> Note<'n> {
    /// Takes a note apart.
    ///
    /// # Errors
    /// [`NoteError`] says whether it is too long or no note at all.
    pub fn parse(bytes: &'n [u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLong);
        }
        let note = core::str::from_utf8(bytes).map_err(|_| NoteError::Malformed)?;
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(NoteError::Malformed);
        }
        // The last empty line parts the text from the signatures; the text keeps its own line feed.
        let end = note.rfind("\n\n").ok_or(NoteError::Malformed)? + 1;
        Ok(Self { text: &note[..end], signatures: parse_signatures(&note[end + 1..])? })
    }

    /// The text, with its last line feed.
    #[must_use]
    pub fn text(&self) -> &'n str {
        self.text
    }

    /// All signatures, none of them checked.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature<'n>] {
        &self.signatures
    }

    /// What this key's signature is worth: `None` if there is none by its name and identifier, else whether all of those hold.
    #[must_use]
    pub fn verified_by(&self, key: &NoteKey) -> Option<bool> {
        let mut own = self.signatures.iter().filter(|line| line.name == key.name() && line.id == key.id()).peekable();
        own.peek()?;
        Some(own.all(|line| key.verifies(self.text, &line.signature)))
    }
}

/// Lines of signatures, at least one, each ended by a line feed: the end of a note, or a witness's answer.
pub(super) fn parse_signatures(lines: &str) -> Result<Vec<NoteSignature<'_>>, NoteError> {
    if lines.is_empty() || !lines.ends_with('\n') {
        return Err(NoteError::Malformed);
    }
    let mut signatures = Vec::new();
    for line in lines.split_inclusive('\n') {
        if signatures.len() == MAX_SIGNATURES {
            return Err(NoteError::TooLong);
        }
        signatures.push(parse_signature(line).ok_or(NoteError::Malformed)?);
    }
    Ok(signatures)
}

fn parse_signature(line: &str) -> Option<NoteSignature<'_>> {
    let (name, encoded) = line.strip_suffix('\n')?.strip_prefix(MARK)?.split_once(' ')?;
    if !is_key_name(name) {
        return None;
    }
    let mut id = STANDARD.decode(encoded).ok()?;
    // Four bytes of identifier, and a signature that is not empty.
    if id.len() < 5 {
        return None;
    }
    let signature = id.split_off(4);
    Some(NoteSignature { name, id: id.try_into().ok()?, signature, line })
}

/// The line of a signature.
pub(super) fn signature_line(name: &str, id: [u8; 4], signature: &[u8]) -> String {
    let mut line = String::from(MARK);
    line.push_str(name);
    line.push(' ');
    STANDARD.encode_string([&id[..], signature].concat(), &mut line);
    line.push('\n');
    line
}
