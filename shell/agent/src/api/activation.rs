//! The first day.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use sparekey_web::json::ApiJson;
use zeroize::Zeroizing;

use super::Answered;
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
    questions: Vec<Answered>,
    transfer_code: Option<String>,
}

pub(super) async fn activate(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(asked): ApiJson<Activation>,
) -> Result<StatusCode, Failure> {
    let Activation { username, password, reserved_emails, questions, transfer_code } = asked;
    let questions = Answered::read(&questions)?;
    let transfer_code = transfer_code.map(Zeroizing::new);
    let transfer_code = transfer_code.as_ref().map(|code| code.as_str());
    app.activate(&visitor, &username, password.into(), &reserved_emails, questions, transfer_code).await?;
    Ok(StatusCode::CREATED)
}
