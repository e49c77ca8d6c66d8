//! The screen's pages.

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// All pages.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
}
