//! The brightness of each pixel of a JPEG, PNG or WebP.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::decode::{MAX_PIXELS, Unreadable};

/// Most bytes that a decoded PNG or WebP may have: 50 megapixels with alpha, 8 bits each.
const MAX_DECODED: u64 = MAX_PIXELS * 4;

/// A grey picture: `width * height` bytes, row by row, 0 black.
pub(super) struct Luma {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<u8>,
}

impl Luma {
    /// Decodes `image`, whose kind shows in its first bytes.
    ///
    /// # Errors
    /// [`Unreadable::TooLarge`] by the header alone, before any pixel is decoded;
    /// [`Unreadable::Animated`]; [`Unreadable::NotAnImage`] for anything else or damaged.
    pub(super) fn decode(image: &[u8]) -> Result<Self, Unreadable> {
        match image {
            [0xff, 0xd8, 0xff, ..] => Self::from_jpeg(image),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Self::from_png(image),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::from_webp(image),
            _ => Err(Unreadable::NotAnImage),
        }
    }

    /// Averages squares of `by` times `by` pixels; what is left over at the edges is dropped.
    /// This takes away noise and moiré, which whole-size pixels are full of.
    pub(super) fn shrunk(&self, by: usize) -> Self {
        let (width, height) = (self.width / by, self.height / by);
        let area = u32::try_from(by * by).expect("the scales are small");
        let mut pixels = Vec::with_capacity(width * height);
        let mut sums = vec![0u32; width];
        for band in self.pixels.chunks_exact(self.width * by).take(height) {
            sums.fill(0);
            for row in band.chunks_exact(self.width) {
                for (sum, square) in sums.iter_mut().zip(row.chunks_exact(by)) {
                    *sum += square.iter().map(|&p| u32::from(p)).sum::<u32>();
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "an average of bytes is a byte")]
            pixels.extend(sums.iter().map(|sum| (sum / area) as u8));
        }
        Self { width, height, pixels }
    }

    /// Black where a pixel is darker than the mean of the square around it that reaches `reach`
    /// pixels each way, else white. A symbol half in glare or shadow comes out even.
    pub(super) fn even(&self, reach: usize) -> Self {
        let (width, height) = (self.width, self.height);
        let row = |y: usize| &self.pixels[y * width..(y + 1) * width];
        let mut columns = vec![0u32; width]; // sums of the rows from y - reach to y + reach
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height + reach {
            if y < height {
                columns.iter_mut().zip(row(y)).for_each(|(sum, &p)| *sum += u32::from(p));
            }
            let Some(y) = y.checked_sub(reach) else { continue };
            let rows = (y + reach).min(height - 1) - y.saturating_sub(reach) + 1;
            let mut sum: u32 = columns.iter().take(reach).sum();
            for (x, &pixel) in row(y).iter().enumerate() {
                if let Some(enters) = columns.get(x + reach) {
                    sum += enters;
                }
                let wide = (x + reach).min(width - 1) - x.saturating_sub(reach) + 1;
                let area = u32::try_from(rows * wide).expect("a part of at most MAX_PIXELS");
                pixels.push(if u32::from(pixel) * area < sum { 0 } else { 255 });
                if let Some(leaves) = x.checked_sub(reach) {
                    sum -= columns[leaves];
                }
            }
            if let Some(leaves) = y.checked_sub(reach) {
                columns.iter_mut().zip(row(leaves)).for_each(|(sum, &p)| *sum -= u32::from(p));
            }
        }
        Self { width, height, pixels }
    }

