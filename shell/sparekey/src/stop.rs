//! Ctrl-C and the signals that ask a program to end.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// A token that is cancelled at the first SIGINT or SIGTERM. A second one ends the program at once.
pub(crate) fn on_signal() -> Result<CancellationToken, Failure> {
    let listen = |kind| {
        signal(kind).map_err(|error| {
            Failure::new("not-possible", format!("Signals cannot be received: {error}."), "Check the system.")
        })
    };
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let mut next = async || tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} };
        next().await;
        token.cancel();
        next().await;
        std::process::exit(1);
    });
    Ok(stop)
}
