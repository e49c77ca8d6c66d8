//! The child of the photo reader as a program of its own: an image or a PDF on standard input, one line
//! of JSON on standard output. Tests and `benches/photos` run it; `sparekey decode-photo` is the same.

fn main() -> std::process::ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("--redraw") => sparekey_service::photo::run_redrawing_child(),
        Some("--pdf") => sparekey_service::photo::run_cleaning_child(),
        _ => sparekey_service::photo::run_child(),
    }
}
