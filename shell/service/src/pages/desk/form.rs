//! Forms with a file. The token that other forms carry is checked here, since these are read part by part.

use std::collections::HashMap;

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Request};
use sparekey_web::csrf::FormToken;
use sparekey_web::messages;
use sparekey_web::problem::Problem;

use crate::http::{App, Client, error};

/// Most bytes of all fields that are no file.
const MAX_TEXT: usize = 64 * 1024;

/// A form with at most one file, sent from a page of ours: an extractor.
pub(crate) struct FileForm {
    fields: HashMap<String, String>,
    pub(crate) file: Option<Bytes>,
    /// What the sender calls the file.
    pub(crate) file_name: String,
}

impl FileForm {
    /// A field's text; empty if it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl FromRequest<App> for FileForm {
    type Rejection = Problem;

    async fn from_request(mut request: Request, app: &App) -> Result<Self, Problem> {
        let client: Client = request.extract_parts_with_state(app).await?;
        // Held until it was read: uploads are the only slow thing there is.
        let _place = app.enter_upload(client)?;
        let (mut parts, body) = request.into_parts();
        let token = FormToken::from_request_parts(&mut parts, app).await?;
        let form = Multipart::from_request(Request::from_parts(parts, body), app).await;
        let mut form = form.map_err(|rejection| error::multipart(&rejection))?;
        let (mut fields, mut file, mut file_name, mut length) = (HashMap::new(), None, String::new(), 0);
        while let Some(field) = form.next_field().await.map_err(|error| error::part(&error))? {
            let name = field.name().unwrap_or_default().to_owned();
            // The token stands first on our pages: nothing of a foreign form is kept.
            if name != "csrf" && !token.is(fields.get("csrf").map_or("", |text: &String| text)) {
                return Err(messages::CROSS_SITE.into());
            }
            if let Some(sent) = field.file_name() {
                let sent: String = sent.chars().take(120).collect();
                let bytes = field.bytes().await.map_err(|error| error::part(&error))?;
                if file.is_some() {
                    return Err(messages::MALFORMED.into());
                }
                // A file field that was left empty is sent all the same.
                if !bytes.is_empty() {
                    (file, file_name) = (Some(bytes), sent);
                }
                continue;
            }
            let bytes = field.bytes().await.map_err(|error| error::part(&error))?;
            length += bytes.len() + name.len();
            if length > MAX_TEXT || fields.len() >= 32 {
                return Err(messages::TOO_LARGE.into());
            }
            let text = String::from_utf8(bytes.into()).map_err(|_| Problem::new(messages::MALFORMED))?;
            if fields.insert(name, text).is_some() {
                return Err(messages::MALFORMED.into());
            }
        }
        if !token.is(fields.get("csrf").map_or("", |text| text)) {
            return Err(messages::CROSS_SITE.into());
        }
        Ok(Self { fields, file, file_name })
    }
}
