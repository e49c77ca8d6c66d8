//! What an approved case is answered with: grants in a file, or eight digits that are shown once. Both wait for the public log.

use std::time::Duration;

use sparekey_cases::desk::{Answer, Asked, Case, GrantHours, Refusal};
use sparekey_protocol::{
    Code, Serial,
    files::{self, Document, Entry, FileError, GrantFile as Xml},
    grant::{self, Grant},
    log::{Leaf, LogProof},
};

use super::{Credential, Desk, DeskError};
use crate::{
    public_log::NotProven,
    store::{DeskRow, IssuedGrant, StoreError},
    writer::desk::Act,
};

/// How long a caller waits for the public log.
const AT_MOST: Duration = Duration::from_secs(15);

/// A file of grants (protocol section 8): one, or a batch; of more than fit into one file, a part.
pub(crate) struct GrantFile {
    pub(crate) xml: String,
    /// How many files there are.
    pub(crate) parts: usize,
}

/// The eight digits of a request.
pub(crate) struct Key {
    pub(crate) serial: Serial,
    pub(crate) code: Code,
}

impl Desk {
    /// Answers all requests of a case that have no answer by grants, and hands all its grants out: the file with this number, from 0.
    /// Asked again, the same grants, with proofs from the log as it is then.
    pub(crate) async fn grant(
        &self,
        credential: Credential,
        number: &str,
        hours: GrantHours,
        part: usize,
    ) -> Result<GrantFile, DeskError> {
        let acted = self.acted(credential, number, Act::Grant(hours)).await?;
        let mut grants = Vec::new();
        for issued in self.store.grants(acted.row.id).await? {
            grants.push(self.prove(&acted.row, &issued).await?);
        }
        let mut files = split(grants)?;
        let parts = files.len();
        if part >= parts {
            return Err(DeskError::Field("part"));
        }
        Ok(GrantFile { xml: files.swap_remove(part), parts })
    }

    /// The eight digits of one request: once, and only after the public log says that it was asked for them.
    pub(crate) async fn key(&self, credential: Credential, number: &str, entry: u32) -> Result<Key, DeskError> {
        let acted = self.acted(credential, number, Act::AskKey(entry)).await?;
        let (row, asked) = (&acted.row, asked(&acted.row.case, entry)?);
        let at = row.case.asked[entry as usize].ok_or(DeskError::Unavailable)?;
        let leaf = Leaf::new(at, asked.key_act(), asked.device, asked.nonce);
        let place = self.store.key_leaf(row.id, entry).await?.ok_or(DeskError::Unavailable)?;
        self.log.prove(place, &leaf, AT_MOST).await?;
        let serial = asked.serial.clone();
        let shown = self.acted(credential, number, Act::ShowKey(entry)).await?;
        Ok(Key { serial, code: shown.key.ok_or(DeskError::Unavailable)? })
    }

    /// A grant with its proof, as a file has it.
    async fn prove(&self, row: &DeskRow, issued: &IssuedGrant) -> Result<Xml, DeskError> {
        let damaged = || DeskError::from(StoreError::Damaged("grant"));
        let asked = asked(&row.case, issued.entry)?;
        let answer = row.case.answers.get(issued.entry as usize).copied().flatten();
        let Some(Answer::Grant { issued_at, not_after }) = answer else { return Err(damaged()) };
        let (device, nonce, case) = (asked.device, asked.nonce, row.number.clone());
        let leaf = Grant { device, nonce, issued_at, not_after, case }.leaf(&issued.signed);
        let proof = self.log.prove(issued.leaf, &leaf, AT_MOST).await?;
        let proof = LogProof::parse(&proof).map_err(|_| damaged())?;
        let bundle = grant::bundle(&issued.signed, &proof);
        Ok(Xml::new(&asked.serial, row.number.as_str(), not_after, bundle))
    }
}

impl From<NotProven> for DeskError {
    fn from(_: NotProven) -> Self {
        Self::NotLoggedYet
    }
}

fn asked(case: &Case, entry: u32) -> Result<&Asked, DeskError> {
    let mut verified = case.verified();
    verified.find(|(place, _)| *place == entry).map(|(_, asked)| asked).ok_or(DeskError::Refused(Refusal::Malformed))
}

/// One grant in a file of its own; several in as few batches as they fit into.
fn split(mut grants: Vec<Xml>) -> Result<Vec<String>, DeskError> {
    if grants.len() == 1
        && let Some(grant) = grants.pop()
    {
        return Ok(vec![write(&Document::Grant(grant))?]);
    }
    let mut files = Vec::new();
    while !grants.is_empty() {
        // Halved until it fits: a log of any size has proofs of nearly one length.
        let mut count = grants.len().min(files::MAX_BATCH);
        loop {
            let entries = grants[..count].iter().cloned().map(Entry::Grant).collect();
            match write(&Document::Batch(entries)) {
                Err(DeskError::File(FileError::TooLong)) if count > 1 => count -= (count / 8).max(1),
                Err(error) => return Err(error),
                Ok(file) => {
                    files.push(file);
                    grants.drain(..count);
                    break;
                }
            }
        }
    }
    Ok(files)
}

fn write(document: &Document) -> Result<String, DeskError> {
    files::write(document).map(|text| text.to_string()).map_err(DeskError::File)
}

#[cfg(test)]
mod tests {
    use sparekey_protocol::{Time, files::MAX_FILE};

    use super::*;

    fn grants(count: u8, length: usize) -> Vec<Xml> {
        let serial = Serial::new("NVR-1").unwrap();
        (0..count).map(|n| Xml::new(&serial, "2026-000001", Time(1), vec![n; length])).collect()
    }

    #[test]
    fn files_are_few_and_within_their_bound() {
        for (count, length, files) in
            [(1, 900, 1), (2, 900, 1), (50, 700, 1), (50, 1_100, 2), (200, 700, 4), (3, 40_000, 3)]
        {
            let written = split(grants(count, length)).unwrap();
            assert_eq!(written.len(), files, "{count} of {length}");
            let mut seen = 0;
            for file in &written {
                assert!(file.len() <= MAX_FILE);
                seen += match files::parse(file.as_bytes()).unwrap() {
                    Document::Grant(grant) => usize::from(grant.payload[0] == 0),
                    Document::Batch(entries) => entries.len(),
                    other => panic!("{other:?}"),
                };
            }
            assert_eq!(seen, usize::from(count));
        }
        assert!(matches!(split(grants(1, 60_000)), Err(DeskError::File(FileError::TooLong))));
        assert!(split(Vec::new()).unwrap().is_empty());
    }
}
