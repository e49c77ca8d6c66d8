//! How many pictures are received and read at once: they are the only large thing anybody can send, and the only slow one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sparekey_web::messages;
use sparekey_web::problem::Problem;

use crate::NetworkKey;

/// All together: 384 MiB at worst.
const AT_ONCE: usize = 32;
/// From one network, so that neither a slow sender nor a hostile picture takes the place of others.
const AT_ONCE_FROM_ONE: usize = 2;
/// When another try may find a place.
const RETRY_SECONDS: u64 = 3;

/// The places that are taken, by network.
#[derive(Clone, Default)]
pub(super) struct Uploads(Arc<Mutex<HashMap<NetworkKey, usize>>>);

/// One place; free again when dropped.
pub(crate) struct Place {
    uploads: Uploads,
    network: NetworkKey,
}

impl Uploads {
    /// # Errors
    /// `too-many` if all places, or those of this network, are taken.
    pub(super) fn enter(&self, network: NetworkKey) -> Result<Place, Problem> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.get(&network).copied().unwrap_or(0);
        if here >= AT_ONCE_FROM_ONE || taken.values().sum::<usize>() >= AT_ONCE {
            return Err(Problem::new(messages::TOO_MANY).retry_after(RETRY_SECONDS));
        }
        taken.insert(network, here + 1);
        Ok(Place { uploads: self.clone(), network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_few_and_come_back() {
        let uploads = Uploads::default();
        let network = |n: u8| NetworkKey::V4([10, 0, n]);
        let mut places: Vec<_> = (0..AT_ONCE_FROM_ONE).map(|_| uploads.enter(network(0)).unwrap()).collect();
        assert!(uploads.enter(network(0)).is_err(), "one network has its share");
        for n in 1..=(AT_ONCE / AT_ONCE_FROM_ONE) as u8 - 1 {
            places.extend((0..AT_ONCE_FROM_ONE).map(|_| uploads.enter(network(n)).unwrap()));
        }
        assert!(uploads.enter(network(200)).is_err(), "all places are taken");
        places.pop();
        assert!(uploads.enter(network(200)).is_ok());
        drop(places);
        assert!(uploads.0.lock().unwrap().is_empty(), "nothing is kept of who left");
    }
}
