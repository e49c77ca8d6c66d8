//! Guesses at passwords, slowed down for each client alone.
//!
//! A guess waits for its client's earlier ones, and then as long as those that were wrong have earned. It holds no place on
//! a lane of the [hasher](crate::hasher) meanwhile, so whatever one client guesses, the right password of another does not wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;

use crate::hasher::{Client, Full};

/// Clients whose wrong passwords are remembered.
const REMEMBERED: usize = 1024;
/// Wrong passwords that cost no delay.
const FREE: u32 = 3;
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// All who stand before the device are one client, and one of them is the owner.
const LONGEST_AT_SCREEN: Duration = Duration::from_secs(3);
/// A wrong password is forgotten after this long.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);

/// Who guesses, and who has guessed wrong.
#[derive(Debug, Default)]
pub(crate) struct Guesses(Mutex<Clients>);

impl Guesses {
    /// Waits until this client may guess.
    ///
    /// # Errors
    /// [`Full`] at once, if too many guesses of this client wait.
    pub(crate) async fn begin(&self, client: Client) -> Result<Guess<'_>, Full> {
        let turn = self.clients().turn(client).ok_or(Full::NOW)?;
        let alone = turn.lock_owned().await;
        let delay = self.clients().delay(client, Instant::now());
        tokio::time::sleep(delay).await;
        Ok(Guess { guesses: self, client, _alone: alone })
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guess: the only one of its client's that is under way, until this is dropped.
#[derive(Debug)]
pub(crate) struct Guess<'g> {
    guesses: &'g Guesses,
    client: Client,
    _alone: OwnedMutexGuard<()>,
}

impl Guess<'_> {
    /// Counts it, before the password is looked at: whoever hangs up meanwhile has guessed as well.
    pub(crate) fn count(&self) {
        self.guesses.clients().wrong(self.client, Instant::now());
    }

    /// The password was right: what this client guessed before is forgotten.
    pub(crate) fn was_right(self) {
        self.guesses.clients().wrong.remove(&self.client);
    }
}

#[derive(Debug, Default)]
struct Clients {
    /// Whose guesses are under way. Each of them holds one of the references, this map another.
    turns: HashMap<Client, Arc<tokio::sync::Mutex<()>>>,
    wrong: HashMap<Client, Wrong>,
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Instant,
}

impl Clients {
    /// `None` if too many of the client's guesses are under way.
    fn turn(&mut self, client: Client) -> Option<Arc<tokio::sync::Mutex<()>>> {
        self.turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        let turn = self.turns.entry(client).or_default();
        (Arc::strong_count(turn) <= client.most()).then(|| Arc::clone(turn))
    }

    fn delay(&self, client: Client, now: Instant) -> Duration {
        let Some(wrong) = self.wrong.get(&client).filter(|wrong| now - wrong.last < FORGOTTEN) else {
            return Duration::ZERO;
        };
        let Some(over) = wrong.count.checked_sub(FREE) else { return Duration::ZERO };
        let longest = if client == Client::Screen { LONGEST_AT_SCREEN } else { LONGEST_DELAY };
        let delay = Duration::from_secs(1_u64.checked_shl(over).unwrap_or(u64::MAX)).min(longest);
        delay.saturating_sub(now - wrong.last)
    }

    fn wrong(&mut self, client: Client, now: Instant) {
        self.wrong.retain(|_, wrong| now - wrong.last < FORGOTTEN);
        if self.wrong.len() >= REMEMBERED && !self.wrong.contains_key(&client) {
            let oldest = self.wrong.iter().min_by_key(|(_, wrong)| wrong.last).map(|(client, _)| *client);
            oldest.map(|oldest| self.wrong.remove(&oldest));
        }
        let wrong = self.wrong.entry(client).or_insert(Wrong { count: 0, last: now });
        *wrong = Wrong { count: wrong.count.saturating_add(1), last: now };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hasher::Hasher;
    use std::net::IpAddr;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_secs(5);

    fn network(last: u8) -> Client {
        Client::Network(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn delays_grow_for_that_client_alone_and_are_short_at_the_screen() {
        let now = Instant::now();
        let mut clients = Clients::default();
        let mut delays = |client| {
            let mut delay = || {
                clients.wrong(client, now);
                clients.delay(client, now).as_secs()
            };
            std::array::from_fn::<_, 10, _>(|_| delay())
        };
        assert_eq!(delays(network(1)), [0, 0, 1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(delays(Client::Screen), [0, 0, 1, 2, 3, 3, 3, 3, 3, 3]);
        assert_eq!(clients.delay(network(2), now), Duration::ZERO);
        assert_eq!(clients.delay(network(1), now + Duration::from_secs(20)).as_secs(), 10, "time that passed counts");
        assert_eq!(clients.delay(network(1), now + FORGOTTEN), Duration::ZERO);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut clients, now) = (Clients::default(), Instant::now());
        for address in 0..2 * REMEMBERED as u32 {
            clients.wrong(Client::Network(IpAddr::from(address.to_be_bytes())), now);
        }
        assert_eq!(clients.wrong.len(), REMEMBERED);
        for address in 0..100 {
            drop(clients.turn(network(address)));
        }
        assert_eq!(clients.turns.len(), 1);
    }

    #[tokio::test]
    async fn a_client_guesses_once_at_a_time() {
        let guesses = Guesses::default();
        let first = guesses.begin(network(1)).await.unwrap();
        let second = guesses.begin(network(1));
        tokio::pin!(second);
        assert!(timeout(Duration::from_millis(20), &mut second).await.is_err(), "the first is under way");
        assert_eq!(guesses.begin(network(1)).await.unwrap_err(), Full::NOW);
        timeout(SOON, guesses.begin(network(2))).await.unwrap().unwrap();
        first.count();
        drop(first);
        timeout(SOON, second).await.unwrap().unwrap().was_right();
        assert!(guesses.clients().wrong.is_empty());
    }

    #[tokio::test]
    async fn those_who_wait_for_their_wrong_guesses_hold_no_place() {
        let (guesses, hasher) = (Arc::new(Guesses::default()), Hasher::start().unwrap());
        let mut waiting = tokio::task::JoinSet::new();
        for address in 1..=100 {
            (0..10).for_each(|_| guesses.clients().wrong(network(address), Instant::now()));
            for _ in 0..2 {
                let guesses = Arc::clone(&guesses);
                waiting.spawn(async move { guesses.begin(network(address)).await.map(drop) });
            }
        }
        tokio::task::yield_now().await;
        for client in [network(101), Client::Screen] {
            let guess = timeout(SOON, guesses.begin(client)).await.unwrap().unwrap();
            assert_eq!(hasher.turn(client).unwrap().run(|| 7).await, 7);
            guess.was_right();
        }
        assert!(waiting.try_join_next().is_none(), "all of them still wait");
    }
}
