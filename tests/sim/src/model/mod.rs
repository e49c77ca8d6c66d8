//! What a device should do, in plain counters: written from the protocol, not from the device.
//!
//! Each `asked…` says what is to be answered, as the problem's name and number; each `did…` follows what was stored.

mod guards;
mod requests;
mod set_up;

use sparekey_device::{Caller, RecoveryId, ways::Way};
use sparekey_protocol::DeviceId;

use self::guards::Guards;
pub(crate) use self::{
    guards::Class,
    requests::{Opening, Part, Request, Verdict},
};

/// "ok", or the name of a refusal with its number.
pub(crate) type Answer = String;

pub(crate) fn ok() -> Answer {
    "ok".to_owned()
}

fn refused<T>(name: &str) -> Result<T, Answer> {
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
    /// Whether both their codes are asked for.
    pub(crate) both: bool,
    /// The key file that is good, by its number.
    pub(crate) key_file: Option<u64>,
    /// The lines of the recovery sheet, by their numbers, and whether each is good.
    pub(crate) sheet: Vec<(u64, bool)>,
    /// The set of answers.
    pub(crate) questions: Option<u64>,
    pub(crate) switched_off: Vec<Way>,
    pub(crate) no_service: bool,
    /// The transfer code that its next owner has to have, by its number.
    pub(crate) transfer: Option<u64>,
    /// The maker's policy.
    pub(crate) questions_beside: bool,
    /// Who it is.
    pub(crate) id: Option<DeviceId>,
    requests: Vec<Request>,
    guards: Guards,
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
            None => (request.opened, request.seconds),
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

    pub(crate) fn is_closed(&self, class: Class, kind: Kind) -> bool {
        self.guards.is_closed(class, kind == Kind::Link)
    }

    fn is_active(&self) -> Result<(), Answer> {
        if self.password.is_some() { Ok(()) } else { refused("not-active") }
    }

    /// `opened` is the transfer that somebody has the code of.
    pub(crate) fn asked_to_activate(&self, caller: Caller, opened: Option<u64>) -> Answer {
        let answer = || {
            let kind = Kind::of(caller)?;
            if self.password.is_some() {
                return refused("already-active");
            }
            if self.transfer.is_some() && self.transfer != opened {
                let left = self.guards.tries_left(Class::Sheet, kind == Kind::Link, self.now.counted);
                return Err(format!("wrong-proof {}", left.expect("they are counted over all tries")));
            }
            Ok(())
        };
        answer().err().unwrap_or_else(ok)
    }

    pub(crate) fn did_activate(&mut self, password: &str, contacts: Vec<String>) {
        self.password = Some(password.to_owned());
        self.edition += 1;
        self.guards.reset();
        self.transfer = None;
        self.contacts = contacts.into_iter().map(|address| (address, false)).collect();
    }

    fn drop_dead(&mut self) {
        let alive: Vec<_> = self.requests.iter().filter(|request| self.alive(request)).cloned().collect();
        self.requests = alive;
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

    /// A request was proven, and set a new password.
    pub(crate) fn did_recover(&mut self, kind: Kind, id: RecoveryId, password: &str) {
        let used: Vec<_> = self.request_mut(kind, id).parts.iter().filter_map(|part| part.sheet_line).collect();
        self.sheet.iter_mut().filter(|(line, _)| used.contains(line)).for_each(|(_, good)| *good = false);
        self.did_set_password(password);
    }

    fn did_set_password(&mut self, password: &str) {
        self.password = Some(password.to_owned());
        self.edition += 1;
        self.key_file = None;
        self.requests.clear();
        self.sessions.clear();
        self.guards.reset();
    }

    pub(crate) fn asked_to_log_in(&self, right: bool, edition: u64) -> Answer {
        if right && edition == self.edition { ok() } else { "not-logged-in".to_owned() }
    }

    pub(crate) fn did_log_in(&mut self, token: &str) {
        self.sessions.push(Session { token: token.to_owned(), begun: self.up, used: self.up });
        self.guards.reset();
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
        self.both &= self.contacts.len() == 2;
        self.requests.clear();
    }

    pub(crate) fn asked_to_open_confirmation(&mut self, token: &str, contact: usize) -> Answer {
        match self.asked_for_session(token) {
            answer if answer == ok() && self.no_service => "method-not-ready".to_owned(),
            answer if answer == ok() && contact >= self.contacts.len() => "malformed".to_owned(),
            answer => answer,
        }
    }

    pub(crate) fn asked_for_a_confirmation_try(&mut self, token: &str, contact: usize) -> Answer {
        match self.asked_for_session(token) {
            answer if answer == ok() => match self.confirmation(contact) {
                Some(request) if request.parts[0].tries_left > 0 => ok(),
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
                Some(request) if request.parts[0].code.as_deref() == Some(typed) => ok(),
                Some(request) => format!("wrong-proof {}", request.parts[0].tries_left),
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
