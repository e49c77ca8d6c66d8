//! How hard a password is to guess, by zxcvbn.
//!
//! Its dictionaries take five megabytes as long as the process lives, and a hostile password can keep it busy for a second.
//! So a device judges in a child process, which is gone a moment later; never under the device's lock, and one at a time
//! for callers of one kind.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, setrlimit};
use zeroize::Zeroizing;

/// Seconds of processor time that a child may take.
const PROCESSOR_SECONDS: u64 = 2;
/// More than a password and its words can be, in bytes.
const LONGEST: u64 = 4096;
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
    let mut child =
        Command::new(program).arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
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

fn estimate(password: &str, words: &[String]) -> u8 {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    zxcvbn::zxcvbn(password, &words).score().into()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_a_child_cannot_judge_counts_as_weak() {
        for (program, argument) in [("/bin/false", ""), ("/bin/echo", "44"), ("/nowhere", "")] {
            assert_eq!(Judge::Child(program.into(), argument).score("kX9#mQ2$vL7p", &[]), 0, "{program}");
        }
    }
}
