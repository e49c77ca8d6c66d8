//! The first day.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use sparekey_device::Refusal;
use sparekey_device::ways::Why;
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::Failure;
use crate::visitor::Visitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Activation {
    username: String,
    password: String,
    #[serde(default)]
    reserved_emails: Vec<String>,
    #[serde(default)]
    questions: Vec<Question>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read, so that a wrong shape is refused as such; no firmware offers questions yet")]
struct Question {
    id: u8,
    answer: String,
}

pub(super) async fn activate(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(asked): ApiJson<Activation>,
) -> Result<StatusCode, Failure> {
    if !asked.questions.is_empty() {
        return Err(Refusal::MethodNotReady(Why::NotOffered).into());
    }
    app.activate(&visitor, &asked.username, asked.password.into(), &asked.reserved_emails).await?;
    Ok(StatusCode::CREATED)
}
