//! The desk: people of every role, of the maker and of a distributor, with cases of one request or several, and the public log.
//!
//! `sparekey-cases` decides. Beside it stands a record of who did what, out of which it is said what may come of it.

use std::collections::BTreeMap;

use sparekey_cases::desk::{
    Actor, Case, Command, Fact, GrantHours, Incoming, Opening, OperatorId, OrganisationId, Presence, Refusal,
    Requester, Role, Source, Words, decide, number,
};
use sparekey_protocol::{
    CaseNumber, DeviceId, Nonce, RequestIdentity, Time,
    grant::{self, Grant},
    log::{Act, Leaf},
};

use crate::{
    chance::Chance,
    proofs::{Paper, Truth, grant_key},
    public_log::PublicLog,
    world::{World, keep},
};

/// A request that came to the desk, as it came, and what is in it.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) device: DeviceId,
    pub(crate) nonce: Nonce,
    pub(crate) identity: RequestIdentity,
    pub(crate) code: String,
    pub(crate) bytes: Vec<u8>,
}

/// The two people whom it took to help somebody.
pub(crate) type Two = (u32, u32);

/// A case, and who did what to it.
struct Running {
    number: CaseNumber,
    case: Case,
    facts: Vec<(Time, Fact)>,
    asked: Vec<Asking>,
    first: Option<u32>,
    approver: Option<u32>,
    /// Grants that were issued: of which request, and until when.
    issued: BTreeMap<usize, (Grant, Vec<u8>)>,
}

/// What is kept at the desk.
#[derive(Default)]
pub(crate) struct Desk {
    cases: Vec<Running>,
    log: PublicLog,
}

const DISTRIBUTOR: OrganisationId = OrganisationId(1);
/// Who works there: of each role one at the maker's, and two at a distributor's.
const PEOPLE: [(u32, Role, Option<OrganisationId>); 6] = [
    (1, Role::Viewer, None),
    (2, Role::Agent, None),
    (3, Role::Approver, None),
    (4, Role::Administrator, None),
    (5, Role::Agent, Some(DISTRIBUTOR)),
    (6, Role::Approver, Some(DISTRIBUTOR)),
];

fn person(chance: &mut Chance, now: Time) -> Actor {
    let (operator, role, organisation) = chance.one_of(&PEOPLE);
    let asked_at = chance.one_of(&[None, Some(now), Some(Time(now.0 - 400))]);
    let presence = chance.one_of(&[Presence::Token, Presence::Passkey { asked_at }]);
    Actor { operator: OperatorId(operator), role, organisation, presence }
}

fn known(number: usize) -> Actor {
    let (operator, role, organisation) = PEOPLE[number - 1];
    Actor { operator: OperatorId(operator), role, organisation, presence: Presence::Token }
}

/// What a person does with a case, before it is known whether he may.
#[derive(Clone, Copy)]
enum Doing {
    Note,
    HandOver(Option<OrganisationId>),
    Approve,
    Refuse,
    Grant(u64),
    AskKey(u32),
    ShowKey(u32),
}

impl World {
    /// Something happens at the desk: mostly somebody is helped as it should be, now and then anybody tries anything.
    pub(crate) fn desk(&mut self) {
        match self.chance.below(10) {
            0..4 => self.helped(),
            4..6 => self.forged(),
            _ => self.anybody_does_anything(),
        }
    }

    /// One opens (or a mail does, and one works on it), another approves, and the answer goes out.
    fn helped(&mut self) {
        let Some(at) = self.chance.place(&self.inbox) else { return };
        let (first, by_mail) = (self.chance.one_of(&[2, 3, 4]), self.chance.percent(20));
        let opener = if by_mail { Actor::mail() } else { known(first) };
        let Some(case) = self.opens(&opener, vec![self.inbox[at].clone()]) else { return };
        if self.chance.percent(20) {
            // In a hurry: alone, or before anybody has looked at it.
            self.does(case, &known(first), Doing::Approve);
        }
        if by_mail {
            self.does(case, &known(first), Doing::Note);
        }
        let second = known(if first == 3 { 4 } else { 3 });
        if self.chance.percent(20) {
            self.does(case, &Actor { presence: Presence::Passkey { asked_at: None }, ..second }, Doing::Approve);
        }
        self.does(case, &second, Doing::Approve);
        if self.chance.percent(25) {
            self.does(case, &known(2), Doing::AskKey(0));
            self.does(case, &known(4), Doing::ShowKey(0));
        } else {
            let hours = self.chance.one_of(&[1, 24]);
            self.does(case, &known(2), Doing::Grant(hours));
        }
    }

