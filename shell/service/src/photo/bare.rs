//! Compressed pictures without what stands beside their pixels, which are not touched. Pure.

/// A JPEG (ITU T.81) without its applications' segments, comments, thumbnails and whatever comes after its end. What tells its colours
/// stays: that it is JFIF, or Adobe's.
///
/// `None` where it is not built as one.
pub(super) fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    let mut bare = vec![0xff, 0xd8];
    loop {
        let marker = match rest {
            [0xff, 0xff, ..] => {
                rest = &rest[1..]; // fill bytes
                continue;
            }
            [0xff, marker, ..] => *marker,
            _ => return None,
        };
        rest = &rest[2..];
        if marker == 0xd9 {
            bare.extend([0xff, 0xd9]);
            return Some(bare);
        }
        let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
        let (segment, after) = rest.split_at_checked(length)?;
        let content = segment.get(2..)?;
        rest = after;
        match marker {
            0xe0 if content.starts_with(b"JFIF\0") => {
                bare.extend([0xff, 0xe0, 0, 16]);
                bare.extend(content.get(..12)?);
                bare.extend([0, 0]); // no thumbnail
            }
            0xee if content.starts_with(b"Adobe") => {
                bare.extend([0xff, 0xee, 0, 14]);
                bare.extend(content.get(..12)?);
            }
            0xe0..=0xfe => {}
            _ => {
                bare.extend([0xff, marker]);
                bare.extend(segment);
            }
        }
        if marker == 0xda {
            let end = rest.windows(2).position(|pair| {
                // 0 is a byte 0xff of the picture's, 0xd0 to 0xd7 are where a decoder may begin anew.
                pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7 | 0xff)
            })?;
            bare.extend(&rest[..end]);
            rest = &rest[end..];
        }
    }
}

/// A JPEG 2000 (ISO 15444-1, annex I) without the boxes that describe it; a bare code stream is left as it is.
///
/// `None` where it is not built as one.
pub(super) fn jpeg_2000(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.starts_with(&[0xff, 0x4f, 0xff, 0x51]) {
        return Some(bytes.to_vec());
    }
    let mut rest = bytes;
    let mut bare = Vec::new();
    while !rest.is_empty() {
        let (length, kind) = (rest.get(..4)?, rest.get(4..8)?);
        let length = match u32::from_be_bytes(length.try_into().ok()?) {
            0 => rest.len(), // as far as the file goes
            1 => usize::try_from(u64::from_be_bytes(rest.get(8..16)?.try_into().ok()?)).ok()?,
            length => length as usize,
        };
        let (one, after) = if length >= 8 { rest.split_at_checked(length)? } else { return None };
        if matches!(kind, b"jP  " | b"ftyp" | b"jp2h" | b"jp2c" | b"rreq") {
            bare.extend(one);
        }
        rest = after;
    }
    (!bare.is_empty()).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] = b"\xff\xd8";
    const JFIF: &[u8] = b"\xff\xe0\0\x10JFIF\0\x01\x02\0\0\x01\0\x01\0\0";
    const TABLE: &[u8] = b"\xff\xdb\0\x04\x01\x02";
    const SCAN: &[u8] = b"\xff\xda\0\x03\x01\x12\xff\0\x34\xff\xd0\x56";
    const END: &[u8] = b"\xff\xd9";

    #[test]
    fn a_jpeg_keeps_its_pixels_and_nothing_else() {
        let bare = [START, JFIF, TABLE, SCAN, TABLE, SCAN, END].concat();
        let exif: &[u8] = b"\xff\xe1\0\x0aExif\0\0GP";
        let comment: &[u8] = b"\xff\xfe\0\x06Anna";
        let thumbnail: &[u8] = b"\xff\xe0\0\x13JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01abc";
        let cases = [
            [START, JFIF, TABLE, SCAN, TABLE, SCAN, END].concat(),
            [START, JFIF, exif, comment, TABLE, SCAN, TABLE, SCAN, END].concat(),
            [START, thumbnail, exif, TABLE, SCAN, comment, TABLE, SCAN, END, b"a film"].concat(),
            [START, JFIF, b"\xff\xff", TABLE, SCAN, exif, TABLE, SCAN, END].concat(),
        ];
        for (place, bytes) in cases.iter().enumerate() {
            assert_eq!(jpeg(bytes).as_deref(), Some(&bare[..]), "{place}");
        }
        for cut in 0..bare.len() {
            assert_eq!(jpeg(&bare[..cut]), None, "{cut}");
        }
        assert_eq!(jpeg(&[START, b"\xff\xe1\0\x01"].concat()), None, "a segment shorter than its length");
    }

    #[test]
    fn a_jpeg_2000_keeps_its_pixels_and_nothing_else() {
        let first: &[u8] = b"\0\0\0\x0cjP  \r\n\x87\n";
        let header: &[u8] = b"\0\0\0\x01jp2h\0\0\0\0\0\0\0\x11x";
        let picture: &[u8] = b"\0\0\0\0jp2cpixels";
        let bare = [first, header, picture].concat();
        let described = [first, b"\0\0\0\x0cuuidGPS.", header, b"\0\0\0\x0axml <>", picture].concat();
        assert_eq!(jpeg_2000(&described), Some(bare.clone()));
        assert_eq!(jpeg_2000(&bare), Some(bare));
        for bytes in [&b""[..], b"\0\0\0\x07jP  ", b"\0\0\0\x0djP  \r\n\x87\n", b"\0\0\0\x0cuuidGPS.", b"JFIF"] {
            assert_eq!(jpeg_2000(bytes), None, "{bytes:?}");
        }
    }
}
