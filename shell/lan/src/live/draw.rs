//! How the live table looks.

use ratatui::{
    Frame,
    layout::{Constraint, Layout},
    style::{Modifier, Style},
    text::Line,
    widgets::{Block, Cell, Paragraph, Row as Shown, Table, Wrap},
};

use super::state::State;
use crate::Row;

const HEADERS: [&str; 9] = ["", "state", "vendor", "model", "serial", "address", "mac", "interface", "found by"];

/// Draws everything. Marks are letters as well as colours.
pub(super) fn draw(frame: &mut Frame, state: &mut State) {
    let detail = state.chosen().map(about).unwrap_or_default();
    let troubles = u16::try_from(state.troubles.len().min(3)).unwrap_or(0);
    let details = u16::try_from(detail.len()).unwrap_or(0);
    let [title, table, about, wrong, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(4),
        Constraint::Length(details),
        Constraint::Length(2 * troubles),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let (all, gone) = state.count();
    let shown = if state.rows.len() == all { String::new() } else { format!(", {} shown", state.rows.len()) };
    let gone = if gone == 0 { String::new() } else { format!(", {gone} gone") };
    let on = if state.interfaces.is_empty() { "no interface".to_owned() } else { state.interfaces.join(", ") };
    let devices = if all == 1 { "device" } else { "devices" };
    let heading =
        format!("Sparekey discover   {all} {devices}{gone}{shown}   on {on}   sorted: {}", state.order.name());
    frame.render_widget(Line::styled(heading, Style::new().add_modifier(Modifier::BOLD)), title);

    let rows: Vec<_> = state.rows.iter().map(row).collect();
    let widths = [1, 8, 10, 18, 24, 24, 17, 9, 0].map(|width| match width {
        0 => Constraint::Min(8),
        width => Constraint::Length(width),
    });
    let header = Shown::new(HEADERS).style(Style::new().add_modifier(Modifier::UNDERLINED));
    let list =
        Table::new(rows, widths).header(header).row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    frame.render_stateful_widget(list, table, &mut state.table);
    let detail: Vec<_> = detail.into_iter().map(Line::from).collect();
    frame.render_widget(Paragraph::new(detail), about);
    let lines: Vec<_> = state.troubles.iter().take(3).map(|line| Line::from(format!("! {line}"))).collect();
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).block(Block::new()), wrong);
    let help = if state.typing {
        format!("Show only what has: {}_   (Enter keeps, Esc drops)", state.filter)
    } else if state.filter.is_empty() {
        "arrows move   / filter   s sort   r reverse   q leave     + new   x gone".to_owned()
    } else {
        format!("filter: {}   (Esc drops it)   / change   s sort   r reverse   q leave", state.filter)
    };
    frame.render_widget(Line::from(help), keys);
}

fn row(row: &Row) -> Shown<'static> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (mark, style) = if row.gone {
        ("x", Style::new().add_modifier(Modifier::DIM | Modifier::CROSSED_OUT))
    } else if row.is_new {
        ("+", Style::new().add_modifier(Modifier::BOLD))
    } else {
        (" ", Style::new())
    };
    let state = row.state.unwrap_or_default().to_owned();
    let cells = [
        mark.to_owned(),
        state,
        text(&row.vendor),
        text(&row.model),
        text(&row.serial),
        row.addresses.first().cloned().unwrap_or_default(),
        text(&row.mac),
        row.interface.clone(),
        row.found_by.join(" "),
    ];
    Shown::new(cells.map(Cell::from)).style(style)
}

/// What there is no column for.
fn about(row: &Row) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut first = Vec::new();
    let mut add = |name: &str, text: &str| {
        if !text.is_empty() {
            first.push(format!("{name}: {text}"));
        }
    };
    add("name", row.name.as_deref().unwrap_or_default());
    add("firmware", row.firmware.as_deref().unwrap_or_default());
    add("started", row.start_time.as_deref().unwrap_or_default());
    add("ways back in", &row.methods.join(", "));
    lines.push(first.join("   "));
    lines.push(format!("addresses: {}", row.addresses.join("  ")));
    lines.push(row.network.clone().unwrap_or_default());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::{Terminal, backend::TestBackend};

    fn screen(state: &mut State, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, state)).unwrap();
        let buffer = terminal.backend().buffer();
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        (0..height).map(line).collect()
    }

    fn row(id: u32, serial: &str) -> Row {
        let text = |text: &str| Some(text.to_owned());
        Row {
            id,
            serial: text(serial),
            vendor: text("Sparekey"),
            model: text("NVR-8"),
            state: Some("active"),
            addresses: vec!["192.168.1.64".into(), "fe80::1%eth0".into()],
            interface: "eth0".into(),
            found_by: vec!["mdns", "onvif"],
            methods: vec!["email".into(), "desk".into()],
            ..Row::default()
        }
    }

    #[test]
    fn what_came_and_what_went_is_marked() {
        let mut state = State::default();
        let (new, gone) = (Row { is_new: true, ..row(1, "NVR-2") }, Row { gone: true, ..row(2, "NVR-3") });
        state.take(vec![row(0, "NVR-1"), new, gone], vec!["Something is wrong.".into()], vec!["eth0".into()]);
        let lines = screen(&mut state, 140, 20);
        assert_eq!(lines[0], "Sparekey discover   3 devices, 1 gone   on eth0   sorted: as they came");
        let begin: Vec<_> = lines[2..5].iter().map(|line| line.chars().next().unwrap_or(' ')).collect();
        assert_eq!(begin, [' ', '+', 'x']);
        assert!(
            lines[2].contains("NVR-1") && lines[2].contains("192.168.1.64") && lines[2].contains("mdns onvif"),
            "{}",
            lines[2]
        );
        let all = lines.join("\n");
        for text in ["! Something is wrong.", "ways back in: email, desk", "fe80::1%eth0", "/ filter"] {
            assert!(all.contains(text), "{text} in {all}");
        }
    }

    #[test]
    fn it_fits_into_any_terminal() {
        let mut state = State::default();
        state.take((0..200).map(|id| row(id, &format!("NVR-{id}"))).collect(), vec!["x".repeat(500); 5], vec![]);
        for (width, height) in [(1, 1), (10, 3), (80, 24), (300, 100)] {
            assert_eq!(screen(&mut state, width, height).len(), usize::from(height));
        }
    }
}
