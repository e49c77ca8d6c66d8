//! What was recorded: where there is something, the fragments for a browser that plays them, clips to keep.

use std::{fmt::Write, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sparekey_agent::guest::Owner;
use sparekey_footage::Span;
use sparekey_web::{json::ApiJson, messages, problem::Problem};

use super::{NOTHING, Range, camera, disk, reading};
use crate::{
    disk::Recording,
    media::VIDEO_RATE,
    mp4::clip::{Clip, ClipError},
    recorder::Inside,
    slices::{Slice, Slices},
};

/// The longest note on a lock.
const LONGEST_NOTE: usize = 200;

/// What of a span is recorded, what is locked in it, and what time it is for recordings.
pub(super) async fn recorded(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    Query(range): Query<Range>,
) -> Result<Json<Value>, Problem> {
    let span = range.span()?;
    reading(move || {
        let recorded = recorder.library.recorded((id, range.stream), span).map_err(disk)?;
        let locks = recorder.library.ask(|index| index.locks(id, span)).map_err(disk)?;
        let pair = |span: &Span| [span.from.0, span.to.0];
        let locks: Vec<_> = locks
            .iter()
            .map(|(id, span, note)| json!({ "id": id, "from": span.from.0, "to": span.to.0, "note": note }))
            .collect();
        let recorded: Vec<_> = recorded.iter().map(pair).collect();
        Ok(Json(json!({ "recorded": recorded, "locks": locks, "now": recorder.clock.now().0 })))
    })
    .await
}

/// The fragments of a span, for a browser that plays them: of each file its address, its span, how long it plays in ticks of 1/90000 s,
/// the bytes before the first fragment, and `[begins, ticks, offset, length, key]` of each.
pub(super) async fn fragments(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    Query(range): Query<Range>,
) -> Result<Json<Value>, Problem> {
    let span = range.of_pictures()?;
    reading(move || {
        let files = recorder.library.files((id, range.stream), span).map_err(disk)?;
        let files: Vec<_> = files.iter().filter_map(|file| told(file, span)).collect();
        Ok(Json(json!({ "files": files })))
    })
    .await
}

/// Those that have something of a span, from the key picture before it.
fn chosen(file: &Recording, span: Span) -> Option<&[crate::mp4::scan::Fragment]> {
    let part = file.span().common(span)?;
    let (first, last) = (file.stretch.ticks_at(part.from), file.stretch.ticks_at(part.to));
    let begin = file.fragments.iter().rposition(|of| of.key && of.begins <= first).unwrap_or(0);
    let end = file.fragments.partition_point(|of| of.begins < last);
    file.fragments.get(begin..end).filter(|chosen| !chosen.is_empty())
}

fn told(file: &Recording, span: Span) -> Option<Value> {
    let fragments: Vec<_> = chosen(file, span)?
        .iter()
        .map(|of| json!([of.begins, of.ticks, of.offset, of.length, u8::from(of.key)]))
        .collect();
    Some(json!({
        "url": address(file), "from": file.span().from.0, "to": file.span().to.0, "ticks": file.stretch.ticks,
        "init": file.init, "codecs": file.codecs, "fragments": fragments,
    }))
}

fn address(file: &Recording) -> String {
    format!("/api/v1/recordings/{}.mp4", file.id)
}

/// A recording as it is on the disk, or a range of its bytes.
pub(super) async fn file(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let not_found = || Problem::new(messages::NOT_FOUND);
    let id = name.strip_suffix(".mp4").and_then(|id| id.parse::<i64>().ok()).ok_or_else(not_found)?;
    let library = Arc::clone(&recorder.library);
    let (path, length) = reading(move || {
        let file = library.file(id).map_err(disk)?.ok_or_else(not_found)?;
        Ok((library.path(&file), file.bytes))
    })
    .await?;
    let slice = Slice::File { path, offset: 0, length };
    Ok(Slices(vec![slice]).answer(&headers, "video/mp4", &format!("{id}-{length}")))
}

/// A span as HTTP Live Streaming (RFC 8216): the recorded fragments by their ranges, for browsers without Media Source.
pub(super) async fn playlist(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    Query(range): Query<Range>,
) -> Result<Response, Problem> {
    let span = range.of_pictures()?;
    let text = reading(move || {
        let files = recorder.library.files((id, range.stream), span).map_err(disk)?;
        written(&files, span).ok_or_else(|| Problem::new(NOTHING))
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, "application/vnd.apple.mpegurl")], text).into_response())
}

