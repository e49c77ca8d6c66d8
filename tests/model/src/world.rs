use std::collections::BTreeSet;

use stateright::{Model, Property};

use crate::{
    device::{Device, Proof, Side, Way},
    service::{Operator, Service},
};

/// A rule that is taken out, to see that the checker notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A restart forgets waits and counters.
    RestartForgets,
    /// The device takes a grant without its proof.
    GrantWithoutLog,
    /// Who opened a case may approve it.
    SelfApproval,
    /// A ticket is not used up.
    TicketTwice,
    /// A mail leaves before its leaf is published.
    MailBeforeLeaf,
    /// The network's wrong codes count against who stands before the device.
    OneCounter,
}

/// The model. `requests` bounds how many the device ever makes.
#[derive(Clone, Debug)]
pub struct World {
    /// How many requests there are at most.
    pub requests: u8,
    /// The rule that is out.
    pub broken: Option<Broken>,
}

/// Everything at one instant. Requests that were shown are on the network for good: the attacker keeps all he saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// The device.
    pub device: Device,
    /// The service.
    pub service: Service,
    /// Requests that anybody may carry to the service.
    pub seen: BTreeSet<(u8, Way)>,
    /// Codes that lie in the owner's mailbox.
    pub mailbox: BTreeSet<u8>,
    /// Grants that anybody may hand to the device, with whether their proof holds.
    pub grants: BTreeSet<(u8, bool)>,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Somebody presses *Forgot password*.
    Open(Side, Way),
    /// Somebody carries a request to the service.
    Carry(u8),
    /// The log publishes.
    Publish,
    /// A mail leaves; `noted` is whether that was written down before a crash.
    Mail {
        /// Which.
        nonce: u8,
        /// Whether it is known afterwards.
        noted: bool,
    },
    /// The owner types the code from the mailbox.
    TypeRight,
    /// Somebody types a wrong code.
    TypeWrong(Side),
    /// An operator opens a case.
    OpenCase(u8, Operator),
    /// An operator approves.
    Approve(u8, Operator),
    /// The desk issues the grant.
    Grant(u8),
    /// The desk hands out a grant whose leaf is published.
    HandOut(u8),
    /// Who stole the grant key signs one by himself: there is no proof for it.
    Forge(u8),
    /// Somebody hands a grant to the device, again and again.
    Deliver(u8, bool),
    /// Somebody sets a password with the ticket of a request.
    SetPassword(u8),
    /// The device restarts.
    Restart,
    /// A minute passes.
    Tick,
}

impl World {
    fn step(&self, state: &State, act: Act) -> Option<State> {
        let (device, service, broken) = (&state.device, &state.service, self.broken);
        let with_device = |device| State { device, ..state.clone() };
        let with_service = |service| State { service, ..state.clone() };
        Some(match act {
            Act::Open(side, way) => {
                let nonce = device.made;
                let mut next = with_device(device.open(side, way).filter(|_| nonce < self.requests)?);
                next.seen.insert((nonce, way));
                next
            }
            Act::Carry(nonce) => with_service(service.receive(nonce)?),
            Act::Publish => with_service(service.publish()?),
            Act::Mail { nonce, noted } => {
                let mut next = state.clone();
                let again = state.mailbox.contains(&nonce);
                if !service.may_mail(nonce, broken) || (again && !noted) {
                    return None;
                }
                next.mailbox.insert(nonce);
                if noted {
                    next.service = service.mailed(nonce);
                }
                next
            }
            Act::TypeRight => {
                let open = device.open_code(Side::Screen)?;
                if !state.mailbox.contains(&open) {
                    return None;
                }
                with_device(device.type_code(Side::Screen, true, broken)?)
            }
            Act::TypeWrong(side) => with_device(device.type_code(side, false, broken)?),
            Act::OpenCase(nonce, by) => with_service(service.open_case(nonce, by)?),
            Act::Approve(nonce, by) => with_service(service.approve(nonce, by, broken)?),
            Act::Grant(nonce) => with_service(service.grant(nonce)?),
            Act::HandOut(nonce) => {
                let mut next = state.clone();
                if !service.published.contains(&(nonce, Way::Desk)) || !next.grants.insert((nonce, true)) {
                    return None;
                }
                next
            }
            Act::Forge(nonce) => {
                let mut next = state.clone();
                next.grants.insert((nonce, false)).then_some(())?;
                next
            }
            Act::Deliver(nonce, in_log) => with_device(device.take_grant(nonce, in_log, broken)?),
            Act::SetPassword(nonce) => {
                with_device(device.set_password(nonce, broken).filter(|_| device.resets.len() < 2)?)
            }
            Act::Restart => with_device(device.restart(broken)),
            Act::Tick => with_device(device.tick()),
        })
    }

