//! Reserved emails, for who is logged in: which they are, others, and confirming one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_device::ways::ContactRule;
use sparekey_device::{ContactView, Refusal};
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::Failure;
use crate::path::Contact;
use crate::request_file;
use crate::visitor::Visitor;

pub(super) async fn list(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Json<Value>, Failure> {
    let (contacts, rule) = app
        .look(|device, now| {
            let rule = device.contact_rule();
            let contact = |contact: ContactView<'_>| {
                let mut shown = json!({ "email": contact.email.as_str() });
                if let Some(at) = contact.confirmed {
                    shown["confirmed"] = at.0.into();
                }
                shown
            };
            let contacts = device.contacts(now, visitor.token())?;
            Ok::<_, Refusal>((contacts.into_iter().map(contact).collect::<Vec<_>>(), rule))
        })
        .await?;
    let rule = match rule {
        ContactRule::Either => "either",
        ContactRule::Both => "both",
    };
    Ok(Json(json!({ "contacts": contacts, "rule": rule })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Emails {
    password: String,
    reserved_emails: Vec<String>,
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Emails { password, reserved_emails }): ApiJson<Emails>,
) -> Result<StatusCode, Failure> {
    app.session(&visitor).await?;
    app.set_contacts(&visitor, password.into(), &reserved_emails).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Contact(contact): Contact,
) -> Result<Response, Failure> {
    app.session(&visitor).await?;
    let opened = app.open_confirmation(&visitor, contact).await?;
    let answer = json!({
        "id": opened.id.to_string(),
        "tries_left": opened.tries_left,
        "expires_in": opened.expires_in,
        "qr_text": opened.qr_text(),
        "request_xml": request_file::xml(&app, opened.request().unwrap_or_default().to_vec()).await,
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    code: String,
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Contact(contact): Contact,
    ApiJson(proof): ApiJson<Proof>,
) -> Result<Json<Value>, Failure> {
    app.session(&visitor).await?;
    app.confirm(&visitor, contact, &proof.code).await?;
    Ok(Json(json!({ "confirmed": true })))
}
