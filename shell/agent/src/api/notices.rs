//! Telling the contacts: what they were not told of, and the mail server that tells them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_device::Refusal;
use sparekey_web::json::ApiJson;
use zeroize::Zeroizing;

use crate::app::{App, TriedOut};
use crate::failure::Failure;
use crate::telling::{Encryption, MailServer, name_of};
use crate::visitor::Visitor;

pub(super) async fn list(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Json<Value>, Failure> {
    let untold = app.untold(&visitor).await?;
    let untold = untold.into_iter().map(|(notice, carried)| {
        json!({
            "number": notice.number,
            "what": name_of(notice.kind),
            "method": notice.way.map(sparekey_device::ways::Way::name),
            "at": notice.at.0,
            "count": notice.count,
            "qr_text": carried,
        })
    });
    let server = app.mail_server().await.map(|server| {
        let MailServer { host, port, encryption, user, from, .. } = server;
        json!({ "host": host, "port": port, "encryption": encryption, "user": user, "from": from })
    });
    Ok(Json(json!({ "notices": untold.collect::<Vec<_>>(), "mail_server": server })))
}

pub(super) async fn told(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    number: Option<Path<u64>>,
    ApiJson(Password { password }): ApiJson<Password>,
) -> Result<StatusCode, Failure> {
    app.session(&visitor).await?;
    let Some(Path(number)) = number else { return Err(Refusal::Expired.into()) };
    app.told(&visitor, password, number).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    password: Zeroizing<String>,
    server: Server,
}

/// A mail server as it is sent. Files of the device's own, such as certificates to trust, are not for the network to name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    host: String,
    port: u16,
    encryption: Encryption,
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: Zeroizing<String>,
    from: String,
}

impl From<Server> for MailServer {
    fn from(server: Server) -> Self {
        let Server { host, port, encryption, user, password, from } = server;
        Self { host, port, encryption, user, password, from, ca: None }
    }
}

pub(super) async fn set_server(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Asked { password, server }): ApiJson<Asked>,
) -> Result<Json<Value>, Failure> {
    let (tried_out, said) = match app.set_mail_server(&visitor, password, server.into()).await? {
        TriedOut::Taken => ("taken", None),
        TriedOut::NotTaken(said) => ("not-taken", Some(said)),
        TriedOut::Nobody => ("nobody-to-write-to", None),
    };
    Ok(Json(json!({ "tried_out": tried_out, "said": said })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    password: Zeroizing<String>,
}

pub(super) async fn remove_server(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Password { password }): ApiJson<Password>,
) -> Result<StatusCode, Failure> {
    app.remove_mail_server(&visitor, password).await?;
    Ok(StatusCode::NO_CONTENT)
}
