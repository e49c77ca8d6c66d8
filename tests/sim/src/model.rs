//! What a device should do, in plain counters: written from the protocol, not from the device.
//!
//! Each `asked…` says what is to be answered, as the problem's name and number; each `did…` follows what was stored.

use sparekey_device::{Caller, RecoveryId};
use sparekey_protocol::RequestIdentity;

/// "ok", or the name of a refusal with its number.
pub(crate) type Answer = String;

pub(crate) fn ok() -> Answer {
    "ok".to_owned()
}

fn refused(name: &str) -> Result<(), Answer> {
    Err(name.to_owned())
}

/// Who a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Screen,
    Link,
    Confirmation(usize),
}

impl Kind {
    fn of(caller: Caller) -> Result<Self, Answer> {
        match caller {
            Caller::Screen => Ok(Self::Screen),
            Caller::Link(_) => Ok(Self::Link),
            Caller::Elsewhere(_) => Err("not-on-this-link".to_owned()),
        }
    }
}

/// A moment as the device counts: seconds it knows to have run, and starts.
#[derive(Clone, Copy, Debug, Default)]
struct Moment {
    counted: u64,
    starts: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) id: RecoveryId,
    pub(crate) kind: Kind,
    pub(crate) identity: RequestIdentity,
    pub(crate) code: String,
    opened: Moment,
    tries_left: u8,
    proven: Option<(Moment, String)>,
}

/// What is counted for callers of one kind.
#[derive(Clone, Debug, Default)]
struct Guard {
    waits: usize,
    wait_began: u64,
    wrong_in_row: u32,
}

const WAITS: [u64; 4] = [60, 300, 900, 3_600];

impl Guard {
    fn left(&self, counted: u64) -> u64 {
        if self.waits == 0 { 0 } else { WAITS[self.waits - 1].saturating_sub(counted - self.wait_began) }
    }

    fn begin(&mut self, counted: u64) {
        if counted - self.wait_began >= 24 * 3_600 {
            self.waits = 0;
        }
        self.waits = (self.waits + 1).min(4);
        self.wait_began = counted;
    }
}

#[derive(Clone, Debug)]
struct Session {
    token: String,
    begun: u64,
    used: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) password: Option<String>,
    /// How often the password was set.
    pub(crate) edition: u64,
    /// Reserved emails, and whether each was confirmed.
    pub(crate) contacts: Vec<(String, bool)>,
    requests: Vec<Request>,
    guards: [Guard; 2],
    sessions: Vec<Session>,
    now: Moment,
    stored: Moment,
    up: u64,
}

impl Model {
    pub(crate) fn passed(&mut self, seconds: u64) {
        self.now.counted += seconds;
        self.up += seconds;
    }

    pub(crate) fn did_store(&mut self) {
        self.stored = self.now;
    }

    pub(crate) fn did_restart(&mut self) {
        self.now = Moment { counted: self.stored.counted, starts: self.stored.starts + 1 };
        self.up = 0;
        self.sessions.clear();
    }

    fn alive(&self, request: &Request) -> bool {
        let (from, seconds) = match &request.proven {
            Some((at, _)) => (*at, 600),
            None => (request.opened, 1_800),
        };
        self.now.counted - from.counted + 60 * (self.now.starts - from.starts) < seconds
    }

    /// The request of this name, if it lives and belongs to callers of this kind.
    pub(crate) fn request(&self, kind: Kind, id: RecoveryId) -> Option<&Request> {
        self.requests.iter().find(|request| request.id == id && request.kind == kind && self.alive(request))
    }

    fn request_mut(&mut self, kind: Kind, id: RecoveryId) -> &mut Request {
        let found = self.requests.iter_mut().find(|request| request.id == id && request.kind == kind);
        found.expect("the device knows a request that the model does not")
    }

    fn guard(&mut self, kind: Kind) -> &mut Guard {
        &mut self.guards[usize::from(kind == Kind::Link)]
    }

    pub(crate) fn is_closed(&self, kind: Kind) -> bool {
        self.guards[usize::from(kind == Kind::Link)].wrong_in_row >= 100
    }

