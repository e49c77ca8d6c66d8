//! `/desk/cases/{number}`: what is verified, what is only claimed, what was done, what can be done now.

use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use sparekey_web::csrf::FormToken;
use sparekey_web::page::{Banner, Page, Tone, html};
use sparekey_web::problem::Problem;

use super::session::Session;
use super::{Desk, filters};
use crate::desk::{CaseView, EntryView, FactView};
use crate::http::{App, Number, error};

#[derive(Template)]
#[template(path = "desk/case.html")]
struct CasePage {
    page: Page,
    desk: Desk,
    case: CaseView,
    organisations: Vec<String>,
    /// Whether who looks is the maker's.
    all: bool,
    now: u64,
}

#[derive(Default, Deserialize)]
struct Did {
    #[serde(default)]
    done: String,
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/desk/cases/{number}", get(show))
}

async fn show(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
    did: Result<Query<Did>, QueryRejection>,
) -> Result<Response, Problem> {
    let done = did.map(|Query(did)| did.done).unwrap_or_default();
    page(&app, &session, token, &number, news(&done)).await
}

/// The case, with something on top.
pub(super) async fn page(
    app: &App,
    session: &Session,
    token: FormToken,
    number: &str,
    banner: Option<Banner>,
) -> Result<Response, Problem> {
    let service = app.service.desk();
    let case = service.show(session.credential(), number).await.map_err(|error| error::desk(&error))?;
    let all = session.known.actor.organisation.is_none();
    let organisations = if all && case.may.contains(&"hand-over") {
        service.organisations(session.credential()).await.map_err(|error| error::desk(&error))?
    } else {
        Vec::new()
    };
    let desk = Desk::new(app, session, token, &format!("Case {}", case.number), "").with_banner(banner);
    Ok(html(&CasePage {
        page: desk.page.clone(),
        desk,
        case,
        organisations: organisations.into_iter().map(|one| one.name).collect(),
        all,
        now: service.clock.now().0,
    }))
}

/// The case after something could not be done.
pub(super) async fn with_problem(
    app: &App,
    session: &Session,
    token: FormToken,
    number: &str,
    problem: Problem,
) -> Response {
    use axum::response::IntoResponse;
    match page(app, session, token, number, Some(Banner::from(&problem))).await {
        Ok(mut shown) => {
            *shown.status_mut() = problem.status();
            shown
        }
        Err(problem) => problem.into_response(),
    }
}

fn news(done: &str) -> Option<Banner> {
    let (title, detail) = match done {
        "opened" => ("The case is open.", "Look into it; another approver can then approve it."),
        "there" => ("This request has a case already.", "It is shown here; no second one was opened."),
        "note" => ("Your note is kept.", ""),
        "check" => ("The checklist is kept.", ""),
        "attach" => ("It is attached.", "What a picture said of where and when it was taken is gone."),
        "hand-over" => ("The case was handed over.", ""),
        "approve" => ("The case is approved.", "The grant can be handed out now, or the eight digits read out."),
        "refuse" => ("The case is refused.", "If the owner left a mail address, the reason is on its way."),
        _ => return None,
    };
    Some(Banner::new(Tone::Ok, title, detail))
}

impl CaseView {
    pub(super) fn may(&self, what: &str) -> bool {
        self.may.contains(&what)
    }

    /// The request of a case that has one only.
    fn single(&self) -> Option<&EntryView> {
        match self.requests.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Whether the digits of this request can be read out now.
    fn answerable(&self, entry: u32) -> bool {
        let open = |one: &EntryView| one.entry == entry && one.verified.is_some() && one.answer.is_none();
        self.may("key") && self.requests.iter().any(open)
    }

    /// Whether it is that organisation's.
    fn is_of(&self, name: &str) -> bool {
        self.organisation.as_deref() == Some(name)
    }

    /// Whether something is to be looked at before it may be approved.
    pub(super) fn checklist_open(&self) -> bool {
        self.checklist.iter().any(|item| !item.done)
    }

    /// Requests that were verified.
    pub(super) fn verified(&self) -> usize {
        self.requests.iter().filter(|one| one.verified.is_some()).count()
    }
}

impl FactView {
    /// In words, after who did it.
    fn words(&self) -> String {
        let text = self.text.as_deref().unwrap_or_default();
        match self.what {
            "opened" => match text {
                "file" => "opened the case from a file".to_owned(),
                "photo" => "opened the case from a photo".to_owned(),
                "digits" => "opened the case from pasted digits".to_owned(),
                "telephone" => "opened the case from a call".to_owned(),
                "mail" => "opened the case".to_owned(),
                _ => "opened the case from a request that a phone sent".to_owned(),
            },
            "sent-again" => "took the same requests in once more, from somebody else".to_owned(),
            "noted" => "noted".to_owned(),
            "evidence-added" => format!("attached “{text}”"),
            "checked" => format!("checked “{text}”"),
            "handed-over" if text.is_empty() => "gave the case to the maker".to_owned(),
            "handed-over" => format!("gave the case to {text}"),
            "approved" => "approved the case".to_owned(),
            "refused" => "refused the case".to_owned(),
            "granted" if text == "1" => "issued the grant".to_owned(),
            "granted" => format!("issued {text} grants"),
            "key-asked" => "asked for the eight digits".to_owned(),
            "key-shown" => "was shown the eight digits".to_owned(),
            "mail-sent" => "The mail about the refusal went out".to_owned(),
            "mail-refused" => "The mail about the refusal will not arrive".to_owned(),
            other => other.to_owned(),
        }
    }

    /// What was written, if it is more than a word.
    fn written(&self) -> Option<&str> {
        self.text.as_deref().filter(|_| matches!(self.what, "noted" | "refused"))
    }
}
