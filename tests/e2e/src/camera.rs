//! What a phone's camera sees: a picture as a film of one frame, for Chromium's `--use-file-for-fake-video-capture`.

use std::{fs::File, io::Write, path::Path};

use image::{ImageFormat, imageops::FilterType};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;

/// Writes the picture (PNG) as YUV4MPEG2, 1280 by 720, which Chromium repeats for as long as the camera is on.
pub fn film(png: &[u8], file: &Path) {
    let picture = image::load_from_memory_with_format(png, ImageFormat::Png).expect("a PNG");
    let picture = picture.resize_to_fill(WIDTH, HEIGHT, FilterType::Triangle).to_rgb8();
    let mut out = std::io::BufWriter::new(File::create(file).unwrap());
    writeln!(out, "YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420").unwrap();
    writeln!(out, "FRAME").unwrap();
    out.write_all(&picture.pixels().map(|pixel| luma(pixel.0)).collect::<Vec<_>>()).unwrap();
    for [red, green, blue] in [[-38, -74, 112], [112, -94, -18]] {
        let plane = (0..HEIGHT).step_by(2).flat_map(|y| (0..WIDTH).step_by(2).map(move |x| (x, y)));
        let chroma = plane.map(|(x, y)| {
            let [r, g, b] = picture.get_pixel(x, y).0.map(i32::from);
            byte(((red * r + green * g + blue * b + 128) >> 8) + 128)
        });
        out.write_all(&chroma.collect::<Vec<_>>()).unwrap();
    }
    out.flush().unwrap();
}

/// ITU-R BT.601, studio range.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    byte(((66 * i32::from(r) + 129 * i32::from(g) + 25 * i32::from(b) + 128) >> 8) + 16)
}

fn byte(value: i32) -> u8 {
    u8::try_from(value.clamp(0, 255)).expect("it is between the two")
}