    fn from_jpeg(image: &[u8]) -> Result<Self, Unreadable> {
        let options = DecoderOptions::default()
            .jpeg_set_out_colorspace(ColorSpace::Luma) // spares the conversion to RGB
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX));
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(image), options);
        decoder.decode_headers().map_err(|_| Unreadable::NotAnImage)?;
        let (width, height) = decoder.dimensions().ok_or(Unreadable::NotAnImage)?;
        within_bounds(width as u64, height as u64)?;
        let mut pixels = decoder.decode().map_err(|_| Unreadable::NotAnImage)?;
        if decoder.output_colorspace() != Some(ColorSpace::Luma) || pixels.len() < width * height {
            return Err(Unreadable::NotAnImage); // four inks: no phone writes that
        }
        pixels.truncate(width * height);
        Ok(Self { width, height, pixels })
    }

    fn from_png(image: &[u8]) -> Result<Self, Unreadable> {
        let decoder = PngDecoder::new(Cursor::new(image)).map_err(|_| Unreadable::NotAnImage)?;
        if decoder.is_apng().map_err(|_| Unreadable::NotAnImage)? {
            return Err(Unreadable::Animated);
        }
        Self::from_decoder(decoder)
    }

    fn from_webp(image: &[u8]) -> Result<Self, Unreadable> {
        let decoder = WebPDecoder::new(Cursor::new(image)).map_err(|_| Unreadable::NotAnImage)?;
        if decoder.has_animation() {
            return Err(Unreadable::Animated);
        }
        Self::from_decoder(decoder)
    }

    fn from_decoder(decoder: impl ImageDecoder) -> Result<Self, Unreadable> {
        let (width, height) = decoder.dimensions();
        within_bounds(width.into(), height.into())?;
        if decoder.total_bytes() > MAX_DECODED {
            return Err(Unreadable::TooLarge);
        }
        let color = decoder.color_type();
        let mut raw = vec![0; usize::try_from(decoder.total_bytes()).expect("within MAX_DECODED")];
        decoder.read_image(&mut raw).map_err(|_| Unreadable::NotAnImage)?;
        let pixels = match color {
            ColorType::L8 => raw,
            ColorType::La8 => grey(&raw, |[l, a]: [u8; 2]| over_white(l, a)),
            ColorType::Rgb8 => grey(&raw, |[r, g, b]: [u8; 3]| luminance(r, g, b)),
            ColorType::Rgba8 => grey(&raw, |[r, g, b, a]: [u8; 4]| over_white(luminance(r, g, b), a)),
            // Sixteen bits come in this machine's order: its high byte is enough.
            ColorType::L16 => grey(&raw, high),
            ColorType::La16 => grey(&raw, |[l, m, a, b]: [u8; 4]| over_white(high([l, m]), high([a, b]))),
            ColorType::Rgb16 => {
                grey(&raw, |[r, s, g, h, b, c]: [u8; 6]| luminance(high([r, s]), high([g, h]), high([b, c])))
            }
            ColorType::Rgba16 => grey(&raw, |[r, s, g, h, b, c, a, z]: [u8; 8]| {
                over_white(luminance(high([r, s]), high([g, h]), high([b, c])), high([a, z]))
            }),
            _ => return Err(Unreadable::NotAnImage),
        };
        Ok(Self { width: width as usize, height: height as usize, pixels })
    }
}

fn within_bounds(width: u64, height: u64) -> Result<(), Unreadable> {
    match width * height {
        0 => Err(Unreadable::NotAnImage),
        pixels if pixels > MAX_PIXELS => Err(Unreadable::TooLarge),
        _ => Ok(()),
    }
}

fn grey<const N: usize>(raw: &[u8], of: impl Fn([u8; N]) -> u8) -> Vec<u8> {
    let (pixels, _) = raw.as_chunks::<N>();
    pixels.iter().map(|&pixel| of(pixel)).collect()
}

fn high(sample: [u8; 2]) -> u8 {
    u16::from_ne_bytes(sample).to_be_bytes()[0]
}

/// Rec. 601 luma, as JPEG has it.
fn luminance(r: u8, g: u8, b: u8) -> u8 {
    let sum = 77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b);
    sum.to_be_bytes()[2] // divided by 256: the weights sum to that
}

/// A screenshot's transparent ground is often black underneath; people see it white.
fn over_white(luma: u8, alpha: u8) -> u8 {
    let (luma, alpha) = (u32::from(luma), u32::from(alpha));
    u8::try_from((luma * alpha + 255 * (255 - alpha)) / 255).expect("a mean of two bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_averaged_and_the_rest_dropped() {
        let luma = Luma { width: 5, height: 2, pixels: vec![0, 10, 100, 100, 9, 20, 30, 100, 104, 9] };
        let half = luma.shrunk(2);
        assert_eq!((half.width, half.height, half.pixels), (2, 1, vec![15, 101]));
    }

    #[test]
    fn darker_than_its_surroundings_is_black() {
        // Against the sums as written: every pixel's own square, cut at the edges.
        let (width, height, reach) = (7usize, 5usize, 2usize);
        let pixels: Vec<u8> = (0..35u32).map(|i| (i * 97 % 251) as u8).collect();
        let luma = Luma { width, height, pixels: pixels.clone() };
        let mut expected = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let (mut sum, mut area) = (0, 0);
                for j in y.saturating_sub(reach)..=(y + reach).min(height - 1) {
                    for i in x.saturating_sub(reach)..=(x + reach).min(width - 1) {
                        sum += u32::from(pixels[j * width + i]);
                        area += 1;
                    }
                }
                let black = u32::from(pixels[y * width + x]) * area < sum;
                expected.push(if black { 0 } else { 255 });
            }
        }
        assert_eq!(luma.even(reach).pixels, expected);
        // A window larger than the picture is the picture.
        assert_eq!(luma.even(100).pixels.len(), 35);
    }

    #[test]
    fn transparent_is_white_and_weights_reach_both_ends() {
        assert_eq!(over_white(0, 0), 255);
        assert_eq!(over_white(40, 255), 40);
        assert_eq!((luminance(0, 0, 0), luminance(255, 255, 255)), (0, 255));
        assert_eq!(high(0x1234u16.to_ne_bytes()), 0x12);
    }
}
