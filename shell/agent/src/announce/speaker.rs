//! The announcer's thread: sockets on the links that the device's listeners are on.

use std::net::{IpAddr, SocketAddr};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use sparekey_discovery::mdns::{self, Responder};
use sparekey_discovery::wsd::{self, Answerer, Endpoint, Heard};
use sparekey_discovery::{Announcement, Asker, Family, Link, Outgoing, To, dns};
use sparekey_link::{Datagram, Interface, Ports, Wanted, interfaces};

use crate::announce::Shared;
use crate::rand::random;

/// How often the interfaces are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A device's memory is small, and questions are short: some hundred of them.
const BUFFER: usize = 128 * 1024;

/// So many datagrams at once are a flood: it gets a pause, for a device's processor has recordings to write. The kernel drops the rest.
const FLOOD: usize = 256;
const PAUSE: Duration = Duration::from_millis(50);

/// The two sockets on each link, by kind of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Mdns,
    Wsd,
}

impl Door {
    const BOTH: [Self; 2] = [Self::Mdns, Self::Wsd];

    fn group(self, family: Family) -> SocketAddr {
        match self {
            Self::Mdns => SocketAddr::new(mdns::group(family), mdns::PORT),
            Self::Wsd => SocketAddr::new(wsd::group(family), wsd::PORT),
        }
    }
}

/// Both dialects, once there is something to say.
struct Voices {
    responder: Responder,
    answerer: Answerer,
}

pub(super) struct Speaker {
    ports: Ports<Door>,
    /// The address that is listened on: it decides which links, and which of their addresses, are told.
    listener: IpAddr,
    /// The port of the web interface.
    web: u16,
    title: String,
    interfaces: Vec<Interface>,
    voices: Option<Voices>,
    began: Instant,
    look_at: Instant,
}

impl Speaker {
    pub(super) fn new(ports: Ports<Door>, listener: IpAddr, web: u16, title: String) -> Self {
        let (interfaces, began) = (Vec::new(), Instant::now());
        Self { ports, listener, web, title, interfaces, voices: None, began, look_at: began }
    }

    /// Speaks until it is over, then says goodbye.
    pub(super) fn run(mut self, shared: &Shared) {
        while !shared.over.load(Ordering::Acquire) {
            let next = shared.next.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(announcement) = next {
                self.announce(announcement);
            }
            if self.voices.is_some() && Instant::now() >= self.look_at {
                self.look_at = Instant::now() + LOOK_AGAIN;
                self.look_at_interfaces();
            }
            self.speak();
            if let Err(error) = self.listen() {
                tracing::warn!(%error, "the device is no longer announced on its links");
                return;
            }
        }
        self.say_goodbye();
    }

    fn announce(&mut self, announcement: Announcement) {
        let now = self.now();
        match &mut self.voices {
            Some(voices) => voices.responder.announce(announcement, now),
            None => {
                let endpoint = Endpoint::new(&announcement, &self.title, self.web);
                let seed = || u64::from_le_bytes(random());
                let responder = Responder::new(announcement, seed());
                self.voices = Some(Voices { responder, answerer: Answerer::new(endpoint, seed()) });
            }
        }
    }

    fn look_at_interfaces(&mut self) {
        let all = match interfaces() {
            Ok(all) => all,
            Err(error) => return tracing::warn!(%error, "the network interfaces cannot be read"),
        };
        let listener = self.listener;
        let named = !listener.is_unspecified();
        let all = all.into_iter().filter(|interface| interface.usual || named);
        let told = all.map(|interface| Interface { link: listened(&interface.link, listener), ..interface });
        let told: Vec<_> = told.filter(|i| Family::BOTH.into_iter().any(|family| i.link.speaks(family))).collect();
        for gone in self.interfaces.iter().filter(|known| !told.contains(known)) {
            self.ports.close(gone.link.interface);
        }
        for interface in told.iter().filter(|interface| !self.interfaces.contains(interface)) {
            for family in Family::BOTH.into_iter().filter(|family| interface.link.speaks(*family)) {
                for door in Door::BOTH {
                    let group = door.group(family);
                    let wanted = Wanted { family, port: Some(group.port()), group: Some(group.ip()), buffer: BUFFER };
                    if let Err(error) = self.ports.open(door, interface, &wanted) {
                        tracing::warn!(%error, ?door, interface = interface.name, "the device is not announced there");
                    }
                }
            }
        }
        self.interfaces = told;
        let links: Vec<_> = self.interfaces.iter().map(|interface| interface.link.clone()).collect();
        let now = self.now();
        if let Some(Voices { responder, answerer }) = &mut self.voices {
            responder.set_links(&links, now);
            answerer.set_links(&links, now);
        }
    }

