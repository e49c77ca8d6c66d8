//! The address and the ports of a device: shown, planned, changed, and found again.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use serde::Deserialize;
use sparekey_lan::{
    Row,
    network::{InForce, Line, Surroundings, Visit, Wanted, typed},
};
use sparekey_web::{
    assets::REVEAL,
    csrf::{FormToken, GuardedForm},
    page::{Banner, Page, Tone},
    problem::Problem,
};
use zeroize::Zeroizing;

use super::{answer, device, frame_of, row, troubled};
use crate::app::{App, Trouble};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/devices/{id}/network", get(form).post(act))
}

#[derive(Template)]
#[template(path = "network.html")]
struct Network {
    page: Page,
    token: FormToken,
    id: u32,
    typed: Typed,
    /// What it has, once somebody is logged in.
    now: Vec<(&'static str, String)>,
    /// What would change.
    lines: Vec<Line>,
    planned: String,
}

/// What is typed. What is empty stays as it is.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Typed {
    username: String,
    password: Zeroizing<String>,
    dhcp: String,
    address: String,
    gateway: String,
    dns: String,
    port: String,
    lan_port: String,
    /// `yes`: it is to be done.
    sure: String,
    /// What was shown as what would change: nothing else is done.
    planned: String,
}

impl Typed {
    fn wanted(&self) -> Result<Wanted, Trouble> {
        let bad = |what: &'static str| {
            move |why: &str| Trouble::new(format!("{what}: {why}."), "Correct it; what stays empty stays as it is.")
        };
        let port = |text: &str, what| match text.trim() {
            "" => Ok(None),
            text => {
                text.parse::<u16>().ok().filter(|port| *port > 0).map(Some).ok_or_else(|| bad(what)("not 1 to 65535"))
            }
        };
        let read = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
        Ok(Wanted {
            dhcp: !self.dhcp.is_empty(),
            address: read(&self.address).map(|text| typed::address(&text)).transpose().map_err(bad("Address"))?,
            gateway: read(&self.gateway).map(|text| typed::gateway(&text)).transpose().map_err(bad("Gateway"))?,
            dns: read(&self.dns).map(|text| typed::dns(&text)).transpose().map_err(bad("Resolvers"))?,
            main: port(&self.port, "Port of its pages")?,
            lan: port(&self.lan_port, "Port of the LAN tool")?,
        })
    }
}

/// What came of it.
enum Came {
    Shown(InForce),
    Planned(InForce, Vec<Line>),
    Changed(String),
}

fn network(
    row: &Row,
    token: FormToken,
    typed: Typed,
    now: Option<&InForce>,
    lines: Vec<Line>,
    trouble: Option<&Trouble>,
) -> Response {
    let page = troubled(frame_of("Network", row).scripts([&REVEAL]), trouble);
    let now = now.map(|now| now.lines().to_vec()).unwrap_or_default();
    let planned = told(&lines);
    answer(&Network { page, token, id: row.id, typed, now, lines, planned }, trouble)
}

/// A plan as one text, to be compared.
fn told(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("{}: {} > {}; ", line.what, line.from, line.to)).collect()
}

async fn form(State(app): State<Arc<App>>, Path(id): Path<u32>, token: FormToken) -> Result<Response, Problem> {
    let typed = Typed { username: "admin".to_owned(), ..Typed::default() };
    Ok(network(&row(&app, id)?, token, typed, None, Vec::new(), None))
}

async fn act(
    State(app): State<Arc<App>>,
    Path(id): Path<u32>,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Typed>,
) -> Result<Response, Problem> {
    let row = row(&app, id)?;
    let wanted = match typed.wanted() {
        Ok(wanted) => wanted,
        Err(trouble) => return Ok(network(&row, token, typed, None, Vec::new(), Some(&trouble))),
    };
    let (asked, of, given) = (Arc::clone(&app), row.clone(), typed.clone());
    let came = App::blocking(move || change(&asked, &of, &given, wanted)).await;
    Ok(match came {
        Ok(Came::Shown(now)) => network(&row, token, typed, Some(&now), Vec::new(), None),
        Ok(Came::Planned(now, lines)) => network(&row, token, typed, Some(&now), lines, None),
        Ok(Came::Changed(address)) => {
            let told = format!("It answers at {address}, and keeps its new settings.");
            device::done_page(&row, Banner::new(Tone::Ok, "The network of the device is changed.", told))
        }
        Err(trouble) => network(&row, token, typed, None, Vec::new(), Some(&trouble)),
    })
}

fn change(app: &App, row: &Row, typed: &Typed, wanted: Wanted) -> Result<Came, Trouble> {
    let visit = Visit::begin(app.meet(row)?, typed.username.trim(), &typed.password)?;
    let now = visit.in_force()?;
    if wanted.is_nothing() {
        return Ok(Came::Shown(now));
    }
    let lines = visit.plan(&wanted)?;
    if typed.sure.is_empty() || lines.is_empty() || typed.planned != told(&lines) {
        return Ok(Came::Planned(now, lines));
    }
    let mut around = Surroundings::look().map_err(|error| Trouble::of(&error))?;
    if let Some(holder) = wanted.address.and_then(|(address, _)| around.holder_of(address, visit.device())) {
        return Err(Trouble::new(
            format!("{holder} has this address already."),
            "Give another one; the list says who has which.",
        ));
    }
    let begun = visit.change(now, wanted, &typed.password)?;
    match around.find_again(visit.device(), &begun, &app.belief()).map_err(|error| Trouble::of(&error))? {
        Ok(back) => Ok(Came::Changed(back.device.address().to_string())),
        Err(_) => Err(Trouble::new(
            "The device was not reached with its new settings.",
            "It returns to its old ones by itself within a minute. Check the address, the gateway and the network that it is plugged into.",
        )),
    }
}