fn written(files: &[Recording], span: Span) -> Option<String> {
    let (mut text, mut longest) = (String::new(), 1);
    for (number, file) in files.iter().enumerate() {
        let Some(fragments) = chosen(file, span) else { continue };
        let url = address(file);
        if number > 0 {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        let begun = file.stretch.moment_at(fragments[0].begins);
        writeln!(text, "#EXT-X-MAP:URI=\"{url}\",BYTERANGE=\"{}@0\"", file.init).ok()?;
        writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{}", crate::time::rfc3339(begun)).ok()?;
        // A segment begins with a picture that is decoded by itself (section 3).
        for group in fragments.chunk_by(|_, next| !next.key) {
            let ticks: u64 = group.iter().map(|of| u64::from(of.ticks)).sum();
            let length: u64 = group.iter().map(|of| u64::from(of.length)).sum();
            longest = longest.max(ticks.div_ceil(u64::from(VIDEO_RATE)));
            let milliseconds = ticks / 90;
            writeln!(text, "#EXTINF:{}.{:03},", milliseconds / 1_000, milliseconds % 1_000).ok()?;
            writeln!(text, "#EXT-X-BYTERANGE:{length}@{}\n{url}", group[0].offset).ok()?;
        }
    }
    let head = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{longest}\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    );
    (!text.is_empty()).then(|| format!("{head}{text}#EXT-X-ENDLIST\n"))
}

/// A clip that was cut and is not read yet.
pub(super) struct Cut {
    pub(super) slices: Slices,
    pub(super) span: Span,
    /// What names just its bytes.
    tag: String,
}

pub(super) async fn cut(recorder: &Arc<Inside>, id: u32, range: Range) -> Result<Cut, Problem> {
    let (span, recorder) = (range.of_pictures()?, Arc::clone(recorder));
    reading(move || {
        let files = recorder.library.files((id, range.stream), span).map_err(disk)?;
        let clip = Clip::cut(&files, recorder.library.folder(), span).map_err(|error| match error {
            ClipError::Nothing => Problem::new(NOTHING),
            error => disk(error),
        })?;
        let tag = Sha256::digest(&clip.head).iter().take(12).fold(String::new(), |mut tag, byte| {
            let _ = write!(tag, "{byte:02x}");
            tag
        });
        let body = clip.body.into_iter().map(|(path, offset, length)| Slice::File { path, offset, length });
        let slices = Slices([Slice::Bytes(Bytes::from(clip.head))].into_iter().chain(body).collect());
        Ok(Cut { slices, span: clip.span, tag })
    })
    .await
}

/// A span as a plain MP4, to keep: any range of it, so that a download that was cut off goes on.
pub(super) async fn clip(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    Query(range): Query<Range>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (camera, _) = camera(&recorder, id)?;
    let clip = cut(&recorder, id, range).await?;
    let mut answer = clip.slices.answer(&headers, "video/mp4", &clip.tag);
    attach(&mut answer, &file_name(&camera.name, clip.span, "mp4"));
    Ok(answer)
}

/// The device's word on that clip.
pub(super) async fn statement(
    owner: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    Query(range): Query<Range>,
) -> Result<Response, Problem> {
    let (camera, _) = camera(&recorder, id)?;
    let clip = cut(&recorder, id, range).await?;
    let signed = signed(&owner, &camera.name, &clip).await?;
    let mut answer = ([(header::CONTENT_TYPE, "application/octet-stream")], signed).into_response();
    attach(&mut answer, &file_name(&camera.name, clip.span, "mp4.statement"));
    Ok(answer)
}

/// Reads a clip, and signs what it is.
pub(super) async fn signed(owner: &Owner, camera: &str, clip: &Cut) -> Result<Vec<u8>, Problem> {
    let (slices, length) = (clip.slices.clone(), clip.slices.length());
    let sha256 = reading(move || {
        let mut hash = Sha256::new();
        slices.read(|part| hash.update(part)).map_err(disk)?;
        Ok(hash.finalize().into())
    })
    .await?;
    Ok(owner.house.sign_clip(camera.to_owned(), (clip.span.from.0, clip.span.to.0), sha256, length).await)
}

/// Such as `Front-door-2026-11-25T120000-250Z.mp4`.
pub(super) fn file_name(camera: &str, span: Span, end: &str) -> String {
    let plain: String =
        camera.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    format!("{plain}-{}.{end}", crate::time::rfc3339(span.from).replace(':', "").replace('.', "-"))
}

fn attach(answer: &mut Response, name: &str) {
    let value = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).expect("letters, digits and dashes");
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, value);
}

/// What is to be kept for good.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    from: u64,
    to: u64,
    #[serde(default)]
    note: String,
}

pub(super) async fn lock(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    ApiJson(wanted): ApiJson<Lock>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    camera(&recorder, id)?;
    let span = Range { from: wanted.from, to: wanted.to, stream: super::main() }.span()?;
    let note: String = wanted.note.chars().filter(|letter| !letter.is_control()).take(LONGEST_NOTE).collect();
    let lock = reading(move || recorder.library.ask(|index| index.lock(id, span, &note)).map_err(disk)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": lock }))))
}

pub(super) async fn unlock(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    match reading(move || recorder.library.ask(|index| index.unlock(id)).map_err(disk)).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new(messages::NOT_FOUND)),
    }
}
