//! What the service decides: limits, mail or desk, approvals.
#![no_std]
#![forbid(unsafe_code)]

mod limits;

pub use limits::{Bucket, Budget, Budgets, Scope};