    fn anybody_does_anything(&mut self) {
        let now = self.now();
        let actor = if self.chance.percent(5) { Actor::mail() } else { person(&mut self.chance, now) };
        let Some(case) = self.chance.place(&self.desk.cases).filter(|_| self.chance.percent(70)) else {
            let count = 1 + self.chance.index(3);
            let asked = (0..count).filter_map(|_| Some(self.inbox[self.chance.place(&self.inbox)?].clone())).collect();
            self.opens(&actor, asked);
            return;
        };
        // Nobody signs in as the mail, which opens cases and nothing else.
        let actor = if actor.operator == OperatorId::MAIL { known(1) } else { actor };
        let entry = u32::try_from(self.chance.index(3)).expect("few");
        let (to, hours) =
            (self.chance.one_of(&[None, Some(DISTRIBUTOR), Some(OrganisationId(2))]), 1 + self.chance.below(24));
        let doing = self.chance.weighted(&[
            (2, Doing::Note),
            (2, Doing::HandOver(to)),
            (6, Doing::Approve),
            (1, Doing::Refuse),
            (5, Doing::Grant(hours)),
            (3, Doing::AskKey(entry)),
            (3, Doing::ShowKey(entry)),
        ]);
        self.does(case, &actor, doing);
    }

    /// Something that looks like a grant, made by nobody at the desk.
    fn forged(&mut self) {
        let Some(at) = self.chance.place(&self.inbox) else { return };
        let (device, nonce) = (self.inbox[at].device, self.inbox[at].nonce);
        let truth = self.chance.one_of(&Truth::FORGED);
        let bit = self.chance.index(8_000);
        self.tell("desk", &format!("{truth:?}"));
        keep(&mut self.papers, Paper::new(device, nonce, self.time, truth, bit));
    }

    /// A case of these requests; where it stands.
    fn opens(&mut self, actor: &Actor, asked: Vec<Asking>) -> Option<usize> {
        let now = self.now();
        let requests: Vec<_> = asked.iter().map(|one| self.service.open(&one.bytes)).collect();
        let in_a_case = |identity| {
            let mut all = self.desk.cases.iter().flat_map(|running| running.case.verified());
            all.any(|(_, known)| known.identity == identity)
        };
        let incoming: Vec<_> = requests
            .iter()
            .zip(&asked)
            .map(|(request, one)| Incoming::Request {
                request: request.as_ref().map_err(|refusal| *refusal),
                file: None,
                in_a_case: in_a_case(one.identity),
            })
            .collect();
        let source = if actor.operator == OperatorId::MAIL { Source::Mail } else { Source::File };
        let requester = Requester::default();
        let opening = Opening { source, incoming: &incoming, requester: &requester, ranges: &[], checklist: &[] };
        let decided = decide(None, actor, now, Command::Open(opening));
        let answer = decided.as_ref().map_or_else(|refusal| format!("{refusal:?}"), |_| "ok".to_owned());
        self.tell("desk opens", answer.split(['(', ' ', '{']).next().unwrap_or_default());
        let facts: Vec<_> = decided.ok()?.facts.into_iter().map(|fact| (now, fact)).collect();
        assert!(actor.role >= Role::Agent, "a viewer opened a case");
        let case = Case::replay(facts.clone()).expect("it begins with its opening");
        let first = Some(actor.operator.0).filter(|_| actor.operator != OperatorId::MAIL);
        let number = number(now, self.desk.cases.len() as u64 + 1);
        let running = Running { number, case, facts, asked, first, approver: None, issued: BTreeMap::new() };
        self.desk.cases.push(running);
        Some(self.desk.cases.len() - 1)
    }

