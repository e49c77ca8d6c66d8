//! Bytes that lie here and there, as one answer of which a browser may ask for any range (RFC 9110 section 14).

use std::{fs::File, io, os::unix::fs::FileExt, path::PathBuf};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_range_header::parse_range_header;

/// What is read at a time.
const CHUNK: u64 = 512 * 1024;

/// One stretch of them.
#[derive(Clone, Debug)]
pub(crate) enum Slice {
    Bytes(Bytes),
    File { path: PathBuf, offset: u64, length: u64 },
}

impl Slice {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

/// All of them, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slices(pub(crate) Vec<Slice>);

impl Slices {
    pub(crate) fn length(&self) -> u64 {
        self.0.iter().map(Slice::length).sum()
    }

    /// The bytes before the first file, and the files.
    pub(crate) fn parts(self) -> (Bytes, Vec<(PathBuf, u64, u64)>) {
        let (mut head, mut files) = (Bytes::new(), Vec::new());
        for slice in self.0 {
            match slice {
                Slice::Bytes(bytes) => head = bytes,
                Slice::File { path, offset, length } => files.push((path, offset, length)),
            }
        }
        (head, files)
    }

    /// What lies between two of their bytes.
    fn between(&self, from: u64, to: u64) -> Self {
        let mut at = 0;
        let part = self.0.iter().filter_map(|slice| {
            let (begin, end) = (from.max(at) - at, to.min(at + slice.length()).saturating_sub(at));
            at += slice.length();
            (begin < end).then(|| match slice {
                Slice::Bytes(bytes) => {
                    Slice::Bytes(bytes.slice(usize::try_from(begin).unwrap_or(0)..usize::try_from(end).unwrap_or(0)))
                }
                Slice::File { path, offset, .. } => {
                    Slice::File { path: path.clone(), offset: offset + begin, length: end - begin }
                }
            })
        });
        Self(part.collect())
    }

    /// Reads all of them in pieces. It waits for the disk.
    pub(crate) fn read(self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = vec![0; usize::try_from(CHUNK).unwrap_or(0)];
        for slice in self.0 {
            match slice {
                Slice::Bytes(bytes) => take(&bytes),
                Slice::File { path, mut offset, mut length } => {
                    let file = File::open(path)?;
                    while length > 0 {
                        let part = &mut buffer[..usize::try_from(length.min(CHUNK)).unwrap_or(0)];
                        file.read_exact_at(part, offset)?;
                        take(part);
                        (offset, length) = (offset + part.len() as u64, length - part.len() as u64);
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads them as they are sent.
    fn body(self) -> Body {
        let begin = (self.0.into_iter(), None::<(File, u64, u64)>);
        let pieces = stream::try_unfold(begin, |(mut rest, open)| async move {
            let (file, offset, length) = match open {
                Some(open) => open,
                None => match rest.next() {
                    None => return Ok::<_, io::Error>(None),
                    Some(Slice::Bytes(bytes)) => return Ok(Some((bytes, (rest, None)))),
                    Some(Slice::File { path, offset, length }) => (File::open(path)?, offset, length),
                },
            };
            let read = tokio::task::spawn_blocking(move || {
                let mut part = vec![0; usize::try_from(length.min(CHUNK)).unwrap_or(0)];
                file.read_exact_at(&mut part, offset)?;
                Ok::<_, io::Error>((file, part))
            });
            let (file, part) = read.await.map_err(io::Error::other)??;
            let (offset, length) = (offset + part.len() as u64, length - part.len() as u64);
            Ok(Some((Bytes::from(part), (rest, (length > 0).then_some((file, offset, length))))))
        });
        Body::from_stream(pieces)
    }

    /// Answers with all of them, or the range that was asked for. `tag` names just these bytes, so that a download that was cut off
    /// goes on only with the rest of the same.
    pub(crate) fn answer(self, headers: &HeaderMap, kind: &'static str, tag: &str) -> Response {
        let length = self.length();
        let tag = HeaderValue::from_str(&format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        let same = headers.get(header::IF_RANGE).is_none_or(|asked| asked == tag);
        let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok()).filter(|_| same);
        let mut answer = match range.map(|range| parse_range_header(range).and_then(|range| range.validate(length))) {
            None => self.body().into_response(),
            // One at a time: what asks for more gets all of it (section 14.2).
            Some(Ok(ranges)) if ranges.len() != 1 => self.body().into_response(),
            Some(Ok(ranges)) => {
                let (from, to) = (*ranges[0].start(), *ranges[0].end());
                let part = self.between(from, to + 1);
                let mut answer = (StatusCode::PARTIAL_CONTENT, part.body()).into_response();
                set(&mut answer, header::CONTENT_RANGE, &format!("bytes {from}-{to}/{length}"));
                set(&mut answer, header::CONTENT_LENGTH, &(to + 1 - from).to_string());
                answer
            }
            Some(Err(_)) => {
                let mut answer = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
                set(&mut answer, header::CONTENT_RANGE, &format!("bytes */{length}"));
                return answer;
            }
        };
        if answer.status() == StatusCode::OK {
            set(&mut answer, header::CONTENT_LENGTH, &length.to_string());
        }
        let fixed = answer.headers_mut();
        fixed.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        fixed.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        fixed.insert(header::ETAG, tag);
        answer
    }
}

fn set(answer: &mut Response, name: header::HeaderName, value: &str) {
    answer.headers_mut().insert(name, HeaderValue::from_str(value).expect("digits and blanks"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(folder: &std::path::Path) -> Slices {
        std::fs::write(folder.join("a"), "0123456789").unwrap();
        let file = Slice::File { path: folder.join("a"), offset: 2, length: 6 };
        Slices(vec![
            Slice::Bytes(Bytes::from_static(b"head")),
            file.clone(),
            Slice::Bytes(Bytes::from_static(b"-")),
            file,
        ])
    }

    async fn asked(range: Option<&str>, if_range: Option<&str>) -> (u16, String, String) {
        let dir = tempfile::tempdir().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::RANGE, range), (header::IF_RANGE, if_range)] {
            value.map(|value| headers.insert(name, value.parse().unwrap()));
        }
        let answer = slices(dir.path()).answer(&headers, "video/mp4", "tag");
        let range = answer.headers().get(header::CONTENT_RANGE).map_or("", |range| range.to_str().unwrap()).to_owned();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap();
        (status, range, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn any_range_of_them() {
        for (range, if_range, status, content_range, body) in [
            (None, None, 200, "", "head234567-234567"),
            (Some("bytes=0-"), None, 206, "bytes 0-16/17", "head234567-234567"),
            (Some("bytes=3-5"), None, 206, "bytes 3-5/17", "d23"),
            (Some("bytes=10-11"), None, 206, "bytes 10-11/17", "-2"),
            (Some("bytes=-2"), None, 206, "bytes 15-16/17", "67"),
            (Some("bytes=16-99"), None, 206, "bytes 16-16/17", "7"),
            (Some("bytes=17-"), None, 416, "bytes */17", ""),
            (Some("bytes=5-3"), None, 416, "bytes */17", ""),
            (Some("bytes=3-5"), Some("\"tag\""), 206, "bytes 3-5/17", "d23"),
            (Some("bytes=3-5"), Some("\"other\""), 200, "", "head234567-234567"),
        ] {
            let told = asked(range, if_range).await;
            assert_eq!(told, (status, content_range.to_owned(), body.to_owned()), "{range:?} {if_range:?}");
        }
    }

    #[test]
    fn all_of_them_in_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        slices(dir.path()).read(|part| all.extend_from_slice(part)).unwrap();
        assert_eq!(all, b"head234567-234567");
    }
}
