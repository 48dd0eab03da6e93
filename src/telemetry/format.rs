//! Form of a log line: text for people, or one JSON object. A line break or control character in a message is escaped,
//! so that no data can pass for a line of its own.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::sync::OnceLock;

use chrono::{DateTime, Datelike as _, Timelike as _};
use log::Record;

use super::access;
use crate::config::LogFormat;
use crate::state::Clock;

/// Set once with the logger; access lines print their fields in the same form.
static FORM: OnceLock<LogFormat> = OnceLock::new();

/// Sets the form for the process; the first one stays.
pub(super) fn set(form: LogFormat) -> LogFormat {
    *FORM.get_or_init(|| form)
}

/// The form of the process.
pub(super) fn form() -> LogFormat {
    FORM.get().copied().unwrap_or(LogFormat::Text)
}

thread_local! {
    /// Where a line is put together, to be written in one piece.
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Bytes that a thread keeps for its next line; a longer one gives its memory back.
const KEPT: usize = 4096;

/// Writes one record with its line break.
pub(super) fn write(out: &mut dyn Write, form: LogFormat, clock: &Clock, record: &Record<'_>) -> io::Result<()> {
    LINE.with(|line| match line.try_borrow_mut() {
        Ok(mut line) => {
            line.clear();
            compose(&mut line, form, clock, record)?;
            out.write_all(line.as_bytes())?;
            line.shrink_to(KEPT);
            Ok(())
        }
        // A message that logs while it is printed.
        Err(_) => {
            let mut line = String::new();
            compose(&mut line, form, clock, record)?;
            out.write_all(line.as_bytes())
        }
    })
}

fn compose(line: &mut String, form: LogFormat, clock: &Clock, record: &Record<'_>) -> io::Result<()> {
    let (second, micros) = timestamp(clock);
    let second = std::str::from_utf8(&second).unwrap_or_default();
    let composed = match form {
        LogFormat::Text => write!(line, "{second}.{micros:06}Z {:<5} {} ", record.level(), record.target())
            .and_then(|()| Escaped { line, escape: Escape::Lines }.write_fmt(*record.args())),
        LogFormat::Json => compose_json(line, second, micros, record),
    };
    line.push('\n');
    composed.map_err(io::Error::other)
}

fn compose_json(line: &mut String, second: &str, micros: u32, record: &Record<'_>) -> fmt::Result {
    write!(line, "{{\"time\":\"{second}.{micros:06}Z\",\"level\":\"{}\",\"target\":\"", record.level())?;
    Escaped { line, escape: Escape::Json }.write_str(record.target())?;
    if record.target() == access::TARGET {
        // An access line prints itself as members of the object.
        return write!(line, "\",{}}}", record.args());
    }
    line.push_str("\",\"message\":\"");
    Escaped { line, escape: Escape::Json }.write_fmt(*record.args())?;
    line.push_str("\"}");
    Ok(())
}

/// The line that stands where others were dropped.
pub(super) fn gap_line(dropped: u64) -> String {
    match form() {
        LogFormat::Text => format!("{dropped} log lines were dropped: what reads the log was too slow"),
        LogFormat::Json => {
            format!("{{\"level\":\"WARN\",\"message\":\"{dropped} log lines were dropped\",\"dropped\":{dropped}}}")
        }
    }
}

type Second = [u8; 19];

thread_local! {
    /// The last second that was printed, so that most lines of a busy server divide no date.
    static LAST: Cell<(i64, Second)> = const { Cell::new((i64::MIN, *b"1970-01-01T00:00:00")) };
}

/// `2026-11-24T08:54:24` and the microseconds within that second.
fn timestamp(clock: &Clock) -> (Second, u32) {
    let now = clock.now();
    let (second, micros) = (now.div_euclid(1_000_000), now.rem_euclid(1_000_000));
    let (known, mut text) = LAST.get();
    if known != second {
        text = date(second).unwrap_or(text);
        LAST.set((second, text));
    }
    (text, u32::try_from(micros).unwrap_or(0))
}

fn date(second: i64) -> Option<Second> {
    let at = DateTime::from_timestamp(second, 0)?;
    let text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    text.into_bytes().try_into().ok()
}

/// What is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// Control characters: a line for people stays one line.
    Lines,
    /// Also quotes and backslashes, as in a JSON string.
    Json,
}

struct Escaped<'a> {
    line: &'a mut String,
    escape: Escape,
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(text, self.escape, |piece| self.line.push_str(piece));
        Ok(())
    }
}

/// Gives the text in pieces, with what must be escaped as JSON writes it.
pub(super) fn escape(text: &str, escape: Escape, mut piece: impl FnMut(&str)) {
    let is_plain = |b: u8| matches!(b, 0x20..=0x7e) && (escape == Escape::Lines || !matches!(b, b'"' | b'\\'));
    if text.bytes().all(is_plain) {
        return piece(text);
    }
    let mut rest = text;
    let is_special = |c: char| c.is_control() || (escape == Escape::Json && matches!(c, '"' | '\\'));
    while let Some(at) = rest.find(is_special) {
        let (plain, from) = rest.split_at(at);
        piece(plain);
        let mut characters = from.chars();
        match characters.next() {
            Some('"') => piece("\\\""),
            Some('\\') => piece("\\\\"),
            Some('\n') => piece("\\n"),
            Some('\t') => piece("\\t"),
            Some(c) => piece(&format!("\\u{:04x}", u32::from(c))),
            None => {}
        }
        rest = characters.as_str();
    }
    piece(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(form: LogFormat, target: &str, message: &str) -> String {
        let mut out = Vec::new();
        let clock = Clock::new(|| 1_795_510_464_000_042);
        let args = format_args!("{message}").to_string();
        write(
            &mut out,
            form,
            &clock,
            &Record::builder().level(log::Level::Warn).target(target).args(format_args!("{args}")).build(),
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn line_for_people_has_time_level_target_and_message() {
        assert_eq!(line(LogFormat::Text, "a::b", "it works"), "2026-11-24T08:54:24.000042Z WARN  a::b it works\n");
    }

    #[test]
    fn data_cannot_forge_a_line() {
        for form in [LogFormat::Text, LogFormat::Json] {
            let line = line(form, "a", "x\n2026-11-24T08:54:24Z \"INFO\"\r\u{1b}[31m \\");
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert!(!line.trim_end().contains(char::is_control), "{line}");
        }
    }

    #[test]
    fn json_line_is_json() {
        let line: serde_json::Value = serde_json::from_str(&line(LogFormat::Json, "a", "say \"x\"\n\u{7f}")).unwrap();
        assert_eq!(line["message"], "say \"x\"\n\u{7f}");
        assert_eq!(
            (line["level"].as_str(), line["time"].as_str()),
            (Some("WARN"), Some("2026-11-24T08:54:24.000042Z"))
        );
    }

    #[test]
    fn seconds_are_counted_on_across_days() {
        for (now, expected) in
            [(-1, "1969-12-31T23:59:59"), (0, "1970-01-01T00:00:00"), (1_709_210_096_999_999, "2024-02-29T12:34:56")]
        {
            let (second, _) = timestamp(&Clock::new(move || now));
            assert_eq!(std::str::from_utf8(&second).unwrap(), expected);
        }
    }
}
