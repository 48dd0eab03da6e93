//! CSV (RFC 4180), a record at a time. Written cells that a spreadsheet would take for a formula get an apostrophe in
//! front; read cells lose it again.

use std::fmt::Display;

/// What a formula may begin with.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A record as a line.
pub fn line<C: Display>(cells: &[C]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| quoted(&cell.to_string())).collect();
    cells.join(",") + "\r\n"
}

/// A cell as it stands in a line.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(FORMULA) { "'" } else { "" };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}

/// The cells of one record.
///
/// # Errors
/// A sentence on quotes that stand wrong.
pub fn split(record: &str, delimiter: char) -> Result<Vec<String>, String> {
    let record = record.strip_suffix('\n').unwrap_or(record);
    let record = record.strip_suffix('\r').unwrap_or(record);
    let mut cells = Vec::new();
    let mut rest = record;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                let (cell, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                (cell.to_owned(), after)
            }
        };
        cells.push(bare(cell));
        match after.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(cells),
            None => return Err("after a closing quote comes neither a delimiter nor the end of the row".to_owned()),
        }
    }
}

/// The text up to the closing quote, and what follows it.
fn unquote(text: &str) -> Result<(String, &str), String> {
    let mut cell = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"').ok_or_else(|| "a quote is not closed".to_owned())?;
        cell.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                rest = more;
            }
            None => return Ok((cell, after)),
        }
    }
}

/// Without the apostrophe that `line` puts in front of a formula.
fn bare(cell: String) -> String {
    match cell.strip_prefix('\'') {
        Some(formula) if formula.starts_with(FORMULA) => formula.to_owned(),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_neutralised() {
        for (text, cell) in [
            ("", ""),
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("a=b", "a=b"),
        ] {
            assert_eq!(quoted(text), cell, "{text:?}");
        }
        assert_eq!(line(&["a", "b,c"]), "a,\"b,c\"\r\n");
    }

    #[test]
    fn what_was_written_reads_back() {
        let cells = ["", "a,b", "say \"x\"", "two\r\nlines", "=1+1", "'quoted'", " blank ", "é"];
        assert_eq!(split(&line(&cells), ',').unwrap(), cells);
        assert_eq!(split("", ',').unwrap(), [""]);
        assert_eq!(split("a;b,c;\n", ';').unwrap(), ["a", "b,c", ""]);
        assert_eq!(split("a\"b,c", ',').unwrap(), ["a\"b", "c"]);
    }

    #[test]
    fn quotes_that_stand_wrong_are_told() {
        assert!(split("\"a", ',').is_err());
        assert!(split("\"a\"b,c", ',').is_err());
    }
}
