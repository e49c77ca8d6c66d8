//! What an ONVIF program asks of the device that it found (`sparekey_onvif::device_service`).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, StatusCode, header};
use sparekey_discovery::wsd;
use sparekey_onvif::DateTime;
use sparekey_onvif::device_service::{self, About, Answer};

use crate::app::App;
use crate::visitor::Visitor;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route(device_service::PATH, post(answer))
}

async fn answer(State(app): State<Arc<App>>, visitor: Visitor, headers: HeaderMap, call: Bytes) -> Response {
    // The host was checked; HTTP/1.1 has one always.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let url = format!("{}://{host}{}", if visitor.tls { "https" } else { "http" }, device_service::PATH);
    let (device_id, now) = app.look(|device, now| (device.identity().certificate().device_id().0, now.clock)).await;
    let now = now.calendar();
    let (year, month, day) = (now.year, now.month, now.day);
    let now = DateTime { year, month, day, hour: now.hour, minute: now.minute, second: now.second };
    let Answer { status, body } =
        device_service::answer(&call, &About { url: &url, endpoint: &wsd::uuid(device_id), now });
    let status = StatusCode::from_u16(status).expect("a status of HTTP");
    (status, [(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")], body).into_response()
}
