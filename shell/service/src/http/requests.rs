//! What the interface and the pages both do with requests.

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Request};
use http::header;
use http::request::Parts;
use sparekey_protocol::{digits, qr};
use sparekey_web::messages;
use sparekey_web::problem::Problem;

use super::client::Client;
use super::uploads::Place;
use super::{App, error};
use crate::photo::MAX_BYTES;
use crate::service::{RequestView, ToldView};

/// A photo with what a form has around it.
pub(crate) const MAX_PHOTO_BODY: usize = MAX_BYTES + 4 * 1024;

/// An id is 18 random bytes in base64url.
const ID_LENGTH: usize = 24;

impl App {
    /// Hands in a request as it was scanned or pasted: digits, base64url, or the whole link.
    pub(crate) async fn submit(&self, pasted: &str, again: bool, client: Client) -> Result<RequestView, Problem> {
        counted(match qr::read(pasted) {
            Ok(request) => self.hand_in(&request, again, client).await,
            Err(malformed) => Err(error::unread(malformed)),
        })
    }

    /// Hands in the request that a photo shows. Its digits come back too, for the phone to keep.
    pub(crate) async fn submit_photo(&self, photo: Photo, client: Client) -> Result<(RequestView, String), Problem> {
        let text = self.read_photo(photo.image.clone()).await?;
        drop(photo);
        // Not the text itself: what stands before the digits may be anything.
        let request = match qr::read(&text) {
            Ok(request) => request,
            Err(malformed) => return counted(Err(error::unread(malformed))),
        };
        let view = counted(self.hand_in(&request, false, client).await)?;
        Ok((view, digits::encode(&request)))
    }

    /// Hands in a device's receipt, as it was scanned or pasted.
    pub(crate) async fn tell(&self, pasted: &str, Client(network): Client) -> Result<ToldView, Problem> {
        let receipt = qr::read_receipt(pasted).map_err(error::unread)?;
        let told = self.service.tell(&receipt, network).await.map_err(|error| error::not_submitted(&error))?;
        metrics::counter!("sparekey_receipts_taken_total").increment(1);
        Ok(told)
    }

    async fn hand_in(&self, request: &[u8], again: bool, Client(network): Client) -> Result<RequestView, Problem> {
        self.service.submit(request, again, network).await.map_err(|error| error::not_submitted(&error))
    }

    /// A place among those who send pictures.
    pub(crate) fn enter_upload(&self, Client(network): Client) -> Result<Place, Problem> {
        self.uploads.enter(network)
    }

    /// The text of the symbol in a photo.
    pub(crate) async fn read_photo(&self, image: Bytes) -> Result<String, Problem> {
        self.settings.photos.read(image).await.map_err(error::no_request_in_photo)
    }

    /// The request of that id.
    pub(crate) async fn view(&self, Id(id): &Id) -> Result<RequestView, Problem> {
        let found = self.service.view(id).await.map_err(|_| error::unavailable())?;
        found.ok_or_else(|| messages::NOT_FOUND.into())
    }
}

/// Counts what came of a request that was handed in.
fn counted<T>(submitted: Result<T, Problem>) -> Result<T, Problem> {
    match &submitted {
        Ok(_) => metrics::counter!("sparekey_requests_opened_total").increment(1),
        Err(problem) => metrics::counter!("sparekey_requests_refused_total", "reason" => problem.name()).increment(1),
    }
    submitted
}

/// A request's id, out of the path: an extractor. What cannot be one is answered as one that is unknown.
pub(crate) struct Id(String);

impl FromRequestParts<App> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, app).await.ok();
        let is_id = |id: &String| {
            id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        path.map(|Path(id)| id).filter(is_id).map(Self).ok_or_else(|| messages::NOT_FOUND.into())
    }
}

/// A picture as it was sent: the body itself, or the one file of a form. An extractor; takes a place among the uploads
/// until it was read, so that no network keeps the reader to itself.
pub(crate) struct Photo {
    image: Bytes,
    _place: Place,
}

impl FromRequest<App> for Photo {
    type Rejection = Problem;

    async fn from_request(mut request: Request, app: &App) -> Result<Self, Problem> {
        let Client(network) = request.extract_parts_with_state(app).await?;
        let place = app.uploads.enter(network)?;
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        let kind = kind.to_ascii_lowercase();
        let image = if kind.starts_with("image/") {
            Bytes::from_request(request, app).await.map_err(|rejection| error::body(&rejection))?
        } else if kind.starts_with("multipart/form-data") {
            let form = Multipart::from_request(request, app).await.map_err(|rejection| error::multipart(&rejection))?;
            only_file(form).await?
        } else {
            return Err(Problem::new(messages::MALFORMED)
                .detail("Send the picture itself, with a header such as Content-Type: image/jpeg."));
        };
        Ok(Self { image, _place: place })
    }
}

async fn only_file(mut form: Multipart) -> Result<Bytes, Problem> {
    let mut file = None;
    while let Some(field) = form.next_field().await.map_err(|error| error::part(&error))? {
        if file.is_some() || field.name() != Some("photo") {
            return Err(
                Problem::new(messages::MALFORMED).detail("Send one picture, in the field photo, and nothing else.")
            );
        }
        file = Some(field.bytes().await.map_err(|error| error::part(&error))?);
    }
    file.filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| Problem::new(messages::MALFORMED).detail("Choose a picture first, then send it."))
}