    /// What an owner who can read the mailbox does at the device's screen, with a desk of two that does its work: press, carry, wait,
    /// type; and through the desk if the codes are closed. Whether that ends with a new password.
    fn owner_gets_in(&self, state: &State) -> bool {
        let unbounded = Self { requests: u8::MAX, ..self.clone() };
        let by = |acts: &dyn Fn(u8) -> Vec<Act>| {
            let mut now = state.clone();
            now.device.resets.clear();
            let mut now = unbounded.step(&now, Act::Tick).unwrap_or(now);
            let nonce = now.device.made;
            for act in acts(nonce) {
                let Some(next) = unbounded.step(&now, act) else { return false };
                now = next;
            }
            now.device.resets.iter().any(|proof| matches!(proof, Proof::Code(n) | Proof::Grant(n) if *n == nonce))
        };
        let mail = |nonce| {
            let way = [Act::Open(Side::Screen, Way::Email), Act::Carry(nonce), Act::Publish];
            let then = [Act::Mail { nonce, noted: true }, Act::TypeRight, Act::SetPassword(nonce)];
            way.into_iter().chain(then).collect()
        };
        let desk = |nonce| {
            let way = [Act::Open(Side::Screen, Way::Desk), Act::OpenCase(nonce, Operator::A)];
            let then = [Act::Approve(nonce, Operator::B), Act::Grant(nonce), Act::Publish, Act::HandOut(nonce)];
            let end = [Act::Deliver(nonce, true), Act::SetPassword(nonce)];
            way.into_iter().chain(then).chain(end).collect()
        };
        by(&mail) || (state.device.guard(Side::Screen).is_closed() && by(&desk))
    }
}

impl Model for World {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Act>) {
        for side in [Side::Screen, Side::Network] {
            actions.extend([Act::Open(side, Way::Email), Act::Open(side, Way::Desk), Act::TypeWrong(side)]);
        }
        for &(nonce, way) in &state.seen {
            match way {
                Way::Email => actions.extend([
                    Act::Carry(nonce),
                    Act::Mail { nonce, noted: true },
                    Act::Mail { nonce, noted: false },
                ]),
                Way::Desk => {
                    for operator in [Operator::A, Operator::B] {
                        actions.extend([Act::OpenCase(nonce, operator), Act::Approve(nonce, operator)]);
                    }
                    actions.extend([Act::Grant(nonce), Act::HandOut(nonce), Act::Forge(nonce)]);
                }
            }
            actions.push(Act::SetPassword(nonce));
        }
        actions.extend(state.grants.iter().map(|&(nonce, in_log)| Act::Deliver(nonce, in_log)));
        actions.extend([Act::Publish, Act::TypeRight, Act::Restart, Act::Tick]);
    }

    fn next_state(&self, state: &State, act: Act) -> Option<State> {
        self.step(state, act).filter(|next| next != state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no new password without a right proof", |_, state: &State| {
                state.device.resets.iter().all(|proof| match proof {
                    Proof::Code(nonce) => state.mailbox.contains(nonce),
                    Proof::Grant(nonce) => {
                        state.service.cases.get(nonce).is_some_and(|case| case.approved_by.is_some())
                    }
                })
            }),
            Property::always("at most one new password a proof", |_, state: &State| {
                let all = &state.device.resets;
                all.iter().enumerate().all(|(at, proof)| !all[..at].contains(proof))
            }),
            Property::always("no grant in force that is not in the log", |_, state: &State| {
                let of_grants = |proof: &Proof| if let Proof::Grant(nonce) = proof { Some(*nonce) } else { None };
                let taken = state.device.requests.iter().filter_map(|request| request.proven);
                let all = taken.chain(state.device.resets.iter().copied());
                all.filter_map(|proof| of_grants(&proof))
                    .all(|nonce| state.service.published.contains(&(nonce, Way::Desk)))
            }),
            Property::always("no code mailed that is not in the log", |_, state: &State| {
                state.mailbox.iter().all(|nonce| state.service.published.contains(&(*nonce, Way::Email)))
            }),
            Property::always("two people for each grant", |_, state: &State| {
                state.service.cases.values().all(|case| case.approved_by != Some(case.opened_by))
            }),
            Property::always("no restart shortens a wait", |_, state: &State| {
                state.device.guards.iter().all(|guard| guard.wait >= guard.owed)
            }),
            Property::always("who has a right way gets in", |world: &Self, state: &State| world.owner_gets_in(state)),
            Property::always("each side's wrong codes count for itself", |_, state: &State| {
                state.device.guards.iter().all(|guard| guard.wrong <= guard.typed)
            }),
            Property::sometimes("somebody gets in by a mail", |_, state: &State| {
                state.device.resets.iter().any(|proof| matches!(proof, Proof::Code(_)))
            }),
            Property::sometimes("somebody gets in by the desk", |_, state: &State| {
                state.device.resets.iter().any(|proof| matches!(proof, Proof::Grant(_)))
            }),
        ]
    }
}
