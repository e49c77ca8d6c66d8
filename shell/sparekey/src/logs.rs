//! Structured logs on standard error. What is logged never holds a code, a password or a whole address: the rooms see to it.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

use crate::report::Report;

/// `SPAREKEY_LOG` sets what is logged, as in `info,sparekey_service=debug`; `--json` makes each line an object.
pub(crate) fn start(report: Report, default: &str) {
    let filter = EnvFilter::try_from_env("SPAREKEY_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // Whatever is set: it would log the mailbox's password, and mails.
    let filter = filter.add_directive("async_imap=off".parse().expect("it is a directive"));
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    // A second call, in one process, keeps the first one's settings.
    let _ = if report.json { builder.json().try_init() } else { builder.try_init() };
}
