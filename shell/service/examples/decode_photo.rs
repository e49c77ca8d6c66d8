//! The child of the photo reader as a program of its own: an image on standard input, one line of
//! JSON on standard output. Tests and `benches/photos` run it; `sparekey decode-photo` is the same.

fn main() -> std::process::ExitCode {
    if std::env::args().any(|argument| argument == "--redraw") {
        sparekey_service::photo::run_redrawing_child()
    } else {
        sparekey_service::photo::run_child()
    }
}
