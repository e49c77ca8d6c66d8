//! A picture drawn anew: whatever it was, a JPEG of its pixels and of nothing else comes out. Pure; only the child calls it in a
//! service.
//!
//! Where and when a photo was taken, by what, thumbnails of what was cut away, and anything that only looks like a picture, are gone
//! with the bytes they stood in.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, Rgb, RgbImage, imageops};

use super::decode::{MAX_BYTES, MAX_PIXELS, Unreadable};

/// Most bytes that a decoded picture may have: 50 megapixels in colour and with alpha.
const MAX_DECODED: u64 = MAX_PIXELS * 4;
/// The longer side of what comes out: a label is read well in it, and a hundred of them fit into a database.
const LONGEST_SIDE: u32 = 2_000;
/// Good enough to read small print.
const QUALITY: u8 = 82;

/// The pixels of a JPEG, PNG or WebP as a JPEG of at most 2,000 pixels a side, upright.
///
/// # Errors
/// [`Unreadable`]: by its header alone where it is too large.
pub fn redraw(image: &[u8]) -> Result<Vec<u8>, Unreadable> {
    if image.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let not_one = |_| Unreadable::NotAnImage;
    let bytes = Cursor::new(image);
    let picture = match image {
        [0xff, 0xd8, 0xff, ..] => pixels(JpegDecoder::new(bytes).map_err(not_one)?),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => {
            let decoder = PngDecoder::new(bytes).map_err(not_one)?;
            if decoder.is_apng().map_err(not_one)? {
                return Err(Unreadable::Animated);
            }
            pixels(decoder)
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
            let decoder = WebPDecoder::new(bytes).map_err(not_one)?;
            if decoder.has_animation() {
                return Err(Unreadable::Animated);
            }
            pixels(decoder)
        }
        _ => Err(Unreadable::NotAnImage),
    }?;
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&picture).map_err(not_one)?;
    Ok(jpeg)
}

fn pixels(mut decoder: impl ImageDecoder) -> Result<RgbImage, Unreadable> {
    let (width, height) = decoder.dimensions();
    match u64::from(width) * u64::from(height) {
        0 => return Err(Unreadable::NotAnImage),
        pixels if pixels > MAX_PIXELS => return Err(Unreadable::TooLarge),
        _ => {}
    }
    if decoder.total_bytes() > MAX_DECODED {
        return Err(Unreadable::TooLarge);
    }
    // A phone lays its photos down and says so beside the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| Unreadable::NotAnImage)?;
    if width.max(height) > LONGEST_SIDE {
        let scale = |side: u32| {
            let scaled = u64::from(side) * u64::from(LONGEST_SIDE) / u64::from(width.max(height));
            u32::try_from(scaled).unwrap_or(LONGEST_SIDE).max(1)
        };
        picture = DynamicImage::ImageRgba8(imageops::thumbnail(&picture, scale(width), scale(height)));
    }
    picture.apply_orientation(orientation);
    Ok(on_white(picture))
}

/// A screenshot's transparent ground is often black underneath; people see it white.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0;
        let over = |c: u8| {
            let mixed = (u32::from(c) * u32::from(a) + 255 * (255 - u32::from(a))) / 255;
            u8::try_from(mixed).expect("a mean of two bytes")
        };
        Rgb([over(r), over(g), over(b)])
    })
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;

    fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn what_is_drawn_anew_has_the_pixels_and_nothing_else() {
        let picture = RgbImage::from_fn(64, 32, |x, _| if x < 32 { Rgb([200, 30, 30]) } else { Rgb([30, 30, 200]) });
        let picture = DynamicImage::ImageRgb8(picture);
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let mut bytes = written(&picture, format);
            bytes.extend_from_slice(b"<script>GPS 48.1N 11.5E</script>");
            let drawn = redraw(&bytes).unwrap();
            assert!(!drawn.windows(3).any(|window| window == b"GPS"), "{format:?}");
            let again = image::load_from_memory_with_format(&drawn, ImageFormat::Jpeg).unwrap().into_rgb8();
            assert_eq!(again.dimensions(), (64, 32));
            let (left, right) = (again.get_pixel(8, 8).0, again.get_pixel(56, 8).0);
            assert!(left[0] > 150 && left[2] < 80 && right[2] > 150 && right[0] < 80, "{left:?} {right:?}");
        }
    }

    #[test]
    fn exif_is_followed_and_dropped() {
        let picture = RgbImage::from_fn(40, 20, |_, y| if y < 10 { Rgb([255, 255, 255]) } else { Rgb([0, 0, 0]) });
        let jpeg = written(&DynamicImage::ImageRgb8(picture), ImageFormat::Jpeg);
        // APP1 with one entry: orientation 6, turn right; then a maker's note.
        let tiff = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0SECRET-CAMERA";
        let mut with_exif = jpeg[..2].to_vec();
        with_exif.extend([0xff, 0xe1]);
        with_exif.extend(u16::try_from(tiff.len() + 2).unwrap().to_be_bytes());
        with_exif.extend(tiff);
        with_exif.extend(&jpeg[2..]);
        let drawn = redraw(&with_exif).unwrap();
        assert!(!drawn.windows(4).any(|window| window == b"Exif" || window == b"SECR"));
        let upright = image::load_from_memory(&drawn).unwrap().into_luma8();
        assert_eq!(upright.dimensions(), (20, 40));
        assert!(upright.get_pixel(2, 20).0[0] < 60 && upright.get_pixel(17, 20).0[0] > 200, "turned right");
    }

    #[test]
    fn large_ones_are_made_smaller_and_transparent_is_white() {
        let wide = DynamicImage::ImageRgb8(RgbImage::new(4_000, 1_000));
        let drawn = image::load_from_memory(&redraw(&written(&wide, ImageFormat::Png)).unwrap()).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (2_000, 500));
        let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 0])));
        let drawn = image::load_from_memory(&redraw(&written(&clear, ImageFormat::Png)).unwrap()).unwrap();
        assert!(drawn.into_luma8().get_pixel(4, 4).0[0] > 250);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        // A PNG of 100,000 × 100,000 by its header: the bomb is never decoded.
        let mut bomb = written(&DynamicImage::ImageRgb8(RgbImage::new(1, 1)), ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
        let crc = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(redraw(&bomb), Err(Unreadable::TooLarge));
        for bytes in [
            &b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"[..],
            b"%PDF-1.7",
            b"GIF89a",
            b"BM",
            b"",
            &[0xff, 0xd8, 0xff, 0xe0],
            b"\x89PNG\r\n\x1a\n",
            b"RIFF\0\0\0\0WEBP",
        ] {
            assert_eq!(redraw(bytes), Err(Unreadable::NotAnImage), "{bytes:?}");
        }
        assert_eq!(redraw(&vec![0; MAX_BYTES + 1]), Err(Unreadable::TooLarge));
    }

    /// CRC-32 of a PNG chunk (ISO 3309).
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
        })
    }
}
