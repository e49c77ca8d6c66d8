//! A QR symbol in a terminal, for a phone's camera: two modules a character, black on white whatever the terminal's colours are.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the symbol.
const QUIET: usize = 4;
/// Black on white by their numbers in the 256 colours: themes give others to the first sixteen only.
const INK: &str = "\x1b[38;5;16;48;5;231m";
const PLAIN: &str = "\x1b[0m";

/// Draws a text: error correction M, quiet zone 4. `None` if it is longer than a symbol holds, which a request's is not.
#[must_use]
pub fn half_blocks(text: &str) -> Option<String> {
    let symbol = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (width, colors) = (symbol.width(), symbol.to_colors());
    let dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < width);
        inside(x).zip(inside(y)).is_some_and(|(x, y)| colors[y * width + x] == Color::Dark)
    };
    let size = width + 2 * QUIET;
    let mut drawn = String::new();
    for y in (0..size).step_by(2) {
        drawn.push_str(INK);
        for x in 0..size {
            drawn.push(match (dark(x, y), dark(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        writeln!(drawn, "{PLAIN}").expect("writing to a string cannot fail");
    }
    Some(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_drawn_with_its_quiet_zone() {
        for text in ["A", "https://recover.example.org/r#0123456789"] {
            let symbol = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
            let drawn = half_blocks(text).unwrap();
            let rows: Vec<Vec<char>> = drawn
                .lines()
                .map(|line| line.strip_prefix(INK).unwrap().strip_suffix(PLAIN).unwrap().chars().collect())
                .collect();
            let size = symbol.width() + 2 * QUIET;
            assert!(rows.len() == size.div_ceil(2) && rows.iter().all(|row| row.len() == size));
            let dark = |x: usize, y: usize| match rows[y / 2][x] {
                '█' => true,
                '▀' => y.is_multiple_of(2),
                '▄' => !y.is_multiple_of(2),
                _ => false,
            };
            for y in 0..size {
                for x in 0..size {
                    let inside = (QUIET..size - QUIET).contains(&x) && (QUIET..size - QUIET).contains(&y);
                    let expected = inside && symbol[(x - QUIET, y - QUIET)] == Color::Dark;
                    assert_eq!(dark(x, y), expected, "{x} {y}");
                }
            }
        }
        assert_eq!(half_blocks(&"x".repeat(10_000)), None);
    }
}
