//! The way back into one device: what it shows, the proof, the new password.
//!
//! Nothing is kept here between two pages but what stands on them: the id of the request, and then its ticket.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_lan::{
    Row,
    device::{Proven, Recovery},
};
use sparekey_web::{
    assets::{CODE_INPUT, REVEAL},
    csrf::{FormToken, GuardedForm},
    messages,
    page::{Banner, Page, Tone, Width},
    problem::Problem,
    qr,
    upload::GuardedUpload,
};
use zeroize::Zeroizing;

use super::{DROP, answer, device, frame_of, row, troubled};
use crate::app::{App, Trouble};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/devices/{id}/recover/{way}", get(open).post(prove))
        .route("/devices/{id}/recover/{way}/file", post(prove_by_file))
        .route("/devices/{id}/recover/{way}/request.xml", get(request))
        .route("/devices/{id}/password", post(set))
}

/// What a device shows for the next proof, made fit for a page.
struct Shown {
    /// The id of the request.
    recovery: String,
    way: String,
    /// The way of the proof that is next.
    next: String,
    qr: String,
    qr_text: String,
    masked_address: String,
    question: String,
    /// The numbers and texts of security questions.
    questions: Vec<(u64, String)>,
    tries_left: u64,
    has_file: bool,
}

impl Shown {
    fn of(way: &str, recovery: &Recovery) -> Self {
        let shown = recovery.shown();
        let text = |member: &str| shown[member].as_str().unwrap_or_default().chars().take(4_000).collect::<String>();
        let qr_text = text("qr_text");
        let questions = shown["questions"].as_array().into_iter().flatten().take(8);
        let parts = shown["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let next = parts.iter().find(|part| part["proven"] == false).unwrap_or(shown);
        Self {
            recovery: recovery.id().to_owned(),
            way: way.to_owned(),
            next: recovery.next().to_owned(),
            qr: qr::svg(&qr_text).filter(|_| !qr_text.is_empty()).unwrap_or_default(),
            qr_text,
            masked_address: text("masked_address"),
            question: text("question"),
            questions: questions
                .map(|question| {
                    let said = question["text"].as_str().unwrap_or_default().chars().take(300).collect();
                    (question["id"].as_u64().unwrap_or_default(), said)
                })
                .collect(),
            tries_left: next["tries_left"].as_u64().unwrap_or(1),
            // The desk's request is the same one for as long as it is open.
            has_file: recovery.next() == "desk",
        }
    }
}

#[derive(Template)]
#[template(path = "recover.html")]
struct Proof {
    page: Page,
    token: FormToken,
    id: u32,
    shown: Shown,
}

#[derive(Template)]
#[template(path = "new_password.html")]
struct NewPassword {
    page: Page,
    token: FormToken,
    id: u32,
    recovery: String,
    ticket: Zeroizing<String>,
    username: String,
}

fn way(name: &str) -> Result<&'static str, Problem> {
    let known = device::WAYS.iter().find(|(known, ..)| *known == name);
    known.map(|(known, ..)| *known).ok_or_else(|| Problem::new(messages::NOT_FOUND))
}

async fn opened(app: &Arc<App>, row: &Row, way: &'static str) -> Result<Recovery, Trouble> {
    app.with(row.clone(), move |device| Ok(Recovery::open(device, way, None)?)).await
}

fn proof_page(row: &Row, token: FormToken, shown: Shown, trouble: Option<&Trouble>) -> Response {
    let page = troubled(proof_frame(row, &shown), trouble);
    answer(&Proof { page, token, id: row.id, shown }, trouble)
}

/// Wide enough for a symbol, if there is one.
fn proof_frame(row: &Row, shown: &Shown) -> Page {
    let page = frame_of("Forgot password", row).scripts([&CODE_INPUT, &DROP]);
    if shown.qr.is_empty() { page } else { page.width(Width::Monitor) }
}

async fn open(
    State(app): State<Arc<App>>,
    Path((id, name)): Path<(u32, String)>,
    token: FormToken,
) -> Result<Response, Problem> {
    let (row, way) = (row(&app, id)?, way(&name)?);
    Ok(match opened(&app, &row, way).await {
        Ok(recovery) => proof_page(&row, token, Shown::of(way, &recovery), None),
        Err(trouble) => device::stopped(&row, &trouble),
    })
}

/// The request of the desk's way, as a file.
async fn request(State(app): State<Arc<App>>, Path((id, name)): Path<(u32, String)>) -> Result<Response, Problem> {
    let (row, way) = (row(&app, id)?, way(&name)?);
    let recovery = match opened(&app, &row, way).await {
        Ok(recovery) => recovery,
        Err(trouble) => return Ok(device::stopped(&row, &trouble)),
    };
    let xml = recovery.shown()["request_xml"].as_str().unwrap_or_default().to_owned();
    Ok(super::download(xml, &format!("request-{}.xml", super::file_name(&row))))
}

/// What is typed as a proof.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    recovery: String,
    code: Zeroizing<String>,
    sheet_code: Zeroizing<String>,
    answer1: Zeroizing<String>,
    answer2: Zeroizing<String>,
    answer3: Zeroizing<String>,
    file: Zeroizing<String>,
}

