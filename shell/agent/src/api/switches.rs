//! A switch for each way back in, one for the recovery service, and the rule over two reserved emails.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sparekey_device::ways::{ContactRule, Way};
use sparekey_web::json::ApiJson;

use crate::app::{App, Switch};
use crate::failure::{Failure, Malformed};
use crate::visitor::Visitor;

const NO_SWITCH: Malformed = Malformed {
    field: "switch",
    title: "There is no such switch.",
    detail: "Name service, or one of the methods that GET /api/v1/device lists.",
};
const NO_RULE: Malformed = Malformed {
    field: "rule",
    title: "There is no such rule.",
    detail: "Name either, where one code is enough, or both.",
};

pub(super) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Json<Value>, Failure> {
    app.session(&visitor).await?;
    Ok(Json(
        app.look(|device, _| {
            let way = |way: Way| (way.name().to_owned(), Value::Bool(device.way(visitor.caller, way).on));
            json!({ "service": device.service_on(), "methods": Way::ALL.map(way).into_iter().collect::<Map<_, _>>() })
        })
        .await,
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thrown {
    password: String,
    switch: String,
    on: bool,
}

pub(super) async fn throw(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Thrown { password, switch, on }): ApiJson<Thrown>,
) -> Result<StatusCode, Failure> {
    app.session(&visitor).await?;
    let switch = match switch.as_str() {
        "service" => Switch::Service(on),
        name => Switch::Way(Way::named(name).ok_or(NO_SWITCH)?, on),
    };
    app.switch(&visitor, password.into(), switch).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ruled {
    password: String,
    rule: String,
}

pub(super) async fn set_rule(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Ruled { password, rule }): ApiJson<Ruled>,
) -> Result<StatusCode, Failure> {
    app.session(&visitor).await?;
    let rule = match rule.as_str() {
        "either" => ContactRule::Either,
        "both" => ContactRule::Both,
        _ => return Err(NO_RULE.into()),
    };
    app.switch(&visitor, password.into(), Switch::Rule(rule)).await?;
    Ok(StatusCode::NO_CONTENT)
}
