//! A device's side: claims its names, announces itself, answers, says goodbye. Which is when, and to whom; the sockets are others' work.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::{
    HOPS, PORT,
    pending::{Pending, Queue},
    records::{OTHER_TTL, Own, Set},
};
use crate::{
    Announcement, Asker, Family, Link, Outgoing, Refused, To,
    announcement::SERVICE,
    dns::{Data, Message, Name, Record},
};

/// Names are asked for three times before they are taken (RFC 6762 section 8.1), and told twice afterwards (section 8.3).
const PROBES: u8 = 3;
const PROBE_GAP: u64 = 250;
const ANNOUNCEMENTS: u8 = 2;
const ANNOUNCE_GAP: u64 = 1_000;
/// After so many conflicts the next attempt waits (RFC 6762 section 8.1).
const MANY_CONFLICTS: u32 = 15;
const CONFLICT_PAUSE: u64 = 5_000;
/// A lost tie is tried again after this (RFC 6762 section 8.2).
const TIE_PAUSE: u64 = 1_000;
/// Between two multicasts of one record (RFC 6762 section 6).
const MULTICAST_GAP: u64 = 1_000;
/// Delays of an answer that others may give as well, and of one to a question with more to come (RFC 6762 sections 6 and 7.2).
const SHARED_DELAY: (u64, u64) = (20, 100);
const TRUNCATED_DELAY: (u64, u64) = (400, 100);
/// Askers that are remembered, and for how long.
const ASKERS: usize = 64;
const REMEMBERED: u64 = 10_000;

/// An announcement under the names that it has now.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) announcement: Announcement,
    number: u32,
    pub(super) service: Name,
    pub(super) services: Name,
    pub(super) instance: Name,
    pub(super) host: Name,
}

impl Named {
    fn new(announcement: Announcement, number: u32) -> Self {
        Self {
            service: Name::of(SERVICE),
            services: Name::of("_services._dns-sd._udp.local"),
            instance: announcement.instance_name(number),
            host: announcement.host_name(number),
            number,
            announcement,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Probing { sent: u8, next: u64 },
    Announcing { sent: u8, next: u64 },
    Settled,
}

/// One interface by one kind of addresses.
#[derive(Debug)]
struct Place {
    link: Link,
    family: Family,
    phase: Phase,
    queue: Queue,
    /// When all of it was last multicast.
    multicast_at: Option<u64>,
}

/// Who asked, and whether he knows.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    interface: u32,
    address: IpAddr,
    asked: u64,
    knew: Option<u64>,
}

/// A device's side of multicast DNS. Give it what arrives ([`Responder::handle`]) and send what it says ([`Responder::poll`]), again when it is
/// [`Responder::due`].
#[derive(Debug)]
pub struct Responder {
    named: Named,
    places: Vec<Place>,
    askers: Vec<Remembered>,
    conflicts: u32,
    chance: u64,
}

impl Responder {
    /// One that announces this, on no link yet. `seed` spreads its answers in time; it need not be secret.
    #[must_use]
    pub fn new(announcement: Announcement, seed: u64) -> Self {
        let named = Named::new(announcement, 1);
        Self { named, places: Vec::new(), askers: Vec::new(), conflicts: 0, chance: seed }
    }

    /// The name it goes by now.
    #[must_use]
    pub fn instance(&self) -> Name {
        self.named.instance.clone()
    }

    /// The links it answers on now. New ones, and those whose addresses changed, are told first.
    pub fn set_links(&mut self, links: &[Link], now: u64) {
        self.places.retain(|place| links.iter().any(|l| l.interface == place.link.interface && l.speaks(place.family)));
        for link in links {
            for family in Family::BOTH.into_iter().filter(|family| link.speaks(*family)) {
                let mut known = self.places.iter_mut();
                let known = known.find(|place| place.link.interface == link.interface && place.family == family);
                match known {
                    Some(place) if place.link == *link => {}
                    Some(place) => {
                        place.link = link.clone();
                        place.tell(now);
                    }
                    None => {
                        let next = now + self.chance(PROBE_GAP);
                        let phase = Phase::Probing { sent: 0, next };
                        let (link, queue) = (link.clone(), Queue::default());
                        self.places.push(Place { link, family, phase, queue, multicast_at: None });
                    }
                }
            }
        }
    }

