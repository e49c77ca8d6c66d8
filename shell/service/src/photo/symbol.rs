//! QR symbols in a grey picture, by rxing.

use std::collections::HashSet;
use std::panic::catch_unwind;

use rxing::common::HybridBinarizer;
use rxing::multi::MultipleBarcodeReader;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BarcodeFormat, BinaryBitmap, DecodeHints, Luma8Source};

use super::pixels::Luma;

/// Most symbols taken from one picture; a monitor shows one, a desk's table a few.
pub(super) const MAX_SYMBOLS: usize = 16;

/// The texts of all symbols found, at most [`MAX_SYMBOLS`].
pub(super) fn read(luma: &Luma) -> Vec<String> {
    // rxing says of its own search that it can panic. Such a picture has no symbol at this scale.
    catch_unwind(|| find(luma)).unwrap_or_default()
}

fn find(luma: &Luma) -> Vec<String> {
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
    let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source));
    let found = QrReader.decode_multiple_with_hints(&mut bitmap, &hints).unwrap_or_default();
    found.iter().take(MAX_SYMBOLS).map(|symbol| symbol.getText().to_owned()).collect()
}
