//! The live table: rows come and go while it is looked at.

mod draw;
mod state;

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyEventKind},
};

use crate::{Finder, LanError, Row};
use state::{Next, State};

/// Between two looks at keys, and between two looks at what was found.
const TICK: Duration = Duration::from_millis(100);

/// What was found, as it was a moment ago.
#[derive(Debug)]
struct Picture {
    rows: Vec<Row>,
    troubles: Vec<String>,
    interfaces: Vec<String>,
}

type Searching = JoinHandle<Result<Finder, LanError>>;

/// Shows what a search finds until its reader leaves; hands the search back.
///
/// # Errors
/// [`LanError`]: the terminal, or the sockets.
pub fn run(finder: Finder) -> Result<Finder, LanError> {
    let (waker, over) = (finder.waker(), Arc::new(AtomicBool::new(false)));
    let picture = Arc::new(Mutex::new(None));
    // The sockets are never kept waiting by whoever draws.
    let searching = thread::spawn({
        let (over, picture) = (Arc::clone(&over), Arc::clone(&picture));
        move || search(finder, &over, &picture)
    });
    let shown = ratatui::try_init().and_then(|terminal| {
        let shown = show(terminal, &picture, &searching);
        ratatui::restore();
        shown
    });
    over.store(true, Ordering::Relaxed);
    let _ = waker.wake();
    let searched = searching.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    shown?;
    searched
}

fn search(mut finder: Finder, over: &AtomicBool, picture: &Mutex<Option<Picture>>) -> Result<Finder, LanError> {
    let mut told = Instant::now();
    while !over.load(Ordering::Relaxed) {
        finder.step(TICK / 4)?;
        if told.elapsed() >= TICK {
            told = Instant::now();
            let interfaces = finder.interfaces().iter().map(|interface| interface.name.clone()).collect();
            let now = Picture { rows: finder.rows(), troubles: finder.troubles(), interfaces };
            *picture.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
    }
    Ok(finder)
}

fn show(mut terminal: DefaultTerminal, picture: &Mutex<Option<Picture>>, searching: &Searching) -> io::Result<()> {
    let mut state = State::default();
    while !searching.is_finished() {
        if let Some(Picture { rows, troubles, interfaces }) =
            picture.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            state.take(rows, troubles, interfaces);
        }
        terminal.draw(|frame| draw::draw(frame, &mut state))?;
        if !event::poll(TICK)? {
            continue;
        }
        if let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
            && state.key(key) == Next::Leave
        {
            break;
        }
    }
    Ok(())
}
