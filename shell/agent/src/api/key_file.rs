//! A new key file, for who is logged in and knows the password.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use sparekey_web::json::ApiJson;

use super::Password;
use crate::app::App;
use crate::failure::Failure;
use crate::visitor::Visitor;

pub(super) async fn export(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Password { password }): ApiJson<Password>,
) -> Result<Response, Failure> {
    app.session(&visitor).await?;
    let xml = app.export_key_file(&visitor, password.into()).await?;
    Ok(([(header::CONTENT_TYPE, "application/xml")], xml.to_string()).into_response())
}
