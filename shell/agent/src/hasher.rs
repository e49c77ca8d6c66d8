//! Slow hashes (Argon2id), each kind of caller on a thread of its own.
//!
//! A hash takes about half a second and tens of megabytes. So they are computed one after the other, the device's own
//! screen on one thread and the network on another: nobody on the network delays who stands before the device. Queues are
//! bounded; who finds one full is told to come back.

use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// Jobs that wait on one lane.
const QUEUE: usize = 16;
/// Jobs of one address that wait; not for the screen, whose callers all have the same one.
const PER_ADDRESS: usize = 2;
/// Seconds after which it is worth another try when a queue is full.
const RETRY_AFTER: u64 = 5;
/// What a hash needs besides its memory, which is on the heap.
const STACK: usize = 256 * 1024;
/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many are waiting")]
pub(crate) struct Full {
    /// Seconds after which to come back.
    pub(crate) retry_after: u64,
}

impl Full {
    /// Some that wait will be done in a few seconds.
    pub(crate) const NOW: Self = Self { retry_after: RETRY_AFTER };
}

/// Who asks for a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// The device's own screen.
    Screen,
    /// An address on a network ([`crate::link::client`]).
    Network(IpAddr),
}

impl Client {
    /// How much of one kind may wait for it at once.
    pub(crate) fn most(self) -> usize {
        if self == Self::Screen { QUEUE } else { PER_ADDRESS }
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// The two threads. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Hasher {
    screen: SyncSender<Job>,
    network: SyncSender<Job>,
    clients: Arc<Mutex<Clients>>,
}

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system has none left.
    pub(crate) fn start() -> std::io::Result<Self> {
        Ok(Self { screen: lane("hash-screen")?, network: lane("hash-network")?, clients: Arc::default() })
    }

    /// A place in the client's queue: to be had before anything is counted that the hash decides on.
    ///
    /// # Errors
    /// [`Full`] at once, if the lane or the client has too many waiting.
    pub(crate) fn turn(&self, client: Client) -> Result<Turn<'_>, Full> {
        let place = Place::take(&self.clients, client).ok_or(Full::NOW)?;
        Ok(Turn { hasher: self, place: Arc::new(place) })
    }
}

/// A place in a queue.
#[derive(Debug)]
pub(crate) struct Turn<'h> {
    hasher: &'h Hasher,
    place: Arc<Place>,
}

impl Turn<'_> {
    /// Runs a slow hash on the client's lane.
    ///
    /// # Panics
    /// If the job does.
    pub(crate) async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let Self { hasher, place } = self;
        let place = Arc::clone(place);
        let (answer, answered) = oneshot::channel();
        let lane = if place.client == Client::Screen { &hasher.screen } else { &hasher.network };
        let job = move || {
            // Whoever went away meanwhile is not worth half a second.
            if !answer.is_closed() {
                let answered = job();
                // Whoever has an answer has the place back: the next call finds it free.
                drop(place);
                let _ = answer.send(answered);
            }
        };
        lane.try_send(Box::new(job))
            .expect("a lane takes as many jobs as there are places, and lives as long as the hasher");
        answered.await.expect("a hash does not panic")
    }
}

fn lane(name: &str) -> std::io::Result<SyncSender<Job>> {
    let (sender, jobs): (_, Receiver<Job>) = sync_channel(QUEUE);
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK)
        // A job that panics is its caller's misfortune, and not that of all who come after.
        .spawn(move || {
            jobs.into_iter().for_each(|job| {
                if panic::catch_unwind(AssertUnwindSafe(job)).is_err() {
                    tracing::error!("a hash panicked");
                }
            });
        })?;
    Ok(sender)
}

#[derive(Debug, Default)]
struct Clients {
    waiting: HashMap<Client, usize>,
    on_network: usize,
}

/// A client's place in the queue, given back when dropped.
#[derive(Debug)]
struct Place {
    of: Arc<Mutex<Clients>>,
    client: Client,
}

impl Place {
    fn take(of: &Arc<Mutex<Clients>>, client: Client) -> Option<Self> {
        let mut clients = of.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = clients.waiting.get(&client).copied().unwrap_or(0);
        let most = client.most();
        let on_network = usize::from(client != Client::Screen);
        if waiting >= most || clients.on_network + on_network > QUEUE {
            return None;
        }
        clients.waiting.insert(client, waiting + 1);
        clients.on_network += on_network;
        drop(clients);
        Some(Self { of: Arc::clone(of), client })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut clients = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        clients.on_network -= usize::from(self.client != Client::Screen);
        if let Some(waiting) = clients.waiting.get_mut(&self.client) {
            *waiting -= 1;
            if *waiting == 0 {
                clients.waiting.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn network(last: u8) -> Client {
        Client::Network(IpAddr::from([192, 0, 2, last]))
    }

    #[tokio::test]
    async fn the_network_cannot_delay_the_screen() {
        let hasher = Arc::new(Hasher::start().unwrap());
        let (release, held) = mpsc::channel::<()>();
        let (began, begun) = oneshot::channel();
        let slow = {
            let hasher = Arc::clone(&hasher);
            tokio::spawn(async move {
                let job = move || {
                    began.send(()).unwrap();
                    held.recv().unwrap();
                };
                hasher.turn(network(1)).unwrap().run(job).await;
            })
        };
        begun.await.unwrap();
        assert_eq!(hasher.turn(Client::Screen).unwrap().run(|| 7).await, 7, "while the network's lane is held");
        release.send(()).unwrap();
        slow.await.unwrap();
    }

    #[test]
    fn one_address_has_two_places_and_all_of_them_a_bound() {
        let hasher = Hasher::start().unwrap();
        let mut turns: Vec<_> = (0..2).map(|_| hasher.turn(network(1)).unwrap()).collect();
        assert_eq!(hasher.turn(network(1)).unwrap_err(), Full::NOW);
        turns.extend((2..=200).map_while(|last| hasher.turn(network(last)).ok()));
        assert_eq!(turns.len(), QUEUE);
        let at_screen: Vec<_> = (0..=QUEUE).map_while(|_| hasher.turn(Client::Screen).ok()).collect();
        assert_eq!(at_screen.len(), QUEUE, "whatever the network does");
        drop((turns, at_screen));
        let clients = hasher.clients.lock().unwrap();
        assert!(clients.waiting.is_empty() && clients.on_network == 0, "every place was given back");
    }

    #[tokio::test]
    async fn who_was_answered_has_its_place_back() {
        let hasher = Hasher::start().unwrap();
        for round in 0..10_000 {
            hasher.turn(network(1)).unwrap().run(|| ()).await;
            assert!(hasher.clients.lock().unwrap().waiting.is_empty(), "round {round}");
        }
    }

    #[tokio::test]
    async fn places_are_enough_for_every_job() {
        let hasher = Hasher::start().unwrap();
        let turns: Vec<_> = (0..QUEUE).map(|_| hasher.turn(Client::Screen).unwrap()).collect();
        let mut sum = 0;
        for (number, turn) in turns.into_iter().enumerate() {
            sum += turn.run(move || number).await;
        }
        assert_eq!(sum, QUEUE * (QUEUE - 1) / 2);
    }
}
