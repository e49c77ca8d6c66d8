//! Forms with a file (`multipart/form-data`, RFC 7578), guarded as all forms are.
//!
//! Only small files of text: what is read is held in memory, within the bound that the router sets for bodies.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Request};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::de::value::{Error, MapDeserializer};
use zeroize::Zeroizing;

use crate::csrf::FormToken;
use crate::messages;
use crate::problem::Problem;

/// The most fields of a form, its token among them.
const FIELDS: usize = 16;

/// A form with files that stands on a page of ours: an extractor for `multipart/form-data` with the field `csrf`, which has to
/// come before any file.
///
/// `T` is read from the fields, each of them a `String`, and must not refuse unknown ones; of a file it gets the content. What is
/// not UTF-8, or stands there twice, is the problem `malformed`; more than the router's `DefaultBodyLimit`, `too-large`.
#[derive(Clone, Copy, Debug)]
pub struct GuardedUpload<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for GuardedUpload<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let token = FormToken::from_request_parts(&mut parts, state).await?;
        let request = Request::from_parts(parts, body);
        let mut sent = Multipart::from_request(request, state).await.map_err(|_| messages::MALFORMED)?;
        let mut guarded = false;
        let mut fields: Vec<(String, Zeroizing<String>)> = Vec::new();
        while let Some(field) = sent.next_field().await.map_err(unread)? {
            let name = field.name().unwrap_or_default().to_owned();
            if name.is_empty() || fields.len() == FIELDS || fields.iter().any(|(known, _)| *known == name) {
                return Err(messages::MALFORMED.into());
            }
            if !guarded && name != "csrf" {
                return Err(messages::CROSS_SITE.into());
            }
            let bytes = Zeroizing::new(field.bytes().await.map_err(unread)?.to_vec());
            let text = std::str::from_utf8(&bytes).map_err(|_| messages::MALFORMED)?;
            if name == "csrf" && !token.is(text) {
                return Err(messages::CROSS_SITE.into());
            }
            guarded = true;
            fields.push((name, Zeroizing::new(text.to_owned())));
        }
        if !guarded {
            return Err(messages::CROSS_SITE.into());
        }
        let pairs = fields.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let form = T::deserialize(MapDeserializer::<_, Error>::new(pairs)).map_err(|_| messages::MALFORMED)?;
        Ok(Self(form))
    }
}

fn unread(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        messages::TOO_LARGE.into()
    } else {
        messages::MALFORMED.into()
    }
}
