//! All sockets, on one thread.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use mio::{Events, Interest, Poll, Token, Waker};
use sparekey_discovery::Family;

use crate::{Datagram, Interface, Wanted, port::Port};

/// A UDP datagram carries no more.
const MAX_DATAGRAM: usize = 65_536;
/// Datagrams of one socket that are taken in a row: then it is another one's turn.
const IN_A_ROW: usize = 256;
const WAKE: Token = Token(usize::MAX);

/// Sockets by the names that their owner gives them.
#[derive(Debug)]
pub struct Ports<D> {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    ports: Vec<Option<Port<D>>>,
    buffer: Vec<u8>,
}

impl<D: Copy + PartialEq> Ports<D> {
    /// None yet.
    ///
    /// # Errors
    /// Those of epoll_create(2) and its kin.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        Ok(Self { poll, events: Events::with_capacity(64), waker, ports: Vec::new(), buffer: vec![0; MAX_DATAGRAM] })
    }

    /// Ends a wait from another thread.
    #[must_use]
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Opens one more. So many bytes wait in it at most until they are taken: what was wanted, or what the system grants.
    ///
    /// # Errors
    /// Those of socket(2), setsockopt(2) and bind(2).
    pub fn open(&mut self, door: D, interface: &Interface, wanted: &Wanted) -> io::Result<usize> {
        let mut port = Port::open(door, interface, wanted)?;
        let free = self.ports.iter().position(Option::is_none).unwrap_or(self.ports.len());
        self.poll.registry().register(&mut port.socket, Token(free), Interest::READABLE)?;
        if free == self.ports.len() {
            self.ports.push(None);
        }
        let room = port.room;
        self.ports[free] = Some(port);
        Ok(room)
    }

    /// Closes those of an interface.
    pub fn close(&mut self, interface: u32) {
        for place in &mut self.ports {
            if let Some(mut port) = place.take_if(|port| port.interface == interface) {
                // Dropping the socket takes it off the list as well.
                let _ = self.poll.registry().deregister(&mut port.socket);
            }
        }
    }

    /// Whether there is one of this name on an interface.
    #[must_use]
    pub fn has(&self, door: D, interface: u32, family: Family) -> bool {
        self.find(door, interface, family).is_some()
    }

    fn find(&self, door: D, interface: u32, family: Family) -> Option<&Port<D>> {
        let is_it = |port: &&Port<D>| port.door == door && port.interface == interface && port.family == family;
        self.ports.iter().flatten().find(is_it)
    }

    /// Sends by the socket of this name on this interface.
    ///
    /// # Errors
    /// Those of sendto(2); `NotFound` if there is none.
    pub fn send(&self, door: D, interface: u32, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let port = self.find(door, interface, Family::of(to.ip())).ok_or(io::ErrorKind::NotFound)?;
        match port.send(bytes, to) {
            // An earlier datagram came back as undeliverable, or the queue is full for a moment: once more.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::WouldBlock) => {
                port.send(bytes, to)
            }
            sent => sent,
        }
    }

    /// Waits until something arrives, a [`Waker`] wakes, or the time is over; then hands over what there is.
    ///
    /// # Errors
    /// Those of epoll_wait(2) and its kin.
    pub fn wait(&mut self, timeout: Option<Duration>, mut take: impl FnMut(Datagram<'_, D>)) -> io::Result<()> {
        let more = self.ports.iter().flatten().any(|port| port.ready);
        let timeout = if more { Some(Duration::ZERO) } else { timeout };
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            polled => polled?,
        }
        for event in &self.events {
            if let Some(Some(port)) = self.ports.get_mut(event.token().0) {
                port.ready = true;
            }
        }
        for port in self.ports.iter_mut().flatten().filter(|port| port.ready) {
            for _ in 0..IN_A_ROW {
                match port.receive(&mut self.buffer) {
                    Ok(datagram) => take(datagram),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        port.ready = false;
                        break;
                    }
                    // Of one that was sent and not delivered, or from an address that is none.
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }
}
