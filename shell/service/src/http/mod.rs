//! The service's interface: protocol section 12, over HTTP.
//!
//! Handlers read what was sent, ask [`Service`], and say what came of it; they decide nothing. A request passes, from the
//! outside in: counting and logging (`observe`), the headers of the answer, the flood limiter (`flood`), the check for other
//! sites (`same_site`), its route. `error.rs` is the only place that turns a failure into a problem.
//!
//! Nothing here believes `Host` or any other header about what this service is called: what is shown or sent comes from
//! [`HttpSettings`]. Forwarding headers are read only behind listed proxies (`client.rs`).

mod api;
mod cidr;
mod client;
mod desk;
mod enrolments;
pub(crate) mod error;
mod flood;
mod log;
mod observe;
mod openapi;
mod operations;
mod part;
mod requests;
mod same_site;
mod uploads;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use sparekey_protocol::BaseUrl;
use sparekey_web::csrf::{self, Csrf};
use sparekey_web::headers::{self, Headers};
use sparekey_web::messages;
use sparekey_web::page;
use sparekey_web::problem::Problem;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

pub use cidr::{BadCidr, Cidr};
pub(crate) use client::Client;
pub(crate) use desk::{Number, grant_file, hand_out};
pub use flood::Flood;
pub(crate) use part::Part;
pub(crate) use requests::{Id, MAX_PHOTO_BODY, Photo};

use crate::pages;
use crate::passkeys::Passkeys;
use crate::photo::PhotoReader;
use crate::service::Service;

/// For everything but photos. A request of 2,048 bytes is 4,974 digits; pasted with a space after each it still fits.
const MAX_BODY: usize = 16 * 1024;

/// What the interface is told at start.
#[derive(Debug)]
pub struct HttpSettings {
    /// Where this service is reached: the base URL of its cards.
    pub base_url: BaseUrl,
    /// The service's name, as people know it.
    pub name: String,
    /// Whose forwarding headers are believed. Each of them must set or append to `X-Forwarded-For` or `Forwarded`.
    pub trusted_proxies: Vec<Cidr>,
    /// The flood limiter of this node.
    pub flood: Flood,
    /// Reads QR symbols out of photos; mail to the service has them read by the same.
    pub photos: Arc<PhotoReader>,
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) service: Arc<Service>,
    pub(crate) settings: Arc<HttpSettings>,
    limiters: Arc<flood::Limiters>,
    uploads: uploads::Uploads,
    /// None for a service without a name.
    pub(crate) passkeys: Option<Arc<Passkeys>>,
}

/// Everything that the service answers. To be served by [`sparekey_web::listen::Listener`], which says who the peer is.
pub fn router(service: Arc<Service>, settings: HttpSettings) -> Router {
    observe::prometheus();
    let passkeys = Passkeys::new(&settings.base_url, &settings.name).map(Arc::new);
    let app = App {
        service,
        passkeys,
        limiters: Arc::new(flood::Limiters::new(settings.flood)),
        settings: Arc::new(settings),
        uploads: uploads::Uploads::default(),
    };
    let csrf = Csrf::new(app.service.form_key(), app.settings.base_url.as_str().starts_with("https://"));
    let desk = pages::desk::router().layer(middleware::from_fn_with_state(csrf, csrf::guard));
    let pages = pages::router().fallback(async || Problem::new(messages::NOT_FOUND));
    Router::new()
        .merge(guarded(documented().into(), &app, Dress::Program))
        .merge(guarded(pages::with_camera(), &app, Dress::CameraPage))
        .merge(guarded(desk, &app, Dress::Page))
        .merge(guarded(pages, &app, Dress::Page))
        .layer(middleware::from_fn_with_state(app.clone(), observe::request))
        .with_state(app)
}

/// Who a router's answers are for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dress {
    Program,
    Page,
    CameraPage,
}

/// What every route and fallback has around it, so that its answers are ours whatever happens.
fn guarded(routes: Router<App>, app: &App, dress: Dress) -> Router<App> {
    let headers = Headers {
        hsts: true,
        camera: dress == Dress::CameraPage,
        https_before_us: app.settings.base_url.as_str().starts_with("https://"),
    };
    let routes = routes
        .method_not_allowed_fallback(async || Problem::new(messages::METHOD_NOT_ALLOWED))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(app.clone(), same_site::only))
        .layer(middleware::from_fn_with_state(app.clone(), flood::limit))
        .layer(CatchPanicLayer::custom(panicked));
    let routes = match dress {
        Dress::Program => routes,
        Dress::Page | Dress::CameraPage => {
            let frame = pages::frame(&app.settings, "");
            routes.layer(middleware::from_fn_with_state(frame, page::problems))
        }
    };
    routes.layer(middleware::from_fn_with_state(headers, headers::set))
}

/// All routes that stand in `/openapi.json`.
fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(api::document())
        .merge(api::routes())
        .merge(desk::routes())
        .merge(enrolments::routes())
        .merge(log::routes())
        .merge(operations::routes())
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}
