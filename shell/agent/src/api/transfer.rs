//! Handing the device over, for who is logged in and knows the password.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_device::Recordings;
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::Failure;
use crate::typed;
use crate::visitor::Visitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    password: String,
    recordings: String,
}

pub(super) async fn hand_over(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(asked): ApiJson<Asked>,
) -> Result<Json<Value>, Failure> {
    app.session(&visitor).await?;
    let recordings: Recordings = typed::recordings(&asked.recordings)?;
    let transferred = app.transfer(&visitor, asked.password.into(), recordings).await?;
    Ok(Json(json!({
        "transfer_code": transferred.code.expose().as_str(),
        "statement": BASE64_URL_SAFE_NO_PAD.encode(&transferred.statement),
    })))
}