async fn prove(
    State(app): State<Arc<App>>,
    Path((id, name)): Path<(u32, String)>,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Typed>,
) -> Result<Response, Problem> {
    proven(&app, row(&app, id)?, way(&name)?, token, typed).await
}

async fn prove_by_file(
    State(app): State<Arc<App>>,
    Path((id, name)): Path<(u32, String)>,
    token: FormToken,
    GuardedUpload(typed): GuardedUpload<Typed>,
) -> Result<Response, Problem> {
    proven(&app, row(&app, id)?, way(&name)?, token, typed).await
}

async fn proven(
    app: &Arc<App>,
    row: Row,
    way: &'static str,
    token: FormToken,
    typed: Typed,
) -> Result<Response, Problem> {
    let mut recovery = Recovery::known(&typed.recovery).ok_or(messages::MALFORMED)?;
    let done = app
        .with(row.clone(), move |device| {
            recovery.look(device)?;
            let proof = proof(&typed, &Shown::of(way, &recovery));
            match recovery.prove(device, &proof) {
                Ok(proven) => Ok((recovery, Ok(proven))),
                Err(error) => {
                    // What is left of it; if it is over, the reason alone.
                    let trouble = Trouble::from(error);
                    if recovery.look(device).is_err() { Err(trouble) } else { Ok((recovery, Err(trouble))) }
                }
            }
        })
        .await;
    Ok(match done {
        Ok((recovery, Ok(Proven::Ticket(ticket)))) => {
            let fresh = Set { ticket: Zeroizing::new(ticket), recovery: recovery.id().to_owned(), ..Set::default() };
            password_page(&row, token, fresh, None)
        }
        Ok((recovery, Ok(Proven::More))) => {
            let more = Banner::new(Tone::Ok, "That is right.", "One more proof is asked for.");
            let shown = Shown::of(way, &recovery);
            let page = proof_frame(&row, &shown).banner(more);
            answer(&Proof { page, token, id: row.id, shown }, None)
        }
        Ok((recovery, Err(trouble))) => proof_page(&row, token, Shown::of(way, &recovery), Some(&trouble)),
        Err(trouble) => device::stopped(&row, &trouble),
    })
}

fn proof(typed: &Typed, shown: &Shown) -> Value {
    match shown.next.as_str() {
        "keyfile" => json!({ "key_file": typed.file.as_str() }),
        "sheet" => json!({ "sheet_code": typed.sheet_code.as_str() }),
        "questions" => {
            let answers = [&typed.answer1, &typed.answer2, &typed.answer3];
            let all = shown.questions.iter().zip(answers);
            json!({ "answers": all.map(|((id, _), answer)| json!({ "id": id, "answer": answer.as_str() })).collect::<Vec<_>>() })
        }
        "desk" if !typed.file.is_empty() => json!({ "grant": typed.file.as_str() }),
        _ => json!({ "code": typed.code.as_str() }),
    }
}

/// What is typed to set a new password.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Set {
    recovery: String,
    ticket: Zeroizing<String>,
    username: String,
    password: Zeroizing<String>,
    again: Zeroizing<String>,
}

fn password_page(row: &Row, token: FormToken, typed: Set, trouble: Option<&Trouble>) -> Response {
    let Set { recovery, ticket, username, .. } = typed;
    let username = if username.is_empty() { "admin".to_owned() } else { username };
    let page = troubled(frame_of("New password", row).scripts([&REVEAL]), trouble);
    answer(&NewPassword { page, token, id: row.id, recovery, ticket, username }, trouble)
}

async fn set(
    State(app): State<Arc<App>>,
    Path(id): Path<u32>,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Set>,
) -> Result<Response, Problem> {
    let row = row(&app, id)?;
    if *typed.password != *typed.again {
        let trouble = Trouble::new("The two passwords are not the same.", "Type the new one twice.");
        return Ok(password_page(&row, token, typed, Some(&trouble)));
    }
    let recovery = Recovery::known(&typed.recovery).ok_or(messages::MALFORMED)?;
    let (ticket, password, username) = (typed.ticket.clone(), typed.password.clone(), typed.username.trim().to_owned());
    let done = app
        .with(row.clone(), move |device| {
            let restart = recovery.set_password(device, &ticket, &password)?;
            Ok(restart.log_in(device, &username, &password).map_err(Trouble::from))
        })
        .await;
    Ok(match done {
        Ok(Ok(())) => device::done_page(
            &row,
            Banner::new(
                Tone::Ok,
                "The device has its new password.",
                "It has started again, and logs in with it. Recordings were kept. Export a new key file: the one before is void.",
            ),
        ),
        Ok(Err(trouble)) => device::done_page(
            &row,
            Banner::new(
                Tone::Warn,
                "The new password is set, but logging in with it did not work.",
                trouble.banner.title,
            ),
        ),
        Err(trouble) => password_page(&row, token, typed, Some(&trouble)),
    })
}
