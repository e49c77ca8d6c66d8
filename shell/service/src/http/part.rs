use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;
use sparekey_web::messages;
use sparekey_web::problem::Problem;

use super::App;

/// What stands in a path: an extractor. What cannot be one is answered like what there is not.
pub(crate) struct Part<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Part<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, app).await;
        path.map(|Path(part)| Self(part)).map_err(|_| messages::NOT_FOUND.into())
    }
}
