//! A search: what to ask where and when, and what the answers come to.

use alloc::{collections::BTreeMap, vec::Vec};
use core::net::SocketAddr;

use crate::{
    Family, Finding, Link, Outgoing, Refused, Table, To, dhip, dns, mdns,
    pace::Pace,
    sadp,
    sighting::{Sighting, Source},
    table::Seen,
    wsd,
};

/// Where Hikvision's devices listen, and answer to the group as well: 239.255.255.250.
pub const SADP_PORT: u16 = 37_020;
/// Where Dahua's devices listen: 239.255.255.251.
pub const DHIP_PORT: u16 = 37_810;

/// Rounds by WS-Discovery while those by multicast DNS are close together.
const EARLY_ROUNDS: u32 = 5;

/// Which socket a datagram came in by, or leaves by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// Multicast DNS: port 5353 on both sides.
    Mdns,
    /// WS-Discovery: answers come to the port that asked.
    Wsd,
    /// WS-Discovery's own port, where devices say hello and bye.
    WsdGroup,
    /// SADP: port 37020 on both sides.
    Sadp,
    /// DHIP: answers come to the port that asked.
    Dhip,
}

impl Door {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Mdns, Self::Wsd, Self::WsdGroup, Self::Sadp, Self::Dhip];

    /// The port that it listens on; `None` for any.
    #[must_use]
    pub fn listens_on(self) -> Option<u16> {
        match self {
            Self::Mdns => Some(mdns::PORT),
            Self::WsdGroup => Some(wsd::PORT),
            Self::Sadp => Some(SADP_PORT),
            Self::Wsd | Self::Dhip => None,
        }
    }

    /// Where a group of the dialect listens; `None` where it has none of this kind.
    #[must_use]
    pub fn group(self, family: Family) -> Option<SocketAddr> {
        let v4 = |address: [u8; 4], port| (family == Family::V4).then(|| SocketAddr::from((address, port)));
        match self {
            Self::Mdns => Some(SocketAddr::new(mdns::group(family), mdns::PORT)),
            Self::Wsd | Self::WsdGroup => Some(SocketAddr::new(wsd::group(family), wsd::PORT)),
            Self::Sadp => v4([239, 255, 255, 250], SADP_PORT),
            Self::Dhip => v4([239, 255, 255, 251], DHIP_PORT),
        }
    }
}

/// A datagram that came in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// By which socket.
    pub door: Door,
    /// By which interface.
    pub interface: u32,
    /// From where.
    pub from: SocketAddr,
    /// Its hop limit, where the system tells.
    pub hops: Option<u8>,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// A question that is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    Mdns(Family),
    Wsd(Family),
    Sadp,
    Dhip,
}

impl Line {
    const ALL: [Self; 6] = [
        Self::Mdns(Family::V6),
        Self::Mdns(Family::V4),
        Self::Wsd(Family::V4),
        Self::Wsd(Family::V6),
        Self::Sadp,
        Self::Dhip,
    ];

    fn pace(self) -> Pace {
        if matches!(self, Self::Mdns(_)) { Pace::MDNS } else { Pace::OTHERS }
    }