    /// What it announces from now on. A change is told to everybody.
    pub fn announce(&mut self, announcement: Announcement, now: u64) {
        if announcement == self.named.announcement {
            return;
        }
        self.named = Named::new(announcement, self.named.number);
        for place in &mut self.places {
            place.tell(now);
        }
    }

    /// Takes what arrived. `to_all` says that it was sent to the group, `hops` its hop limit where the system tells.
    ///
    /// # Errors
    /// [`Refused`]: it is not from this link, or nothing for this device.
    pub fn handle(
        &mut self,
        message: &Message,
        asker: Asker,
        to_all: bool,
        hops: Option<u8>,
        now: u64,
    ) -> Result<(), Refused> {
        let family = Family::of(asker.address.ip().to_canonical());
        let mut places = self.places.iter();
        let place = places.position(|place| place.link.interface == asker.interface && place.family == family);
        let place = place.ok_or(Refused::NotAnAnswer)?;
        let (link, address) = (&self.places[place].link, asker.address.ip().to_canonical());
        let near = link.reaches(address);
        // Another program on this machine hears what everybody hears.
        let alone = near && !link.owns(address);
        match hops {
            Some(HOPS) => {}
            // An ordinary resolver asks with a hop limit of its own; by its address it is here all the same.
            Some(_) if message.response || !near => return Err(Refused::OffLink),
            Some(_) => {}
            None if near => {}
            None => return Err(Refused::OffLink),
        }
        if message.response {
            self.hear_answer(message, now);
            return Ok(());
        }
        if !message.authorities.is_empty() && self.loses_tie(place, message) {
            self.places[place].phase = Phase::Probing { sent: 0, next: now + TIE_PAUSE };
            return Ok(());
        }
        self.hear_question(place, message, asker, !alone, to_all, now)
    }

    fn hear_question(
        &mut self,
        place: usize,
        message: &Message,
        asker: Asker,
        far: bool,
        to_all: bool,
        now: u64,
    ) -> Result<(), Refused> {
        let spread = self.chance(SHARED_DELAY.1);
        let Place { link, phase, queue, multicast_at, .. } = &mut self.places[place];
        let own = Own { named: &self.named, link };
        let asked = message.questions.iter().fold(Set::NONE, |set, question| set.with(own.matching(question)));
        let set = own.unknown(asked, &message.answers);
        let knows = own.unknown(Set::PTR, &message.answers).is_empty();
        if !message.answers.is_empty() {
            // What he knows need not be sent, also if he says so in a packet of its own.
            for pending in queue.of(asker.address) {
                pending.set = own.unknown(pending.set, &message.answers);
            }
            queue.drop_empty();
        }
        if asked.has(Set::PTR) || knows {
            remember(&mut self.askers, asker, knows, now);
        }
        if set.is_empty() || matches!(phase, Phase::Probing { .. }) {
            return Ok(());
        }
        let legacy = asker.address.port() != PORT;
        let delay = if message.truncated {
            TRUNCATED_DELAY.0 + spread
        } else if set.has(Set::UNIQUE) && !set.has(Set::PTR) {
            0
        } else {
            SHARED_DELAY.0 + spread
        };
        let wants_unicast = legacy || !to_all || message.questions.iter().all(|question| question.unicast);
        let pending = |to, due, legacy| Pending {
            due,
            to,
            set,
            asker: asker.address,
            legacy,
            defends: !message.authorities.is_empty(),
        };
        if legacy {
            if far {
                return Err(Refused::OffLink);
            }
            let questions = (message.id, message.questions.clone());
            queue.push(pending(To::Peer(asker.address), now + delay, Some(questions)));
        } else if wants_unicast && !far {
            queue.push(pending(To::Peer(asker.address), now + delay, None));
            // Others on the link keep it fresh by what they hear (RFC 6762 section 5.4).
            let quarter = u64::from(OTHER_TTL) * 1_000 / 4;
            if to_all && multicast_at.is_none_or(|at| now.saturating_sub(at) > quarter) {
                queue.push(pending(To::Group(Family::of(asker.address.ip())), now + delay, None));
            }
        } else {
            // Also for who asks from another subnet: an answer to him alone would go to a router.
            queue.push(pending(To::Group(Family::of(asker.address.ip())), now + delay, None));
        }
        Ok(())
    }

