//! Requests of many devices, in as few files as hold them all.

use sparekey_protocol::files::{self, Document, Entry, FileError, MAX_BATCH, RequestFile};
use zeroize::Zeroizing;

/// The texts of the files: a file has no more entries, and no more bytes, than the desk takes.
///
/// # Errors
/// [`FileError`] of a request that fits into no file.
pub fn pack(requests: &[RequestFile]) -> Result<Vec<Zeroizing<String>>, FileError> {
    let (mut packed, mut rest) = (Vec::new(), requests);
    while !rest.is_empty() {
        let mut count = rest.len().min(MAX_BATCH);
        let text = loop {
            let entries = rest[..count].iter().cloned().map(Entry::Request).collect();
            match files::write(&Document::Batch(entries)) {
                Ok(text) => break text,
                Err(FileError::TooLong) if count > 1 => count -= 1,
                Err(error) => return Err(error),
            }
        };
        packed.push(text);
        rest = &rest[count..];
    }
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(payload: usize) -> RequestFile {
        let text = String::new;
        RequestFile {
            serial: "A-1".into(),
            model: text(),
            firmware: text(),
            device_time: text(),
            start_time: text(),
            payload: vec![7; payload],
        }
    }

    #[test]
    fn as_few_files_as_hold_them_all() {
        for (count, payload) in [(0, 1), (1, 401), (200, 10), (201, 10), (500, 401)] {
            let packed = pack(&vec![request(payload); count]).unwrap();
            let held: usize = packed
                .iter()
                .map(|text| match files::parse(text.as_bytes()).unwrap() {
                    Document::Batch(entries) => entries.len(),
                    other => panic!("{other:?}"),
                })
                .sum();
            assert_eq!(held, count, "{count} of {payload}");
            assert!(packed.iter().all(|text| text.len() <= files::MAX_FILE));
        }
        assert_eq!(pack(&vec![request(10); 200]).unwrap().len(), 1);
    }
}
