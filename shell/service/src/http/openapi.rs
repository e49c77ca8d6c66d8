//! Problems in `/openapi.json`: every status with every name that a call may answer.

use std::collections::BTreeMap;

use serde_json::json;
use sparekey_protocol::Refusal;
use sparekey_web::messages::{self, Message};
use sparekey_web::problem::TYPE_PREFIX;
use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, RefOr, Response, ResponseBuilder};

use super::error;

/// What handing in a request may answer instead.
pub(super) struct NotSubmitted;
/// What handing in a photo may answer besides.
pub(super) struct NoRequestInPhoto;
/// What looking at a request may answer instead.
pub(super) struct NotViewed;
/// What a service that is not ready answers.
pub(super) struct NotReady;
/// What the desk may answer instead.
pub(super) struct NotAtTheDesk;
/// What any call may answer instead.
pub(super) struct Flooded;

impl IntoResponses for NotSubmitted {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut messages: Vec<Message> = Refusal::ALL.into_iter().map(error::message).collect();
        messages.extend([messages::CROSS_SITE, messages::TOO_MANY, messages::UNAVAILABLE]);
        responses(&messages)
    }
}

impl IntoResponses for NoRequestInPhoto {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = NotSubmitted::responses();
        all.extend(responses(&[messages::NO_QR, messages::INTERNAL]));
        all
    }
}

impl IntoResponses for NotViewed {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[messages::NOT_FOUND, messages::TOO_MANY, messages::UNAVAILABLE])
    }
}

impl IntoResponses for NotAtTheDesk {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut messages: Vec<Message> = Refusal::ALL.into_iter().map(error::message).collect();
        messages.extend([
            messages::NOT_LOGGED_IN,
            messages::NOT_ALLOWED,
            messages::OWN_CASE,
            messages::UNATTENDED,
            messages::NOT_YOURS,
            messages::STEP_UP,
            messages::CROSS_SITE,
            messages::NOT_FOUND,
            messages::WRONG_STATE,
            messages::CHECKLIST_OPEN,
            messages::ANSWERED,
            messages::EXPIRED,
            messages::NOT_FOR_THE_DESK,
            messages::BAD_EVIDENCE,
            messages::LOCKED_PDF,
            messages::BAD_PDF,
            messages::NO_QR,
            messages::INTERNAL,
            messages::TOO_MANY,
            messages::NOT_LOGGED_YET,
            messages::UNAVAILABLE,
        ]);
        responses(&messages)
    }
}

impl IntoResponses for NotReady {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[messages::TOO_MANY, messages::UNAVAILABLE])
    }
}

impl IntoResponses for Flooded {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[messages::TOO_MANY])
    }
}

fn responses(messages: &[Message]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<u16, Vec<&Message>>::new();
    for message in messages {
        by_status.entry(message.status.as_u16()).or_default().push(message);
    }
    // The one that is answered before there is a request to say anything of.
    let head = Response::new("The head of the request is longer than is read. No body.");
    by_status
        .into_iter()
        .map(|(status, messages)| (status.to_string(), RefOr::T(response(status, &messages))))
        .chain([("431".to_owned(), RefOr::T(head))])
        .collect()
}

/// One status; its names in `type`.
fn response(status: u16, messages: &[&Message]) -> Response {
    let text = |description: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(description));
    let types = messages.iter().map(|message| json!(format!("{TYPE_PREFIX}{}", message.name)));
    let waits = matches!(status, 429 | 503);

    let mut document = ObjectBuilder::new()
        .property("type", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(types)))
        .required("type")
        .property("status", ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([json!(status)])))
        .required("status")
        .property("title", text("What happened."))
        .required("title")
        .property("detail", text("What to do."))
        .required("detail")
        .property("field", text("The field at fault, where it is one."));
    if waits {
        document = document.property("retry_after", seconds()).required("retry_after");
    }
    let sentences: Vec<_> = messages.iter().map(|message| format!("`{}`: {}", message.name, message.title)).collect();
    let mut response = ResponseBuilder::new()
        .description(sentences.join(" "))
        .content("application/problem+json", ContentBuilder::new().schema(Some(document)).build());
    if waits {
        response = response.header("Retry-After", HeaderBuilder::new().schema(Some(seconds())).build());
    }
    response.build()
}

fn seconds() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .description(Some("Seconds until another try is worth it."))
}
