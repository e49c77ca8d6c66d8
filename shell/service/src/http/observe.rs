//! What is logged and counted of each request: its method, its route as written in the router, its status, its duration,
//! and the network it came from. Never the path itself, which holds ids, nor a body, nor a whole address.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sparekey_web::problem::Problem;

use super::client::Client;

/// Upper bounds in seconds, from a static file to a photo.
const DURATIONS: [f64; 9] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// After so many requests the samples of durations are put into their buckets, whether or not anybody reads them.
const UPKEEP_EVERY: u32 = 1024;

/// The middleware around all others.
pub(super) async fn request(Client(network): Client, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();

    let response = next.run(request).await;

    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();
    let status = response.status().as_u16();
    let taken = start.elapsed();
    let problem = response.extensions().get::<Problem>().map_or("", Problem::name);
    tracing::info!(target: "sparekey::http", method, route, status, problem, milliseconds = taken.as_millis() as u64, network = %network);
    metrics::counter!("sparekey_http_requests_total", "method" => method, "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("sparekey_http_request_seconds", "route" => route).record(taken.as_secs_f64());
    upkeep();
    response
}

/// Methods are free text in HTTP; labels must not be.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        Method::PUT | Method::PATCH | Method::DELETE => "WRITE",
        _ => "OTHER",
    }
}

fn upkeep() {
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    if REQUESTS.fetch_add(1, Ordering::Relaxed).is_multiple_of(UPKEEP_EVERY) {
        prometheus().run_upkeep();
    }
}

/// The process's recorder of metrics, installed at the first use.
pub(super) fn prometheus() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATIONS)
            .expect("there are buckets")
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another recorder of metrics is installed; /metrics stays empty");
        }
        describe();
        handle
    })
}

fn describe() {
    metrics::describe_counter!("sparekey_http_requests_total", "Requests answered.");
    metrics::describe_histogram!("sparekey_http_request_seconds", "Time to the answer's head.");
    metrics::describe_counter!(
        "sparekey_requests_opened_total",
        "Recovery requests opened and stored, or answered as before."
    );
    metrics::describe_counter!("sparekey_requests_refused_total", "Recovery requests refused, by problem.");
    metrics::describe_counter!("sparekey_mails_in_total", "Mails to the service, by outcome: taken, refused, put-off.");
    metrics::describe_counter!("sparekey_mail_answers_total", "Their answers, by state: queued, withheld, none.");
    metrics::describe_counter!("sparekey_mailbox_failures_total", "Times that the mailbox could not be looked into.");
    metrics::describe_counter!("sparekey_photos_total", "Photos read, by outcome.");
    metrics::describe_histogram!("sparekey_photo_seconds", "Time to read a photo, waiting included.");
}
