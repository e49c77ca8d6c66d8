//! `sparekey service operator …` and `organisation …`: who works at the desk. Beside a running service, or without one.

use serde_json::json;
use sparekey_protocol::BaseUrl;
use sparekey_service::{
    SystemClock,
    cases::{Line, Role, SerialRange},
    operators::{self, Entrance, NewOperator, OperatorError},
};

use crate::{
    cli::{OperatorAdd, OperatorLink, OperatorList, OperatorNamed, OrganisationSet, ServicePlace, ServiceSettings},
    failure::Failure,
    report::Report,
    service::{database, runtime, with_file},
};
use std::path::Path;

/// Where a service is reached that was never run.
const NOWHERE: &str = "http://localhost:7700";

pub(crate) fn add(options: &OperatorAdd, report: Report) -> Result<(), Failure> {
    let new = NewOperator {
        name: line("--name", &options.name)?,
        role: Role::parse(&options.role).ok_or_else(|| Failure::malformed("--role", "there is no such role"))?,
        organisation: options.organisation.as_deref().map(|name| line("--organisation", name)).transpose()?,
        token: options.token,
    };
    let settings = settings(&options.dir, &options.place)?;
    let database = database(&options.dir, settings.database.as_deref())?;
    let entrance =
        runtime()?.block_on(operators::add(&database, &SystemClock, &new)).map_err(|error| failed(&error))?;
    print(&options.name, &entrance, &settings, report);
    Ok(())
}

pub(crate) fn link(options: &OperatorLink, report: Report) -> Result<(), Failure> {
    let settings = settings(&options.dir, &options.place)?;
    let database = database(&options.dir, settings.database.as_deref())?;
    let name = line("--name", &options.name)?;
    let entrance = runtime()?.block_on(async {
        if options.token {
            operators::token(&database, &SystemClock, &name).await
        } else {
            operators::link(&database, &SystemClock, &name).await
        }
    });
    let entrance = entrance.map_err(|error| failed(&error))?;
    print(&options.name, &entrance, &settings, report);
    Ok(())
}

pub(crate) fn remove(options: &OperatorNamed, report: Report) -> Result<(), Failure> {
    let settings = settings(&options.dir, &options.place)?;
    let database = database(&options.dir, settings.database.as_deref())?;
    let name = line("--name", &options.name)?;
    runtime()?.block_on(operators::remove(&database, &SystemClock, &name)).map_err(|error| failed(&error))?;
    report.done(&format!("{} is no longer an operator.", options.name), &json!({ "removed": options.name }));
    Ok(())
}

pub(crate) fn list(options: &OperatorList, report: Report) -> Result<(), Failure> {
    let settings = settings(&options.dir, &options.place)?;
    let database = database(&options.dir, settings.database.as_deref())?;
    for operator in runtime()?.block_on(operators::list(&database)).map_err(|error| failed(&error))? {
        let organisation = operator.organisation_name.as_deref().unwrap_or("-");
        report.done(
            &format!("{:13} {:20} {}", operator.role, organisation, operator.name),
            &json!({ "name": operator.name, "role": operator.role.name(), "organisation": operator.organisation_name }),
        );
    }
    Ok(())
}

pub(crate) fn organisation(options: &OrganisationSet, report: Report) -> Result<(), Failure> {
    let settings = settings(&options.dir, &options.place)?;
    let database = database(&options.dir, settings.database.as_deref())?;
    let name = line("--name", &options.name)?;
    let ranges = options.serials.iter().map(|text| text.parse()).collect::<Result<Vec<SerialRange>, _>>();
    let ranges = ranges.map_err(|error| Failure::malformed("--serials", error))?;
    let set = operators::organisation(&database, &SystemClock, &name, &ranges);
    runtime()?.block_on(set).map_err(|error| failed(&error))?;
    let serials: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    let theirs = if serials.is_empty() { "all serial numbers".to_owned() } else { serials.join(", ") };
    report.done(&format!("{name}: {theirs}."), &json!({ "name": options.name, "serials": serials }));
    Ok(())
}

/// Arguments and variables first, then `DIR/settings.toml`.
fn settings(dir: &Path, place: &ServicePlace) -> Result<ServiceSettings, Failure> {
    let given =
        ServiceSettings { database: place.database.clone(), url: place.url.clone(), ..ServiceSettings::default() };
    with_file(dir, &given)
}

/// On standard output the token or the link alone, for whoever pipes it on.
fn print(name: &str, entrance: &Entrance, settings: &ServiceSettings, report: Report) {
    match entrance {
        Entrance::Token(token) => {
            let token = token.expose();
            report.aside(&format!("{name} may call the desk with this token. It is shown once:"));
            report.done(&token, &json!({ "name": name, "token": *token }));
        }
        Entrance::Link(secret, last_run) => {
            let url = settings.url.as_deref().or(last_run.as_deref()).unwrap_or(NOWHERE);
            let link = format!("{}/desk/join#{}", passkey_url(url), *secret.expose());
            report.aside(&format!("{name} signs in with this link, once, within a day:"));
            report.done(&link, &json!({ "name": name, "link": link }));
        }
    }
}

/// Browsers make no passkeys for bare addresses: of this machine's own, the name is used.
pub(crate) fn passkey_url(url: &str) -> String {
    BaseUrl::new(url).map_or_else(|_| url.to_owned(), |url| sparekey_service::passkey_url(&url))
}

fn line(option: &str, text: &str) -> Result<Line, Failure> {
    Line::new(text).map_err(|error| Failure::malformed(option, error))
}

pub(crate) fn failed(error: &OperatorError) -> Failure {
    let problem = match error {
        OperatorError::NameTaken => "name-taken",
        OperatorError::Unknown => "not-found",
        OperatorError::TooManyRanges => "malformed",
        OperatorError::Refused(_) | OperatorError::Open(_) => "not-possible",
    };
    Failure::two_lines(problem, error)
}
