//! What a recorder serves beside its agent: pages and calls of its own, under the same session, the same headers and the same checks.
//!
//! A guest sees who is logged in, and nothing of a recovery. Its routes must not be those of the agent: `/`, what stands in the agent's
//! navigation, and what protocol section 11 lists.

use std::fmt::Debug;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Router};
use http::request::Parts;
use sparekey_onvif::media::Camera;
use sparekey_protocol::clip::Clip;
use sparekey_web::assets::Asset;
use sparekey_web::page::Page;
use sparekey_web::problem::Problem;
use zeroize::Zeroizing;

use crate::app::App;
use crate::visitor::Visitor;

/// What is served beside the agent.
pub trait Guest: Debug + Send + Sync {
    /// Its routes, for one start of the agent.
    fn router(&self) -> Router;

    /// Its pages in the navigation: address and name. The first is where a login leads.
    fn pages(&self) -> &'static [(&'static str, &'static str)];

    /// What its pages load.
    fn assets(&self) -> &'static [&'static Asset];

    /// Nobody owns the device: what only its last owner could mean is to be forgotten. Called at each start without an owner.
    fn unowned(&self);

    /// What other people's programs may play, and with which account; `None` if none may.
    fn channels(&self) -> Option<Channels>;
}

/// What other people's programs may play by RTSP.
#[derive(Debug)]
pub struct Channels {
    /// Their account.
    pub username: &'static str,
    /// Its password.
    pub password: Zeroizing<String>,
    /// The port of RTSP.
    pub port: u16,
    /// The cameras.
    pub cameras: Vec<Channel>,
}

/// One camera.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its number.
    pub id: u32,
    /// What people call it.
    pub name: String,
    /// Whether its pictures are H.265, and not H.264.
    pub is_h265: bool,
    /// Pixels.
    pub size: (u16, u16),
}

impl Channel {
    /// As ONVIF tells it, at the name under which the device was reached.
    pub(crate) fn at(&self, host: &str, port: u16) -> Camera {
        Camera {
            token: self.id.to_string(),
            name: self.name.clone(),
            uri: format!("rtsp://{host}:{port}/camera/{}/main", self.id),
            encoding: if self.is_h265 { "H265" } else { "H264" },
            size: self.size,
        }
    }
}

/// The agent, as its guest sees it.
#[derive(Clone)]
pub struct House(Arc<App>);

/// Whoever is logged in: an extractor. Others are led to the login, or refused where the address is a call's.
pub struct Owner {
    /// Of which agent.
    pub house: House,
    visitor: Visitor,
}

impl Owner {
    /// Whether the session goes on: what lasts longer than an answer asks again.
    pub async fn is_in(&self) -> bool {
        // What was restarted has other sessions.
        !self.house.0.restart.is_cancelled() && self.house.0.session(&self.visitor).await.is_ok()
    }

    /// Whether the connection is TLS.
    #[must_use]
    pub fn tls(&self) -> bool {
        self.visitor.tls
    }
}

impl House {
    /// A page of this device.
    #[must_use]
    pub fn page(&self, title: &str) -> Page {
        Page { title: title.to_owned(), ..self.0.frame.clone() }
    }

    /// The device's word on a clip of its recordings, by its own key, with its certificate.
    pub async fn sign_clip(&self, camera: String, span: (u64, u64), sha256: [u8; 32], length: u64) -> Vec<u8> {
        let (from, to) = span;
        self.0
            .look(move |device, _| {
                let identity = device.identity();
                identity.sign_clip(&Clip { device: identity.device_id(), camera, from, to, sha256, length })
            })
            .await
    }

    /// Its serial number and model.
    pub async fn names(&self) -> (String, String) {
        let names = self.0.look(|device, _| {
            let of = device.identity().certificate();
            (of.serial.to_string(), of.model.to_string())
        });
        names.await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Owner {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Extension(House(app)) = Extension::<House>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::internal().into_response())?;
        let visitor = Visitor::from_request_parts(parts, &app).await.map_err(IntoResponse::into_response)?;
        match app.session(&visitor).await {
            Ok(()) => Ok(Self { house: House(app), visitor }),
            Err(failure) if parts.uri.path().starts_with("/api/") => Err(failure.into_response()),
            Err(_) => Err(Redirect::to("/login").into_response()),
        }
    }
}

/// A guest's routes in its house.
pub(crate) fn router(guest: &dyn Guest, app: &Arc<App>) -> Router {
    guest.router().layer(Extension(House(Arc::clone(app))))
}
