use alloc::vec::Vec;

use crate::token::{BearerHash, Token};

/// Who is logged in. Held in memory only: a restart ends every session.
#[derive(Clone, Default)]
pub(crate) struct Sessions(Vec<Session>);

#[derive(Clone)]
struct Session {
    token: BearerHash,
    begun: u64,
    used: u64,
}

/// At most so many; the one unused longest makes room.
const AT_ONCE: usize = 32;
/// Seconds without use after which a session ends.
const IDLE: u64 = 30 * 60;
/// Seconds after which it ends in any case.
const LONGEST: u64 = 12 * 60 * 60;

impl Sessions {
    /// Begins a session. Times are seconds since this start of the device.
    pub(crate) fn begin(&mut self, now: u64, token: &Token) {
        self.0.retain(|session| session.lives(now));
        if self.0.len() == AT_ONCE
            && let Some(oldest) = (0..self.0.len()).min_by_key(|i| self.0[*i].used)
        {
            self.0.swap_remove(oldest);
        }
        self.0.push(Session { token: token.hash(), begun: now, used: now });
    }

    /// Whether this token stands for a living session; using it keeps it alive.
    pub(crate) fn touch(&mut self, now: u64, token: &str) -> bool {
        match self.0.iter_mut().find(|session| session.token.is_of(token)) {
            Some(session) if session.lives(now) => {
                session.used = now;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn end(&mut self, token: &str) {
        self.0.retain(|session| !session.token.is_of(token));
    }

    pub(crate) fn end_all_but(&mut self, token: &str) {
        self.0.retain(|session| session.token.is_of(token));
    }

    pub(crate) fn end_all(&mut self) {
        self.0.clear();
    }
}

impl Session {
    fn lives(&self, now: u64) -> bool {
        now.saturating_sub(self.used) < IDLE && now.saturating_sub(self.begun) < LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end() {
        let (one, two) = (Token::from_seed(&[1; 32]), Token::from_seed(&[2; 32]));
        let mut sessions = Sessions::default();
        sessions.begin(0, &one);
        sessions.begin(0, &two);
        assert!(sessions.touch(IDLE - 1, one.expose()));
        assert!(!sessions.touch(IDLE, two.expose()), "idle");
        assert!(!sessions.touch(0, "another"));
        for now in (0..LONGEST).step_by(1_000) {
            sessions.touch(now, one.expose());
        }
        assert!(!sessions.touch(LONGEST, one.expose()), "too long");
    }

    #[test]
    fn they_are_bounded() {
        let mut sessions = Sessions::default();
        for n in 0..=u8::try_from(AT_ONCE).unwrap() {
            sessions.begin(u64::from(n), &Token::from_seed(&[n; 32]));
        }
        assert_eq!(sessions.0.len(), AT_ONCE);
        assert!(!sessions.touch(40, Token::from_seed(&[0; 32]).expose()), "the first made room");
    }
}
