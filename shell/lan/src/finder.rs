//! A search with sockets and a clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use sparekey_discovery::{
    Arrival, DHIP_PORT, Door, Family, Link, Outgoing, SADP_PORT, Search, To,
    diagnosis::{Asked, Cause, Denied, Hitch, Look, Machine, Weight},
    is_over,
};
use sparekey_link::{Interface, Ports, Waker, Wanted};

use crate::{
    Row,
    doctor::{self, Finding},
};

/// How often the interfaces are looked at again: cables are plugged in, addresses change.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// The usual buffer holds 92 answers of an ONVIF device; a thousand may come at once.
const BUFFER: usize = 4 * 1024 * 1024;
/// What this computer says to a group is back within that many milliseconds, or not at all.
const ECHO: u64 = 300;
/// Doors whose group is joined, to hear what is said to everybody.
const JOINED: [Door; 3] = [Door::Mdns, Door::WsdGroup, Door::Sadp];

/// Why nothing can be searched. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LanError {
    /// An interface that was named.
    #[error("there is no interface {0} that is up and has an address\nThere are: {1}.")]
    NoInterface(String, String),
    /// The system.
    #[error("the system refuses what a search needs ({0})\nCheck its limits.")]
    System(#[from] io::Error),
}

/// What went over the link.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Datagrams sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Datagrams received.
    pub received: u64,
    /// Their bytes.
    pub received_bytes: u64,
}

/// A search that runs while [`Finder::step`] is called.
#[derive(Debug)]
pub struct Finder {
    ports: Ports<Door>,
    search: Search,
    /// Those that are searched.
    interfaces: Vec<Interface>,
    /// Only these, if any are named.
    chosen: Vec<String>,
    began: Instant,
    began_at: SystemTime,
    look_at: Instant,
    machine: Machine,
    hitches: BTreeSet<Hitch>,
    /// Why the last question to everybody did not go out, in each dialect.
    unsent: BTreeMap<(u32, Family, Door), (Denied, String)>,
    /// When this computer first asked everybody by multicast DNS, and where it heard itself ask.
    spoke: BTreeMap<(u32, Family), u64>,
    heard: BTreeSet<(u32, Family)>,
    traffic: Traffic,
}