    fn does(&mut self, at: usize, actor: &Actor, doing: Doing) {
        let (now, reason) = (self.now(), Words::new("no").expect("short"));
        let command = match doing {
            Doing::Note => Command::Note(&reason),
            Doing::HandOver(to) => Command::HandOver(to),
            Doing::Approve => Command::Approve,
            Doing::Refuse => Command::Refuse(&reason),
            Doing::Grant(hours) => Command::Grant(GrantHours::new(hours).expect("up to a day")),
            Doing::AskKey(entry) => Command::AskKey { entry },
            Doing::ShowKey(entry) => Command::ShowKey { entry },
        };
        let decided = decide(Some(&self.desk.cases[at].case), actor, now, command);
        let name = match &decided {
            Ok(_) => "ok".to_owned(),
            Err(Refusal::WrongState(_)) => "WrongState".to_owned(),
            Err(refusal) => format!("{refusal:?}"),
        };
        let Ok(decision) = decided else { return self.tell(&format!("desk {}", doing.name()), &name) };
        self.tell(&format!("desk {}", doing.name()), &name);
        for fact in decision.facts {
            self.happened(at, actor, &fact);
        }
        if let Doing::Grant(_) = doing {
            self.hands_out(at);
        }
    }

    /// A fact is written down, and what follows from it.
    fn happened(&mut self, at: usize, actor: &Actor, fact: &Fact) {
        let now = self.now();
        let running = &mut self.desk.cases[at];
        let is_word = matches!(fact, Fact::Noted { .. });
        assert!(is_word || !running.case.state.is_end(), "something happened to a case that was over");
        running.first = running.first.or(Some(actor.operator.0));
        match fact {
            Fact::Approved { .. } => {
                assert!(actor.role >= Role::Approver && actor.presence.is_fresh(now), "{actor:?} approved");
                assert!(running.approver.is_none(), "approved twice");
                running.approver = Some(actor.operator.0);
            }
            Fact::Granted { issued_at, not_after, entries, .. } => {
                let two = running.two();
                assert!((1..=24 * 3_600).contains(&not_after.since(*issued_at)), "for too long");
                for entry in entries.iter().map(|entry| *entry as usize) {
                    let Asking { device, nonce, identity, .. } = running.asked[entry].clone();
                    let case = running.number.clone();
                    let grant = Grant { device, nonce, issued_at: *issued_at, not_after: *not_after, case };
                    let signed = grant.sign(&grant_key());
                    // It is in force only with the proof that it stands there.
                    self.desk.log.append(grant.leaf(&signed));
                    self.ledger.granted(nonce, identity, two);
                    running.issued.insert(entry, (grant, signed));
                }
            }
            Fact::KeyAsked { at, entry, .. } => {
                let asked = &running.asked[*entry as usize];
                self.desk.log.append(Leaf::new(*at, Act::CodeReadOut, asked.device, asked.nonce));
            }
            Fact::KeyShown { entry, .. } => {
                let two = running.two();
                let at = running.case.asked[*entry as usize].expect("the digits were shown before they were asked for");
                let asked = running.asked[*entry as usize].clone();
                let leaf = Leaf::new(at, Act::CodeReadOut, asked.device, asked.nonce);
                assert!(self.desk.log.place(&leaf).is_some(), "digits were shown that are in no log");
                self.ledger.read_out(asked.identity, asked.code, two);
            }
            _ => {}
        }
        let running = &mut self.desk.cases[at];
        running.case = running.case.clone().apply(fact, now);
        running.facts.push((now, fact.clone()));
        assert!(
            Case::replay(running.facts.clone()).as_ref() == Some(&running.case),
            "a case is not what its facts make of it"
        );
    }

    /// The grants of a case, with proofs from the log as it is by now: the first time and each time after.
    fn hands_out(&mut self, at: usize) {
        let issued: Vec<_> = self.desk.cases[at].issued.values().cloned().collect();
        for (grant, signed) in issued {
            let place = self.desk.log.place(&grant.leaf(&signed)).expect("a grant was issued that is in no log");
            let bundle = self.desk.log.proof(place, self.time, |proof| grant::bundle(&signed, proof));
            let Grant { device, nonce, not_after, .. } = grant;
            keep(&mut self.papers, Paper { device, nonce, not_after: not_after.0, truth: Truth::Good, bundle });
        }
    }
}

impl Running {
    /// Who let somebody in: never one alone.
    fn two(&self) -> Two {
        let two = self.first.zip(self.approver).expect("help without an approval");
        assert_ne!(two.0, two.1, "one person alone let somebody in");
        two
    }
}

impl Doing {
    fn name(self) -> &'static str {
        match self {
            Self::Note => "notes",
            Self::HandOver(_) => "hands over",
            Self::Approve => "approves",
            Self::Refuse => "refuses",
            Self::Grant(_) => "grants",
            Self::AskKey(_) => "asks for digits",
            Self::ShowKey(_) => "shows digits",
        }
    }
}
