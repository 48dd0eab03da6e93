//! Form of a log line: text for people, or one JSON object. A line break or control character in a message is escaped,
//! so that no data can pass for a line of its own.

use std::cell::Cell;
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

/// Writes one record with its line break.
pub(super) fn write(out: &mut dyn Write, form: LogFormat, clock: &Clock, record: &Record<'_>) -> io::Result<()> {
    let (second, micros) = timestamp(clock);
    let second = std::str::from_utf8(&second).unwrap_or_default();
    match form {
        LogFormat::Text => {
            write!(out, "{second}.{micros:06}Z {:<5} {} ", record.level(), record.target())?;
            write_escaped(out, record.args())?;
            out.write_all(b"\n")
        }
        LogFormat::Json => {
            let level = record.level().as_str();
            write!(out, "{{\"time\":\"{second}.{micros:06}Z\",\"level\":\"{level}\",\"target\":\"")?;
            write_escaped(out, &format_args!("{}", record.target()))?;
            if record.target() == access::TARGET {
                // An access line prints itself as members of the object.
                write!(out, "\",{}}}\n", record.args())
            } else {
                out.write_all(b"\",\"message\":\"")?;
                write_escaped(out, record.args())?;
                out.write_all(b"\"}\n")
            }
        }
    }
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

fn write_escaped(out: &mut dyn Write, args: &fmt::Arguments<'_>) -> io::Result<()> {
    let mut escaped = Escaped { out, failed: None };
    match (escaped.write_fmt(*args), escaped.failed) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(e)) => Err(e),
        (Err(fmt), None) => Err(io::Error::other(fmt)),
    }
}

struct Escaped<'a> {
    out: &'a mut dyn Write,
    failed: Option<io::Error>,
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut result = Ok(());
        escape(text, |piece| {
            if result.is_ok() {
                result = self.out.write_all(piece.as_bytes());
            }
        });
        result.map_err(|e| {
            self.failed = Some(e);
            fmt::Error
        })
    }
}

/// Gives the text in pieces, escaped as JSON asks. In a line for people this marks quotes and backslashes too, which
/// keeps it unambiguous.
pub(super) fn escape(text: &str, mut piece: impl FnMut(&str)) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_control() || c == '"' || c == '\\') {
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
