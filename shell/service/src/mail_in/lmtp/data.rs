//! The text of a mail as it comes over the wire (RFC 5321 section 4.5.2), up to the line with one dot.

/// What was received so far. At most `limit` bytes of it are kept, however much comes.
pub(super) struct Data {
    kept: Vec<u8>,
    limit: usize,
    received: u64,
    state: State,
}

/// Where in a line the next byte stands. Only CRLF ends a line: a bare LF before or after a dot ends no mail, so that nobody
/// slips in a second one (SMTP smuggling).
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begin,
    /// After the dot that begins a line, which is not part of the mail.
    Dot,
    /// After the dot and a CR.
    DotCr,
    Within,
    Cr,
    End,
}

impl Data {
    pub(super) fn new(limit: usize) -> Self {
        Self { kept: Vec::new(), limit, received: 0, state: State::Begin }
    }

    /// Takes what came; says how much of it belonged to the mail.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        for &byte in bytes {
            if self.state == State::End {
                break;
            }
            taken += 1;
            self.state = self.next(byte);
        }
        self.received += taken as u64;
        taken
    }

    fn next(&mut self, byte: u8) -> State {
        match (self.state, byte) {
            (State::Begin, b'.') => return State::Dot,
            (State::Dot, b'\r') => return State::DotCr,
            (State::DotCr, b'\n') => return State::End,
            (State::DotCr, _) => self.keep(b'\r'),
            _ => {}
        }
        let after_cr = matches!(self.state, State::Cr | State::DotCr);
        self.keep(byte);
        match byte {
            b'\n' if after_cr => State::Begin,
            b'\r' => State::Cr,
            _ => State::Within,
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.kept.len() <= self.limit {
            self.kept.push(byte);
        }
    }

    /// Whether the line with one dot came.
    pub(super) fn is_whole(&self) -> bool {
        self.state == State::End
    }

    /// Bytes that came, whether kept or not.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// The mail; `None` if it is larger than the limit.
    pub(super) fn into_mail(self) -> Option<Vec<u8>> {
        (self.kept.len() <= self.limit).then_some(self.kept)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(wire: &[u8]) -> Option<(Vec<u8>, usize)> {
        let mut data = Data::new(1_000);
        let taken = data.take(wire);
        data.is_whole().then(|| (data.into_mail().unwrap(), taken))
    }

    #[test]
    fn a_mail_ends_with_a_line_of_one_dot_and_with_nothing_else() {
        for (wire, mail) in [
            (&b".\r\n"[..], &b""[..]),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"..\r\n.\r\n", b".\r\n"),
            (b".a\r\n.\r\n", b"a\r\n"),
            (b"...\r\n.\r\n", b"..\r\n"),
            (b"a.\r\n.\r\n", b"a.\r\n"),
            (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
            (b"a\r.\r\nb\r\n.\r\n", b"a\r.\r\nb\r\n"),
            (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n"),
            (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n"),
            (b"a\r\r\n.\r\n", b"a\r\r\n"),
            (b"\0\r\n.\r\n", b"\0\r\n"),
            (b".\r\r\n.\r\n", b"\r\r\n"),
        ] {
            assert_eq!(whole(wire), Some((mail.to_vec(), wire.len())), "{:?}", String::from_utf8_lossy(wire));
        }
        for open in
            [&b""[..], b".", b".\r", b"a\r\n.", b"a\r\n.\n", b"a\n.\r\n", b"a\n.\n", b"a\r\n..\r\n", b"a\r\n.\r"]
        {
            assert_eq!(whole(open), None, "{:?}", String::from_utf8_lossy(open));
        }
        // What follows is another's.
        assert_eq!(whole(b"a\r\n.\r\nQUIT\r\n"), Some((b"a\r\n".to_vec(), 6)));
    }

    #[test]
    fn of_too_much_no_more_than_the_limit_is_kept() {
        let mut data = Data::new(10);
        for _ in 0..1_000 {
            data.take(&[b'a'; 1_000]);
        }
        data.take(b"\r\n.\r\n");
        assert!(data.is_whole() && data.kept.capacity() < 100);
        assert_eq!(data.received(), 1_000_005);
        assert_eq!(data.into_mail(), None);
        let mut data = Data::new(3);
        data.take(b"a\r\n.\r\n");
        assert_eq!(data.into_mail().unwrap(), b"a\r\n");
    }

    proptest! {
        /// As a client writes it (RFC 5321 section 4.5.2), in whatever pieces it comes.
        #[test]
        fn what_was_stuffed_comes_out(lines in prop::collection::vec("[a.\\n]{0,4}", 0..8), piece in 1_usize..9) {
            let mail: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let stuffed: String =
                lines.iter().map(|line| if line.starts_with('.') { format!(".{line}\r\n") } else { format!("{line}\r\n") }).collect();
            let mut data = Data::new(1_000);
            for piece in format!("{stuffed}.\r\n").as_bytes().chunks(piece) {
                prop_assert_eq!(data.take(piece), piece.len());
            }
            prop_assert!(data.is_whole());
            prop_assert_eq!(data.into_mail().unwrap(), mail.as_bytes());
        }
    }
}
