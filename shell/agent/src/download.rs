//! Files to keep, as answers.

use axum::response::IntoResponse;
use http::header;

/// An XML file that the browser saves. The name is ours: letters, digits, dashes and dots.
pub(crate) fn xml(name: &str, content: String) -> impl IntoResponse {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, "application/xml".to_owned()), (header::CONTENT_DISPOSITION, disposition)], content)
}
