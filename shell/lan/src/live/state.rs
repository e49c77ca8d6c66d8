//! What the live table shows, and what keys do to it.

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    widgets::TableState,
};

use crate::Row;

/// Letters of a filter.
const MAX_FILTER: usize = 64;

/// What follows a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Stay,
    Leave,
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// As they came: no row jumps.
    #[default]
    Came,
    State,
    Vendor,
    Model,
    Serial,
    Address,
}

impl Order {
    pub(super) const ALL: [Self; 6] = [Self::Came, Self::State, Self::Vendor, Self::Model, Self::Serial, Self::Address];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Came => "as they came",
            Self::State => "state",
            Self::Vendor => "vendor",
            Self::Model => "model",
            Self::Serial => "serial",
            Self::Address => "address",
        }
    }

    fn next(self) -> Self {
        let at = Self::ALL.iter().position(|order| *order == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    all: Vec<Row>,
    /// Those that are shown, in their order.
    pub(super) rows: Vec<Row>,
    pub(super) troubles: Vec<String>,
    pub(super) interfaces: Vec<String>,
    pub(super) order: Order,
    pub(super) backwards: bool,
    pub(super) filter: String,
    /// The filter is being typed.
    pub(super) typing: bool,
    /// The device under the cursor: it stays there when rows come.
    chosen: Option<u32>,
    pub(super) table: TableState,
}

impl State {
    /// Takes what there is now.
    pub(super) fn take(&mut self, rows: Vec<Row>, troubles: Vec<String>, interfaces: Vec<String>) {
        (self.all, self.troubles, self.interfaces) = (rows, troubles, interfaces);
        self.arrange();
    }

    pub(super) fn count(&self) -> (usize, usize) {
        (self.all.len(), self.all.iter().filter(|row| row.gone).count())
    }

    pub(super) fn chosen(&self) -> Option<&Row> {
        self.rows.iter().find(|row| Some(row.id) == self.chosen)
    }

    fn arrange(&mut self) {
        self.rows = self.all.iter().filter(|row| row.matches(&self.filter)).cloned().collect();
        let text = |text: &Option<String>| text.as_deref().unwrap_or("\u{10ffff}").to_lowercase();
        match self.order {
            Order::Came => {}
            Order::State => self.rows.sort_by_key(|row| (row.gone, row.state.unwrap_or("\u{10ffff}"))),
            Order::Vendor => self.rows.sort_by_cached_key(|row| text(&row.vendor)),
            Order::Model => self.rows.sort_by_cached_key(|row| text(&row.model)),
            Order::Serial => self.rows.sort_by_cached_key(|row| text(&row.serial)),
            Order::Address => self.rows.sort_by_cached_key(|row| {
                row.addresses.first().and_then(|address| address.split('%').next()?.parse::<std::net::IpAddr>().ok())
            }),
        }
        if self.backwards {
            self.rows.reverse();
        }
        let at = self.rows.iter().position(|row| Some(row.id) == self.chosen);
        let at = at.or_else(|| (!self.rows.is_empty()).then_some(0));
        self.chosen = at.map(|at| self.rows[at].id);
        self.table.select(at);
    }

    fn go(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        let at = self.table.selected().unwrap_or(0).saturating_add_signed(by).min(last);
        self.chosen = self.rows.get(at).map(|row| row.id);
        self.arrange();
    }

    /// A key was pressed.
    pub(super) fn key(&mut self, key: KeyEvent) -> Next {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return Next::Leave;
        }
        if self.typing {
            match key.code {
                KeyCode::Enter => self.typing = false,
                KeyCode::Esc => {
                    self.typing = false;
                    self.filter.clear();
                }
                KeyCode::Backspace => drop(self.filter.pop()),
                KeyCode::Char(letter) if self.filter.chars().count() < MAX_FILTER => self.filter.push(letter),
                _ => {}
            }
            self.arrange();
            return Next::Stay;
        }
        match key.code {
            KeyCode::Char('q') => return Next::Leave,
            KeyCode::Esc if self.filter.is_empty() => return Next::Leave,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Char('s') => self.order = self.order.next(),
            KeyCode::Char('r') => self.backwards = !self.backwards,
            KeyCode::Down | KeyCode::Char('j') => self.go(1),
            KeyCode::Up | KeyCode::Char('k') => self.go(-1),
            KeyCode::PageDown => self.go(10),
            KeyCode::PageUp => self.go(-10),
            KeyCode::Home => self.go(isize::MIN),
            KeyCode::End => self.go(isize::MAX),
            _ => {}
        }
        self.arrange();
        Next::Stay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u32, serial: &str, model: &str) -> Row {
        Row { id, serial: Some(serial.into()), model: Some(model.into()), ..Row::default() }
    }

    fn press(state: &mut State, keys: &str) -> Next {
        let code = |letter| match letter {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            '↓' => KeyCode::Down,
            '↑' => KeyCode::Up,
            letter => KeyCode::Char(letter),
        };
        keys.chars().map(|letter| state.key(KeyEvent::from(code(letter)))).last().unwrap()
    }

    fn serials(state: &State) -> Vec<&str> {
        state.rows.iter().filter_map(|row| row.serial.as_deref()).collect()
    }

    #[test]
    fn rows_are_sorted_filtered_and_stay_under_the_cursor() {
        let mut state = State::default();
        state.take(vec![row(0, "C", "NVR-8"), row(1, "A", "CAM"), row(2, "B", "nvr-4")], vec![], vec![]);
        assert_eq!(serials(&state), ["C", "A", "B"]);
        press(&mut state, "↓");
        assert_eq!(state.chosen().unwrap().id, 1);
        press(&mut state, "ssss");
        assert_eq!((serials(&state), state.table.selected()), (vec!["A", "B", "C"], Some(0)));
        press(&mut state, "r");
        assert_eq!((serials(&state), state.table.selected()), (vec!["C", "B", "A"], Some(2)), "the cursor went along");
        state.take(vec![row(0, "C", "NVR-8"), row(1, "A", "CAM"), row(3, "Z", "CAM")], vec![], vec![]);
        assert_eq!(state.chosen().unwrap().id, 1, "a row that came moved nothing under it");
        press(&mut state, "/NVR q\u{1b}");
        assert_eq!(state.filter, "");
        press(&mut state, "/nvr\n");
        assert_eq!(serials(&state), ["C"]);
        assert_eq!(press(&mut state, "\u{1b}"), Next::Stay, "first the filter goes");
        assert_eq!(press(&mut state, "\u{1b}"), Next::Leave);
        assert_eq!(press(&mut state, "q"), Next::Leave);
    }

    #[test]
    fn an_empty_table_takes_every_key() {
        let mut state = State::default();
        state.take(vec![], vec![], vec![]);
        press(&mut state, "↓↑↓sr/xyz\n");
        for code in [KeyCode::Home, KeyCode::End, KeyCode::PageDown, KeyCode::PageUp, KeyCode::Backspace] {
            state.key(KeyEvent::from(code));
        }
        assert_eq!(state.table.selected(), None);
    }
}
