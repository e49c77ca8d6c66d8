//! The device's interface on the LAN (protocol section 11): HTTPS and JSON, errors as RFC 9457 problems.

mod activation;
mod card;
mod contacts;
mod device;
mod events;
mod key_file;
mod network;
mod notices;
mod password;
mod questions;
mod recoveries;
mod sessions;
mod sheet;
mod switches;
mod transfer;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};
use serde::Deserialize;
use sparekey_device::ways::Answers;

use crate::app::App;
use crate::failure::Malformed;
use crate::typed;

/// All calls.
pub(crate) fn router() -> Router<Arc<App>> {
    let calls = Router::new()
        .route("/device", get(device::describe))
        .route("/activation", post(activation::activate))
        .route("/sessions", get(sessions::list).post(sessions::log_in))
        .route("/sessions/current", delete(sessions::log_out))
        .route("/sessions/{number}", delete(sessions::end))
        .route("/events", get(events::list))
        .route("/password", put(password::change))
        .route("/recoveries", post(recoveries::open))
        .route("/recoveries/{id}", get(recoveries::show))
        .route("/recoveries/{id}/qr.svg", get(recoveries::qr))
        .route("/recoveries/{id}/proof", post(recoveries::prove))
        .route("/recoveries/{id}/password", put(recoveries::set_password))
        .route("/key-file", post(key_file::export))
        .route("/notices", get(notices::list))
        .route("/notices/{n}/told", post(notices::told))
        .route("/mail-server", put(notices::set_server).delete(notices::remove_server))
        .route("/transfer", post(transfer::hand_over))
        .route("/network", get(network::show).put(network::change))
        .route("/network/confirmation", post(network::confirm))
        .route("/sheet", get(sheet::show).post(sheet::make))
        .route("/sheet/{number}/void", post(sheet::void))
        .route("/questions", get(questions::list).put(questions::set))
        .route("/switches", get(switches::show).put(switches::throw))
        .route("/card", get(card::show).put(card::replace))
        .route("/tests", post(recoveries::open_test))
        .route("/contacts", get(contacts::list).put(contacts::set))
        .route("/contacts/rule", put(switches::set_rule))
        .route("/contacts/{n}/confirmation", post(contacts::open))
        .route("/contacts/{n}/confirmation/proof", post(contacts::confirm));
    Router::new().nest("/api/v1", calls)
}

/// The password of who is logged in, asked for again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Password {
    password: String,
}

/// A security question that was chosen, and its answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    id: u8,
    answer: String,
}

impl Answered {
    /// Three answers, or none at all.
    fn read(answered: &[Self]) -> Result<Option<Answers>, Malformed> {
        let answers: Vec<_> = answered.iter().map(|given| (given.id, given.answer.as_str())).collect();
        if answers.is_empty() { Ok(None) } else { typed::answers(&answers).map(Some) }
    }
}
