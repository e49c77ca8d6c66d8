//! By security questions: all three answers at once.

use askama::Template;
use axum::response::Response;
use sparekey_device::ways::QuestionId;
use sparekey_protocol::Language;
use sparekey_web::page::Page;

use super::Common;
use crate::questions;

#[derive(Template)]
#[template(path = "recovery_questions.html")]
struct Questions {
    page: Page,
    common: Common,
    /// The fields' names and the questions' texts.
    fields: [(&'static str, &'static str); 3],
    /// The language that the texts are in.
    lang: &'static str,
}

pub(super) fn page(page: Page, common: Common, asked: &[QuestionId; 3], language: Option<&Language>) -> Response {
    let [first, second, third] = asked.map(|id| questions::text(id, language));
    let fields = [("first", first), ("second", second), ("third", third)];
    let shown = Questions { page, common, fields, lang: questions::tag(language) };
    shown.common.trouble.answer(&shown)
}
