//! What all pages share: layout, styles, headers, messages, listening.
//!
//! It knows HTTP and nothing of recovery: no device, case or store. It holds no session and decides nothing but whether
//! a request may reach a page at all. Start with [`listen`] for sockets, [`page`] for what a page is made of, and
//! [`problem`] for what goes wrong.
//!
//! # A server, whole
//! ```no_run
//! # use sparekey_web::*;
//! # async fn serve() -> std::io::Result<()> {
//! use axum::middleware::from_fn_with_state;
//! let router = axum::Router::new()
//!     .merge(assets::router(assets::SHARED.iter().copied()))
//!     .fallback(async || problem::Problem::new(messages::NOT_FOUND))
//!     .layer(from_fn_with_state(csrf::Csrf::random().expect("randomness"), csrf::guard))
//!     .layer(from_fn_with_state(host::Hosts::new(["recorder.local"]), host::check))
//!     .layer(from_fn_with_state(page::Page::new("", "Front gate"), page::problems))
//!     .layer(from_fn_with_state(headers::Headers::default(), headers::set)); // outermost: on refusals too
//! let listener = listen::Listener::bind(([127, 0, 0, 1], 0).into(), listen::Scheme::Plain).await?;
//! println!("http://{}", listener.local_addr());
//! listener.serve(router, tokio_util::sync::CancellationToken::new()).await;
//! # Ok(()) }
//! ```
//!
//! # Templates in other crates
//! askama looks for templates in the crate that derives them. A crate with pages has beside its `Cargo.toml` an
//! `askama.toml`:
//! ```toml
//! [general]
//! dirs = ["templates", "../web/templates"]
//! ```
//! Then its templates begin with `{% extends "layout.html" %}`, their structs have a field `page: Page`, and the parts of
//! forms come from `{% import "ui.html" as ui %}`. The crate needs `sparekey-web` as a dependency under that name, and no
//! template of its own called `layout.html`, `ui.html`, `mark.svg` or `problem.html`. `examples/gallery.rs` shows every part.
//!
//! Blocks of the layout: `head`, `nav`, `content`, `footer`.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may"))]

extern crate self as sparekey_web; // templates name it, in whichever crate they are used

pub mod address;
pub mod assets;
pub mod cookie;
pub mod csrf;
pub mod headers;
pub mod host;
pub mod json;
pub mod listen;
pub mod messages;
pub mod page;
pub mod problem;
pub mod qr;
pub mod same_site;
pub mod tls;
pub mod upload;
