//! What a search remembers of the services it heard of, until enough is known of one to show it.

use alloc::{collections::BTreeMap, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use super::{HOPS, PORT, question};
use crate::announcement::{SERVICE, Told, value};
use crate::{
    Label, Mac, Outgoing, Refused, To,
    dns::{Data, Message, Name, Record, kind},
    sighting::{Dialect, MAX_ADDRESSES, Sighting, Source},
};

/// Services that are looked for: ours, and those by which cameras of other vendors are told from everything else on a link.
const SERVICES: [(&str, &str); 3] =
    [(SERVICE, "Sparekey"), ("_axis-video._tcp.local", "Axis"), ("_axis-nvr._tcp.local", "Axis")];

/// Instances that are remembered, of one sender and of all.
const MAX_INSTANCES_OF_ONE: usize = 32;
const MAX_INSTANCES: usize = 16_384;
/// An answer that was heard so long ago is asked for anew: who is silent then has gone.
const KNOWN_FOR: u64 = 10_000;
/// How long after the last attempt the missing parts of an instance are asked for, of its sender alone.
const ASK_AFTER: [u64; 3] = [120, 400, 1_200];

/// One instance of a service on one interface.
#[derive(Debug)]
struct Instance {
    service: usize,
    source: Source,
    /// When it was last named in an answer, and for how many seconds that is good.
    heard: u64,
    ttl: u32,
    host: Option<(Name, u16)>,
    told: Option<Vec<Vec<u8>>>,
    addresses: Vec<IpAddr>,
    /// How often its missing parts were asked for, and when they are next.
    asked: usize,
    ask_at: u64,
}

impl Instance {
    fn is_whole(&self) -> bool {
        self.host.is_some() && self.told.is_some() && !self.addresses.is_empty()
    }
}

/// The memory of a search by multicast DNS.
#[derive(Debug)]
pub struct Browser {
    services: Vec<Name>,
    /// By interface and name: the same name on two links may be two devices.
    instances: BTreeMap<(u32, Name), Instance>,
    of_source: BTreeMap<Source, usize>,
    left_out: u64,
    /// No instance is due earlier.
    missing_at: Option<u64>,
}

impl Default for Browser {
    fn default() -> Self {
        let services = SERVICES.iter().map(|(name, _)| Name::of(name)).collect();
        Self { services, instances: BTreeMap::new(), of_source: BTreeMap::new(), left_out: 0, missing_at: None }
    }
}

impl Browser {
    /// How many answers were left out because one sender, or all together, named too much.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The questions of one round on an interface.
    #[must_use]
    pub fn questions(&self, interface: u32, now: u64, unicast: bool) -> Vec<Vec<u8>> {
        let heard = self.instances.range((interface, Name::default())..).take_while(|((on, _), _)| *on == interface);
        let known = heard.filter_map(|((_, name), instance)| {
            let age = now.saturating_sub(instance.heard);
            let left = instance.ttl.saturating_sub(u32::try_from(age / 1_000).unwrap_or(u32::MAX));
            // What is missing is wanted again; less than half the time left does not count (RFC 6762 section 7.1).
            let known = instance.is_whole() && age < KNOWN_FOR && left > instance.ttl / 2;
            let name = Data::Ptr(name.clone());
            known.then(|| Record { name: self.services[instance.service].clone(), ttl: left, flush: false, data: name })
        });
        question::questions(&self.services, &known.collect::<Vec<_>>(), unicast)
    }

    /// Takes an answer; what is known now of each device it speaks of. `hops` is the hop limit it came with.
    ///
    /// # Errors
    /// [`Refused::OffLink`], or [`Refused::NotAnAnswer`] for what others ask.
    pub fn handle(
        &mut self,
        message: &Message,
        source: Source,
        hops: Option<u8>,
        now: u64,
    ) -> Result<Vec<Sighting>, Refused> {
        if hops.is_some_and(|hops| hops != HOPS) {
            return Err(Refused::OffLink);
        }
        if !message.response {
            return Err(Refused::NotAnAnswer);
        }
        let records = || message.answers.iter().chain(&message.additionals);
        let mut touched = Vec::new();
        let mut gone = Vec::new();
        for record in records() {
            if let Data::Ptr(instance) = &record.data {
                self.name(record, instance, source, now, &mut touched, &mut gone);
            }
        }
        for record in records().filter(|record| record.ttl > 0) {
            self.describe(record, source, now, &mut touched);
        }
        self.address(records().filter(|record| record.ttl > 0), source, &mut touched);
        touched.sort_unstable();
        touched.dedup();
        let whole = touched.iter().filter_map(|name| self.sighting(source.interface, name));
        Ok(whole.chain(gone).collect())
    }

    /// An instance is named, or says goodbye.
    fn name(
        &mut self,
        record: &Record,
        instance: &Name,
        source: Source,
        now: u64,
        touched: &mut Vec<Name>,
        gone: &mut Vec<Sighting>,
    ) {
        let Some(service) = self.services.iter().position(|service| *service == record.name) else { return };
        if instance.first_before(&self.services[service]).is_none() {
            return;
        }
        let key = (source.interface, instance.clone());
        if record.ttl == 0 {
            // Whoever says goodbye for another would take it off the list: only its own sender can.
            if self.instances.get(&key).is_some_and(|known| known.source.address == source.address) {
                if let Some(mut sighting) = self.sighting(source.interface, instance) {
                    sighting.gone = true;
                    gone.push(sighting);
                }
                self.forget(&key);
            }
            return;
        }
        if let Some(known) = self.instances.get_mut(&key) {
            (known.heard, known.ttl) = (now, record.ttl);
        } else {
            let of_source = self.of_source.entry(source).or_default();
            if *of_source >= MAX_INSTANCES_OF_ONE || self.instances.len() >= MAX_INSTANCES {
                self.left_out += 1;
                if *of_source == 0 {
                    self.of_source.remove(&source);
                }
                return;
            }
            *of_source += 1;
            let fresh = Instance {
                service,
                source,
                heard: now,
                ttl: record.ttl,
                host: None,
                told: None,
                addresses: Vec::new(),
                asked: 0,
                ask_at: now + ASK_AFTER[0],
            };
            self.missing_at = Some(self.missing_at.map_or(fresh.ask_at, |at| at.min(fresh.ask_at)));
            self.instances.insert(key, fresh);
        }
        touched.push(instance.clone());
    }

    /// Its host and port, or its strings.
    fn describe(&mut self, record: &Record, source: Source, now: u64, touched: &mut Vec<Name>) {
        if !matches!(record.data, Data::Srv { .. } | Data::Txt(_)) {
            return;
        }
        let Some(instance) = self.instances.get_mut(&(source.interface, record.name.clone())) else { return };
        match &record.data {
            Data::Srv { target, port } => instance.host = Some((target.clone(), *port)),
            Data::Txt(strings) => instance.told = Some(strings.clone()),
            _ => return,
        }
        instance.heard = now;
        touched.push(record.name.clone());
    }

    /// The addresses of the hosts of the instances of which the message speaks.
    fn address<'a>(&mut self, records: impl Iterator<Item = &'a Record>, source: Source, touched: &mut Vec<Name>) {
        let mut of_host: BTreeMap<&Name, Vec<IpAddr>> = BTreeMap::new();
        for record in records {
            let address = match record.data {
                Data::A(v4) => IpAddr::V4(v4),
                Data::Aaaa(v6) => IpAddr::V6(v6),
                _ => continue,
            };
            let addresses = of_host.entry(&record.name).or_default();
            if addresses.len() < MAX_ADDRESSES {
                addresses.push(address);
            }
        }
        if of_host.is_empty() {
            return;
        }
        let wanted = |instance: &Instance| instance.host.as_ref().and_then(|(host, _)| of_host.get(host)).cloned();
        if !touched.is_empty() {
            for name in touched.iter() {
                let Some(instance) = self.instances.get_mut(&(source.interface, name.clone())) else { continue };
                if let Some(addresses) = wanted(instance) {
                    instance.addresses = addresses;
                }
            }
            return;
        }
        // An answer about a host alone follows a question of ours: its instances are those of the same sender.
        let on_link = self.instances.range_mut((source.interface, Name::default())..);
        for ((_, name), instance) in on_link.take_while(|((on, _), _)| *on == source.interface) {
            let Some(addresses) = wanted(instance).filter(|_| instance.source.address == source.address) else {
                continue;
            };
            instance.addresses = addresses;
            touched.push(name.clone());
        }
    }

    /// What is missing, asked of each sender alone: three times at most.
    pub fn missing(&mut self, now: u64) -> Vec<Outgoing> {
        let mut asks = Vec::new();
        if self.missing_at.is_none_or(|at| at > now) {
            return asks;
        }
        for ((interface, name), instance) in &mut self.instances {
            if instance.is_whole() || instance.asked >= ASK_AFTER.len() || instance.ask_at > now {
                continue;
            }
            instance.asked += 1;
            instance.ask_at = now + ASK_AFTER.get(instance.asked).copied().unwrap_or_default();
            let mut wanted = Vec::new();
            if instance.host.is_none() {
                wanted.push((name.clone(), kind::SRV));
            }
            if instance.told.is_none() {
                wanted.push((name.clone(), kind::TXT));
            }
            if let (Some((host, _)), true) = (&instance.host, instance.addresses.is_empty()) {
                wanted.extend([(host.clone(), kind::A), (host.clone(), kind::AAAA)]);
            }
            let to = To::Peer(SocketAddr::new(instance.source.address, PORT));
            asks.push(Outgoing { bytes: question::direct(&wanted), interface: *interface, to });
        }
        let waiting = self.instances.values().filter(|i| !i.is_whole() && i.asked < ASK_AFTER.len());
        self.missing_at = waiting.map(|instance| instance.ask_at).min();
        asks
    }

    /// When [`Browser::missing`] next has something.
    #[must_use]
    pub fn missing_at(&self) -> Option<u64> {
        self.missing_at
    }

    /// Forgets what is no longer good.
    pub fn expire(&mut self, now: u64) {
        let is_over = |instance: &Instance| now.saturating_sub(instance.heard) > u64::from(instance.ttl) * 1_000;
        let over: Vec<_> = self.instances.iter().filter(|(_, i)| is_over(i)).map(|(key, _)| key.clone()).collect();
        for key in over {
            self.forget(&key);
        }
    }

    fn forget(&mut self, key: &(u32, Name)) {
        let Some(instance) = self.instances.remove(key) else { return };
        if let Some(count) = self.of_source.get_mut(&instance.source) {
            *count -= 1;
            if *count == 0 {
                self.of_source.remove(&instance.source);
            }
        }
    }

    /// What an instance says, once it says who it is.
    fn sighting(&self, interface: u32, name: &Name) -> Option<Sighting> {
        let instance = self.instances.get(&(interface, name.clone()))?;
        let mut sighting = Sighting::new(Dialect::Mdns, instance.source);
        sighting.vendor = Label::new(SERVICES[instance.service].1);
        let label = name.labels().next().unwrap_or_default();
        sighting.name = Label::new(&alloc::string::String::from_utf8_lossy(label));
        for address in &instance.addresses {
            sighting.add_address(*address);
        }
        let strings = instance.told.as_ref()?;
        if instance.service == 0 {
            let told = Told::read(strings)?;
            told.serial.as_ref()?;
            sighting.serial = told.serial;
            sighting.model = told.model;
            sighting.firmware = told.firmware;
            sighting.state = told.state;
            sighting.ways = told.ways;
            sighting.identifier = told.identifier;
            sighting.started = told.started;
        } else {
            sighting.mac = value(strings, "macaddress").and_then(Mac::parse);
            sighting.serial = value(strings, "macaddress").and_then(Label::new);
        }
        if let Some((_, port)) = &instance.host {
            sighting.add_port(if instance.service == 0 { "sparekey" } else { "http" }, *port);
        }
        Some(sighting)
    }
}

#[cfg(test)]
mod tests;
