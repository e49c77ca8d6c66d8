//! How much one socket's peers may hold at once, and for how long.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::address::one_host;

/// What a peer may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at once. A sixteenth of them is kept for loopback, so that no crowd on the network shuts out who
    /// stands before the device.
    pub connections: usize,
    /// Connections at once from one address (IPv6: one /64); not counted for loopback. Behind a proxy that is not on
    /// this machine, as many as `connections`.
    pub connections_per_peer: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the first byte, for a request's head, and between two requests of one connection.
    pub head: Duration,
    /// For a request's whole body.
    pub body: Duration,
    /// How long an answer may stand still because the peer does not read.
    pub stalled: Duration,
    /// How long requests under way may take after the stop.
    pub drain: Duration,
    /// Bytes of a request's head, at least 8,192.
    pub head_size: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 512,
            connections_per_peer: 64,
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(10),
            body: Duration::from_secs(60),
            stalled: Duration::from_secs(30),
            drain: Duration::from_secs(5),
            head_size: 16 * 1024,
        }
    }
}

/// The places that connections take.
pub(super) struct Places {
    all: usize,
    strangers: usize,
    per_peer: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

impl Places {
    pub(super) fn new(bounds: &Bounds) -> Arc<Self> {
        Arc::new(Self {
            all: bounds.connections,
            strangers: bounds.connections - bounds.connections / 16,
            per_peer: bounds.connections_per_peer,
            taken: Mutex::default(),
        })
    }

    /// A place for a connection from `peer`, given back when dropped; `None` if there is none left.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = one_host(peer);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all = if peer.is_loopback() { self.all } else { self.strangers };
        let from_peer = taken.by_peer.get(&peer).copied().unwrap_or(0);
        if taken.all >= all || (from_peer >= self.per_peer && !peer.is_loopback()) {
            return None;
        }
        taken.all += 1;
        taken.by_peer.insert(peer, from_peer + 1);
        Some(Place { of: Arc::clone(self), peer })
    }
}

/// One taken place.
pub(super) struct Place {
    of: Arc<Places>,
    peer: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(from_peer) = taken.by_peer.get_mut(&self.peer) {
            *from_peer -= 1;
            if *from_peer == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize, per_peer: usize) -> Arc<Places> {
        Places::new(&Bounds { connections, connections_per_peer: per_peer, ..Bounds::default() })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_peer_takes_only_its_share() {
        let places = places(100, 2);
        let held = [places.take(ip("192.0.2.1")).unwrap(), places.take(ip("::ffff:192.0.2.1")).unwrap()];
        assert!(places.take(ip("192.0.2.1")).is_none());
        assert!(places.take(ip("192.0.2.2")).is_some());
        drop(held);
        assert!(places.take(ip("192.0.2.1")).is_some());
        assert!(places.taken.lock().unwrap().by_peer.is_empty());
    }

    #[test]
    fn a_network_of_ipv6_addresses_is_one_peer_but_neighbours_on_the_link_are_not() {
        let places = places(100, 1);
        let _a = places.take(ip("2001:db8::1")).unwrap();
        assert!(places.take(ip("2001:db8::2")).is_none());
        let _b = places.take(ip("fe80::1")).unwrap();
        assert!(places.take(ip("fe80::2")).is_some());
    }

    #[test]
    fn a_crowd_leaves_places_for_loopback() {
        let places = places(32, 1);
        let crowd: Vec<_> = (0..40).map_while(|n| places.take(ip(&format!("192.0.2.{n}")))).collect();
        assert_eq!(crowd.len(), 30);
        let own: Vec<_> = (0..40).map_while(|_| places.take(ip("127.0.0.1"))).collect();
        assert_eq!(own.len(), 2);
    }
}
