//! Requests, their parts, and what a proof is worth for them.

use sparekey_device::{Caller, RecoveryId, ways::Way};
use sparekey_protocol::{DeviceId, Nonce, RequestIdentity};

use super::{Answer, Class, Kind, Model, Moment, ok, refused};
use crate::proofs::{Given, Paper, Truth};

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) way: Way,
    /// Of the sealed bytes, where there are some; else one made of the request's own name.
    pub(crate) identity: RequestIdentity,
    pub(crate) code: Option<String>,
    pub(crate) nonce: Option<Nonce>,
    pub(crate) tries_left: u8,
    pub(crate) proven: bool,
    pub(crate) sheet_line: Option<u64>,
}

impl Part {
    fn takes(&self, given: &Given) -> bool {
        match given {
            Given::Code(_) => matches!(self.way, Way::Email | Way::Desk | Way::SecurityCode),
            Given::Grant(_) => self.way == Way::Desk,
            Given::KeyFile(_) => self.way == Way::KeyFile,
            Given::SheetCode(_) => self.way == Way::Sheet,
            Given::Answers(_) => self.way == Way::Questions,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) id: RecoveryId,
    pub(crate) kind: Kind,
    pub(crate) parts: Vec<Part>,
    /// A dry test, and the reserved email that it confirms if it is one of that way.
    pub(crate) test: Option<usize>,
    pub(super) opened: Moment,
    pub(super) seconds: u64,
    pub(super) proven: Option<(Moment, String)>,
}

impl Request {
    pub(crate) fn way(&self) -> Way {
        self.parts[0].way
    }

    fn takes_place_of(&self, class: Class) -> bool {
        self.parts.iter().any(|part| part.way != Way::Desk && Class::of(part.way) == class)
    }

