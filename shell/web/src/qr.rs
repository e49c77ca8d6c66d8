//! A QR symbol (ISO/IEC 18004) on a page, as SVG.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the symbol.
const QUIET: usize = 4;

/// Draws a text: error correction M, quiet zone 4, black on white whatever the page's colours are, one path.
///
/// `None` if the text is longer than a symbol holds, which a request's is not.
#[must_use]
pub fn svg(text: &str) -> Option<String> {
    let symbol = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = symbol.width();
    let colors = symbol.to_colors();
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run[0] == Color::Dark {
                let length = run.len();
                write!(path, "M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET)
                    .expect("writing to a string cannot fail");
            }
            x += run.len();
        }
    }
    let size = width + 2 * QUIET;
    Some(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>"##
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use qrcode::Version;

    #[test]
    fn a_request_of_usual_length_is_version_16_or_less() {
        // 401 bytes of request are 974 digits (protocol section 5).
        let text = format!("https://recover.example.org/r#{}", "1".repeat(974));
        let symbol = QrCode::with_error_correction_level(&text, EcLevel::M).unwrap();
        assert!(matches!(symbol.version(), Version::Normal(version) if version <= 16), "{:?}", symbol.version());
        let svg = svg(&text).unwrap();
        let size = symbol.width() + 8;
        assert!(svg.contains(&format!(r#"viewBox="0 0 {size} {size}""#)));
        assert!(svg.len() < 60_000, "{}", svg.len());
    }

    #[test]
    fn every_dark_module_is_drawn_and_no_other() {
        let text = "https://recover.example.org/r#0123456789";
        let symbol = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let dark = symbol.to_colors().iter().filter(|color| **color == Color::Dark).count();
        let drawn: usize = svg(text)
            .unwrap()
            .split('M')
            .skip(2) // the head, and the white ground
            .map(|run| run.split_once('h').unwrap().1.split('v').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(drawn, dark);
    }

    #[test]
    fn too_much_is_refused() {
        assert_eq!(svg(&"x".repeat(10_000)), None);
    }
}
