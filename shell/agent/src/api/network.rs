//! The device's own network, for who is logged in; and the confirmation of a change, for who reached the device with it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use sparekey_device::{ChangedLine, NetworkWanted};
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::Failure;
use crate::network::Seen;
use crate::visitor::Visitor;

pub(super) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Json<Value>, Failure> {
    app.session(&visitor).await?;
    let Seen { name, mac, in_force, ports } = app.managed()?.look().await?;
    Ok(Json(json!({
        "name": name,
        "mac": mac,
        "dhcp": in_force.dhcp,
        "address": in_force.address.map(|(address, _)| address),
        "prefix": in_force.address.map(|(_, bits)| bits),
        "gateway": in_force.gateway,
        "dns": in_force.dns,
        "ports": { "main": ports.main, "lan": ports.lan },
    })))
}

/// Absent members stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    password: Option<String>,
    dhcp: Option<bool>,
    address: Option<Ipv4Addr>,
    prefix: Option<u8>,
    /// `null`: none.
    #[serde(default, deserialize_with = "said")]
    gateway: Option<Option<Ipv4Addr>>,
    dns: Option<Vec<IpAddr>>,
    #[serde(default)]
    ports: Ports,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ports {
    main: Option<u16>,
    lan: Option<u16>,
}

fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Ipv4Addr>>, D::Error> {
    Option::deserialize(from).map(Some)
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(wanted): ApiJson<Wanted>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    app.session(&visitor).await?;
    let Wanted { password, dhcp, address, prefix, gateway, dns, ports: Ports { main, lan } } = wanted;
    let wanted = NetworkWanted { dhcp, address, bits: prefix, gateway, dns, main, lan };
    let plan = app.managed()?.plan(wanted).await?;
    let changes: Vec<_> = plan
        .lines
        .iter()
        .map(|ChangedLine { what, from, to }| json!({ "what": what, "from": from, "to": to }))
        .collect();
    let Some(password) = password.filter(|_| !plan.is_nothing()) else {
        return Ok((StatusCode::OK, Json(json!({ "changes": changes }))));
    };
    let confirmation = app.change_network(&visitor, password.into(), plan).await?;
    let answer = json!({
        "changes": changes,
        "confirm_within": app.managed()?.confirm_within(),
        "confirmation": confirmation.expose(),
    });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmed {
    confirmation: String,
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Confirmed { confirmation }): ApiJson<Confirmed>,
) -> Result<StatusCode, Failure> {
    app.managed()?.confirm(visitor.caller, confirmation).await?;
    Ok(StatusCode::NO_CONTENT)
}