    fn speak(&mut self) {
        let now = self.now();
        let Some(Voices { responder, answerer }) = &mut self.voices else { return };
        let by_mdns = responder.poll(now);
        let by_wsd = answerer.poll(now, |interface, asker, since| responder.knows(interface, asker, since));
        self.send(Door::Mdns, &by_mdns);
        self.send(Door::Wsd, &by_wsd);
    }

    fn listen(&mut self) -> std::io::Result<()> {
        let now = self.now();
        let due = self
            .voices
            .as_ref()
            .and_then(|Voices { responder, answerer }| responder.due().into_iter().chain(answerer.due()).min());
        let until_due = due.map(|due| Duration::from_millis(due.saturating_sub(now)));
        let until_look = self.look_at.saturating_duration_since(Instant::now());
        // With nothing to say yet, somebody wakes it.
        let wait = self.voices.as_ref().map(|_| until_due.map_or(until_look, |due| due.min(until_look)));
        let mut heard = 0;
        let Self { ports, voices, began, .. } = self;
        ports.wait(wait, |datagram| {
            heard += 1;
            if let Some(voices) = voices {
                voices.hear(&datagram, millis(began.elapsed()));
            }
        })?;
        if heard >= FLOOD {
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn say_goodbye(&mut self) {
        let Some(Voices { responder, answerer }) = &mut self.voices else { return };
        let (by_mdns, by_wsd) = (responder.goodbye(), answerer.goodbye());
        self.send(Door::Mdns, &by_mdns);
        self.send(Door::Wsd, &by_wsd);
    }

    fn send(&self, door: Door, all: &[Outgoing]) {
        for Outgoing { bytes, interface, to } in all {
            let to = match to {
                To::Group(family) => door.group(*family),
                To::Peer(peer) => *peer,
                To::Broadcast => continue,
            };
            if let Err(error) = self.ports.send(door, *interface, bytes, to) {
                tracing::debug!(%error, %to, ?door, "not sent");
            }
        }
    }

    fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }
}

impl Voices {
    /// Whatever is not understood, or is nobody's business here, is dropped.
    fn hear(&mut self, datagram: &Datagram<'_, Door>, now: u64) {
        let Datagram { door, interface, from, to_all, hops, bytes, .. } = *datagram;
        let asker = Asker { interface, address: from };
        let heard = match door {
            Door::Mdns => {
                dns::read(bytes).and_then(|message| self.responder.handle(&message, asker, to_all, hops, now))
            }
            Door::Wsd => wsd::read(bytes).and_then(|heard| match heard {
                Heard::Probe(probe) => {
                    let by_mdns = self.responder.was_asked_by(interface, from.ip(), now);
                    self.answerer.handle(probe, asker, to_all, by_mdns, now)
                }
                Heard::Matches(_) | Heard::Hello(_) | Heard::Bye(_) => Ok(()),
            }),
        };
        if let Err(refused) = heard {
            tracing::trace!(%refused, ?door, "left out");
        }
    }
}

/// The addresses of a link that are listened on.
fn listened(link: &Link, listener: IpAddr) -> Link {
    let mut told = link.clone();
    match listener {
        IpAddr::V6(any) if any.is_unspecified() => {}
        IpAddr::V4(any) if any.is_unspecified() => told.v6.clear(),
        one => {
            told.v4.retain(|own| one.to_canonical() == own.address);
            told.v6.retain(|own| one == *own);
        }
    }
    told
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparekey_discovery::Prefix;

    #[test]
    fn only_what_is_listened_on_is_told() {
        let prefix = |address: [u8; 4]| Prefix { address: address.into(), bits: 24 };
        let v4 = vec![prefix([192, 168, 1, 64]), prefix([10, 0, 0, 1])];
        let link = Link { interface: 2, v4, v6: vec!["fe80::64".parse().unwrap()] };
        for (listener, told_v4, told_v6) in [
            ("::", 2, 1),
            ("0.0.0.0", 2, 0),
            ("10.0.0.1", 1, 0),
            ("::ffff:10.0.0.1", 1, 0),
            ("fe80::64", 0, 1),
            ("192.168.1.65", 0, 0),
            ("127.0.0.1", 0, 0),
        ] {
            let told = listened(&link, listener.parse().unwrap());
            assert_eq!((told.v4.len(), told.v6.len()), (told_v4, told_v6), "{listener}");
        }
    }
}
