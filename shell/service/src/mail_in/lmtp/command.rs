//! One command of a client (RFC 5321 section 4.1.1, RFC 2033 section 4.1).

/// What it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Lhlo,
    /// The sender, empty for none, and how large the mail will be, if it says so.
    Mail {
        sender: String,
        size: Option<u64>,
    },
    Rcpt {
        recipient: String,
    },
    Data,
    Rset,
    Noop,
    Vrfy,
    Quit,
}

/// Why a line is no command, as the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadCommand {
    /// Not text, or not of this protocol.
    Unknown,
    /// HELO or EHLO: the client takes this for SMTP (RFC 2033 section 4.1 forbids to let it).
    NotLmtp,
    /// A known command that cannot be read.
    Syntax,
    /// A parameter that was not offered.
    Parameter,
}

impl BadCommand {
    pub(super) fn reply(self) -> &'static str {
        match self {
            Self::Unknown => "500 5.5.2 Unknown command",
            Self::NotLmtp => "500 5.5.1 This is LMTP: say LHLO",
            Self::Syntax => "501 5.5.4 Syntax error",
            Self::Parameter => "555 5.5.4 Parameter not known",
        }
    }
}

/// The longest path (RFC 5321 section 4.5.3.1.3), with room for other scripts.
const LONGEST_PATH: usize = 512;

impl Command {
    /// Reads a line, without its end.
    pub(super) fn parse(line: &[u8]) -> Result<Self, BadCommand> {
        let line = std::str::from_utf8(line).map_err(|_| BadCommand::Unknown)?;
        if line.chars().any(char::is_control) {
            return Err(BadCommand::Unknown);
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        let bare = |command| if rest.is_empty() { Ok(command) } else { Err(BadCommand::Syntax) };
        match verb.to_ascii_uppercase().as_str() {
            "LHLO" if rest.is_empty() => Err(BadCommand::Syntax),
            "LHLO" => Ok(Self::Lhlo),
            "HELO" | "EHLO" => Err(BadCommand::NotLmtp),
            "MAIL" => mail(rest),
            "RCPT" => match path(rest, "to:")? {
                (recipient, "") if !recipient.is_empty() => Ok(Self::Rcpt { recipient: recipient.to_owned() }),
                (_, "") => Err(BadCommand::Syntax),
                _ => Err(BadCommand::Parameter),
            },
            "DATA" => bare(Self::Data),
            "RSET" => bare(Self::Rset),
            "QUIT" => bare(Self::Quit),
            "NOOP" => Ok(Self::Noop),
            "VRFY" => Ok(Self::Vrfy),
            _ => Err(BadCommand::Unknown),
        }
    }
}

fn mail(rest: &str) -> Result<Command, BadCommand> {
    let (sender, parameters) = path(rest, "from:")?;
    let mut size = None;
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" if size.is_none() && !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                // What does not fit is too large by any measure.
                size = Some(value.parse().unwrap_or(u64::MAX));
            }
            "BODY" if ["7BIT", "8BITMIME"].iter().any(|body| value.eq_ignore_ascii_case(body)) => {}
            "SMTPUTF8" if value.is_empty() => {}
            "SIZE" => return Err(BadCommand::Syntax),
            _ => return Err(BadCommand::Parameter),
        }
    }
    Ok(Command::Mail { sender: sender.to_owned(), size })
}

