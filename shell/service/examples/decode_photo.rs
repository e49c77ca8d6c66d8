//! The child of the photo reader as a program of its own: an image on standard input, one line of
//! JSON on standard output. Tests and `benches/photos` run it; `sparekey decode-photo` is the same.

fn main() -> std::process::ExitCode {
    sparekey_service::photo::run_child()
}
