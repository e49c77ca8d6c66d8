//! Questions to whoever sits at the terminal; for scripts, lines on standard input.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// No line that is typed here is longer.
const LONGEST: u64 = 4 * 1024;

/// Asks for one line. The question goes to standard error, and only if somebody is there to read it.
pub(crate) fn line(question: &str) -> Result<Zeroizing<String>, Failure> {
    if is_person() {
        put(&format!("{question} "));
    }
    let mut typed = Zeroizing::new(String::new());
    let read = io::stdin().lock().take(LONGEST).read_line(&mut typed).map_err(|error| lost(&error))?;
    if read == 0 {
        let what = question.trim_end_matches(':');
        let happened = format!("Standard input ended where \"{what}\" was asked.");
        return Err(Failure::new("cancelled", happened, "Give one line for each question; nothing was changed."));
    }
    Ok(Zeroizing::new(typed.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Asks for a password that stays unseen.
pub(crate) fn hidden(question: &str) -> Result<Zeroizing<String>, Failure> {
    if !is_person() {
        return line(question);
    }
    put(&format!("{question} "));
    let typed = unseen();
    put("\n");
    typed
}

/// Asks for a new password, twice where a person types it.
pub(crate) fn new_password() -> Result<Zeroizing<String>, Failure> {
    twice("New password:")
}

/// The same for something else than the device.
pub(crate) fn new_password_of(what: &str) -> Result<Zeroizing<String>, Failure> {
    twice(&format!("New password of {what}:"))
}

fn twice(question: &str) -> Result<Zeroizing<String>, Failure> {
    loop {
        let first = hidden(question)?;
        if !is_person() || *first == *hidden("The same again:")? {
            return Ok(first);
        }
        put("These are not the same. Once more, please.\n");
    }
}

pub(crate) fn is_person() -> bool {
    io::stdin().is_terminal()
}

fn put(text: &str) {
    let mut to = io::stderr().lock();
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

/// Byte by byte, so that Ctrl-C is seen here and the terminal is put back as it was.
fn unseen() -> Result<Zeroizing<String>, Failure> {
    let stdin = io::stdin();
    let before = tcgetattr(&stdin).map_err(|error| lost(&error.into()))?;
    let mut quiet = before.clone();
    quiet.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    tcsetattr(&stdin, OptionalActions::Flush, &quiet).map_err(|error| lost(&error.into()))?;
    let typed = typed(stdin.lock());
    let put_back = tcsetattr(&stdin, OptionalActions::Now, &before);
    put_back.map_err(|error| lost(&error.into()))?;
    typed
}

fn typed(mut from: impl Read) -> Result<Zeroizing<String>, Failure> {
    // All at once: one that grows would leave pieces of a password behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    loop {
        let mut byte = [0];
        from.read_exact(&mut byte).map_err(|error| lost(&error))?;
        match byte[0] {
            b'\r' | b'\n' => break,
            3 | 4 => return Err(Failure::new("cancelled", "Left.", "Nothing was changed by this last step.")),
            8 | 127 => {
                // The last character, whose further bytes are 10xxxxxx (RFC 3629).
                while bytes.pop().is_some_and(|last| last & 0xc0 == 0x80) {}
            }
            21 => bytes.clear(),
            other if bytes.len() < bytes.capacity() => bytes.push(other),
            _ => {}
        }
    }
    let text = str::from_utf8(&bytes).map_err(|_| Failure::malformed("What was typed", "not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn lost(error: &io::Error) -> Failure {
    Failure::new("not-possible", format!("Nothing can be read from the terminal: {error}."), "Try it in another one.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_unseen_can_be_corrected() {
        for (keys, expected) in [
            (&b"ocean\n"[..], Some("ocean")),
            ("gr\u{fc}\x7fun\r".as_bytes(), Some("grun")),
            (b"wrong\x15right\n", Some("right")),
            (b"\x7f\x08a\n", Some("a")),
            (b"oc\x03", None),
            (b"\xff\n", None),
            (b"cut", None),
        ] {
            assert_eq!(typed(keys).ok().as_ref().map(|typed| typed.as_str()), expected, "{keys:?}");
        }
    }
}
