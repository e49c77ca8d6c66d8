//! The agent as a whole: its interface, its pages, its restarts.

mod api;
mod limits;
mod ownership;
mod owning;
mod pages;
mod restart;
mod ways;
