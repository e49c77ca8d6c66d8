//! QR symbols in a grey picture, by rxing.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rxing::common::{GlobalHistogramBinarizer, HybridBinarizer};
use rxing::multi::MultipleBarcodeReader;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BarcodeFormat, Binarizer, BinaryBitmap, DecodeHints, Luma8Source};

use super::pixels::Luma;

/// Most symbols taken from one picture at a time; a monitor shows one, a desk's table a few.
const MAX_SYMBOLS: usize = 16;

/// How black is told from white.
#[derive(Clone, Copy, Debug)]
pub(super) enum Threshold {
    /// By rxing, in squares of 40 pixels: quick, and enough for most photos.
    Squares,
    /// By the mean around each pixel, as far as this part of the picture's shorter side: takes
    /// five times as long, and reads photos with glare, shadow or blur too.
    Mean(usize),
}

/// The texts of the symbols found, at most [`MAX_SYMBOLS`].
pub(super) fn read(luma: &Luma, threshold: Threshold) -> Vec<String> {
    match threshold {
        Threshold::Squares => search(luma, HybridBinarizer::new),
        Threshold::Mean(part) => {
            let even = luma.even(luma.width.min(luma.height) / part);
            search(&even, GlobalHistogramBinarizer::new)
        }
    }
}

fn search<'a, B: Binarizer>(luma: &'a Luma, binarizer: impl FnOnce(Luma8Source<'a>) -> B) -> Vec<String> {
    let (Ok(width), Ok(height)) = (u32::try_from(luma.width), u32::try_from(luma.height)) else {
        return Vec::new();
    };
    let Ok(source) = Luma8Source::new_with_slice(&luma.pixels, width, height) else {
        return Vec::new();
    };
    let hints = DecodeHints {
        PossibleFormats: Some(HashSet::from([BarcodeFormat::QR_CODE])),
        TryHarder: Some(true),
        ..DecodeHints::default()
    };
    let mut bitmap = BinaryBitmap::new(binarizer(source));
    // rxing says of its own search that it can panic. Such a picture has no symbol this way; the
    // bitmap, which alone it could leave half done, is dropped.
    let found =
        catch_unwind(AssertUnwindSafe(|| QrReader.decode_multiple_with_hints(&mut bitmap, &hints).unwrap_or_default()));
    let found = found.unwrap_or_default();
    found.iter().take(MAX_SYMBOLS).map(|symbol| symbol.getText().to_owned()).collect()
}
