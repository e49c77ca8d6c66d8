//! The HTTP interface and the app's pages, through the whole router, on a real service.

#![allow(clippy::unwrap_used)]

mod api;
mod desk;
mod desk_grants;
mod desk_pages;
mod guards;
mod lmtp;
mod log;
mod mail_in;
mod pages;
mod photos;
mod poisoning;
mod seen;
mod stand;