    fn is_active(&self) -> Result<(), Answer> {
        if self.password.is_some() { Ok(()) } else { refused("not-active") }
    }

    pub(crate) fn asked_to_activate(&self, caller: Caller) -> Answer {
        let answer =
            Kind::of(caller).and_then(|_| if self.password.is_some() { refused("already-active") } else { Ok(()) });
        answer.err().unwrap_or_else(ok)
    }

    pub(crate) fn did_activate(&mut self, password: &str, contacts: Vec<String>) {
        self.password = Some(password.to_owned());
        self.contacts = contacts.into_iter().map(|address| (address, false)).collect();
    }

    pub(crate) fn asked_to_open(&self, caller: Caller, contact: usize) -> Answer {
        let answer = || {
            let kind = Kind::of(caller)?;
            self.is_active()?;
            if self.contacts.is_empty() || self.is_closed(kind) || contact >= self.contacts.len() {
                return refused("method-not-ready");
            }
            match self.guards[usize::from(kind == Kind::Link)].left(self.now.counted) {
                0 => Ok(()),
                left => Err(format!("too-many-tries {left}")),
            }
        };
        answer().err().unwrap_or_else(ok)
    }

    pub(crate) fn did_open(&mut self, kind: Kind, id: RecoveryId, identity: RequestIdentity, code: String) {
        self.drop_dead();
        match kind {
            Kind::Confirmation(_) => self.requests.retain(|request| request.kind != kind),
            Kind::Screen | Kind::Link => {
                self.requests
                    .retain(|request| request.kind != kind || request.tries_left > 0 || request.proven.is_some());
                let open: Vec<_> = (0..self.requests.len()).filter(|at| self.requests[*at].kind == kind).collect();
                if open.len() == 3 {
                    self.requests.remove(open[0]);
                }
                if open.len() >= 2 {
                    let counted = self.now.counted;
                    self.guard(kind).begin(counted);
                }
            }
        }
        self.requests.push(Request { id, kind, identity, code, opened: self.now, tries_left: 5, proven: None });
    }

    fn drop_dead(&mut self) {
        let alive: Vec<_> = self.requests.iter().filter(|request| self.alive(request)).cloned().collect();
        self.requests = alive;
    }

    pub(crate) fn asked_for_a_try(&self, caller: Caller, id: RecoveryId) -> Answer {
        let answer = || {
            let kind = Kind::of(caller)?;
            self.is_active()?;
            if self.is_closed(kind) {
                return refused("method-not-ready");
            }
            match self.request(kind, id) {
                Some(request) if request.proven.is_none() && request.tries_left > 0 => Ok(()),
                Some(request) if request.proven.is_none() => {
                    let left = self.guards[usize::from(kind == Kind::Link)].left(self.now.counted);
                    Err(format!("too-many-tries {left}"))
                }
                _ => refused("expired"),
            }
        };
        answer().err().unwrap_or_else(ok)
    }

    pub(crate) fn did_take_a_try(&mut self, kind: Kind, id: RecoveryId) {
        let request = self.request_mut(kind, id);
        request.tries_left -= 1;
        let last = request.tries_left == 0;
        if matches!(kind, Kind::Confirmation(_)) {
            return;
        }
        let counted = self.now.counted;
        let guard = self.guard(kind);
        guard.wrong_in_row += 1;
        if last {
            guard.begin(counted);
        }
    }

    pub(crate) fn asked_to_redeem(&self, caller: Caller, id: RecoveryId, typed: &str) -> Answer {
        let answer = || match self.request(Kind::of(caller)?, id) {
            Some(request) if request.proven.is_none() && request.code == typed => Ok(()),
            Some(request) if request.proven.is_none() => Err(format!("wrong-proof {}", request.tries_left)),
            _ => refused("expired"),
        };
        answer().err().unwrap_or_else(ok)
    }

    pub(crate) fn did_redeem(&mut self, kind: Kind, id: RecoveryId, ticket: &str) {
        let now = self.now;
        self.request_mut(kind, id).proven = Some((now, ticket.to_owned()));
        *self.guard(kind) = Guard::default();
    }

