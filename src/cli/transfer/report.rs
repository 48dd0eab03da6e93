//! The report of refused rows: in the form of the file itself, with line and reason, so that rows can be mended and
//! imported again.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Format;
use super::source::Row;
use crate::domain::csv;

/// A report, made with its first row.
pub(super) struct Report {
    path: PathBuf,
    format: Format,
    heading: Vec<String>,
    file: Option<File>,
    /// Bytes written.
    pub(super) bytes: u64,
}

impl Report {
    /// One that goes on behind `bytes`, 0 for a new one. `heading` is that of a CSV file.
    pub(super) fn open(path: PathBuf, format: Format, heading: &[String], bytes: u64) -> io::Result<Self> {
        let mut report = Report { path, format, heading: heading.to_vec(), file: None, bytes };
        if bytes > 0 {
            let mut file = OpenOptions::new().write(true).open(&report.path)?;
            // Rows behind the position are refused again.
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0))?;
            report.file = Some(file);
        }
        Ok(report)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes refused rows.
    pub(super) fn write(&mut self, refused: &[(&Row, String)]) -> io::Result<()> {
        if refused.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                if self.format == Format::Csv {
                    let first = ["line", "reason"].map(str::to_owned);
                    text.push_str(&csv::line(&first.into_iter().chain(self.heading.clone()).collect::<Vec<_>>()));
                }
                // Rows are people.
                let mut options = OpenOptions::new();
                options.write(true).create(true).truncate(true).mode(0o600).open(&self.path)?
            }
        };
        for (row, reason) in refused {
            match self.format {
                Format::Csv => {
                    let first = [row.number.to_string(), reason.clone()];
                    text.push_str(&csv::line(&first.into_iter().chain(row.cells.clone()).collect::<Vec<_>>()));
                }
                Format::Jsonl => {
                    let raw = String::from_utf8_lossy(&row.raw);
                    let record = serde_json::from_str(&raw).unwrap_or_else(|_| Value::from(raw.trim_end()));
                    text.push_str(&json!({ "line": row.number, "reason": reason, "record": record }).to_string());
                    text.push('\n');
                }
            }
        }
        file.write_all(text.as_bytes())?;
        self.bytes += u64::try_from(text.len()).unwrap_or_default();
        self.file = Some(file);
        Ok(())
    }
}
