use alloc::vec::Vec;
use core::net::IpAddr;

use crate::{
    Refusal,
    device::{Device, Now},
    token::{BearerHash, Token},
};

/// Who is logged in. Held in memory only: a restart ends every session.
#[derive(Clone, Default)]
pub(crate) struct Sessions {
    living: Vec<Session>,
    last: u64,
}

/// A session, as its owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// To name it; no two of one start have the same.
    pub number: u64,
    /// From where it was begun; none for the device's own screen.
    pub from: Option<IpAddr>,
    /// When, in seconds since the device started.
    pub begun: u64,
    /// When it was used last, in seconds since the device started.
    pub used: u64,
    /// Whether it is the one of who asks.
    pub mine: bool,
}

#[derive(Clone)]
struct Session {
    number: u64,
    from: Option<IpAddr>,
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
    pub(crate) fn begin(&mut self, now: u64, token: &Token, from: Option<IpAddr>) {
        self.living.retain(|session| session.lives(now));
        if self.living.len() == AT_ONCE
            && let Some(oldest) = (0..self.living.len()).min_by_key(|i| self.living[*i].used)
        {
            self.living.swap_remove(oldest);
        }
        self.last += 1;
        self.living.push(Session { number: self.last, from, token: token.hash(), begun: now, used: now });
    }

    /// Whether this token stands for a living session; using it keeps it alive.
    pub(crate) fn touch(&mut self, now: u64, token: &str) -> bool {
        match self.living.iter_mut().find(|session| session.token.is_of(token)) {
            Some(session) if session.lives(now) => {
                session.used = now;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn end(&mut self, token: &str) {
        self.living.retain(|session| !session.token.is_of(token));
    }

    pub(crate) fn end_all_but(&mut self, token: &str) {
        self.living.retain(|session| session.token.is_of(token));
    }

    pub(crate) fn end_all(&mut self) {
        self.living.clear();
    }
}

impl Device {
    /// Who is logged in, for who is.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`].
    pub fn sessions(&mut self, now: Now, token: &str) -> Result<Vec<SessionView>, Refusal> {
        self.session(now, token)?;
        let living = self.state().sessions.living.iter().filter(|session| session.lives(now.since_start));
        let view = |session: &Session| SessionView {
            number: session.number,
            from: session.from,
            begun: session.begun,
            used: session.used,
            mine: session.token.is_of(token),
        };
        Ok(living.map(view).collect())
    }

    /// Ends the session with this number, for who is logged in; one's own as well.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`]; [`Refusal::Malformed`] if there is none.
    pub fn end_session(&mut self, now: Now, token: &str, number: u64) -> Result<(), Refusal> {
        self.session(now, token)?;
        let living = &mut self.sessions_mut().living;
        let at = living.iter().position(|session| session.number == number).ok_or(Refusal::Malformed)?;
        living.remove(at);
        Ok(())
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
        sessions.begin(0, &one, None);
        sessions.begin(0, &two, None);
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
            sessions.begin(u64::from(n), &Token::from_seed(&[n; 32]), None);
        }
        assert_eq!(sessions.living.len(), AT_ONCE);
        assert!(!sessions.touch(40, Token::from_seed(&[0; 32]).expose()), "the first made room");
    }
}
