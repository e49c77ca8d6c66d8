//! What people hand over as a proof, read into what the device takes. Anything that cannot be one costs no try.

use sparekey_device::ways::{Answers, BadAnswers, BadSheetCode, SheetCode};
use sparekey_device::{Recordings, Typed};
use sparekey_protocol::files::{self, Document, Entry};

use crate::failure::Malformed;

const KEY_FILE: Malformed = Malformed {
    field: "key_file",
    title: "This is not a key file.",
    detail: "Choose the file that was saved from this device, whole and unchanged.",
};
const GRANT: Malformed = Malformed {
    field: "grant",
    title: "This is not a grant.",
    detail: "Choose the file that the desk sent, whole and unchanged.",
};
const SHEET_CODE: Malformed = Malformed {
    field: "sheet_code",
    title: "This is not a code of a recovery sheet.",
    detail: "Type the twenty letters and digits of one line.",
};
const TRANSFER_CODE: Malformed = Malformed {
    field: "transfer_code",
    title: "This is not a transfer code.",
    detail: "Type the twenty letters and digits that the previous owner was given for the next one.",
};
const RECORDINGS: Malformed = Malformed {
    field: "recordings",
    title: "It is not said what becomes of the recordings.",
    detail: "Choose whether they are kept or erased.",
};
const ANSWERS: Malformed = Malformed {
    field: "answers",
    title: "These are not three answers.",
    detail: "Answer each of the three questions, each with something else.",
};

/// The file that was exported from the device.
pub(crate) fn key_file(xml: &[u8]) -> Result<Typed, Malformed> {
    match files::parse(xml) {
        Ok(Document::Key(file)) => Ok(Typed::KeyFile(file.payload)),
        _ => Err(KEY_FILE),
    }
}

/// The file that the desk sent: a grant, or a batch in which the device finds its own.
pub(crate) fn grant(xml: &[u8]) -> Result<Typed, Malformed> {
    match files::parse(xml) {
        Ok(Document::Grant(file)) => Ok(Typed::Grant(file.payload)),
        Ok(Document::Batch(entries)) => {
            let grant = |entry| match entry {
                Entry::Grant(file) => Some(file.payload),
                Entry::Request(_) => None,
            };
            let grants: Vec<_> = entries.into_iter().filter_map(grant).collect();
            if grants.is_empty() { Err(GRANT) } else { Ok(Typed::Grants(grants)) }
        }
        _ => Err(GRANT),
    }
}

/// A code of the printed sheet. Where it was mistyped is told.
pub(crate) fn sheet_code(typed: &str) -> Result<Typed, Malformed> {
    saved_code(typed, SHEET_CODE).map(Typed::SheetCode)
}

/// The code that came with the device from its previous owner. Where it was mistyped is told.
pub(crate) fn transfer_code(typed: &str) -> Result<SheetCode, Malformed> {
    saved_code(typed, TRANSFER_CODE)
}

fn saved_code(typed: &str, none: Malformed) -> Result<SheetCode, Malformed> {
    let bad = |bad| match bad {
        BadSheetCode::Length | BadSheetCode::Symbol => none,
        BadSheetCode::Group(group) => Malformed {
            title: "There is a slip in this code.",
            detail: [
                "Compare the first group.",
                "Compare the second group.",
                "Compare the third group.",
                "Compare the fourth group.",
            ][usize::from(group - 1)],
            ..none
        },
    };
    SheetCode::parse(typed).map_err(bad)
}

/// What is to become of the recordings. There is no default: it has to be said.
pub(crate) fn recordings(chosen: &str) -> Result<Recordings, Malformed> {
    match chosen {
        "keep" => Ok(Recordings::Keep),
        "erase" => Ok(Recordings::Erase),
        _ => Err(RECORDINGS),
    }
}

/// Three answers.
pub(crate) fn answers(typed: &[(u8, &str)]) -> Result<Answers, Malformed> {
    let bad = |bad| match bad {
        BadAnswers::TooLong => Malformed { detail: "Give answers of at most 64 characters.", ..ANSWERS },
        BadAnswers::Questions | BadAnswers::Empty | BadAnswers::Same => ANSWERS,
    };
    Answers::new(typed).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_by_its_group() {
        assert_eq!(sheet_code("00000-00001-00003-00003").unwrap_err().detail, "Compare the third group.");
        assert_eq!(sheet_code("00000").unwrap_err().detail, SHEET_CODE.detail);
        assert!(sheet_code("oooo0-ooool-00002 00003").is_ok());
    }

    #[test]
    fn other_files_are_told_apart() {
        assert!(key_file(b"<KeyFile/>").is_err() && grant(b"").is_err());
        assert!(answers(&[(1, "a"), (2, "b")]).is_err());
    }
}
