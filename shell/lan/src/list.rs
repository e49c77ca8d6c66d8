//! Lists: for a terminal, a program, a spreadsheet.

use std::io::{self, Write};

use rust_xlsxwriter::{Format, Workbook, XlsxError};
use unicode_width::UnicodeWidthStr;

use crate::{Row, row::COLUMNS};

/// What a plain list shows: the rest is in the others.
const SHOWN: [&str; 8] = ["state", "vendor", "model", "serial", "addresses", "mac", "interface", "found_by"];
/// A cell of a plain list is no wider.
const WIDEST: usize = 48;
/// A sheet holds no more rows; no table does either.
const MAX_ROWS: usize = 1_048_575;

/// One JSON object a line.
///
/// # Errors
/// Those of writing.
pub fn json(rows: &[Row], mut out: impl Write) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut out, row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// CSV (RFC 4180) with a line of names. No cell is a formula to whoever opens it in a spreadsheet.
///
/// # Errors
/// Those of writing.
pub fn csv(rows: &[Row], out: impl Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(COLUMNS)?;
    for row in rows {
        writer.write_record(row.cells().map(harmless))?;
    }
    writer.flush()
}

/// A cell that a spreadsheet takes for text. Some of them evaluate whatever begins so.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

/// A spreadsheet (Office Open XML). Every cell is a text.
///
/// # Errors
/// Those of the library.
pub fn xlsx(rows: &[Row]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Devices")?;
    let bold = Format::new().set_bold();
    for (column, name) in (0..).zip(COLUMNS) {
        sheet.write_string_with_format(0, column, name, &bold)?;
    }
    for (line, row) in (1..).zip(rows.iter().take(MAX_ROWS)) {
        for (column, cell) in (0..).zip(row.cells()) {
            sheet.write_string(line, column, cell)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofit();
    book.save_to_buffer()
}

/// A table of plain text: as wide as it must be.
///
/// # Errors
/// Those of writing.
pub fn plain(rows: &[Row], mut out: impl Write) -> io::Result<()> {
    let columns = SHOWN.map(|name| COLUMNS.iter().position(|column| *column == name).expect("a column of that name"));
    let cells: Vec<[String; SHOWN.len()]> = rows
        .iter()
        .map(|row| {
            let cells = row.cells();
            columns.map(|column| cut(&cells[column], WIDEST))
        })
        .collect();
    let widths: [usize; SHOWN.len()] = std::array::from_fn(|column| {
        let widest = cells.iter().map(|row| row[column].width()).max().unwrap_or(0);
        widest.max(SHOWN[column].width())
    });
    let mut line = |cells: [&str; SHOWN.len()]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())))
            .collect();
        writeln!(out, "{}", padded.join("  ").trim_end())
    };
    line(SHOWN)?;
    for row in &cells {
        line(std::array::from_fn(|column| row[column].as_str()))?;
    }
    Ok(())
}

/// As much of a text as fits, the last place saying that there is more.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for letter in text.chars() {
        if cut.width() + unicode_width::UnicodeWidthChar::width(letter).unwrap_or(0) >= width {
            break;
        }
        cut.push(letter);
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let some = |text: &str| Some(text.to_owned());
        vec![
            Row {
                serial: some("NVR-2026-000417"),
                vendor: some("Sparekey"),
                model: some("NVR-8"),
                state: Some("active"),
                addresses: vec!["192.168.1.64".into(), "fe80::1%eth0".into()],
                interfaces: vec!["eth0".into()],
                interface: "eth0".into(),
                found_by: vec!["mdns", "onvif"],
                ..Row::default()
            },
            Row {
                serial: some("=1+1"),
                vendor: some("@evil"),
                model: some("-录像机"),
                name: some("a,\"b\""),
                ..Row::default()
            },
        ]
    }

    fn text(write: impl Fn(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_one_object_a_line_with_what_the_protocol_names() {
        let text = text(|out| json(&rows(), out));
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        for field in ["serial", "vendor", "model", "state", "addresses", "mac", "interface", "found_by"] {
            assert!(lines[1].get(field).is_some(), "{field}");
        }
        assert_eq!(lines[0]["found_by"], serde_json::json!(["mdns", "onvif"]));
        assert_eq!(lines[0]["addresses"][1], "fe80::1%eth0");
    }

    #[test]
    fn no_cell_of_a_csv_is_a_formula() {
        let text = text(|out| csv(&rows(), out));
        let mut lines = text.split("\r\n");
        assert_eq!(lines.next().unwrap(), COLUMNS.join(","));
        let evil = lines.nth(1).unwrap();
        assert!(evil.starts_with(",'@evil,'-录像机,'=1+1,\"a,\"\"b\"\"\","), "{evil}");
        for begin in ["=", "+", "-", "@", "\t", "\r"] {
            assert!(harmless(format!("{begin}x")).starts_with('\''));
        }
    }

    #[test]
    fn a_spreadsheet_has_texts_only() {
        let bytes = xlsx(&rows()).unwrap();
        assert!(bytes.starts_with(b"PK"));
    }

    #[test]
    fn a_plain_list_is_aligned_also_with_wide_letters() {
        let text = text(|out| plain(&rows(), out));
        assert_eq!(
            text,
            "state   vendor    model    serial           addresses                  mac  interface  found_by\n\
             active  Sparekey  NVR-8    NVR-2026-000417  192.168.1.64 fe80::1%eth0       eth0       mdns onvif\n\
             \u{20}       @evil     -录像机  =1+1\n"
        );
        assert_eq!(cut("录像机录像机", 6), "录像…");
    }
}
