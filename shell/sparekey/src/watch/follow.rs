//! One visit: from what was seen to what is there now, entry by entry.

use sparekey_protocol::log::{Act, Checkpoint, CheckpointRefusal, Frontier, Leaf, leaf_hash, verify_consistency};

use super::{
    log::{Entries, Log},
    state::{Found, State},
    wanted::Wanted,
};
use crate::failure::Failure;

/// Progress is told each time so many entries were read.
const TELL_EACH: u64 = 100_000;

/// A visit after which all is well.
pub(super) struct Visit {
    pub(super) state: State,
    /// How large the log was at the last visit.
    pub(super) since: u64,
}

/// Why a visit ended early.
pub(super) enum Alarm {
    /// The log is not what it should be.
    Log {
        problem: &'static str,
        happened: String,
        /// The checkpoint of the last visit.
        seen: Option<String>,
        /// The one that was served now.
        shown: Vec<u8>,
    },
    /// It could not be read: no alarm.
    Failed(Failure),
}

impl From<Failure> for Alarm {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Alarm> for Failure {
    fn from(alarm: Alarm) -> Self {
        match alarm {
            Alarm::Failed(failure) => failure,
            Alarm::Log { problem, happened, .. } => Self::new(
                problem,
                format!("ALARM: {happened}"),
                "Do not trust this service until whoever runs it has explained it. What was seen, and what was shown, is kept beside the state file.",
            ),
        }
    }
}

/// Reads what is new and sees that it extends what was seen. `progress` is told how many entries of how many were read.
pub(super) fn visit(
    log: &Log,
    before: Option<&State>,
    wanted: &Wanted,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Visit, Alarm> {
    let note = log.note()?;
    let alarm = |problem, happened: String| Alarm::Log {
        problem,
        happened,
        seen: before.map(|state| state.note.clone()),
        shown: note.clone(),
    };
    let now = log.open(&note).map_err(|refusal| {
        let problem = match refusal {
            CheckpointRefusal::Malformed => "malformed",
            refusal => refusal.name(),
        };
        alarm(problem, format!("the checkpoint of the public log cannot be believed: {refusal}."))
    })?;
    if let Some(seen) = before {
        same_log(seen, &now)?;
        if now.size < seen.edge.size() {
            let happened =
                format!("the public log was rolled back, from {} entries to {}.", seen.edge.size(), now.size);
            return Err(alarm("rollback", happened));
        }
    }

    let commitments = wanted.commitments();
    // Whoever is new to us may have leaves that were passed over.
    let again = before.is_none_or(|seen| commitments.iter().any(|one| !seen.watched.contains(one)));
    let (mut edge, mut found) = match before {
        Some(seen) if !again => (seen.edge.clone(), seen.found.clone()),
        _ => (Frontier::new(), Vec::new()),
    };
    let first = edge.size();
    let mut told = first;
    let contradicts =
        |edge: &Frontier| before.is_some_and(|seen| edge.size() == seen.edge.size() && edge.root() != seen.edge.root());
    while edge.size() < now.size {
        let at = edge.size();
        let Some(Entries { first: start, entries }) = log.entries(at, now.size)? else {
            return Err(alarm(
                "missing-leaf",
                format!("entry {at} of the public log is not shown, though the log counts it."),
            ));
        };
        for entry in entries.into_iter().skip((at - start) as usize) {
            let index = edge.size();
            edge.append(leaf_hash(&entry), |_, _| {});
            if contradicts(&edge) {
                return Err(told_apart(log, before, &now, &alarm)?);
            }
            let leaf = Leaf::decode(&entry)
                .map_err(|_| alarm("missing-leaf", format!("entry {index} of the public log cannot be read.")))?;
            if wanted.of(&leaf.commitment).is_some() {
                found.push(found_at(index, &leaf));
            }
        }
        if edge.size() == at {
            return Err(alarm(
                "missing-leaf",
                format!("entry {at} of the public log is not shown, though the log counts it."),
            ));
        }
        if edge.size() - told >= TELL_EACH {
            told = edge.size();
            progress(told - first, now.size - first);
        }
    }
    if contradicts(&edge) || edge.root() != now.root {
        return Err(told_apart(log, before, &now, &alarm)?);
    }
    let since = before.map_or(0, |seen| seen.edge.size());
    let note = String::from_utf8_lossy(&note).into_owned();
    Ok(Visit { state: State { origin: now.origin.clone(), edge, note, watched: commitments, found }, since })
}

/// A state file of another log is a mistake of who typed, and no alarm.
fn same_log(seen: &State, now: &Checkpoint) -> Result<(), Failure> {
    if seen.origin == now.origin {
        return Ok(());
    }
    Err(Failure::malformed("--state", format!("it is of another log, {}", seen.origin)))
}

/// The entries do not make the tree that was signed, or not the one that was seen: did the log fork, or does it hide entries?
fn told_apart(
    log: &Log,
    before: Option<&State>,
    now: &Checkpoint,
    alarm: &dyn Fn(&'static str, String) -> Alarm,
) -> Result<Alarm, Alarm> {
    if let Some(seen) = before {
        let (old, old_root) = (seen.edge.size(), seen.edge.root());
        let proof = if old == 0 { Some(Vec::new()) } else { log.consistency(old, now.size)? };
        let extends = proof.is_some_and(|proof| verify_consistency(old, &old_root, now.size, &now.root, &proof));
        if !extends {
            let happened = format!(
                "the public log tells another story than at the last visit: its first {old} entries have changed."
            );
            return Ok(alarm("fork", happened));
        }
    }
    Ok(alarm("missing-leaf", "the entries that the public log shows are not those that it signed.".to_owned()))
}

fn found_at(index: u64, leaf: &Leaf) -> Found {
    let grant = if let Act::GrantIssued(hash) = leaf.act { Some(hash) } else { None };
    Found { index, time: leaf.time.0, act: leaf.act.name().to_owned(), grant, commitment: leaf.commitment }
}