/// `FROM:<a@b>` or `TO:<a@b>`: what stands in the brackets, and what follows them.
fn path<'a>(rest: &'a str, before: &str) -> Result<(&'a str, &'a str), BadCommand> {
    let rest = match rest.split_at_checked(before.len()) {
        Some((begin, rest)) if begin.eq_ignore_ascii_case(before) => rest.trim_start(),
        _ => return Err(BadCommand::Syntax),
    };
    let rest = rest.strip_prefix('<').ok_or(BadCommand::Syntax)?;
    // A quoted local part may hold a bracket; such a one is nobody's here, and read as far as it goes.
    let (path, after) = rest.split_once('>').ok_or(BadCommand::Syntax)?;
    if path.len() > LONGEST_PATH || !(after.is_empty() || after.starts_with(' ')) {
        return Err(BadCommand::Syntax);
    }
    Ok((path, after.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(sender: &str, size: Option<u64>) -> Result<Command, BadCommand> {
        Ok(Command::Mail { sender: sender.to_owned(), size })
    }

    #[test]
    fn commands_are_read_and_nothing_else() {
        let to = |recipient: &str| Ok(Command::Rcpt { recipient: recipient.to_owned() });
        for (line, read) in [
            ("LHLO x.example", Ok(Command::Lhlo)),
            ("lhlo [127.0.0.1]", Ok(Command::Lhlo)),
            ("LHLO", Err(BadCommand::Syntax)),
            ("EHLO x.example", Err(BadCommand::NotLmtp)),
            ("HELO x.example", Err(BadCommand::NotLmtp)),
            ("MAIL FROM:<>", mail("", None)),
            ("mail from:<a@b.example>", mail("a@b.example", None)),
            ("MAIL FROM: <a@b.example> SIZE=100 BODY=8bitmime SMTPUTF8", mail("a@b.example", Some(100))),
            ("MAIL FROM:<a@b.example> SIZE=99999999999999999999999", mail("a@b.example", Some(u64::MAX))),
            ("MAIL FROM:<a@b.example> SIZE=-1", Err(BadCommand::Syntax)),
            ("MAIL FROM:<a@b.example> SIZE=", Err(BadCommand::Syntax)),
            ("MAIL FROM:<a@b.example> SIZE=1 SIZE=2", Err(BadCommand::Syntax)),
            ("MAIL FROM:<a@b.example> BODY=BINARYMIME", Err(BadCommand::Parameter)),
            ("MAIL FROM:<a@b.example> RET=FULL", Err(BadCommand::Parameter)),
            ("MAIL FROM:<a@b.example>SIZE=1", Err(BadCommand::Syntax)),
            ("MAIL FROM:a@b.example", Err(BadCommand::Syntax)),
            ("MAIL FROM:<a@b.example", Err(BadCommand::Syntax)),
            ("MAIL", Err(BadCommand::Syntax)),
            ("MAIL TO:<a@b.example>", Err(BadCommand::Syntax)),
            ("RCPT TO:<a@b.example>", to("a@b.example")),
            ("RCPT TO:<\"a b\"@b.example>", to("\"a b\"@b.example")),
            ("RCPT TO:<>", Err(BadCommand::Syntax)),
            ("RCPT TO:<a@b.example> NOTIFY=NEVER", Err(BadCommand::Parameter)),
            ("DATA", Ok(Command::Data)),
            ("DATA now", Err(BadCommand::Syntax)),
            ("BDAT 10 LAST", Err(BadCommand::Unknown)),
            ("NOOP anything", Ok(Command::Noop)),
            ("VRFY a", Ok(Command::Vrfy)),
            ("RSET", Ok(Command::Rset)),
            ("quit", Ok(Command::Quit)),
            ("", Err(BadCommand::Unknown)),
            ("GET / HTTP/1.1", Err(BadCommand::Unknown)),
            ("NOOP\0", Err(BadCommand::Unknown)),
            ("NOOP\rQUIT", Err(BadCommand::Unknown)),
            ("MAIL\u{e9} FROM:<>", Err(BadCommand::Unknown)),
            ("MAIL F\u{e9}OM:<>", Err(BadCommand::Syntax)),
        ] {
            assert_eq!(Command::parse(line.as_bytes()), read, "{line:?}");
        }
        assert_eq!(Command::parse(b"NOOP \xff"), Err(BadCommand::Unknown));
        let long = format!("MAIL FROM:<{}@b.example>", "a".repeat(600));
        assert_eq!(Command::parse(long.as_bytes()), Err(BadCommand::Syntax));
    }
}
