//! Something done with each of many devices, some at once, and how far it is.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use sparekey_lan::Row;

/// A device is slow and patient; this computer and the link are not to be its crowd.
const AT_ONCE: usize = 8;
/// Jobs that are remembered.
const MOST: usize = 16;

/// What came of one device.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The number of its row.
    pub(crate) id: u32,
    pub(crate) serial: String,
    /// Why not; `None` if it is done.
    pub(crate) trouble: Option<(String, String)>,
}

/// How far it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// What is done, in one word.
    pub(crate) name: &'static str,
    pub(crate) of: usize,
    pub(crate) outcomes: Vec<Outcome>,
    /// Files that came of it.
    pub(crate) files: Vec<String>,
    pub(crate) over: bool,
}

/// Jobs under way and done, the oldest first.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    /// The number of the last one.
    last: u32,
    /// Each with its number, the oldest first.
    jobs: Vec<(u32, Arc<Mutex<Progress>>)>,
}

impl Jobs {
    /// Begins one; `end` is given what each brought, and answers with files. Its number.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        name: &'static str,
        rows: Vec<Row>,
        work: impl Fn(&Row) -> Result<T, (String, String)> + Send + Sync + 'static,
        end: impl FnOnce(Vec<T>) -> Vec<String> + Send + 'static,
    ) -> u32 {
        let progress = Arc::new(Mutex::new(Progress { name, of: rows.len(), ..Progress::default() }));
        let number = {
            let mut all = lock(&self.0);
            all.last += 1;
            let number = all.last;
            if all.jobs.len() == MOST {
                all.jobs.remove(0);
            }
            all.jobs.push((number, Arc::clone(&progress)));
            number
        };
        thread::spawn(move || {
            let (next, brought) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
            thread::scope(|scope| {
                for _ in 0..AT_ONCE.min(rows.len()) {
                    scope.spawn(|| {
                        while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                            let done = work(row);
                            let serial = row.serial.clone().unwrap_or_default();
                            let trouble = done.map(|brings| lock(&brought).push(brings)).err();
                            lock(&progress).outcomes.push(Outcome { id: row.id, serial, trouble });
                        }
                    });
                }
            });
            let files = end(brought.into_inner().unwrap_or_else(PoisonError::into_inner));
            let mut progress = lock(&progress);
            (progress.files, progress.over) = (files, true);
        });
        number
    }

    pub(crate) fn progress(&self, number: u32) -> Option<Progress> {
        let all = lock(&self.0);
        all.jobs.iter().find(|(known, _)| *known == number).map(|(_, progress)| lock(progress).clone())
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_is_done_once_and_told() {
        let rows: Vec<_> = (0..20).map(|n| Row { serial: Some(format!("S{n}")), ..Row::default() }).collect();
        let jobs = Jobs::default();
        let refuse = |row: &Row| row.serial.as_deref() == Some("S7");
        let number = jobs.begin(
            "asked",
            rows,
            move |row| if refuse(row) { Err(("No.".to_owned(), String::new())) } else { Ok(1) },
            |brought| vec![brought.len().to_string()],
        );
        let progress = loop {
            let progress = jobs.progress(number).unwrap();
            if progress.over {
                break progress;
            }
            thread::sleep(Duration::from_millis(5));
        };
        assert_eq!((progress.outcomes.len(), progress.files), (20, vec!["19".to_owned()]));
        let failed: Vec<_> = progress.outcomes.iter().filter(|outcome| outcome.trouble.is_some()).collect();
        assert!(failed.len() == 1 && failed[0].serial == "S7");
        assert!(jobs.progress(99).is_none());
    }
}