    fn family(self) -> Family {
        match self {
            Self::Mdns(family) | Self::Wsd(family) => family,
            Self::Sadp | Self::Dhip => Family::V4,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Round {
    started: u64,
    number: u32,
}

/// What came of a search so far. Give it what arrives ([`Search::handle`]) and send what it says ([`Search::poll`]), again when it is
/// [`Search::due`].
#[derive(Debug)]
pub struct Search {
    links: Vec<Link>,
    rounds: BTreeMap<(u32, Line), Round>,
    browser: mdns::Browser,
    table: Table,
    chance: u64,
    last_new: Option<u64>,
    refused: BTreeMap<Refused, u64>,
}

impl Search {
    /// One on no link yet. `seed` numbers its messages; it need not be secret.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            links: Vec::new(),
            rounds: BTreeMap::new(),
            browser: mdns::Browser::default(),
            table: Table::default(),
            chance: seed,
            last_new: None,
            refused: BTreeMap::new(),
        }
    }

    /// The links it asks on now. On a new one it begins at once.
    pub fn set_links(&mut self, links: &[Link], now: u64) {
        self.links = links.to_vec();
        let speaks = |interface: u32, line: Line| {
            links.iter().any(|link| link.interface == interface && link.speaks(line.family()))
        };
        self.rounds.retain(|(interface, line), _| speaks(*interface, *line));
        for link in links {
            for line in Line::ALL.into_iter().filter(|line| link.speaks(line.family())) {
                self.rounds.entry((link.interface, line)).or_insert(Round { started: now, number: 0 });
            }
        }
    }

    /// What is to be sent by now, each by its own socket.
    pub fn poll(&mut self, now: u64) -> Vec<(Door, Outgoing)> {
        let mut outgoing = Vec::new();
        let due = |round: &Round, line: Line| round.started + line.pace().at(round.number) <= now;
        let lines: Vec<_> = self
            .rounds
            .iter()
            .filter(|((_, line), round)| due(round, *line))
            .map(|(key, round)| (*key, round.number))
            .collect();
        for ((interface, line), number) in lines {
            self.ask(interface, line, number, now, &mut outgoing);
            if let Some(round) = self.rounds.get_mut(&(interface, line)) {
                round.number += 1;
                // Rounds that were missed, as while a computer slept, are not made up for.
                while round.started + line.pace().at(round.number) <= now {
                    round.number += 1;
                }
            }
        }
        if outgoing.iter().any(|(door, _)| *door == Door::Mdns) {
            self.browser.expire(now);
        }
        outgoing.extend(self.browser.missing(now).into_iter().map(|outgoing| (Door::Mdns, outgoing)));
        outgoing
    }

    /// One round of one question. Here, in [`mdns::questions`] and in [`mdns::Browser::missing`] is all that a search ever says.
    fn ask(&mut self, interface: u32, line: Line, number: u32, now: u64, outgoing: &mut Vec<(Door, Outgoing)>) {
        let mut say = |door, bytes, to| outgoing.push((door, Outgoing { bytes, interface, to }));
        match line {
            Line::Mdns(family) => {
                // Answers go to this computer alone: nobody else on the link is troubled. Those of the second and third round go to
                // everybody, in case another program here took the first.
                let alone = !(1..=2).contains(&number);
                for bytes in self.browser.questions(interface, now, alone) {
                    say(Door::Mdns, bytes, To::Group(family));
                }
            }
            Line::Wsd(family) => {
                let kind = wsd::Kind::ALL[number as usize % wsd::Kind::ALL.len()];
                let asks = if number < EARLY_ROUNDS { wsd::Asks::BothTwice } else { wsd::Asks::Both };
                say(Door::Wsd, wsd::probe(kind, asks, self.number()), To::Group(family));
            }
            Line::Sadp => {
                let inquiry = sadp::inquiry(self.number());
                // Switches that hold groups back pass a broadcast.
                say(Door::Sadp, inquiry.clone(), To::Group(Family::V4));
                say(Door::Sadp, inquiry, To::Broadcast);
            }
            Line::Dhip => {
                say(Door::Dhip, dhip::search(), To::Group(Family::V4));
                say(Door::Dhip, dhip::search(), To::Broadcast);
            }
        }
    }

    /// When [`Search::poll`] next has something.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        let rounds = self.rounds.iter().map(|((_, line), round)| round.started + line.pace().at(round.number));
        rounds.chain(self.browser.missing_at()).min()
    }

    /// Takes what arrived.
    ///
    /// # Errors
    /// [`Refused`]: it says nothing that a search can use. It was counted.
    pub fn handle(&mut self, arrival: &Arrival, now: u64) -> Result<Vec<Seen>, Refused> {
        let source = Source { interface: arrival.interface, address: arrival.from.ip().to_canonical() };
        let sightings = self.read(arrival, source, now).inspect_err(|refused| {
            *self.refused.entry(*refused).or_default() += 1;
        })?;
        let seen: Vec<_> = sightings.into_iter().map(|sighting| self.table.see(sighting, now)).collect();
        if seen.iter().any(|seen| matches!(seen, Seen::New(_))) {
            self.last_new = Some(now);
        }
        Ok(seen)
    }

    fn read(&mut self, arrival: &Arrival, source: Source, now: u64) -> Result<Vec<Sighting>, Refused> {
        let one = |sighting| Vec::from([sighting]);
        match arrival.door {
            Door::Mdns => {
                let message = dns::read(arrival.bytes)?;
                self.browser.handle(&message, source, arrival.hops, now)
            }
            Door::Wsd | Door::WsdGroup => {
                let (said, gone) = match wsd::read(arrival.bytes)? {
                    wsd::Heard::Matches(matches) => (matches, false),
                    wsd::Heard::Hello(said) => (Vec::from([said]), false),
                    wsd::Heard::Bye(said) => (Vec::from([said]), true),
                    wsd::Heard::Probe(_) => return Err(Refused::NotAnAnswer),
                };
                Ok(said.iter().filter_map(|said| wsd::sighting(said, source, gone)).collect())
            }
            Door::Sadp => sadp::read(arrival.bytes, source).map(one),
            Door::Dhip => dhip::read(arrival.bytes, source).map(one),
        }
    }

    /// The devices.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The links.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// What is wrong with the network.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        Finding::all(&self.table, &self.links)
    }

    #[cfg(test)]
    pub(crate) fn see(&mut self, sighting: Sighting, now: u64) {
        self.table.see(sighting, now);
    }

    /// When the newest row came.
    #[must_use]
    pub fn last_new(&self) -> Option<u64> {
        self.last_new
    }

    /// How many datagrams were refused, and why.
    #[must_use]
    pub fn refused(&self) -> &BTreeMap<Refused, u64> {
        &self.refused
    }

    fn number(&mut self) -> [u8; 16] {
        let mut number = [0; 16];
        number[..8].copy_from_slice(&mix(&mut self.chance).to_be_bytes());
        number[8..].copy_from_slice(&mix(&mut self.chance).to_be_bytes());
        number
    }
}

/// The next number after a seed (splitmix64): for numbering and spreading, never for secrets.
pub(crate) fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
