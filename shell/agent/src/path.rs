//! What stands in a path: extractors.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use sparekey_device::{RecoveryId, Refusal};
use sparekey_web::messages;
use sparekey_web::problem::Problem;

use crate::failure::Failure;

/// A request's identifier, `{id}`. What is none names no request that is open.
pub(crate) struct Id(pub(crate) RecoveryId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = text(parts, state).await.and_then(|id| RecoveryId::parse(&id));
        id.map(Self).ok_or_else(|| Failure::Refused(Refusal::Expired).into())
    }
}

/// A reserved email's number, `{n}`, counted from 0. In the path they count from 1; 0 is taken for the first as well.
pub(crate) struct Contact(pub(crate) usize);

impl<S: Send + Sync> FromRequestParts<S> for Contact {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let number = text(parts, state).await.and_then(|number| number.parse::<usize>().ok());
        number.map(|number| Self(number.saturating_sub(1))).ok_or_else(|| Problem::new(messages::NOT_FOUND))
    }
}

/// A number, `{number}`.
pub(crate) struct Number(pub(crate) u64);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let number = text(parts, state).await.and_then(|number| number.parse().ok());
        number.map(Self).ok_or_else(|| Problem::new(messages::NOT_FOUND))
    }
}

async fn text<S: Send + Sync>(parts: &mut Parts, state: &S) -> Option<String> {
    Path::<String>::from_request_parts(parts, state).await.ok().map(|Path(text)| text)
}
