//! A new password, for who is logged in and knows the old one.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::Failure;
use crate::visitor::Visitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    current: String,
    password: String,
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Change { current, password }): ApiJson<Change>,
) -> Result<StatusCode, Failure> {
    app.session(&visitor).await?;
    app.change_password(&visitor, current.into(), password.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}
