//! Paragraphs, as wide as a terminal is.

use std::io::{self, IsTerminal};

use ratatui::crossterm::terminal;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Lines of text are read up to this width, however wide the terminal is.
const WIDEST: usize = 100;
/// Narrower than this, lines are left to the terminal.
const NARROWEST: usize = 30;
/// Where there is no terminal: what fits on paper and in a mail.
const ELSEWHERE: usize = 80;
/// What does not begin a line, of what stands between letters that are not apart (UAX 14).
const BINDS_BACK: &str = "，。、；：！？）》」』】”’…—・%";
/// What does not end one.
const BINDS_ON: &str = "（《「『【“‘";

/// How wide text may be where standard output goes.
#[must_use]
pub fn width() -> usize {
    if !io::stdout().is_terminal() {
        return ELSEWHERE;
    }
    // The last column stays free: some terminals begin a new line after it by themselves.
    terminal::size().map_or(ELSEWHERE, |(columns, _)| usize::from(columns).saturating_sub(1)).min(WIDEST)
}

/// The same text with its lines broken between words, what is broken off standing below the text that it belongs to: behind a number, a hyphen or
/// a mark in brackets. A word that is wider than a line, such as an address to be copied, is not broken.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> String {
    let mut all = String::with_capacity(text.len() + text.len() / 20);
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        if width < NARROWEST || line.width() <= width {
            all.push_str(line);
        } else {
            wrap(line, width, &mut all);
        }
        all.push_str(end);
    }
    all
}

fn wrap(line: &str, width: usize, all: &mut String) {
    let begin = marker(line);
    all.push_str(&line[..begin]);
    let indent = line[..begin].width();
    let mut column = indent;
    let mut space = false;
    for piece in pieces(&line[begin..]) {
        if piece == " " {
            space = column > indent;
            continue;
        }
        let wide = piece.width() + usize::from(space);
        if column + wide > width && column > indent {
            all.push('\n');
            all.extend(std::iter::repeat_n(' ', indent));
            column = indent + piece.width();
        } else {
            all.push_str(if space { " " } else { "" });
            column += wide;
        }
        all.push_str(piece);
        space = false;
    }
}

/// Where the text of a line begins: behind its blanks and what it is counted by.
fn marker(line: &str) -> usize {
    let blanks = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let begin = blanks(line);
    let word = line[begin..].split(' ').next().unwrap_or_default();
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let bracketed = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).is_some_and(number);
    let rest = &line[begin + word.len()..];
    let counts = word == "-" || bracketed || word.strip_suffix('.').is_some_and(number);
    if counts || (number(word) && rest.starts_with("  ")) { begin + word.len() + blanks(rest) } else { begin }
}

/// What stays together: words, blanks, and letters of scripts that write without blanks, with what belongs to them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut letters = rest.char_indices().peekable();
        let (_, mut last) = letters.next()?;
        let mut end = last.len_utf8();
        while let Some((at, next)) = letters.next().filter(|(_, next)| !may_part(last, *next)) {
            (last, end) = (next, at + next.len_utf8());
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn may_part(before: char, after: char) -> bool {
    if before == ' ' || after == ' ' {
        return true;
    }
    let wide = |letter: char| letter.width() == Some(2);
    (wide(before) || wide(after)) && !BINDS_ON.contains(before) && !BINDS_BACK.contains(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_hang() {
        for (text, broken) in [
            ("", ""),
            ("short\n\nlines\n", "short\n\nlines\n"),
            ("one two three four five six seven eight", "one two three four five six\nseven eight"),
            (
                "   1. one two three four five six seven eight\n",
                "   1. one two three four five\n      six seven eight\n",
            ),
            ("  - one two three four five six seven", "  - one two three four five six\n    seven"),
            ("12  one two three four five six seven", "12  one two three four five six\n    seven"),
            (
                "   [2] https://example.org/a-long-way-down (weak)",
                "   [2] https://example.org/a-long-way-down\n       (weak)",
            ),
            ("2 of them are no number of a paragraph at all", "2 of them are no number of a\nparagraph at all"),
            // As wide as it is seen, with no mark at a line's begin.
            (
                "   1. 在录像机登录界面点击“忘记密码”，选择“预留邮箱验证”。",
                "   1. 在录像机登录界面点击“忘记\n      密码”，选择“预留邮箱验\n      证”。",
            ),
            ("在录像机登录界面点击忘记密码吧。好", "在录像机登录界面点击忘记密码\n吧。好"),
            ("在录像机登录界面点击忘记密码吧啊。", "在录像机登录界面点击忘记密码吧\n啊。"),
        ] {
            assert_eq!(wrapped(text, 31), broken, "{text}");
        }
        let narrow = "one two three four five six seven eight";
        assert_eq!(wrapped(narrow, 10), narrow, "the terminal does what it can");
    }

    #[test]
    fn nothing_is_lost_and_nothing_too_wide_whatever_it_is() {
        let strange =
            "a\u{301}b 录，像。机 [x] 1. - \u{ffff} 🙂🙂🙂 wörter-mit-strich und/oder %20 “quoted” ".repeat(9);
        for width in NARROWEST..90 {
            let done = wrapped(&strange, width);
            let bare = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            assert_eq!(bare(&done), bare(&strange));
            assert!(done.lines().all(|line| line.width() <= width), "{width}: {done}");
        }
    }
}
