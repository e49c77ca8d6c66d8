//! One thing done with each of many devices, some at once, and how far it is.

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{lan::chosen::Chosen, report::Report};

/// A device is slow and patient; this computer and the link are not to be its crowd.
const AT_ONCE: usize = 8;

/// Does it with each, and tells each result as it comes: how many are done by then, the device, and what came of it.
pub(super) fn each<T: Send>(
    all: &[Chosen],
    report: Report,
    work: impl Fn(&Chosen) -> T + Sync,
    mut tell: impl FnMut(usize, &Chosen, T),
) {
    let bar = bar(all.len(), report);
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(all.len()) {
            let sender = sender.clone();
            let (next, work) = (&next, &work);
            scope.spawn(move || {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if sender.send((one, work(one))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (number, (one, result)) in (1..).zip(results) {
            bar.suspend(|| tell(number, one, result));
            bar.inc(1);
        }
    });
    bar.finish_and_clear();
}

/// Drawn on a terminal only, and not for programs.
fn bar(of: usize, report: Report) -> ProgressBar {
    let target = if report.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(of as u64), target);
    let style =
        ProgressStyle::with_template("{bar:40} {pos} of {len}, {elapsed} so far").expect("the template is well formed");
    bar.set_style(style);
    bar.enable_steady_tick(std::time::Duration::from_millis(500));
    bar
}
