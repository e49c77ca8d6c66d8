//! Pages: the wall, one camera or several with their timeline, what is set. Served under the agent's sessions.

mod camera;
mod player;
mod programs;
mod storage;
mod wall;

use std::sync::Arc;

use axum::Router;
use sparekey_agent::guest::{Channel, Channels, Guest, House};
use sparekey_web::{
    assets::Asset,
    page::{Banner, Page, Tone, Width},
};

use zeroize::Zeroizing;

use crate::{
    api,
    camera::State,
    disk::Stream,
    recorder::{Inside, Recorder, Running},
    rtsp::USERNAME,
    settings,
};

static LIVE: Asset = Asset::new("live.js", include_bytes!("../../static/live.js"));
static PLAYER: Asset = Asset::new("player.js", include_bytes!("../../static/player.js"));

static ASSETS: [&Asset; 2] = [&LIVE, &PLAYER];

/// So far, in milliseconds, the clock may be ahead before it is told.
const AHEAD: u64 = 10_000;

impl Guest for Recorder {
    fn router(&self) -> Router {
        api::router().merge(router()).with_state(Arc::clone(&self.0))
    }

    fn pages(&self) -> &'static [(&'static str, &'static str)] {
        &[("/cameras", "Cameras")]
    }

    fn assets(&self) -> &'static [&'static Asset] {
        &ASSETS
    }

    fn unowned(&self) {
        if let Err(error) = self.0.forget_owner() {
            tracing::error!(%error, "what the last owner set cannot be forgotten");
        }
    }

    fn channels(&self) -> Option<Channels> {
        let account = self.0.settings().programs.clone()?;
        let channel = |(camera, running): (settings::Camera, Arc<Running>)| {
            let tracks = running.stream(Stream::Main)?.hub.tracks()?;
            let is_h265 = tracks.video.codec.starts_with("hvc1");
            Some(Channel { id: camera.id, name: camera.name, is_h265, size: tracks.video.size })
        };
        let cameras = self.0.cameras().into_iter().filter_map(channel).collect();
        let password = Zeroizing::new(account.password.expose().to_owned());
        Some(Channels { username: USERNAME, password, port: account.port, cameras })
    }
}

fn router() -> Router<Arc<Inside>> {
    Router::new()
        .merge(wall::router())
        .merge(player::router())
        .merge(camera::router())
        .merge(storage::router())
        .merge(programs::router())
}

/// A page of the recorder. A disk that fails, and a clock that was set back, are said on each.
fn frame(house: &House, recorder: &Inside, title: &str) -> Page {
    let health = recorder.health();
    let failing = health.failing.map(|(what, _)| {
        let to_do = format!(
            "Recording goes on by itself when it does again. Check that it is plugged in and has room ({what})."
        );
        Banner::new(Tone::Error, "The disk takes no recordings.", to_do)
    });
    let ahead = recorder.clock.ahead();
    let clock = (ahead > AHEAD).then(|| {
        let title = format!("The clock was set back by {}.", duration(ahead / 1_000));
        Banner::new(Tone::Warn, title, "Nothing recorded is lost or lies over another: recordings are filed by a clock that goes on, and is so far ahead.")
    });
    house.page(title).width(Width::Wide).banner(failing.or(clock))
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        _ => format!("{} hours", seconds / 3_600),
    }
}

/// A camera on a page.
pub(crate) struct Shown {
    id: u32,
    name: String,
    is_gone: bool,
    /// How it does, in a word or two.
    says: String,
}

impl Shown {
    fn of(camera: &settings::Camera, running: &Running) -> Self {
        let state = running.state();
        let says = match &state {
            State::Connecting => "connecting".to_owned(),
            State::Live { .. } => "live".to_owned(),
            State::Gone { since, why, .. } => {
                let since = crate::time::rfc3339(sparekey_footage::Moment(*since));
                format!("{}, since {} UTC", gone(why), since.get(11..16).unwrap_or_default())
            }
        };
        Self { id: camera.id, name: camera.name.clone(), is_gone: matches!(state, State::Gone { .. }), says }
    }
}

/// Why a camera is gone, for people.
fn gone(why: &str) -> &'static str {
    match why {
        "not-authorized" => "name or password is wrong",
        "no-pictures" => "sends no H.264 or H.265",
        "unfit" => "cannot be recorded",
        "silent" => "sends nothing",
        "refused" => "refuses",
        _ => "not reached",
    }
}
