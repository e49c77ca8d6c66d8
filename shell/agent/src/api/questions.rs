//! The security questions: the list to choose from, and for who is logged in and knows the password those that are set.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_device::ways::QuestionId;
use sparekey_web::json::ApiJson;

use super::Answered;
use crate::app::App;
use crate::failure::Failure;
use crate::questions;
use crate::visitor::Visitor;

pub(super) async fn list(State(app): State<Arc<App>>, visitor: Visitor) -> Json<Value> {
    let all = questions::all(visitor.language.as_ref());
    let question = |(id, text): (u8, &str)| json!({ "id": id, "text": text });
    let mut answer = json!({ "questions": all.map(question).collect::<Vec<_>>() });
    if app.session(&visitor).await.is_ok() {
        let set = app.look(|device, _| device.questions()).await;
        answer["set"] = set.iter().flatten().copied().map(QuestionId::number).collect();
    }
    Json(answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    password: String,
    questions: Vec<Answered>,
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Set { password, questions }): ApiJson<Set>,
) -> Result<StatusCode, Failure> {
    app.session(&visitor).await?;
    app.set_questions(&visitor, password.into(), Answered::read(&questions)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
