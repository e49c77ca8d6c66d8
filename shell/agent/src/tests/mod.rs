//! The agent as a whole: its interface, its pages, its restarts.

mod api;
mod limits;
mod pages;
mod restart;
mod ways;
