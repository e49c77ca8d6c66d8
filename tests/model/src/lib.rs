//! Device, service, two operators and an attacker on the network, small enough that a checker visits every state.
//!
//! The simulation (`tests/sim`) runs the real core along many random ways. This model runs none of it: it states the *rules* of
//! `docs/design` in their smallest form and asks whether any order of events, with an attacker who reads, keeps, repeats and
//! withholds all that travels, breaks what [`properties`](World) promises. Numbers are scaled down: two tries stand for five, a
//! stop after three wrong codes for a hundred, one tick for a wait.
//!
//! Each rule can be taken out ([`Broken`]), and the checker must then find the state that the rule is there to prevent: so the
//! model is known to be able to fail. Begin with `world.rs`, then `device.rs` and `service.rs`.
#![forbid(unsafe_code)]

mod device;
mod service;
mod world;

pub use device::{Device, Proof, Request, Side, Way};
pub use service::{Case, Operator, Service};
pub use world::{Act, Broken, State, World};