    /// Somebody else may use a name of ours.
    fn hear_answer(&mut self, message: &Message, now: u64) {
        let own_addresses = |address: IpAddr| self.places.iter().any(|place| place.link.owns(address));
        let takes = |record: &Record| match &record.data {
            Data::Srv { target, .. } => record.name == self.named.instance && *target != self.named.host,
            Data::A(v4) => record.name == self.named.host && !own_addresses((*v4).into()),
            Data::Aaaa(v6) => record.name == self.named.host && !own_addresses((*v6).into()),
            _ => false,
        };
        let mut records = message.answers.iter().chain(&message.additionals).filter(|record| record.ttl > 0);
        if records.any(takes) {
            self.rename(now);
        }
    }

    fn rename(&mut self, now: u64) {
        self.conflicts += 1;
        let number = self.named.number % 9_999 + 1;
        self.named = Named::new(self.named.announcement.clone(), number);
        let pause = if self.conflicts >= MANY_CONFLICTS { CONFLICT_PAUSE } else { 0 };
        for place in &mut self.places {
            place.queue.clear();
            place.phase = Phase::Probing { sent: 0, next: now + pause };
        }
    }

    /// Whether another who wants the same name at the same time has the greater claim (RFC 6762 section 8.2).
    fn loses_tie(&self, place: usize, message: &Message) -> bool {
        let Place { link, phase, .. } = &self.places[place];
        if !matches!(phase, Phase::Probing { .. }) {
            return false;
        }
        let sorted = |mut claims: Vec<Vec<u8>>| {
            claims.sort_unstable();
            claims
        };
        let own = Own { named: &self.named, link }.records(Set::UNIQUE);
        [&self.named.instance, &self.named.host].into_iter().any(|name| {
            let of = |records: &[Record]| records.iter().filter(|r| r.name == *name).map(claim).collect::<Vec<_>>();
            let theirs = of(&message.authorities);
            !theirs.is_empty() && sorted(theirs) > sorted(of(&own))
        })
    }

    /// What is to be sent by now.
    pub fn poll(&mut self, now: u64) -> Vec<Outgoing> {
        let mut outgoing = Vec::new();
        let Self { named, places, .. } = self;
        for place in places {
            let own = Own { named, link: &place.link };
            let (interface, all) = (place.link.interface, To::Group(place.family));
            let mut send = |bytes, to| outgoing.push(Outgoing { bytes, interface, to });
            match place.phase {
                Phase::Probing { sent: PROBES, next } if next <= now => {
                    place.phase = Phase::Announcing { sent: 0, next: now };
                }
                Phase::Probing { sent, next } if next <= now => {
                    send(own.probe(), all);
                    place.phase = Phase::Probing { sent: sent + 1, next: now + PROBE_GAP };
                }
                _ => {}
            }
            if let Phase::Announcing { sent, next } = place.phase
                && next <= now
            {
                send(own.response(Set::ANNOUNCED), all);
                place.multicast_at = Some(now);
                let sent = sent + 1;
                let next = now + ANNOUNCE_GAP;
                place.phase = if sent < ANNOUNCEMENTS { Phase::Announcing { sent, next } } else { Phase::Settled };
            }
            for pending in place.queue.take(now) {
                if pending.to == all {
                    let lately = place.multicast_at.is_some_and(|at| now.saturating_sub(at) < MULTICAST_GAP);
                    if lately && !pending.defends {
                        continue;
                    }
                    if pending.set.has(Set::PTR) {
                        place.multicast_at = Some(now);
                    }
                }
                let bytes = match &pending.legacy {
                    Some((id, questions)) => own.legacy(pending.set, *id, questions),
                    None => own.response(pending.set),
                };
                send(bytes, pending.to);
            }
        }
        outgoing
    }

