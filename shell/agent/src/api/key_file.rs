//! A new key file, for who is logged in and knows the password.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use serde::Deserialize;
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::Failure;
use crate::visitor::Visitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    password: String,
}

pub(super) async fn export(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(asked): ApiJson<Asked>,
) -> Result<Response, Failure> {
    app.session(&visitor).await?;
    let xml = app.export_key_file(&visitor, asked.password.into()).await?;
    Ok(([(header::CONTENT_TYPE, "application/xml")], xml.to_string()).into_response())
}
