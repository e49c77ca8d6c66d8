//! The first day.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::Failure;
use crate::typed;
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
struct Question {
    id: u8,
    answer: String,
}

pub(super) async fn activate(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(asked): ApiJson<Activation>,
) -> Result<StatusCode, Failure> {
    let questions: Vec<_> = asked.questions.iter().map(|question| (question.id, question.answer.as_str())).collect();
    let questions = if questions.is_empty() { None } else { Some(typed::answers(&questions)?) };
    app.activate(&visitor, &asked.username, asked.password.into(), &asked.reserved_emails, questions).await?;
    Ok(StatusCode::CREATED)
}
