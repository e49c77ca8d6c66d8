//! Whether a mail was written by a program, so that no answer may go back (RFC 3834 section 2).

/// Values of `Precedence` that people's mail does not have.
const IN_BULK: [&str; 4] = ["bulk", "junk", "list", "auto_reply"];
/// Headers that only programs set, whatever they say.
const ONLY_PROGRAMS: [&str; 7] = [
    "X-Auto-Response-Suppress",
    "X-Autoreply",
    "X-Autorespond",
    "X-Auto-Reply-From",
    "X-Failed-Recipients",
    "X-Loop",
    "Feedback-ID",
];
/// Local parts that no person has, in lower case.
const NOBODY: [&str; 9] = [
    "mailer-daemon",
    "postmaster",
    "noreply",
    "no-reply",
    "donotreply",
    "do-not-reply",
    "listserv",
    "majordomo",
    "bounce",
];
const NOBODY_BEGINS: [&str; 4] = ["owner-", "bounce+", "bounce-", "bounces+"];
const NOBODY_ENDS: [&str; 4] = ["-request", "-bounces", "-owner", "-daemon"];

/// Whether one of these headers, each with its name and its text, says so.
pub(super) fn by_headers<'a>(mut headers: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
    headers.any(|(name, text)| says_so(name, text.trim()))
}

fn says_so(name: &str, text: &str) -> bool {
    let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
    if is("Auto-Submitted") {
        // RFC 3834 section 5: anything but `no`, which may have parameters.
        return !first_word(text).eq_ignore_ascii_case("no");
    }
    if is("Precedence") {
        return IN_BULK.iter().any(|word| first_word(text).eq_ignore_ascii_case(word));
    }
    if is("Content-Type") {
        let kind = first_word(text).to_ascii_lowercase();
        return kind == "multipart/report" || kind == "message/delivery-status";
    }
    // RFC 2369, RFC 2919.
    let of_a_list = name.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("list-"));
    // An empty envelope sender, where a mailbox keeps it as a header (RFC 5321 section 4.4).
    let from_nobody = is("Return-Path") && text == "<>";
    of_a_list || from_nobody || ONLY_PROGRAMS.iter().any(|program| is(program))
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| c == ';' || c == '(' || c.is_whitespace()).next().unwrap_or_default()
}

/// Whether the part before the `@` is a program's.
pub(super) fn by_local_part(local_part: &str) -> bool {
    let local = local_part.to_ascii_lowercase();
    NOBODY.contains(&local.as_str())
        || NOBODY_BEGINS.iter().any(|begin| local.starts_with(begin))
        || NOBODY_ENDS.iter().any(|end| local.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_people() {
        for (name, text, automatic) in [
            ("Auto-Submitted", " auto-replied", true),
            ("auto-submitted", "auto-generated; owner-email=\"x\"", true),
            ("Auto-Submitted", "AUTO-NOTIFIED", true),
            ("Auto-Submitted", "", true),
            ("Auto-Submitted", "no", false),
            ("Auto-Submitted", " No (a person)", false),
            ("Precedence", "bulk", true),
            ("Precedence", "LIST", true),
            ("Precedence", "junk", true),
            ("Precedence", "first-class", false),
            ("List-Id", "<x.example.org>", true),
            ("LIST-UNSUBSCRIBE", "<mailto:x@example.org>", true),
            ("List-Post", "NO", true),
            ("Listing", "x", false),
            ("X-Auto-Response-Suppress", "OOF", true),
            ("X-Autoreply", "yes", true),
            ("X-Failed-Recipients", "a@b.example", true),
            ("X-Loop", "x", true),
            ("Return-Path", "<>", true),
            ("Return-Path", "<a@b.example>", false),
            ("Content-Type", "multipart/report; report-type=delivery-status", true),
            ("Content-Type", "Multipart/Report", true),
            ("Content-Type", "multipart/mixed; boundary=x", false),
            ("Subject", "Auto-Submitted: auto-replied", false),
            ("X-Mailer", "bulk", false),
        ] {
            assert_eq!(by_headers([(name, text)].into_iter()), automatic, "{name}: {text}");
        }
        assert!(by_headers([("Subject", "x"), ("Precedence", "bulk")].into_iter()));
        assert!(!by_headers([].into_iter()));
    }

    #[test]
    fn mailboxes_of_programs_are_told_from_peoples() {
        for local in [
            "MAILER-DAEMON",
            "Postmaster",
            "no-reply",
            "NoReply",
            "owner-list",
            "list-request",
            "list-bounces",
            "bounce+abc",
            "majordomo",
        ] {
            assert!(by_local_part(local), "{local}");
        }
        for local in ["ada", "owner", "reply", "postmaster.ada", "requests", "bouncer"] {
            assert!(!by_local_part(local), "{local}");
        }
    }
}
