//! The disk: how full it is, and how much is kept.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::StatusCode;
use serde::Deserialize;
use sparekey_agent::guest::Owner;
use sparekey_footage::Moment;
use sparekey_web::{
    csrf::{FormToken, GuardedForm},
    page::{Banner, Page, Tone, html},
    problem::Problem,
};
use zeroize::Zeroizing;

use super::frame;
use crate::{
    api,
    backup::{Backup, Place, S3},
    disk::writer::Keep,
    recorder::Inside,
    secret::Secret,
};

const GIGABYTE: f64 = 1e9;

pub(super) fn router() -> Router<Arc<Inside>> {
    Router::new().route("/storage", get(show).post(keep)).route("/storage/backup", post(set_backup))
}

#[derive(Template)]
#[template(path = "storage.html")]
struct Storage {
    page: Page,
    token: FormToken,
    typed: Typed,
    /// Percent.
    used: u64,
    free: String,
    size: String,
    cameras: Vec<(String, String)>,
    /// Where recordings are sent; empty: nowhere.
    place: String,
    progress: Told,
    backup: Backing,
    /// What was typed for it cannot be used.
    wrong_place: bool,
}

/// How the backup does.
struct Told {
    now: Option<(String, u64, u64)>,
    sent: u64,
    waiting: u64,
    failing: Option<(String, String)>,
}

/// What is typed of another place.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Backing {
    kind: String,
    folder: String,
    endpoint: String,
    bucket: String,
    region: String,
    access_key: String,
    secret_key: Zeroizing<String>,
    all: String,
}

impl Backing {
    fn read(&self) -> Option<Backup> {
        let text = |text: &String| text.trim().to_owned();
        let place = match self.kind.as_str() {
            "folder" => Place::Folder(text(&self.folder).into()),
            "s3" => Place::S3(Box::new(S3 {
                endpoint: text(&self.endpoint),
                bucket: text(&self.bucket),
                region: if self.region.trim().is_empty() { "us-east-1".to_owned() } else { text(&self.region) },
                access_key: text(&self.access_key),
                secret_key: Secret::new(self.secret_key.clone()),
            })),
            _ => return None,
        };
        Some(Backup { place, all: self.all == "yes" })
    }
}

/// What is typed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    days: String,
    gigabytes: String,
    free: String,
}

impl Typed {
    fn of(keep: Keep) -> Self {
        Self {
            days: keep.days.map_or_else(String::new, |days| days.to_string()),
            gigabytes: keep.bytes_of_camera.map_or_else(String::new, gigabytes),
            free: keep.free.map_or_else(String::new, gigabytes),
        }
    }

    fn read(&self) -> Option<Keep> {
        let days = if self.days.trim().is_empty() {
            None
        } else {
            Some(self.days.trim().parse().ok().filter(|days| *days > 0)?)
        };
        let of_camera = if self.gigabytes.trim().is_empty() {
            None
        } else {
            Some(bytes(&self.gigabytes).filter(|bytes| *bytes > 0)?)
        };
        let free = if self.free.trim().is_empty() { None } else { Some(bytes(&self.free)?) };
        Some(Keep { days, bytes_of_camera: of_camera, free })
    }
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn gigabytes(bytes: u64) -> String {
    let text = format!("{:.3}", bytes as f64 / GIGABYTE);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is looked at before")]
fn bytes(gigabytes: &str) -> Option<u64> {
    let value = gigabytes.trim().parse::<f64>().ok().filter(|value| (0.0..1e6).contains(value))?;
    Some((value * GIGABYTE).round() as u64)
}

async fn show(owner: Owner, State(recorder): State<Arc<Inside>>, token: FormToken) -> Result<Response, Problem> {
    let typed = Typed::of(recorder.settings().keep);
    page(&owner, recorder, token, typed, Backing::default(), None).await
}

async fn page(
    owner: &Owner,
    recorder: Arc<Inside>,
    token: FormToken,
    typed: Typed,
    backup: Backing,
    banner: Option<Banner>,
) -> Result<Response, Problem> {
    let wrong_place = banner.is_some() && !backup.kind.is_empty();
    let page = frame(&owner.house, &recorder, "Storage").banner(banner);
    let place = recorder.settings().backup.as_ref().map_or_else(String::new, |backup| match &backup.place {
        Place::Folder(folder) => folder.display().to_string(),
        Place::S3(of) => format!("{}/{}", of.endpoint, of.bucket),
    });
    let progress = recorder.backup.progress.get();
    let since = |since| crate::time::rfc3339(Moment(since)).get(..16).unwrap_or_default().replace('T', " ");
    let failing = progress.failing.map(|(what, at)| (what, since(at)));
    let progress = Told { now: progress.now, sent: progress.sent, waiting: progress.waiting, failing };
    let health = recorder.health();
    let names: Vec<_> = recorder.cameras().into_iter().map(|(camera, _)| (camera.id, camera.name)).collect();
    let all: Vec<_> = names.iter().map(|(id, _)| *id).collect();
    let mut usage = api::reading(move || recorder.library.ask(|index| index.usage()).map_err(api::disk)).await?;
    all.into_iter().for_each(|id| {
        usage.entry(id).or_default();
    });
    let used = 100 - health.free.saturating_mul(100).checked_div(health.size).unwrap_or(100);
    let named = |(id, bytes): (u32, u64)| {
        let name = names
            .iter()
            .find(|(known, _)| *known == id)
            .map_or_else(|| format!("Camera {id}, taken away"), |(_, name)| name.clone());
        (name, format!("{} GB", gigabytes(bytes)))
    };
    let cameras = usage.into_iter().map(named).collect();
    let (free, size) = (format!("{} GB", gigabytes(health.free)), format!("{} GB", gigabytes(health.size)));
    Ok(html(&Storage { page, token, typed, used, free, size, cameras, place, progress, backup, wrong_place }))
}

async fn keep(
    owner: Owner,
    State(recorder): State<Arc<Inside>>,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Typed>,
) -> Result<Response, Problem> {
    let Some(keep) = typed.read() else {
        let banner = Banner::new(
            Tone::Error,
            "One of these is no number.",
            "Give whole days, and gigabytes such as 0.5; nothing was changed.",
        );
        let mut answer = page(&owner, recorder, token, typed, Backing::default(), Some(banner)).await?;
        *answer.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(answer);
    };
    recorder.keep(keep).map_err(api::disk)?;
    Ok(Redirect::to("/storage").into_response())
}

async fn set_backup(
    owner: Owner,
    State(recorder): State<Arc<Inside>>,
    token: FormToken,
    GuardedForm(backing): GuardedForm<Backing>,
) -> Result<Response, Problem> {
    match api::backup::set_backup(&recorder, backing.read()).await {
        Ok(()) => Ok(Redirect::to("/storage").into_response()),
        Err(problem) => {
            let banner = Banner::new(Tone::Error, problem.title(), problem.what_to_do());
            let typed = Typed::of(recorder.settings().keep);
            let mut answer = page(&owner, recorder, token, typed, backing, Some(banner)).await?;
            *answer.status_mut() = problem.status();
            Ok(answer)
        }
    }
}