    pub(crate) fn asked_to_set_password(&self, caller: Caller, id: RecoveryId, ticket: &str) -> Answer {
        let answer = || {
            let kind = Kind::of(caller)?;
            self.is_active()?;
            let proven = self.request(kind, id).and_then(|request| request.proven.as_ref());
            if proven.is_some_and(|(_, its)| its == ticket) { Ok(()) } else { refused("expired") }
        };
        answer().err().unwrap_or_else(ok)
    }

    pub(crate) fn did_set_password(&mut self, password: &str) {
        self.password = Some(password.to_owned());
        self.edition += 1;
        self.requests.clear();
        self.sessions.clear();
        self.guards = <[Guard; 2]>::default();
    }

    pub(crate) fn asked_to_log_in(&self, right: bool, edition: u64) -> Answer {
        if right && edition == self.edition { ok() } else { "not-logged-in".to_owned() }
    }

    pub(crate) fn did_log_in(&mut self, token: &str) {
        self.sessions.push(Session { token: token.to_owned(), begun: self.up, used: self.up });
        self.guards = <[Guard; 2]>::default();
    }

    pub(crate) fn did_log_out(&mut self, token: &str) {
        self.sessions.retain(|session| session.token != token);
    }

    /// Whether the token stands for a living session: asking keeps it alive.
    pub(crate) fn asked_for_session(&mut self, token: &str) -> Answer {
        let up = self.up;
        match self.sessions.iter_mut().find(|session| session.token == token) {
            Some(session) if up - session.used < 1_800 && up - session.begun < 43_200 => {
                session.used = up;
                ok()
            }
            _ => "not-logged-in".to_owned(),
        }
    }

    /// A change by who is logged in and knows the password.
    pub(crate) fn asked_to_change(&mut self, token: &str, right: bool, edition: u64) -> Answer {
        match self.asked_for_session(token) {
            answer if answer == ok() => self.asked_to_log_in(right, edition),
            answer => answer,
        }
    }

    pub(crate) fn did_change_password(&mut self, token: &str, password: &str) {
        let mine: Vec<_> = self.sessions.iter().filter(|session| session.token == token).cloned().collect();
        self.did_set_password(password);
        self.sessions = mine;
    }

    pub(crate) fn did_set_contacts(&mut self, addresses: Vec<String>) {
        let confirmed =
            |address: &String| self.contacts.iter().any(|(known, confirmed)| known == address && *confirmed);
        self.contacts = addresses.into_iter().map(|address| (address.clone(), confirmed(&address))).collect();
        self.requests.clear();
    }

    pub(crate) fn asked_to_open_confirmation(&mut self, token: &str, contact: usize) -> Answer {
        match self.asked_for_session(token) {
            answer if answer == ok() && contact >= self.contacts.len() => "malformed".to_owned(),
            answer => answer,
        }
    }

    pub(crate) fn asked_for_a_confirmation_try(&mut self, token: &str, contact: usize) -> Answer {
        match self.asked_for_session(token) {
            answer if answer == ok() => match self.confirmation(contact) {
                Some(request) if request.tries_left > 0 => ok(),
                Some(_) => "too-many-tries 0".to_owned(),
                None => "expired".to_owned(),
            },
            answer => answer,
        }
    }

    pub(crate) fn confirmation(&self, contact: usize) -> Option<&Request> {
        let kind = Kind::Confirmation(contact);
        self.requests.iter().find(|request| request.kind == kind && self.alive(request))
    }

    pub(crate) fn asked_to_confirm(&mut self, token: &str, contact: usize, id: RecoveryId, typed: &str) -> Answer {
        match self.asked_for_session(token) {
            answer if answer == ok() => match self.confirmation(contact).filter(|request| request.id == id) {
                Some(request) if request.code == typed => ok(),
                Some(request) => format!("wrong-proof {}", request.tries_left),
                None => "expired".to_owned(),
            },
            answer => answer,
        }
    }

    pub(crate) fn did_confirm(&mut self, contact: usize) {
        self.requests.retain(|request| request.kind != Kind::Confirmation(contact));
        self.contacts[contact].1 = true;
    }
}
