//! Security questions: choosing three, and taking them away.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sparekey_device::ways::Answers;
use sparekey_protocol::Language;
use sparekey_web::assets::REVEAL;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::Page;
use zeroize::{Zeroize, Zeroizing};

use super::logged_in;
use super::trouble::Trouble;
use crate::app::App;
use crate::failure::{Failure, Malformed};
use crate::questions;
use crate::settings::Questions as Policy;
use crate::typed;
use crate::visitor::Visitor;

/// Three questions chosen and answered in a form. Empty answers come with a form that leaves them out.
#[derive(Default, Deserialize)]
pub(super) struct Chosen {
    #[serde(default)]
    question_1: String,
    #[serde(default)]
    question_2: String,
    #[serde(default)]
    question_3: String,
    #[serde(default)]
    answer_1: String,
    #[serde(default)]
    answer_2: String,
    #[serde(default)]
    answer_3: String,
}

impl Chosen {
    /// The answers, if any was given.
    pub(super) fn read(&self) -> Result<Option<Answers>, Malformed> {
        let answers = [&self.answer_1, &self.answer_2, &self.answer_3];
        if answers.iter().all(|answer| answer.trim().is_empty()) {
            return Ok(None);
        }
        let number = |text: &String| text.parse().unwrap_or(0);
        let numbers = [&self.question_1, &self.question_2, &self.question_3].map(number);
        let given: Vec<_> = numbers.into_iter().zip(answers.map(String::as_str)).collect();
        typed::answers(&given).map(Some)
    }
}

impl Drop for Chosen {
    fn drop(&mut self) {
        for answer in [&mut self.answer_1, &mut self.answer_2, &mut self.answer_3] {
            answer.zeroize();
        }
    }
}

/// The fields of a form to choose in. What was answered comes back after a refusal: it stood on the page in plain sight.
pub(super) struct Fields {
    /// The questions chosen, by their numbers, three different ones to begin with; and their answers.
    pub(super) rows: [(usize, u8, Zeroizing<String>); 3],
    pub(super) all: Vec<(u8, &'static str)>,
    /// The language that they are in.
    pub(super) lang: &'static str,
}

impl Fields {
    pub(super) fn new(language: Option<&Language>, chosen: &Chosen) -> Self {
        let number = |text: &str, otherwise: u8| text.parse().unwrap_or(otherwise);
        let answer = |text: &String| Zeroizing::new(text.clone());
        let rows = [
            (1, number(&chosen.question_1, 1), answer(&chosen.answer_1)),
            (2, number(&chosen.question_2, 2), answer(&chosen.answer_2)),
            (3, number(&chosen.question_3, 3), answer(&chosen.answer_3)),
        ];
        Self { rows, all: questions::all(language).collect(), lang: questions::tag(language) }
    }
}

#[derive(Template)]
#[template(path = "questions.html")]
struct Questions {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    questions: Fields,
    set: bool,
    /// What the maker thinks of them.
    policy: Policy,
}

pub(super) async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    Ok(page(&app, &visitor, token, Trouble::default(), &Chosen::default()).await)
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(flatten)]
    chosen: Chosen,
    password: String,
    /// Take them away.
    remove: Option<String>,
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(asked): GuardedForm<Asked>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let password = Zeroizing::new(asked.password);
    let set = async {
        let answers = match asked.remove {
            Some(_) => None,
            None => Some(asked.chosen.read()?.ok_or(NO_ANSWERS)?),
        };
        app.set_questions(&visitor, password, answers).await
    };
    match set.await {
        Ok(()) => Ok(Redirect::to("/ready").into_response()),
        Err(failure) => Ok(page(&app, &visitor, token, failure.into(), &asked.chosen).await),
    }
}

const NO_ANSWERS: Failure = Failure::Malformed(Malformed {
    field: "answers",
    title: "The answers are missing.",
    detail: "Choose three questions and answer each.",
});

async fn page(app: &App, visitor: &Visitor, token: FormToken, trouble: Trouble, chosen: &Chosen) -> Response {
    let page = app.page("Security questions").scripts([&REVEAL]).banner(trouble.banner());
    let set = app.look(|device, _| device.questions().is_some()).await;
    let questions = Fields::new(visitor.language.as_ref(), chosen);
    let shown = Questions { page, token, trouble, questions, set, policy: app.questions };
    shown.trouble.answer(&shown)
}
