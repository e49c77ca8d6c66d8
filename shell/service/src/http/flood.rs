//! Against floods: how many requests one network may make at this node, before anything is read or looked up.
//!
//! Generous, in memory, and for each node apart. The budgets that protect owners from mail, and that hold over all nodes and
//! restarts, are in `sparekey-cases`.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::Method;
use sparekey_web::messages;
use sparekey_web::problem::Problem;

use super::App;
use super::client::Client;
use crate::NetworkKey;

/// Reading costs little: so many times more of it than of what may change something.
const READS_FOR_A_CHANGE: u32 = 10;

/// How many requests that may change something (all but GET, HEAD and OPTIONS) a network may make.
#[derive(Clone, Copy, Debug)]
pub struct Flood {
    /// On and on.
    pub per_second: NonZeroU32,
    /// At once, after a rest.
    pub burst: NonZeroU32,
}

impl Default for Flood {
    fn default() -> Self {
        Self { per_second: const { NonZeroU32::new(50).unwrap() }, burst: const { NonZeroU32::new(200).unwrap() } }
    }
}

/// The class of a request, each with a limiter of its own: there is no third way, and so no request without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Read,
    Change,
}

impl From<&Method> for Class {
    fn from(method: &Method) -> Self {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) { Self::Read } else { Self::Change }
    }
}

/// The limiters. Networks are told apart by 16 bits of a secretly keyed hash, so that the memory is bounded however many
/// networks there are; two that fall together share a limit, and nobody can choose whom to share with.
pub(super) struct Limiters {
    hash: RandomState,
    reads: DefaultKeyedRateLimiter<u16>,
    changes: DefaultKeyedRateLimiter<u16>,
}

impl Limiters {
    pub(super) fn new(flood: Flood) -> Self {
        let many = const { NonZeroU32::new(READS_FOR_A_CHANGE).unwrap() };
        let changes = Quota::per_second(flood.per_second).allow_burst(flood.burst);
        let reads =
            Quota::per_second(flood.per_second.saturating_mul(many)).allow_burst(flood.burst.saturating_mul(many));
        Self { hash: RandomState::new(), reads: RateLimiter::keyed(reads), changes: RateLimiter::keyed(changes) }
    }

    /// # Errors
    /// Whole seconds until one more may come.
    fn take(&self, class: Class, network: NetworkKey) -> Result<(), u64> {
        let key = (self.hash.hash_one(network) & 0xffff) as u16;
        let limiter = match class {
            Class::Read => &self.reads,
            Class::Change => &self.changes,
        };
        limiter.check_key(&key).map_err(|refused| {
            let wait = refused.wait_time_from(DefaultClock::default().now());
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        })
    }
}

/// The middleware that every request passes.
pub(super) async fn limit(State(app): State<App>, Client(network): Client, request: Request, next: Next) -> Response {
    match app.limiters.take(request.method().into(), network) {
        Ok(()) => next.run(request).await,
        Err(seconds) => Problem::new(messages::TOO_MANY).retry_after(seconds).into_response(),
    }
}