impl Finder {
    /// A search on the interfaces of these names, or on all that devices are usually on.
    ///
    /// # Errors
    /// [`LanError`]
    pub fn new(chosen: Vec<String>) -> Result<Self, LanError> {
        let all = sparekey_link::interfaces()?;
        for name in &chosen {
            if !all.iter().any(|interface| interface.name == *name) {
                let names: Vec<_> = all.iter().map(|interface| interface.name.as_str()).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return Err(LanError::NoInterface(name.escape_debug().to_string(), names));
            }
        }
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).expect("the system has randomness");
        let mut finder = Self {
            ports: Ports::new()?,
            search: Search::new(u64::from_le_bytes(seed)),
            interfaces: Vec::new(),
            chosen,
            began: Instant::now(),
            began_at: SystemTime::now(),
            look_at: Instant::now() + LOOK_AGAIN,
            machine: sparekey_link::machine()?,
            hitches: BTreeSet::new(),
            unsent: BTreeMap::new(),
            spoke: BTreeMap::new(),
            heard: BTreeSet::new(),
            traffic: Traffic::default(),
        };
        finder.take_interfaces(all);
        Ok(finder)
    }

    /// Opens sockets on interfaces that came, closes those that went or have other addresses now.
    fn take_interfaces(&mut self, all: Vec<Interface>) {
        let wanted = |interface: &Interface| {
            if self.chosen.is_empty() { interface.usual } else { self.chosen.contains(&interface.name) }
        };
        let now: Vec<_> = all.into_iter().filter(wanted).collect();
        for gone in self.interfaces.iter().filter(|known| !now.contains(known)) {
            self.ports.close(gone.link.interface);
        }
        let known = std::mem::take(&mut self.interfaces);
        for interface in now.iter().filter(|interface| !known.contains(interface)) {
            for family in Family::BOTH.into_iter().filter(|family| interface.link.speaks(*family)) {
                self.open(interface, family);
            }
        }
        self.interfaces = now;
        let usable = |interface: &Interface| {
            let Link { interface: index, v4, v6 } = interface.link.clone();
            let has = |family| Door::ALL.into_iter().any(|door| self.ports.has(door, index, family));
            let v4 = if has(Family::V4) { v4 } else { Vec::new() };
            let v6 = if has(Family::V6) { v6 } else { Vec::new() };
            Link { interface: index, v4, v6 }
        };
        let links: Vec<_> = self.interfaces.iter().map(usable).collect();
        self.search.set_links(&links, self.now());
    }

    fn open(&mut self, interface: &Interface, family: Family) {
        for door in Door::ALL {
            let Some(group) = door.group(family) else { continue };
            let group = JOINED.contains(&door).then_some(group.ip());
            let wanted = Wanted { family, port: door.listens_on(), group, buffer: BUFFER };
            let hitch = match self.ports.open(door, interface, &wanted) {
                Ok(room) if room >= BUFFER => continue,
                Ok(room) => Hitch::Buffer(room, BUFFER),
                Err(error) => {
                    tracing::debug!(%error, ?door, interface = interface.name, "no socket");
                    Hitch::NoSocket(door, sparekey_link::denied(&error), error.to_string())
                }
            };
            self.hitches.insert(hitch);
        }
    }

    /// Asks what is due, then waits for answers: until something came, or `longest` is over.
    ///
    /// # Errors
    /// If the sockets cannot be waited for.
    pub fn step(&mut self, longest: Duration) -> Result<(), LanError> {
        if Instant::now() >= self.look_at {
            self.look_at = Instant::now() + LOOK_AGAIN;
            self.look_here()?;
        }
        let now = self.now();
        for (door, outgoing) in self.search.poll(now) {
            self.send(door, &outgoing);
        }
        let due = self.search.due().map_or(longest, |due| Duration::from_millis(due.saturating_sub(self.now())));
        let Self { ports, search, began, traffic, heard, .. } = self;
        ports.wait(Some(due.min(longest)), |datagram| {
            traffic.received += 1;
            traffic.received_bytes += datagram.bytes.len() as u64;
            let sparekey_link::Datagram { door, interface, from, hops, bytes, .. } = datagram;
            let is_own = |link: &Link| link.interface == interface && link.owns(from.ip());
            if door == Door::Mdns && search.links().iter().any(is_own) {
                heard.insert((interface, Family::of(from.ip())));
            }
            let arrival = Arrival { door, interface, from, hops, bytes };
            let now = millis(began.elapsed());
            if let Err(refused) = search.handle(&arrival, now) {
                tracing::trace!(%refused, %from, ?door, "left out");
            }
        })?;
        Ok(())
    }

    fn send(&mut self, door: Door, outgoing: &Outgoing) {
        let Outgoing { bytes, interface, to } = outgoing;
        let to = match to {
            To::Group(family) => door.group(*family),
            To::Broadcast => broadcast_port(door).map(|port| SocketAddr::from((Ipv4Addr::BROADCAST, port))),
            To::Peer(peer) => Some(*peer),
        };
        let Some(to) = to else { return };
        let family = Family::of(to.ip());
        match self.ports.send(door, *interface, bytes, to) {
            Ok(()) => {
                self.traffic.sent += 1;
                self.traffic.sent_bytes += bytes.len() as u64;
                if to.ip().is_multicast() {
                    self.unsent.remove(&(*interface, family, door));
                }
                if door == Door::Mdns && to.ip().is_multicast() {
                    let now = self.now();
                    self.spoke.entry((*interface, family)).or_insert(now);
                }
            }
            // Its socket is among the hitches already.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::debug!(%error, %to, ?door, "not sent");
                if to.ip().is_multicast() {
                    let denied = sparekey_link::denied(&error);
                    self.unsent.insert((*interface, family, door), (denied, error.to_string()));
                }
            }
        }
    }

    /// Whether a search that lists once is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        is_over(self.now(), self.search.last_new())
    }

    /// Milliseconds since it began.
    #[must_use]
    pub fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }

    /// When it began.
    pub(crate) fn began_at(&self) -> SystemTime {
        self.began_at
    }

    /// Ends a [`Finder::step`] early, from another thread.
    #[must_use]
    pub fn waker(&self) -> Arc<Waker> {
        self.ports.waker()
    }

    /// What it knows.
    #[must_use]
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// The interfaces that are searched.
    #[must_use]
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// What went over the link so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The devices, in the order in which they came.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.search.table().devices().map(|device| Row::new(device, self)).collect()
    }

    /// This computer, as it was when it was last looked at.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Looks at this computer's network again, without waiting.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn look_here(&mut self) -> Result<(), LanError> {
        self.machine = sparekey_link::machine()?;
        self.take_interfaces(sparekey_link::interfaces()?);
        Ok(())
    }

    /// What is wrong with the network, and with the way to these devices, the likeliest first: out of what is known already.
    #[must_use]
    pub fn findings(&self, asked: &[Asked<'_>]) -> Vec<Finding> {
        self.findings_that(asked, |_| true)
    }

    pub(crate) fn findings_that(&self, asked: &[Asked<'_>], concerns: impl Fn(&Cause) -> bool) -> Vec<Finding> {
        let chosen = |name: &String| self.machine.nics.iter().find(|nic| nic.name == *name);
        let chosen: Vec<_> = self.chosen.iter().filter_map(|name| Some(chosen(name)?.link.interface)).collect();
        let now = self.now();
        let is_lost = |(way, at): (&(u32, Family), &u64)| {
            (now >= at + ECHO && !self.heard.contains(way) && self.is_here(way.0)).then_some(*way)
        };
        let unheard: Vec<_> = self.spoke.iter().filter_map(is_lost).collect();
        let unsent = self.unsent.iter().filter(|((on, ..), _)| self.is_here(*on));
        let unsent =
            unsent.map(|((on, family, _), (denied, words))| Hitch::Unsent(*on, *family, *denied, words.clone()));
        let hitches: Vec<_> = self.hitches.iter().cloned().chain(unsent).collect();
        let look = doctor::look(&self.machine, Some(&self.search));
        doctor::findings(&Look { chosen: &chosen, hitches: &hitches, unheard: &unheard, asked, ..look }, concerns)
    }

    fn is_here(&self, index: u32) -> bool {
        self.interfaces.iter().any(|interface| interface.link.interface == index)
    }

    /// What is wrong with the network and worth a line each beside a list, what matters most first.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let findings = self.findings(&[]);
        findings.iter().filter(|finding| finding.weight < Weight::Aside).map(Finding::line).collect()
    }

    /// The name of an interface.
    #[must_use]
    pub fn name_of(&self, index: u32) -> String {
        let known = self.interfaces.iter().find(|interface| interface.link.interface == index);
        known.map_or_else(|| format!("interface {index}"), |interface| interface.name.clone())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Where devices hear what is said to every host, in the dialects that are searched so.
fn broadcast_port(door: Door) -> Option<u16> {
    match door {
        Door::Sadp => Some(SADP_PORT),
        Door::Dhip => Some(DHIP_PORT),
        Door::Mdns | Door::Wsd | Door::WsdGroup => None,
    }
}
