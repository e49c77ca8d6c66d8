use crate::world::Broken;

/// Wrong codes that one request bears: five, scaled down.
const TRIES: u8 = 2;
/// Wrong codes in a row at which the code way closes: a hundred, scaled down.
const STOP: u8 = 3;
/// Ticks of the wait after a request was used up.
const WAIT: u8 = 1;

/// From where somebody tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Before the device: the owner.
    Screen,
    /// Over the link: the attacker.
    Network,
}

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// A code to the reserved email.
    Email,
    /// A grant of the desk.
    Desk,
}

/// What proved a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Proof {
    /// The code of this request.
    Code(u8),
    /// The grant for this request.
    Grant(u8),
}

/// An open request. Its nonce is its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    /// Which one.
    pub nonce: u8,
    /// How it is answered.
    pub way: Way,
    /// Who opened it.
    pub side: Side,
    /// Wrong codes it still bears.
    pub tries: u8,
    /// What proved it; a ticket is out then.
    pub proven: Option<Proof>,
}

/// What the device counts of callers of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guard {
    /// Ticks until another request may be opened.
    pub wait: u8,
    /// The same, kept by an observer whom no restart touches.
    pub owed: u8,
    /// Wrong codes in a row.
    pub wrong: u8,
    /// The same, counted by that observer.
    pub typed: u8,
}

impl Guard {
    /// Whether the code way is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.wrong >= STOP
    }
}

/// The device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Device {
    /// Open requests.
    pub requests: Vec<Request>,
    /// For the screen and for the network.
    pub guards: [Guard; 2],
    /// How many requests were ever made.
    pub made: u8,
    /// What each new password was set with.
    pub resets: Vec<Proof>,
}

impl Device {
    /// The guard of a side.
    #[must_use]
    pub fn guard(&self, side: Side) -> &Guard {
        &self.guards[side as usize]
    }

    fn guard_mut(&mut self, side: Side, broken: Option<Broken>) -> &mut Guard {
        // Without counters apart, everybody counts into the screen's.
        let side = if broken == Some(Broken::OneCounter) { Side::Screen } else { side };
        &mut self.guards[side as usize]
    }

    /// A request, if one may be opened: the newest takes the place of the same side's older one, unless that is proven.
    #[must_use]
    pub fn open(&self, side: Side, way: Way) -> Option<Self> {
        let guard = self.guard(side);
        if guard.wait > 0 || (way == Way::Email && guard.is_closed()) {
            return None;
        }
        let mut next = self.clone();
        next.requests.retain(|request| request.side != side || request.proven.is_some());
        next.requests.push(Request { nonce: self.made, way, side, tries: TRIES, proven: None });
        next.made += 1;
        Some(next)
    }

    /// The nonce of the request that a code typed on this side is for.
    #[must_use]
    pub fn open_code(&self, side: Side) -> Option<u8> {
        let open = |request: &&Request| request.side == side && request.way == Way::Email && request.proven.is_none();
        self.requests.iter().find(open).map(|request| request.nonce)
    }

    /// Types a code into the newest request of a side: counted before it is looked at.
    #[must_use]
    pub fn type_code(&self, side: Side, right: bool, broken: Option<Broken>) -> Option<Self> {
        let mut next = self.clone();
        if self.guard(side).is_closed() {
            return None;
        }
        let open = self.open_code(side)?;
        let request = next.requests.iter_mut().find(|request| request.nonce == open && request.tries > 0)?;
        request.tries -= 1;
        let (nonce, used_up) = (request.nonce, request.tries == 0);
        if right {
            request.proven = Some(Proof::Code(nonce));
        }
        next.guards[side as usize].typed += 1;
        let guard = next.guard_mut(side, broken);
        guard.wrong += 1;
        if used_up {
            (guard.wait, guard.owed) = (WAIT, WAIT);
        }
        if right {
            // Who showed to be the owner ends their own side's waits, and the observer knows it.
            *guard = Guard::default();
        }
        Some(next)
    }

    /// Takes a grant: for a request of its own that waits for one, and only with its proof.
    #[must_use]
    pub fn take_grant(&self, nonce: u8, in_log: bool, broken: Option<Broken>) -> Option<Self> {
        if !in_log && broken != Some(Broken::GrantWithoutLog) {
            return None;
        }
        let mut next = self.clone();
        let waits =
            |request: &&mut Request| request.nonce == nonce && request.way == Way::Desk && request.proven.is_none();
        next.requests.iter_mut().find(waits)?.proven = Some(Proof::Grant(nonce));
        Some(next)
    }

    /// Turns a ticket into a new password: it is used up, and everything else is void.
    #[must_use]
    pub fn set_password(&self, nonce: u8, broken: Option<Broken>) -> Option<Self> {
        let proof = self.requests.iter().find(|request| request.nonce == nonce)?.proven?;
        let mut next = self.clone();
        next.resets.push(proof);
        if broken != Some(Broken::TicketTwice) {
            next.requests.clear();
        }
        next.guards = Default::default();
        Some(next)
    }

    /// The power fails, and comes back.
    #[must_use]
    pub fn restart(&self, broken: Option<Broken>) -> Self {
        let mut next = self.clone();
        if broken == Some(Broken::RestartForgets) {
            next.guards.iter_mut().for_each(|guard| (guard.wait, guard.wrong) = (0, 0));
        }
        next
    }

    /// Time passes.
    #[must_use]
    pub fn tick(&self) -> Self {
        let mut next = self.clone();
        for guard in &mut next.guards {
            guard.wait = guard.wait.saturating_sub(1);
            guard.owed = guard.owed.saturating_sub(1);
        }
        next
    }
}
