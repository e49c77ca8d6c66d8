//! What `layout.html` needs to know of a page, and pages as answers.

use askama::Template;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::header;

use crate::assets::Asset;
use crate::problem::Problem;

/// A page's frame. Each template of ours has one as its field `page`.
#[derive(Clone)]
pub struct Page {
    /// BCP 47.
    pub lang: &'static str,
    /// For the browser's tab, before the name.
    pub title: String,
    /// The device or service, beside the mark.
    pub name: String,
    /// What tells it from its like: model and serial. May be empty.
    pub note: String,
    /// How wide the page is.
    pub width: Width,
    /// Modules that make it more comfortable; it works without.
    pub scripts: Vec<&'static Asset>,
    /// What just happened.
    pub banner: Option<Banner>,
    /// Without scripts, the page is loaded again after so many seconds.
    pub refresh: Option<u32>,
    /// The web app's manifest, if there is one.
    pub manifest: Option<&'static str>,
}

/// How wide a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// One narrow card: a form, a question.
    Card,
    /// As wide as a desk's screen allows: tables.
    Wide,
    /// Two columns that are read from two metres: the QR and what to do with it.
    Monitor,
}

impl Page {
    /// A page on one card, in English.
    pub fn new(title: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            lang: "en",
            title: title.into(),
            name: name.into(),
            note: String::new(),
            width: Width::Card,
            scripts: Vec::new(),
            banner: None,
            refresh: None,
            manifest: None,
        }
    }

    /// With model and serial, or the like.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// In another width.
    #[must_use]
    pub fn width(mut self, width: Width) -> Self {
        self.width = width;
        self
    }

    /// With these modules.
    #[must_use]
    pub fn scripts(mut self, scripts: impl IntoIterator<Item = &'static Asset>) -> Self {
        self.scripts.extend(scripts);
        self
    }

    /// With a banner; `None` leaves it as it is.
    #[must_use]
    pub fn banner(mut self, banner: impl Into<Option<Banner>>) -> Self {
        self.banner = banner.into().or(self.banner);
        self
    }

    /// Loaded again every so many seconds where there are no scripts.
    #[must_use]
    pub fn refresh(mut self, seconds: u32) -> Self {
        self.refresh = Some(seconds);
        self
    }

    /// With the address of a web app manifest.
    #[must_use]
    pub fn manifest(mut self, address: &'static str) -> Self {
        self.manifest = Some(address);
        self
    }

    /// `rtl` for languages written from right to left.
    pub fn dir(&self) -> &'static str {
        let language = self.lang.split('-').next().unwrap_or_default();
        if matches!(language, "ar" | "fa" | "he" | "ur") { "rtl" } else { "ltr" }
    }
}

/// Two lines on top of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    /// How good or bad it is.
    pub tone: Tone,
    /// What happened.
    pub title: String,
    /// What to do; may be empty.
    pub detail: String,
}

/// How good or bad a piece of news is; also the class that colours it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Tone {
    Info,
    Ok,
    Warn,
    Error,
}

impl Tone {
    /// The CSS class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// Urgent news interrupts a screen reader.
    pub fn role(self) -> &'static str {
        if matches!(self, Self::Warn | Self::Error) { "alert" } else { "status" }
    }
}

impl Banner {
    /// A banner of two lines.
    pub fn new(tone: Tone, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { tone, title: title.into(), detail: detail.into() }
    }
}

impl From<&Problem> for Banner {
    fn from(problem: &Problem) -> Self {
        Self::new(Tone::Error, problem.title(), problem.what_to_do())
    }
}

/// A template as an answer. One that cannot be rendered is a fault of ours.
pub fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            Problem::internal().into_response()
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    page: Page,
    seconds_to_wait: Option<u64>,
}

/// A middleware that shows problems as pages to browsers that navigate, and leaves them as they are to programs:
/// `router.layer(axum::middleware::from_fn_with_state(page, page::problems))`. `page` gives name and note.
pub async fn problems(State(page): State<Page>, request: Request, next: Next) -> Response {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let wants_page = accepted.contains("text/html");
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Problem>().filter(|_| wants_page) else { return response };

    let page = Page { title: problem.title().to_owned(), banner: Some(problem.into()), width: Width::Card, ..page };
    let shown = html(&ProblemPage { page, seconds_to_wait: problem.seconds_to_wait() });
    let (mut parts, _) = response.into_parts();
    let (shown, body) = shown.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(shown.headers);
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages;
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn answer(accept: &str) -> (http::response::Parts, String) {
        let router = Router::new()
            .route("/", get(async || Problem::new(messages::TOO_MANY).retry_after(90)))
            .layer(middleware::from_fn_with_state(Page::new("", "Back <door>"), problems));
        let request = Request::get("/").header(header::ACCEPT, accept).body(Body::empty()).unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        (parts, text)
    }

    #[tokio::test]
    async fn a_browser_sees_a_problem_as_a_page() {
        let (parts, text) = answer("text/html,application/xhtml+xml,*/*;q=0.8").await;
        assert_eq!(parts.status, 429);
        assert_eq!(parts.headers["retry-after"], "90");
        assert!(parts.headers["content-type"].to_str().unwrap().starts_with("text/html"));
        assert_eq!(parts.headers.get_all("content-type").iter().count(), 1);
        assert!(text.contains(messages::TOO_MANY.title) && text.contains(messages::TOO_MANY.detail));
        assert!(text.contains("Back &#60;door&#62;") && !text.contains("<door>"), "escaped");
    }

    #[tokio::test]
    async fn a_program_gets_the_document() {
        let (parts, text) = answer("application/json, */*").await;
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        assert!(text.starts_with('{'));
    }

    #[test]
    fn the_direction_follows_the_language() {
        for (lang, dir) in [("en", "ltr"), ("zh-Hans", "ltr"), ("ar-EG", "rtl"), ("he", "rtl")] {
            assert_eq!(Page { lang, ..Page::new("", "") }.dir(), dir, "{lang}");
        }
    }
}
