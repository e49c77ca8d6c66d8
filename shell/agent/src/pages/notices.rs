//! *Telling your contacts*: what they do not know yet, for a phone to carry, and the mail server that writes to them.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sparekey_device::{Notice, NoticeKind, Refusal};
use sparekey_web::assets::REVEAL;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::{Banner, Page, Tone, Width};
use zeroize::Zeroizing;

use super::events::when;
use super::logged_in;
use super::trouble::Trouble;
use crate::app::{App, TriedOut};
use crate::failure::{Failure, Malformed};
use crate::telling::{Encryption, MailServer};
use crate::visitor::Visitor;
use sparekey_web::qr;

const NO_PORT: Malformed = Malformed {
    field: "port",
    title: "This is no port.",
    detail: "Give a number from 1 to 65535; mail servers mostly use 465 with TLS and 587 with STARTTLS.",
};

#[derive(Template)]
#[template(path = "notices.html")]
struct Notices {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    untold: Vec<Untold>,
    /// Whether a mail server is set, so that most of it is told by itself.
    has_server: bool,
    /// What is wrong with the password in each of the two forms.
    told_error: String,
    server_error: String,
    typed: Typed,
}

/// Something that the contacts do not know.
struct Untold {
    number: u64,
    what: &'static str,
    when: String,
    /// The symbol and its text, for a phone.
    carried: Option<(String, String)>,
}

impl Untold {
    fn new(notice: &Notice, text: Option<String>) -> Self {
        let carried = text.and_then(|text| Some((qr::svg(&text)?, text)));
        let what = match notice.kind {
            NoticeKind::Recovered => "A new password was set by “Forgot password”",
            NoticeKind::Refused => "Somebody tried to get in, without success",
            NoticeKind::FactoryReset => "The device was reset by hand",
            NoticeKind::Transferred => "The device was handed over",
        };
        Self { number: notice.number, what, when: when(notice.at), carried }
    }
}

/// The form's fields. The mail server's password is not shown again.
#[derive(Default, Deserialize)]
pub(super) struct Typed {
    host: String,
    port: String,
    encryption: String,
    user: String,
    #[serde(default)]
    server_password: Zeroizing<String>,
    from: String,
    #[serde(default)]
    password: Zeroizing<String>,
}

impl Typed {
    fn read(&self) -> Result<MailServer, Malformed> {
        let port = self.port.trim().parse().ok().filter(|port| *port > 0).ok_or(NO_PORT)?;
        Ok(MailServer {
            host: self.host.trim().to_owned(),
            port,
            encryption: match self.encryption.as_str() {
                "starttls" => Encryption::Starttls,
                "none" => Encryption::None,
                _ => Encryption::Tls,
            },
            user: self.user.trim().to_owned(),
            password: self.server_password.clone(),
            from: self.from.trim().to_owned(),
            ca: None,
        })
    }
}

impl From<MailServer> for Typed {
    fn from(server: MailServer) -> Self {
        let encryption = match server.encryption {
            Encryption::Tls => "tls",
            Encryption::Starttls => "starttls",
            Encryption::None => "none",
        };
        Self {
            host: server.host,
            port: server.port.to_string(),
            encryption: encryption.to_owned(),
            user: server.user,
            from: server.from,
            ..Self::default()
        }
    }
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    page(&app, &visitor, token, Shown::default()).await
}

/// Keeps a mail server and says what became of the test mail.
pub(super) async fn set_server(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(mut typed): GuardedForm<Typed>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let password = std::mem::take(&mut typed.password);
    let set = async { app.set_mail_server(&visitor, password, typed.read()?).await };
    let shown = match set.await {
        Ok(outcome) => Shown { banner: Some(news(outcome)), ..Shown::default() },
        Err(failure) => {
            typed.server_password = Zeroizing::default();
            Shown { trouble: Failure::into(failure), typed: Some(typed), ..Shown::default() }
        }
    };
    page(&app, &visitor, token, shown).await
}

#[derive(Deserialize)]
pub(super) struct Remove {
    password: Zeroizing<String>,
}

/// Forgets the mail server.
pub(super) async fn remove_server(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(Remove { password }): GuardedForm<Remove>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    match app.remove_mail_server(&visitor, password).await {
        Ok(()) => Ok(Redirect::to("/notices").into_response()),
        Err(failure) => page(&app, &visitor, token, Shown { trouble: failure.into(), ..Shown::default() }).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(rename = "told_password")]
    password: Zeroizing<String>,
    number: u64,
}

/// The owner says that the contacts know.
pub(super) async fn told(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(Told { password, number }): GuardedForm<Told>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    match app.told(&visitor, password, number).await {
        // What there is not was told already.
        Ok(()) | Err(Failure::Refused(Refusal::Expired)) => Ok(Redirect::to("/notices").into_response()),
        Err(failure) => {
            let shown = Shown { trouble: failure.into(), asked_told: true, ..Shown::default() };
            page(&app, &visitor, token, shown).await
        }
    }
}

fn news(outcome: TriedOut) -> Banner {
    match outcome {
        TriedOut::Taken => Banner::new(
            Tone::Ok,
            "The mail server took a test mail to your contacts.",
            "Look whether it arrived; it may lie among unwanted mail.",
        ),
        TriedOut::NotTaken(said) => Banner::new(
            Tone::Warn,
            "The mail server is kept, but it did not take a test mail.",
            format!("It said: {said}. Check name, port, user and password."),
        ),
        TriedOut::Nobody => Banner::new(
            Tone::Info,
            "The mail server is kept; nothing was sent, for there is no contact.",
            "Add a reserved email, and it will be told of what happens.",
        ),
    }
}

/// What the page says besides what is so.
#[derive(Default)]
struct Shown {
    trouble: Trouble,
    typed: Option<Typed>,
    banner: Option<Banner>,
    /// Whether the trouble is with saying that the contacts know.
    asked_told: bool,
}

async fn page(app: &App, visitor: &Visitor, token: FormToken, shown: Shown) -> Result<Response, Response> {
    let Shown { trouble, typed, banner, asked_told } = shown;
    let untold = app.untold(visitor).await.map_err(IntoResponse::into_response)?;
    let server = app.mail_server().await;
    let wrong = trouble.with("current");
    let (told_error, server_error) = if asked_told { (wrong, String::new()) } else { (String::new(), wrong) };
    let has_server = server.is_some();
    let suggested = || Typed { port: "465".to_owned(), encryption: "tls".to_owned(), ..Typed::default() };
    let shown = Notices {
        page: app
            .page("Telling your contacts")
            .width(Width::Wide)
            .scripts([&REVEAL])
            .banner(trouble.banner())
            .banner(banner),
        token,
        untold: untold.into_iter().map(|(notice, text)| Untold::new(&notice, text)).collect(),
        has_server,
        told_error,
        server_error,
        typed: typed.unwrap_or_else(|| server.map_or_else(suggested, Typed::from)),
        trouble,
    };
    Ok(shown.trouble.answer(&shown))
}
