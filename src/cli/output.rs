//! What commands print. A reader that goes away (`rollcall token list | head -1`) is an error like any other, not a panic.

use std::io::{self, Write as _};

use chrono::{DateTime, SecondsFormat};
use serde_json::Value;

/// How a command prints what it found or made.
#[derive(clap::Args, Debug, Clone, Copy)]
pub(super) struct Output {
    /// Print one line of JSON, for scripts
    #[arg(long)]
    pub(super) json: bool,
}

impl Output {
    /// Prints either the JSON or the text.
    pub(super) fn print(self, json: &Value, text: impl FnOnce() -> String) -> io::Result<()> {
        if self.json { line(&json.to_string()) } else { line(&text()) }
    }
}

/// Prints a text and a line break.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Says on the standard error output what is wrong, a line each.
pub(super) fn complain(text: &str) {
    let mut out = io::stderr().lock();
    for part in text.lines() {
        // Nobody is left to tell.
        let _ = writeln!(out, "rollcall: {part}");
    }
}

/// RFC 3339 of µs since 1970.
pub(super) fn time(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(String::new, |t| t.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// The same for JSON, `null` where there is none.
pub(super) fn time_or_null(micros: Option<i64>) -> Value {
    micros.map_or(Value::Null, |t| Value::String(time(t)))
}

/// Columns of texts under their headings, as wide as needed.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count());
        cells.chain(headings.get(column).map(|h| h.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let heading = headings.iter().map(|h| h.to_string()).collect();
    let lines = std::iter::once(&heading).chain(rows).map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_as_wide_as_its_widest_cell() {
        let rows = [vec!["a".to_owned(), "é".repeat(8)], vec!["bbbb".to_owned(), String::new()]];
        assert_eq!(table(&["id", "name"], &rows), "id    name\na     éééééééé\nbbbb");
    }

    #[test]
    fn times_are_printed_in_utc() {
        assert_eq!(time(1_795_510_464_999_999), "2026-11-24T08:54:24Z");
        assert_eq!(time_or_null(None), Value::Null);
    }
}
