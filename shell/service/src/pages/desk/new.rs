//! `/desk/new`: a case is opened from what the owner sent.

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::get;
use sparekey_web::csrf::FormToken;
use sparekey_web::messages;
use sparekey_web::page::{Banner, Page, html};
use sparekey_web::problem::Problem;

use super::form::FileForm;
use super::session::Session;
use super::{Desk, to};
use crate::desk::{NewCase, Whence};
use crate::http::{App, MAX_PHOTO_BODY, error};

#[derive(Template)]
#[template(path = "desk/new.html")]
struct New {
    page: Page,
    desk: Desk,
    typed: NewCase,
    sent: Sent,
}

/// What the owner sent or read out, as it was typed.
#[derive(Default)]
struct Sent {
    pasted: String,
    serial: String,
    question: String,
}

/// With the other fields of the form.
const MAX_BODY: usize = MAX_PHOTO_BODY + 64 * 1024;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/desk/new", get(show).post(open).layer(DefaultBodyLimit::max(MAX_BODY)))
}

async fn show(State(app): State<App>, session: Session, token: FormToken) -> Response {
    page(&app, &session, token, NewCase::default(), Sent::default(), None)
}

fn page(
    app: &App,
    session: &Session,
    token: FormToken,
    typed: NewCase,
    sent: Sent,
    problem: Option<&Problem>,
) -> Response {
    let desk = Desk::new(app, session, token, "New case", "new").with_banner(problem.map(Banner::from));
    let mut shown = html(&New { page: desk.page.clone(), desk, typed, sent });
    if let Some(problem) = problem {
        *shown.status_mut() = problem.status();
    }
    shown
}

async fn open(State(app): State<App>, session: Session, token: FormToken, form: Result<FileForm, Problem>) -> Response {
    let form = match form {
        Ok(form) => form,
        Err(problem) => return page(&app, &session, token, NewCase::default(), Sent::default(), Some(&problem)),
    };
    let text = |name: &str| form.text(name).to_owned();
    let new = NewCase { name: text("name"), contact: text("contact"), language: text("language"), note: text("note") };
    let opened = match whence(&app, &form).await {
        Ok(whence) => {
            let opened = app.service.desk().open(session.credential(), whence, &new).await;
            opened.map_err(|error| error::desk(&error))
        }
        Err(problem) => Err(problem),
    };
    match opened {
        Ok(opened) => {
            to(&format!("/desk/cases/{}?done={}", opened.number, if opened.is_new { "opened" } else { "there" }))
        }
        Err(problem) => {
            let sent = Sent { pasted: text("pasted"), serial: text("serial"), question: text("question") };
            page(&app, &session, token, new, sent, Some(&problem))
        }
    }
}

/// What was sent, by its content: a picture, a file, digits, or a request's id.
async fn whence(app: &App, form: &FileForm) -> Result<Whence, Problem> {
    let pasted = form.text("pasted").trim();
    let (serial, question) = (form.text("serial").trim(), form.text("question").trim());
    if !serial.is_empty() || !question.is_empty() {
        if form.file.is_some() || !pasted.is_empty() {
            let detail = "Send either what the owner sent or what he reads out, not both.";
            return Err(Problem::new(messages::MALFORMED).detail(detail));
        }
        return Ok(Whence::Call { serial: serial.to_owned(), question: question.to_owned() });
    }
    match (&form.file, pasted.is_empty()) {
        (Some(file), true) => {
            let start = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file).trim_ascii_start();
            if start.starts_with(b"<") {
                Ok(Whence::File(file.to_vec()))
            } else {
                Ok(Whence::Photo(app.read_photo(file.clone()).await?))
            }
        }
        (None, false) if pasted.starts_with('<') => Ok(Whence::File(pasted.as_bytes().to_vec())),
        // An id has 24 characters; no request is as short.
        (None, false) if pasted.len() <= 40 => Ok(Whence::Request(pasted.to_owned())),
        (None, false) => Ok(Whence::Pasted(pasted.to_owned())),
        (None, true) => Err(Problem::new(messages::MALFORMED).detail("Choose a file, or paste what the owner sent.")),
        (Some(_), false) => {
            Err(Problem::new(messages::MALFORMED).detail("Send either a file or pasted text, not both."))
        }
    }
}
