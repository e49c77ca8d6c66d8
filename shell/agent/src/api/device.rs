//! What the device is, and which ways back in it has.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use sparekey_device::ways::{Readiness, WayView};

use crate::app::App;
use crate::visitor::Visitor;

#[derive(Serialize)]
pub(super) struct Device {
    serial: String,
    model: String,
    firmware: String,
    state: &'static str,
    /// Whether its activation takes the code that its previous owner was given.
    awaits_transfer: bool,
    methods: Vec<Method>,
    /// How many of them are ready that have nothing in common.
    independent_methods: usize,
    device_time: u64,
    start_time: u64,
    certificate: String,
    /// By which whoever sees the TLS certificate knows that it is this device's.
    tls_proof: String,
}

#[derive(Serialize)]
struct Method {
    name: &'static str,
    ready: bool,
    /// Why it is not ready, or what is unsure about it; absent if there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    /// When it was last found to work, in seconds by the device's clock; absent if never.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_tested: Option<u64>,
    /// Seconds until it can be begun, after wrong tries or many requests of callers like this one; absent if at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<u64>,
}

impl Method {
    fn new(view: &WayView, wait: u64) -> Self {
        let (ready, why) = match view.readiness {
            Readiness::Ready => (true, None),
            Readiness::Unproven => (true, Some("unproven")),
            Readiness::NotReady(why) => (false, Some(why.name())),
        };
        Self {
            name: view.way.name(),
            ready,
            why,
            last_tested: view.tested.map(|at| at.0),
            wait: Some(wait).filter(|wait| *wait > 0),
        }
    }
}

pub(super) async fn describe(State(app): State<Arc<App>>, visitor: Visitor) -> Json<Device> {
    let device = app.look(|device, now| {
        let identity = device.identity();
        let certificate = identity.certificate();
        Device {
            serial: certificate.serial.to_string(),
            model: certificate.model.to_string(),
            firmware: identity.firmware().to_string(),
            state: if device.is_active() { "active" } else { "inactive" },
            awaits_transfer: device.awaits_transfer(),
            methods: device
                .ways(visitor.caller)
                .iter()
                .map(|view| Method::new(view, device.wait_before(now, visitor.caller, view.way)))
                .collect(),
            independent_methods: device.independent_ways(visitor.caller),
            device_time: now.clock.0,
            start_time: now.started.0,
            certificate: BASE64_URL_SAFE_NO_PAD.encode(identity.certificate_bytes()),
            tls_proof: BASE64_URL_SAFE_NO_PAD.encode(&app.tls_proof),
        }
    });
    Json(device.await)
}