    fn is_used_up(&self) -> bool {
        let ends = |part: &Part| matches!(part.way, Way::Email | Way::SecurityCode);
        self.parts.iter().any(|part| ends(part) && !part.proven && part.tries_left == 0)
    }
}

/// What a proof turned out to be when it was looked at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It proves the part of this number.
    Right(usize, Of),
    Wrong,
    Refused(&'static str),
    /// Refused, for one of several reasons.
    Somehow,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Of {
    Part,
    SheetLine(u64),
    Nonce(Nonce),
}

/// What opening a request is to bring.
#[derive(Clone, Debug)]
pub(crate) enum Opening {
    Refused(Answer),
    /// This one is shown again.
    Again(RecoveryId),
    /// A new one, of parts by these ways.
    New(Vec<Way>),
}

impl Opening {
    pub(crate) fn answer(&self) -> Answer {
        if let Self::Refused(answer) = self { answer.clone() } else { ok() }
    }
}

impl Model {
    fn open_of(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Request> {
        self.requests
            .iter()
            .filter(move |request| request.kind == kind && request.proven.is_none() && request.test.is_none())
            .filter(|request| self.alive(request))
    }

    fn crowd(&self, kind: Kind, class: Class) -> Vec<&Request> {
        self.open_of(kind).filter(|request| request.takes_place_of(class)).collect()
    }

    pub(crate) fn asked_to_open(&self, caller: Caller, way: Way, contact: usize) -> Opening {
        match self.try_to_open(caller, way, contact) {
            Ok(opening) => opening,
            Err(answer) => Opening::Refused(answer),
        }
    }

    fn try_to_open(&self, caller: Caller, way: Way, contact: usize) -> Result<Opening, Answer> {
        let kind = Kind::of(caller)?;
        self.is_active()?;
        let wanted = self.wanted(kind, way, contact)?;
        let on_link = kind == Kind::Link;
        for way in &wanted {
            match self.guards.left(Class::of(*way), on_link, self.now.counted) {
                0 => {}
                left => return Err(format!("too-many-tries {left}")),
            }
        }
        if way == Way::Desk {
            let open: Vec<_> = self.open_of(kind).filter(|request| request.way() == Way::Desk).collect();
            let with_digits = open.iter().rev().find(|request| request.parts[0].tries_left > 0);
            let full = if open.len() >= 3 { open.last() } else { None };
            if let Some(again) = with_digits.or(full) {
                return Ok(Opening::Again(again.id));
            }
        }
        for class in wanted.iter().filter(|way| **way != Way::Desk).map(|way| Class::of(*way)) {
            let crowd = self.crowd(kind, class);
            if class != Class::Codes && crowd.len() >= 3 {
                let since = self.now.counted - crowd[crowd.len() - 1].opened.counted;
                if since < 60 {
                    return Err(format!("too-many-tries {}", 60 - since));
                }
            }
        }
        Ok(Opening::New(wanted))
    }

    /// Of what a dry test by this way is made.
    pub(crate) fn asked_to_test(&mut self, token: &str, caller: Caller, way: Way, contact: usize) -> Answer {
        match self.asked_for_session(token) {
            answer if answer == ok() => {}
            answer => return answer,
        }
        let answer = || {
            let kind = Kind::of(caller)?;
            if !self.is_ready(way, kind) || way == Way::Email && contact >= self.contacts.len() {
                return refused("method-not-ready");
            }
            match self.guards.left(Class::of(way), kind == Kind::Link, self.now.counted) {
                0 => Ok(()),
                left => Err(format!("too-many-tries {left}")),
            }
        };
        answer().err().unwrap_or_else(ok)
    }

    fn wanted(&self, kind: Kind, way: Way, contact: usize) -> Result<Vec<Way>, Answer> {
        if !self.is_ready(way, kind) || way == Way::Email && !self.both && contact >= self.contacts.len() {
            return refused("method-not-ready");
        }
        let mut wanted = vec![way];
        if way == Way::Email && self.both {
            wanted.push(Way::Email);
        }
        if way == Way::Questions && self.questions_beside {
            let beside = [Way::Email, Way::Sheet, Way::KeyFile, Way::SecurityCode];
            let second = beside.into_iter().find(|way| self.is_ready(*way, kind)).expect("else they are not ready");
            wanted.extend(self.wanted(kind, second, contact)?);
        }
        Ok(wanted)
    }

    pub(crate) fn did_open(&mut self, kind: Kind, id: RecoveryId, parts: Vec<Part>, test: Option<usize>) {
        self.drop_dead();
        let classes: Vec<_> =
            parts.iter().filter(|part| part.way != Way::Desk).map(|part| Class::of(part.way)).collect();
        let seconds = if parts[0].way == Way::Desk { 48 * 3_600 } else { 1_800 };
        let request = Request { id, kind, parts, test, opened: self.now, seconds, proven: None };
        if test.is_some() {
            self.requests.retain(|other| other.test.is_none() || other.way() != request.way());
            self.requests.push(request);
            return;
        }
        if let Kind::Confirmation(_) = kind {
            self.requests.retain(|request| request.kind != kind);
            self.requests.push(request);
            return;
        }
        for class in &classes {
            self.requests.retain(|request| {
                request.kind != kind
                    || request.test.is_some()
                    || request.proven.is_some()
                    || !request.takes_place_of(*class)
                    || !request.is_used_up()
            });
            let crowd: Vec<_> = self.crowd(kind, *class).iter().map(|request| request.id).collect();
            if crowd.len() >= 3 {
                self.requests.retain(|request| request.id != crowd[0]);
            }
        }
        self.requests.push(request);
        if classes.contains(&Class::Codes) && self.crowd(kind, Class::Codes).len() == 3 {
            self.guards.begin_wait(Class::Codes, kind == Kind::Link, self.now.counted);
        }
    }

    pub(crate) fn asked_for_a_try(&self, caller: Caller, id: RecoveryId, given: &Given) -> Answer {
        let class = Class::of_given(given);
        let answer = || {
            let kind = Kind::of(caller)?;
            let on_link = kind == Kind::Link;
            self.is_active()?;
            if self.guards.is_closed(class, on_link) {
                return refused("method-not-ready");
            }
            let Some(request) = self.request(kind, id).filter(|request| request.proven.is_none()) else {
                return refused("expired");
            };
            let parts: Vec<_> = request.parts.iter().filter(|part| !part.proven && part.takes(given)).collect();
            if parts.is_empty() {
                return refused("malformed");
            }
            let none_left = self.guards.tries_left(class, on_link, self.now.counted) == Some(0)
                || class == Class::Codes && parts.iter().any(|part| part.tries_left == 0);
            if none_left {
                return Err(format!("too-many-tries {}", self.guards.left(class, on_link, self.now.counted)));
            }
            Ok(())
        };
        answer().err().unwrap_or_else(ok)
    }

    /// Counts the try, and says what the proof turns out to be.
    pub(crate) fn did_take_a_try(&mut self, kind: Kind, id: RecoveryId, given: &Given, clock: u64) -> Verdict {
        let (class, on_link, counted) = (Class::of_given(given), kind == Kind::Link, self.now.counted);
        let verdict = self.verdict(kind, id, given, clock);
        let request = self.request_mut(kind, id);
        let mut last = false;
        if class == Class::Codes {
            for part in request.parts.iter_mut().filter(|part| !part.proven && part.takes(given)) {
                part.tries_left -= 1;
                last |= part.tries_left == 0;
            }
        }
        if matches!(kind, Kind::Confirmation(_)) {
            return verdict;
        }
        self.guards.count(class, on_link, counted);
        if last {
            self.guards.begin_wait(class, on_link, counted);
        }
        verdict
    }

    fn verdict(&self, kind: Kind, id: RecoveryId, given: &Given, clock: u64) -> Verdict {
        let request = self.request(kind, id).expect("a try was taken for it");
        let mut parts = request.parts.iter().enumerate().filter(|(_, part)| !part.proven && part.takes(given));
        if let Given::Code(digits) = given {
            let right = parts.find(|(_, part)| part.code.as_ref() == Some(digits));
            return right.map_or(Verdict::Wrong, |(number, _)| Verdict::Right(number, Of::Part));
        }
        let (number, _) = parts.next().expect("a part takes it");
        match given {
            Given::Code(_) => unreachable!("looked at above"),
            Given::KeyFile(file) if file.payload.device != self.device_id() => Verdict::Refused("not-for-this-device"),
            Given::KeyFile(file) if self.key_file == Some(file.number) => Verdict::Right(number, Of::Part),
            Given::SheetCode(line) if self.has_line(line.number) => Verdict::Right(number, Of::SheetLine(line.number)),
            Given::Answers(set) if self.questions == Some(*set) => Verdict::Right(number, Of::Part),
            Given::Grant(paper) => self.grant(number, paper, clock, request.test.is_some()),
            Given::KeyFile(_) | Given::SheetCode(_) | Given::Answers(_) => Verdict::Wrong,
        }
    }

    fn grant(&self, part: usize, paper: &Paper, clock: u64, test: bool) -> Verdict {
        match paper.truth {
            Truth::Altered => Verdict::Somehow,
            Truth::OtherSigner => Verdict::Wrong,
            // Told apart before anything else is looked at.
            Truth::NotInLog => Verdict::Refused("not-in-log"),
            Truth::Good | Truth::OtherLog | Truth::Unwitnessed
                if paper.device != self.device_id() || !self.waits_for(paper.nonce, test) =>
            {
                Verdict::Refused("not-for-this-device")
            }
            Truth::OtherLog | Truth::Unwitnessed => Verdict::Refused("not-in-log"),
            Truth::Good if clock > paper.not_after => Verdict::Refused("expired"),
            Truth::Good => Verdict::Right(part, Of::Nonce(paper.nonce)),
        }
    }

    /// A reset or, with `test`, a dry test.
    fn waits_for(&self, nonce: Nonce, test: bool) -> bool {
        let open = self.requests.iter().filter(|request| !matches!(request.kind, Kind::Confirmation(_)));
        let open = open.filter(|request| request.test.is_some() == test);
        let mut waiting = open.filter(|request| request.proven.is_none() && self.alive(request));
        waiting.any(|request| request.parts.iter().any(|part| part.nonce == Some(nonce)))
    }

    /// "ok" with a ticket, "more", or a refusal.
    pub(crate) fn asked_to_redeem(&self, caller: Caller, id: RecoveryId, given: &Given, verdict: &Verdict) -> Answer {
        let class = Class::of_given(given);
        let answer = || {
            let kind = Kind::of(caller)?;
            let Some(request) = self.request(kind, id).filter(|request| request.proven.is_none()) else {
                return refused("expired");
            };
            let waiting: Vec<_> =
                request.parts.iter().enumerate().filter(|(_, part)| !part.proven && part.takes(given)).collect();
            let (part, of) = match verdict {
                Verdict::Right(part, of) => (*part, of),
                _ if waiting.is_empty() => return refused("expired"),
                Verdict::Refused(name) => return refused(name),
                Verdict::Somehow => return Ok("somehow".to_owned()),
                Verdict::Wrong => {
                    let of_request = waiting.iter().map(|(_, part)| part.tries_left).min().expect("some wait");
                    let in_row = self.guards.tries_left(class, kind == Kind::Link, self.now.counted);
                    return Err(format!("wrong-proof {}", in_row.unwrap_or(of_request)));
                }
            };
            let still_there = match of {
                Of::Part => true,
                Of::SheetLine(line) => self.has_line(*line),
                Of::Nonce(nonce) => self.waits_for(*nonce, request.test.is_some()),
            };
            if !still_there || waiting.iter().all(|(number, _)| *number != part) {
                return refused("expired");
            }
            let others = request.parts.iter().enumerate().filter(|(number, _)| *number != part);
            Ok(if others.into_iter().all(|(_, part)| part.proven) { ok() } else { "more".to_owned() })
        };
        answer().unwrap_or_else(|answer| answer)
    }

    pub(crate) fn did_prove(
        &mut self,
        kind: Kind,
        id: RecoveryId,
        class: Class,
        verdict: &Verdict,
        ticket: Option<&str>,
    ) {
        let now = self.now;
        let Verdict::Right(number, of) = verdict else { panic!("a proof that is not right was taken") };
        let request = self.request_mut(kind, id);
        if let Some(contact) = request.test {
            let way = request.way();
            self.requests.retain(|other| other.id != id);
            self.guards.uncount(class, kind == Kind::Link);
            if way == Way::Email {
                self.contacts[contact].1 = true;
            }
            return;
        }
        request.parts[*number].proven = true;
        if let Of::SheetLine(line) = of {
            request.parts[*number].sheet_line = Some(*line);
        }
        if let Some(ticket) = ticket {
            request.proven = Some((now, ticket.to_owned()));
            self.guards.reset_side(kind == Kind::Link);
        }
    }

    fn device_id(&self) -> DeviceId {
        self.id.expect("a recorder knows who it is")
    }
}
