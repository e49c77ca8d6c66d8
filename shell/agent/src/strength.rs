//! How hard a password is to guess, by zxcvbn.
//!
//! Its dictionaries take five megabytes as long as the process lives, and a long hostile password keeps it busy for seconds.
//! So a device judges a bounded part, in a child process, which is gone a moment later; never under the device's lock, and
//! one at a time for callers of one kind.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, setrlimit};
use zeroize::Zeroizing;

/// Seconds of processor time that a child may take.
const PROCESSOR_SECONDS: u64 = 2;
/// More than a password and its words can be, in bytes.
const LONGEST: u64 = 4096;
/// Characters that are judged at once: the worst 24 that could be found (every look-alike of a letter) keep a desktop's
/// processor busy for 60 milliseconds, the worst 100 for two seconds.
const JUDGED: usize = 24;
/// zxcvbn's "safely unguessable": who holds it needs no second look.
const STRONG: u8 = 3;
/// Between the password and the words. A password that holds it is judged by its first part: as no stronger than it is.
const BETWEEN: char = '\0';

/// Who judges.
#[derive(Clone, Debug, Default)]
pub enum Judge {
    /// This process.
    #[default]
    Here,
    /// This program with this argument, which calls [`judge_child`].
    Child(PathBuf, &'static str),
}

impl Judge {
    /// zxcvbn's score, 0 to 4, for a password and the words that an attacker tries first here. Slow.
    ///
    /// A password that the child cannot judge in its time counts as weak.
    pub(crate) fn score(&self, password: &str, words: &[String]) -> u8 {
        let Self::Child(program, argument) = self else { return estimate(password, words) };
        ask(program, argument, password, words).unwrap_or_else(|error| {
            tracing::warn!(%error, "a password could not be judged");
            0
        })
    }
}

fn ask(program: &PathBuf, argument: &str, password: &str, words: &[String]) -> io::Result<u8> {
    let mut asked = Zeroizing::new(password.to_owned());
    for word in words {
        asked.push(BETWEEN);
        asked.push_str(word);
    }
    let mut child = Command::new(program)
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let sent = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(asked.as_bytes()));
    let output = child.wait_with_output()?;
    sent?;
    match output.stdout.as_slice() {
        [score @ b'0'..=b'4'] if output.status.success() => Ok(score - b'0'),
        _ => Err(io::Error::other("the child gave no score")),
    }
}

/// The child's part: reads a password and words on standard input, and writes the score.
///
/// # Errors
/// Those of the pipes, or input that no agent sends.
pub fn judge_child() -> io::Result<()> {
    let limit = Rlimit { current: Some(PROCESSOR_SECONDS), maximum: Some(PROCESSOR_SECONDS) };
    setrlimit(Resource::Cpu, limit)?;
    let mut asked = Zeroizing::new(String::new());
    io::stdin().take(LONGEST).read_to_string(&mut asked)?;
    let (password, words) = asked.split_once(BETWEEN).unwrap_or((&asked, ""));
    let words: Vec<_> = words.split(BETWEEN).map(str::to_owned).collect();
    io::stdout().write_all(&[b'0' + estimate(password, &words)])
}

/// The first characters decide. Where they are weak the last ones do: no part of a password is harder to guess than all of it.
fn estimate(password: &str, words: &[String]) -> u8 {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let score = |part: &str| u8::from(zxcvbn::zxcvbn(part, &words).score());
    let (first, last) = ends(password);
    let begins = score(first);
    if begins >= STRONG || last.len() == password.len() { begins } else { begins.max(score(last)) }
}

/// The first and the last of the characters, as many as are judged at once.
fn ends(password: &str) -> (&str, &str) {
    let first = password.char_indices().nth(JUDGED).map_or(password, |(end, _)| &password[..end]);
    let last = password.char_indices().nth_back(JUDGED - 1).map_or(password, |(start, _)| &password[start..]);
    (first, last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hasher::{Client, Hasher};

    #[test]
    fn common_words_and_own_names_are_weak() {
        let words = ["NVR-4216-0001".to_owned()];
        for weak in ["password1", "12345678", "qwertyuiop", "NVR-4216-0001x", "iloveyou2"] {
            assert!(Judge::Here.score(weak, &words) < 3, "{weak}");
        }
        for strong in ["four unrelated lamps sing", "kX9#mQ2$vL7p"] {
            assert!(Judge::Here.score(strong, &words) >= 3, "{strong}");
        }
    }

    #[test]
    fn of_a_long_password_both_ends_are_judged() {
        let weak = "a".repeat(40);
        for (password, strong) in [
            ("correct horse battery staple".to_owned(), true),
            (format!("kX9#mQ2$vL7p{weak}"), true),
            (format!("{weak}kX9#mQ2$vL7p"), true),
            ("密".repeat(60), false),
            ("password".repeat(16), false),
            (weak, false),
        ] {
            assert_eq!(Judge::Here.score(&password, &[]) >= STRONG, strong, "{password}");
        }
        assert_eq!(ends("short"), ("short", "short"));
        let long: String = ('a'..='z').chain('A'..='Z').collect();
        assert_eq!(ends(&long), (&long[..JUDGED], &long[52 - JUDGED..]));
    }

    /// Every look-alike of a letter: zxcvbn tries all combinations of them.
    #[tokio::test]
    async fn a_hostile_password_is_judged_on_a_lane_of_little_stack() {
        let hostile = "a4@b8c({[<e3g69i1!|l1|7o0s$5t+7x%z2".repeat(3);
        let hasher = Hasher::start().unwrap();
        let turn = hasher.turn(Client::Screen).unwrap();
        assert!(turn.run(move || Judge::Here.score(&hostile, &[])).await >= STRONG);
    }

    #[test]
    fn what_a_child_cannot_judge_counts_as_weak() {
        for (program, argument) in [("/bin/false", ""), ("/bin/echo", "44"), ("/nowhere", "")] {
            assert_eq!(Judge::Child(program.into(), argument).score("kX9#mQ2$vL7p", &[]), 0, "{program}");
        }
    }
}
