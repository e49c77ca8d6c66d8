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
use sparekey_onvif::media::{self, Camera, Cameras};

use crate::app::App;
use crate::visitor::Visitor;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route(device_service::PATH, post(answer)).route(media::PATH, post(answer))
}

async fn answer(State(app): State<Arc<App>>, visitor: Visitor, headers: HeaderMap, call: Bytes) -> Response {
    // The host was checked; HTTP/1.1 has one always.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let at = |path: &str| format!("{}://{host}{path}", if visitor.tls { "https" } else { "http" });
    let (url, media) = (at(device_service::PATH), at(media::PATH));
    let (device_id, serial, model, firmware, clock) = app
        .look(|device, now| {
            let (identity, of) = (device.identity(), device.identity().certificate());
            (of.device_id().0, of.serial.to_string(), of.model.to_string(), identity.firmware().to_string(), now.clock)
        })
        .await;
    let now = clock.calendar();
    let (year, month, day) = (now.year, now.month, now.day);
    let now = DateTime { year, month, day, hour: now.hour, minute: now.minute, second: now.second };
    // Without the port, if it has one: streams have another.
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let channels = app.guest.as_ref().and_then(|guest| guest.channels());
    let played: Vec<Camera> =
        channels.iter().flat_map(|of| of.cameras.iter().map(move |camera| camera.at(name, of.port))).collect();
    let cameras = channels.as_ref().map(|of| Cameras {
        url: &media,
        username: of.username,
        password: &of.password,
        now: clock.0,
        model: &model,
        firmware: &firmware,
        serial: &serial,
        cameras: &played,
    });
    let Answer { status, body } =
        device_service::answer(&call, &About { url: &url, endpoint: &wsd::uuid(device_id), now, cameras });
    let status = StatusCode::from_u16(status).expect("a status of HTTP");
    (status, [(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")], body).into_response()
}
