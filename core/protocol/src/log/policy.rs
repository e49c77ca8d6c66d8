use alloc::vec::Vec;
use core::fmt;

use super::{
    checkpoint::Checkpoint,
    note::{Note, NoteError, parse_signatures},
    note_key::{Algorithm, KeyError, NoteKey},
};
use crate::{card::Card, verified::Verified};

/// Why a checkpoint is not believed: the first check that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckpointRefusal {
    /// Not a signed checkpoint, or longer than one may be.
    Malformed,
    /// Another log's.
    OtherLog,
    /// The log did not sign it.
    BadSignature,
    /// Fewer witnesses than the card asks for cosigned it.
    TooFewWitnesses,
    /// A cosignature in a known witness's name is not its own.
    BadCosignature,
}

impl CheckpointRefusal {
    /// Its stable name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::OtherLog => "other-log",
            Self::BadSignature => "bad-signature",
            Self::TooFewWitnesses => "too-few-witnesses",
            Self::BadCosignature => "bad-cosignature",
        }
    }
}

impl fmt::Display for CheckpointRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is not a checkpoint",
            Self::OtherLog => "it is another log's checkpoint",
            Self::BadSignature => "the log did not sign the checkpoint",
            Self::TooFewWitnesses => "too few witnesses cosigned the checkpoint",
            Self::BadCosignature => "a witness's cosignature of the checkpoint is forged",
        })
    }
}

impl core::error::Error for CheckpointRefusal {}

/// Whose checkpoints are believed: one log's, cosigned by a quorum of witnesses if a card names any.
#[derive(Clone, Debug)]
pub struct LogPolicy {
    log: NoteKey,
    quorum: usize,
    witnesses: Vec<NoteKey>,
}

impl LogPolicy {
    /// What a card pins. Witnesses whose algorithm is not in use here never count: if the quorum needs them, nothing is believed.
    ///
    /// # Errors
    /// [`KeyError`] if the card's log key cannot be used.
    pub fn of_card(card: &Card) -> Result<Self, KeyError> {
        let log = NoteKey::parse(&card.log_key)?;
        if log.algorithm() != Algorithm::Ed25519 {
            return Err(KeyError::Unsupported(0x04));
        }
        let (quorum, keys) = card.witnesses.as_ref().map_or((0, &[][..]), |witnesses| witnesses.quorum_of());
        let mut witnesses: Vec<NoteKey> = Vec::new();
        for key in keys.iter().filter_map(|key| NoteKey::parse(key).ok()) {
            // A key that stands there twice is one witness; so is one under two names.
            let again = witnesses.iter().any(|known| known.public_key() == key.public_key());
            if key.algorithm() == Algorithm::Cosignature && !again {
                witnesses.push(key);
            }
        }
        Ok(Self { log, quorum: usize::try_from(quorum).unwrap_or(usize::MAX), witnesses })
    }

    /// A log's key, and witnesses of whom so many must have cosigned: for the log itself.
    #[must_use]
    pub fn new(log: NoteKey, quorum: usize, witnesses: Vec<NoteKey>) -> Self {
        Self { log, quorum, witnesses }
    }

    /// The log's own key alone, whoever witnesses: for the log itself, before witnesses saw a checkpoint.
    #[must_use]
    pub fn of_log(log: NoteKey) -> Self {
        Self { log, quorum: 0, witnesses: Vec::new() }
    }

    /// The log's key. Its name is the log's origin.
    #[must_use]
    pub fn log(&self) -> &NoteKey {
        &self.log
    }

    /// How many witnesses must have cosigned.
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.quorum
    }

    /// The witnesses that count.
    #[must_use]
    pub fn witnesses(&self) -> &[NoteKey] {
        &self.witnesses
    }

    /// Opens a checkpoint: the only way to one that is believed. Signatures by unknown keys are passed over, as the specification says;
    /// one that is wrong in a known key's name spoils the whole.
    ///
    /// # Errors
    /// [`CheckpointRefusal`].
    pub fn open(&self, note: &[u8]) -> Result<Verified<Checkpoint>, CheckpointRefusal> {
        let note = Note::parse(note).map_err(|_| CheckpointRefusal::Malformed)?;
        let checkpoint = Checkpoint::parse(note.text()).ok_or(CheckpointRefusal::Malformed)?;
        if checkpoint.origin != self.log.name() {
            return Err(CheckpointRefusal::OtherLog);
        }
        if note.verified_by(&self.log) != Some(true) {
            return Err(CheckpointRefusal::BadSignature);
        }
        let mut cosigned = 0;
        for witness in &self.witnesses {
            match note.verified_by(witness) {
                Some(true) => cosigned += 1,
                Some(false) => return Err(CheckpointRefusal::BadCosignature),
                None => {}
            }
        }
        if cosigned < self.quorum {
            return Err(CheckpointRefusal::TooFewWitnesses);
        }
        Ok(Verified::after_all_checks(checkpoint))
    }

    /// The lines of a witness's answer that are right cosignatures of this checkpoint by witnesses of this policy, one each.
    ///
    /// # Errors
    /// [`NoteError`] if the answer, or the checkpoint, is no such thing.
    pub fn cosignatures<'a>(&self, checkpoint: &[u8], answer: &'a str) -> Result<Vec<(&NoteKey, &'a str)>, NoteError> {
        let note = Note::parse(checkpoint)?;
        let mut right = Vec::new();
        for line in parse_signatures(answer)? {
            let by = self.witnesses.iter().find(|key| key.name() == line.name && key.id() == line.id);
            if let Some(key) = by
                && key.verifies(note.text(), &line.signature)
                && !right.iter().any(|(known, _)| *known == key)
            {
                right.push((key, line.line()));
            }
        }
        Ok(right)
    }
}
