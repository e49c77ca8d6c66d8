//! Recordings on another disk or in somebody's storage.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use axum::{
    Json,
    extract::{self, State},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_agent::guest::Owner;
use sparekey_web::{json::ApiJson, messages::Message, problem::Problem};

use super::{Range, camera, disk, reading, recordings};
use crate::{
    backup::{Backup, Place, Store, Task, Wish},
    recorder::Inside,
};

const NO_PLACE: Message = Message {
    name: "no-backup",
    status: StatusCode::CONFLICT,
    title: "There is no place to send it to.",
    detail: "Set a folder or a storage under Storage.",
};
const NOT_REACHED: Message = Message {
    name: "backup-not-reached",
    status: StatusCode::BAD_GATEWAY,
    title: "That place cannot be written to.",
    detail: "Check its address, its keys, and whether the disk is there.",
};
const BUSY: Message = Message {
    name: "too-many",
    status: StatusCode::TOO_MANY_REQUESTS,
    title: "Too much waits to be sent already.",
    detail: "Wait until some of it is there.",
};

/// A file by which a place is tried out.
const TRIAL: &str = "sparekey-was-here.txt";

/// Where it is, without its secret, and how it does.
pub(super) async fn show(_: Owner, State(recorder): State<Arc<Inside>>) -> Json<Value> {
    let backup = recorder.settings().backup.clone();
    let place = backup.as_ref().map(|backup| match &backup.place {
        Place::Folder(folder) => json!({ "folder": folder }),
        Place::S3(of) => json!({ "s3": { "endpoint": of.endpoint, "bucket": of.bucket, "region": of.region, "access_key": of.access_key } }),
    });
    Json(
        json!({ "place": place, "all": backup.is_some_and(|backup| backup.all), "progress": recorder.backup.progress.get() }),
    )
}

/// Sets it, once something could be written there; or takes it away.
pub(super) async fn set(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    ApiJson(backup): ApiJson<Option<Backup>>,
) -> Result<StatusCode, Problem> {
    set_backup(&recorder, backup).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same, for a page.
pub(crate) async fn set_backup(recorder: &Arc<Inside>, backup: Option<Backup>) -> Result<(), Problem> {
    if let Some(backup) = &backup {
        if let Place::Folder(folder) = &backup.place {
            is_allowed(folder, &recorder.settings().backup_roots)?;
        }
        let tried = async {
            let store = Store::open(&backup.place)?;
            let text = bytes::Bytes::from_static(b"A Sparekey recorder may write here.\n");
            store.send(TRIAL, vec![crate::slices::Slice::Bytes(text)], |_| {}).await
        };
        tried.await.map_err(|error| {
            tracing::info!(%error, "a place for backups cannot be written to");
            Problem::new(NOT_REACHED)
        })?;
    }
    recorder.set_backup(backup).map_err(disk)
}

/// Whether a folder is below one of those; links that lead elsewhere are followed first.
fn is_allowed(folder: &Path, roots: &[PathBuf]) -> Result<(), Problem> {
    // The last part of it may have to be made yet.
    let there = folder.ancestors().find_map(|there| there.canonicalize().ok());
    let plain = folder.is_absolute() && folder.components().all(|part| !matches!(part, Component::ParentDir));
    let below = |root: &PathBuf| {
        root.canonicalize().is_ok_and(|root| there.as_ref().is_some_and(|there| there.starts_with(root)))
    };
    if plain && roots.iter().any(below) {
        return Ok(());
    }
    let roots: Vec<_> = roots.iter().map(|root| root.display().to_string()).collect();
    Err(Problem::new(NOT_REACHED).detail(format!("Give a folder below {}.", roots.join(", "))))
}

/// Sends a clip there, once, with the device's word on it.
pub(super) async fn send(
    owner: Owner,
    State(recorder): State<Arc<Inside>>,
    extract::Path(id): extract::Path<u32>,
    ApiJson(range): ApiJson<Range>,
) -> Result<StatusCode, Problem> {
    let (camera, _) = camera(&recorder, id)?;
    if recorder.settings().backup.is_none() {
        return Err(Problem::new(NO_PLACE));
    }
    let clip = recordings::cut(&recorder, id, range).await?;
    let name = recordings::file_name(&camera.name, clip.span, "mp4");
    let statement = recordings::signed(&owner, &camera.name, &clip).await?;
    let (head, body) = clip.slices.parts();
    wished(&recorder, Wish::Clip { name, head, body, statement })
}

/// Gets back from there what this disk does not have any more, and keeps it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Restore {
    camera: u32,
    from: u64,
    to: u64,
}

pub(super) async fn restore(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    ApiJson(wanted): ApiJson<Restore>,
) -> Result<StatusCode, Problem> {
    if recorder.settings().backup.is_none() {
        return Err(Problem::new(NO_PLACE));
    }
    let span = Range { from: wanted.from, to: wanted.to, stream: super::main() }.span()?;
    let (camera, locked) = (wanted.camera, Arc::clone(&recorder));
    // The oldest goes first: what was fetched back would be it.
    reading(move || locked.library.ask(|index| index.lock(camera, span, "restored")).map_err(disk)).await?;
    wished(&recorder, Wish::Restore { camera, span })
}

fn wished(recorder: &Inside, wish: Wish) -> Result<StatusCode, Problem> {
    if recorder.backup.tell(Task::Wish(wish)) { Ok(StatusCode::ACCEPTED) } else { Err(Problem::new(BUSY)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_below_what_was_allowed() {
        let (allowed, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(other.path(), allowed.path().join("out")).unwrap();
        let roots = [allowed.path().to_owned()];
        for (folder, is) in [
            (allowed.path().to_owned(), true),
            (allowed.path().join("new/er"), true),
            (allowed.path().join("out"), false),
            (allowed.path().join("out/new"), false),
            (allowed.path().join("../x"), false),
            (other.path().to_owned(), false),
            ("/etc".into(), false),
            ("relative".into(), false),
            ("".into(), false),
        ] {
            assert_eq!(is_allowed(&folder, &roots).is_ok(), is, "{}", folder.display());
        }
        assert!(is_allowed(allowed.path(), &[]).is_err());
    }
}
