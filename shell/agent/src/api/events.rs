//! The device's own record, for who is logged in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use sparekey_device::Event;

use crate::app::App;
use crate::failure::Failure;
use crate::visitor::Visitor;

pub(super) async fn list(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Json<Value>, Failure> {
    app.session(&visitor).await?;
    let events = app.look(|device, _| device.events().iter().rev().map(line).collect::<Vec<_>>()).await;
    Ok(Json(json!({ "events": events })))
}

fn line(event: &Event) -> Value {
    let mut line = json!({
        "number": event.number,
        "at": event.at.0,
        "what": event.kind.name(),
        "count": event.count,
    });
    if let Some(from) = event.from {
        line["from"] = from.to_string().into();
    }
    if let Some(way) = event.way {
        line["method"] = way.name().into();
    }
    line
}
