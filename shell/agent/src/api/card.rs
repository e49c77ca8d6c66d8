//! The pinned card: which service may help, for who is logged in; and a newer one of the same maker.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_protocol::Card;
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::{Failure, Malformed};
use crate::visitor::Visitor;

const NO_CARD: Malformed = Malformed {
    field: "card",
    title: "This is not a service card.",
    detail: "Send the bytes of the file that the maker made, in base64url.",
};

pub(super) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Json<Value>, Failure> {
    app.session(&visitor).await?;
    Ok(Json(app.look(|device, _| facts(device.card())).await))
}

fn facts(card: &Card) -> Value {
    let mut facts = json!({
        "maker": BASE64_URL_SAFE_NO_PAD.encode(card.maker.0),
        "edition": card.edition,
        "name": card.name.as_str(),
        "url": card.url.as_str(),
        "log_key": card.log_key.as_str(),
    });
    if let Some(witnesses) = &card.witnesses {
        let (quorum, keys) = witnesses.quorum_of();
        facts["witnesses"] = json!({ "quorum": quorum, "of": keys.len() });
    }
    facts
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Newer {
    password: String,
    card: String,
}

pub(super) async fn replace(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Newer { password, card }): ApiJson<Newer>,
) -> Result<Json<Value>, Failure> {
    app.session(&visitor).await?;
    let card = BASE64_URL_SAFE_NO_PAD.decode(card.trim()).map_err(|_| NO_CARD)?;
    app.replace_card(&visitor, password.into(), card).await?;
    Ok(Json(app.look(|device, _| facts(device.card())).await))
}
