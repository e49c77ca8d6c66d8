//! `/requests/{id}`: which device, where the mail goes, what became of it, what to do next.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use sparekey_cases::desk::State as DeskState;
use sparekey_protocol::request::Purpose;
use sparekey_web::assets::{COUNTDOWN, POLL};
use sparekey_web::page::{Page, html};
use sparekey_web::problem::Problem;

use super::{assets, frame};
use crate::http::{App, Id};
use crate::service::{MailState, RequestView};

/// Without scripts, a page that waits for its mail is loaded again so often.
const RELOAD_SECONDS: u32 = 4;

#[derive(Template)]
#[template(path = "app/request.html")]
struct RequestPage {
    page: Page,
    view: RequestView,
    address: String,
    mail: Option<MailState>,
    follows: Option<Follows>,
    heading: &'static str,
    lead: String,
    next: &'static [&'static str],
    seconds_left: Option<u64>,
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/requests/{id}", get(show)).route("/requests/{id}/state", get(state))
}

async fn show(State(app): State<App>, id: Id) -> Result<Response, Problem> {
    let view = app.view(&id).await?;
    let seconds_left = view.seconds_left;
    let wording = Wording::of(&view);
    let follows = if seconds_left > 0 { Follows::of(view.mail) } else { None };

    let page = frame(&app.settings, wording.heading).scripts([&COUNTDOWN, &assets::AGAIN]);
    let page = if follows.is_some() { page.scripts([&POLL]) } else { page };
    let page = if view.mail == Some(MailState::Queued) { page.refresh(RELOAD_SECONDS) } else { page };
    Ok(html(&RequestPage {
        page,
        address: view.masked_address.clone().unwrap_or_else(|| "the reserved address".to_owned()),
        mail: view.mail,
        follows,
        heading: wording.heading,
        lead: wording.lead,
        next: wording.next,
        seconds_left: (seconds_left > 0 && wording.code_is_awaited).then_some(seconds_left),
        view,
    }))
}

/// What a page that may change shows, and how often it asks: a mail on its way soon has news, one that was sent can still
/// come back.
struct Follows {
    shown: &'static str,
    seconds: u32,
}

impl Follows {
    fn of(mail: Option<MailState>) -> Option<Self> {
        match mail? {
            MailState::Queued => Some(Self { shown: "queued", seconds: 2 }),
            MailState::Sent => Some(Self { shown: "sent", seconds: 5 }),
            MailState::Refused => None,
        }
    }
}

/// For `poll.js`: nothing new while the mail stands as shown, then the page is to be loaded again.
async fn state(State(app): State<App>, id: Id, RawQuery(query): RawQuery) -> Result<StatusCode, Problem> {
    let view = app.view(&id).await?;
    let shown = query.as_deref().and_then(|query| query.strip_prefix("shown="));
    let same = Follows::of(view.mail).is_some_and(|now| shown == Some(now.shown));
    Ok(if same { StatusCode::NO_CONTENT } else { StatusCode::RESET_CONTENT })
}

struct Wording {
    heading: &'static str,
    lead: String,
    next: &'static [&'static str],
    code_is_awaited: bool,
}

const TYPE_THE_CODE: &[&str] = &[
    "Open the mail and find the eight digits.",
    "Type them on the recorder’s own screen, where it shows the square code.",
    "Choose a new password there.",
];
const CONFIRM: &[&str] = &[
    "Open the mail and find the eight digits.",
    "Type them on the recorder’s own screen. From then on this address is a way back in.",
];
const ADDRESS_FAILED: &[&str] = &[
    "Send it again below, if the mailbox was only full or away for a while.",
    "Otherwise choose another way back in on the recorder: a key file, or your security questions.",
    "With none of them ready, ask who sold or installed the device.",
];
const CORRECT_ADDRESS: &[&str] = &["On the recorder, correct the address.", "Then scan the new code that it shows."];

const TELL_THE_DESK: &[&str] = &[
    "Send the number above to whoever sold or installed the device, or to the maker’s support.",
    "Have a photo of the device’s label and the invoice at hand: they may ask for them.",
    "This page shows how it stands. Keep the device switched on, or at least do not wait for more than two days.",
];
const DESK_ANSWERS: &[&str] = &[
    "You get a file, or eight digits by telephone.",
    "Hand the file over on the recorder’s own screen, or type the digits there, and choose a new password.",
];

impl Wording {
    /// A request that the desk is to answer.
    fn of_desk(view: &RequestView) -> Self {
        let words = |heading, lead: &str, next| Self { heading, lead: lead.to_owned(), next, code_is_awaited: false };
        match view.desk {
            None => words(
                "Your request was recorded",
                "It goes through the support desk, who want to know this number.",
                TELL_THE_DESK,
            ),
            Some(DeskState::Open) => words(
                "The desk looks into your request",
                "Two people have to agree before anybody is helped into a device.",
                &[],
            ),
            Some(DeskState::Approved) => {
                words("Your request was approved", "The desk will be in touch with you.", DESK_ANSWERS)
            }
            Some(DeskState::Granted) => {
                words("The desk has answered", "Use what you were given within a day.", DESK_ANSWERS)
            }
            Some(DeskState::Refused) => words(
                "The desk refused your request",
                "Ask them why; if you left a mail address, they wrote to you. You may send a new request.",
                &[],
            ),
        }
    }

    fn of(view: &RequestView) -> Self {
        let confirms = view.purpose == Purpose::ConfirmEmail;
        let words =
            |heading, lead: &str, next, code_is_awaited| Self { heading, lead: lead.to_owned(), next, code_is_awaited };
        match view.mail {
            None => Self::of_desk(view),
            Some(_) if view.seconds_left == 0 => words(
                "This request has expired",
                "Its code is no longer good. Start again on the recorder with Forgot password, and scan the new square code.",
                &[],
                false,
            ),
            Some(MailState::Refused) if confirms => words(
                "The mail was refused",
                "This address cannot be reached, so it cannot bring you back in.",
                CORRECT_ADDRESS,
                false,
            ),
            Some(MailState::Refused) => words(
                "The mail was refused",
                "The code did not reach you, and goes to no other address.",
                ADDRESS_FAILED,
                false,
            ),
            Some(MailState::Queued) => words(
                if confirms { "Confirming your address" } else { "A code is on its way" },
                "Eight digits are being mailed to the address that the recorder knows.",
                if confirms { CONFIRM } else { TYPE_THE_CODE },
                true,
            ),
            Some(MailState::Sent) => words(
                if confirms { "Confirm your address" } else { "Your code was mailed" },
                "Eight digits are in your mailbox, or will be in a moment.",
                if confirms { CONFIRM } else { TYPE_THE_CODE },
                true,
            ),
        }
    }
}
