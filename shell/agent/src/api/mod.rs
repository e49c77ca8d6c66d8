//! The device's interface on the LAN (protocol section 11): HTTPS and JSON, errors as RFC 9457 problems.

mod activation;
mod contacts;
mod device;
mod key_file;
mod notices;
mod recoveries;
mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};

use crate::app::App;

/// All calls.
pub(crate) fn router() -> Router<Arc<App>> {
    let calls = Router::new()
        .route("/device", get(device::describe))
        .route("/activation", post(activation::activate))
        .route("/sessions", post(sessions::log_in))
        .route("/sessions/current", delete(sessions::log_out))
        .route("/recoveries", post(recoveries::open))
        .route("/recoveries/{id}", get(recoveries::show))
        .route("/recoveries/{id}/qr.svg", get(recoveries::qr))
        .route("/recoveries/{id}/proof", post(recoveries::prove))
        .route("/recoveries/{id}/password", put(recoveries::set_password))
        .route("/key-file", post(key_file::export))
        .route("/notices", get(notices::list))
        .route("/notices/{n}/told", post(notices::told))
        .route("/mail-server", put(notices::set_server).delete(notices::remove_server))
        .route("/contacts/{n}/confirmation", post(contacts::open))
        .route("/contacts/{n}/confirmation/proof", post(contacts::confirm));
    Router::new().nest("/api/v1", calls)
}