    /// When [`Responder::poll`] next has something.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        let due = |place: &Place| {
            let phase = match place.phase {
                Phase::Probing { next, .. } | Phase::Announcing { next, .. } => Some(next),
                Phase::Settled => None,
            };
            phase.into_iter().chain(place.queue.due()).min()
        };
        self.places.iter().filter_map(due).min()
    }

    /// Takes it off every list: what is to be sent before the sockets close.
    #[must_use]
    pub fn goodbye(&self) -> Vec<Outgoing> {
        let told = self.places.iter().filter(|place| !matches!(place.phase, Phase::Probing { .. }));
        let goodbye = |place: &Place| Outgoing {
            bytes: Own { named: &self.named, link: &place.link }.goodbye(),
            interface: place.link.interface,
            to: To::Group(place.family),
        };
        told.map(goodbye).collect()
    }

    /// Whether this asker asked by multicast DNS a moment ago: then he need not be answered in another dialect as well, if by the
    /// end of a pause he [knows](Self::knows).
    #[must_use]
    pub fn was_asked_by(&self, interface: u32, address: IpAddr, now: u64) -> bool {
        self.remembered(interface, address).is_some_and(|asker| now.saturating_sub(asker.asked) < REMEMBERED)
    }

    /// Whether this asker said, no earlier than `since`, that he knows this device.
    #[must_use]
    pub fn knows(&self, interface: u32, address: IpAddr, since: u64) -> bool {
        self.remembered(interface, address).and_then(|asker| asker.knew).is_some_and(|at| at >= since)
    }

    fn remembered(&self, interface: u32, address: IpAddr) -> Option<&Remembered> {
        self.askers.iter().find(|asker| asker.interface == interface && asker.address == address)
    }

    /// The next number below `most`: splitmix64, for spreading answers in time.
    fn chance(&mut self, most: u64) -> u64 {
        crate::search::mix(&mut self.chance) % most.max(1)
    }
}

impl Place {
    /// Something changed: everybody is told, unless the names are not yet taken.
    fn tell(&mut self, now: u64) {
        if !matches!(self.phase, Phase::Probing { .. }) {
            self.phase = Phase::Announcing { sent: 0, next: now };
        }
    }
}

fn remember(askers: &mut Vec<Remembered>, asker: Asker, knows: bool, now: u64) {
    let (interface, address) = (asker.interface, asker.address.ip());
    let found = askers.iter().position(|known| known.interface == interface && known.address == address);
    let knew = if knows { Some(now) } else { found.and_then(|found| askers[found].knew) };
    if let Some(found) = found {
        askers.remove(found);
    } else if askers.len() == ASKERS {
        askers.remove(0);
    }
    askers.push(Remembered { interface, address, asked: now, knew });
}

/// What a record claims, to be compared: type first, then what it says (RFC 6762 section 8.2).
fn claim(record: &Record) -> Vec<u8> {
    let mut claim = record.data.kind().to_be_bytes().to_vec();
    match &record.data {
        Data::A(v4) => claim.extend(v4.octets()),
        Data::Aaaa(v6) => claim.extend(v6.octets()),
        Data::Srv { target, port } => {
            claim.extend([0, 0, 0, 0]);
            claim.extend(port.to_be_bytes());
            claim.extend(target.labels().flat_map(|label| [&[label.len() as u8], label].concat()));
        }
        Data::Txt(strings) => claim.extend(strings.iter().flat_map(|s| [&[s.len() as u8], &s[..]].concat())),
        Data::Ptr(_) | Data::Other(_) => {}
    }
    claim
}

#[cfg(test)]
mod tests;
