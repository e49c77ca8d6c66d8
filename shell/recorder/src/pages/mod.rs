//! Pages.

use std::sync::Arc;

use axum::Router;
use sparekey_agent::guest::Guest;
use sparekey_web::assets::Asset;

use crate::{
    api,
    recorder::{Inside, Recorder},
};

impl Guest for Recorder {
    fn router(&self) -> Router {
        api::router().merge(router()).with_state(Arc::clone(&self.0))
    }

    fn pages(&self) -> &'static [(&'static str, &'static str)] {
        &[("/cameras", "Cameras")]
    }

    fn assets(&self) -> &'static [&'static Asset] {
        &[]
    }
}

fn router() -> Router<Arc<Inside>> {
    Router::new()
}
