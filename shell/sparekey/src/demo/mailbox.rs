//! The demo's mailbox: what the service's mails look like to the owner, read from a maildir.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use askama::Template;
use axum::{
    Router,
    extract::{Path as UrlPath, State},
    http::header,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use mail_parser::{Message, MessageParser};
use sparekey_web::{
    assets,
    headers::{self, Headers},
    host::{self, Hosts},
    messages,
    page::{self, Page, html},
    problem::Problem,
};

/// The newest mails that are shown.
const SHOWN: usize = 50;
/// No mail of ours is longer.
const LONGEST: u64 = 256 * 1024;
/// For a mail's HTML: its own inline styles, and nothing else.
const AS_IN_A_MAIL_PROGRAM: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/// The pages, for loopback only.
pub(super) fn router(maildir: PathBuf) -> Router {
    let frame = Page::new("", "Mailbox");
    let mail = get(mail_as_html).layer(from_fn_with_state(Hosts::default(), host::check));
    Router::new()
        .route("/", get(mailbox))
        .route("/mails", get(list))
        .route("/mails/{name}", get(show))
        .merge(assets::router(assets::SHARED.iter().copied()))
        .fallback(async || Problem::new(messages::NOT_FOUND))
        .layer(from_fn_with_state(Hosts::default(), host::check))
        .layer(from_fn_with_state(frame, page::problems))
        .layer(from_fn_with_state(Headers::default(), headers::set))
        .route("/mails/{name}/html", mail)
        .with_state(Arc::new(maildir))
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct Mailbox {
    page: Page,
    mails: Vec<Line>,
}

/// The part of the page that is fetched again and again.
#[derive(Template)]
#[template(path = "mails.html")]
struct List {
    mails: Vec<Line>,
}

struct Line {
    name: String,
    subject: String,
    to: String,
    date: String,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Show {
    page: Page,
    name: String,
    line: Line,
    text: String,
}

async fn mailbox(State(maildir): State<Arc<PathBuf>>) -> Response {
    let page = Page::new("Mails", "Mailbox").refresh(3).scripts([&assets::POLL]);
    html(&Mailbox { page, mails: newest(&maildir) })
}

async fn list(State(maildir): State<Arc<PathBuf>>) -> Response {
    html(&List { mails: newest(&maildir) })
}

fn newest(maildir: &Path) -> Vec<Line> {
    let mut names: Vec<(std::time::SystemTime, String)> = fs::read_dir(maildir.join("new"))
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.file_name().into_string().ok()?)))
        .collect();
    names.sort_by(|a, b| b.cmp(a));
    let line = |(_, name): (_, String)| Some(line(&name, &parse(&read(maildir, &name)?)?));
    names.into_iter().take(SHOWN).filter_map(line).collect()
}

async fn show(State(maildir): State<Arc<PathBuf>>, UrlPath(name): UrlPath<String>) -> Response {
    let Some(bytes) = read(&maildir, &name) else { return not_found() };
    let Some(message) = parse(&bytes) else { return not_found() };
    let line = line(&name, &message);
    let text = message.body_text(0).unwrap_or_default().into_owned();
    html(&Show { page: Page::new(line.subject.clone(), "Mailbox"), name, line, text })
}

async fn mail_as_html(State(maildir): State<Arc<PathBuf>>, UrlPath(name): UrlPath<String>) -> Response {
    let bytes = read(&maildir, &name);
    let Some(body) = bytes.as_deref().and_then(parse).and_then(|message| Some(message.body_html(0)?.into_owned()))
    else {
        return not_found();
    };
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    ([kind, (header::CONTENT_SECURITY_POLICY, AS_IN_A_MAIL_PROGRAM)], body).into_response()
}

fn parse(bytes: &[u8]) -> Option<Message<'_>> {
    MessageParser::default().parse(bytes)
}

fn line(name: &str, message: &Message<'_>) -> Line {
    let to = message.to().and_then(|to| to.first()).and_then(|to| to.address());
    Line {
        name: name.to_owned(),
        subject: message.subject().unwrap_or_default().to_owned(),
        to: to.unwrap_or_default().to_owned(),
        date: message.date().map(|date| date.to_rfc822()).unwrap_or_default(),
    }
}

/// A file of the maildir: by its name alone, and no longer than a mail of ours.
fn read(maildir: &Path, name: &str) -> Option<Vec<u8>> {
    let plain = !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let path = plain.then(|| maildir.join("new").join(name))?;
    let short = fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= LONGEST);
    short.then(|| fs::read(path).ok()).flatten()
}

fn not_found() -> Response {
    Problem::new(messages::NOT_FOUND).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mails_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("new")).unwrap();
        fs::write(dir.path().join("new/1.mail"), "Subject: x\r\n\r\nbody").unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        assert!(read(dir.path(), "1.mail").is_some());
        for name in ["../secret", "..", ".", "", "/etc/passwd", "1.mail/", "nothing"] {
            assert!(read(dir.path(), name).is_none(), "{name}");
        }
    }
}
