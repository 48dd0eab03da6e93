//! `rollcall import` and `rollcall export`: files, positions to go on from, progress on a terminal. What a line does is
//! `service::transfer`'s.

pub(super) mod export;
pub(super) mod import;
mod position;
mod progress;
mod report;
mod source;

use std::path::{Path, PathBuf};

/// Form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line: people, groups, memberships, roles
    Jsonl,
    /// People alone, a row each under a heading
    Csv,
}

impl Format {
    /// As asked for, or by the file's ending.
    fn of(asked: Option<Format>, path: &Path) -> Format {
        let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        asked.unwrap_or(if is_csv { Format::Csv } else { Format::Jsonl })
    }

    fn ending(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
        }
    }
}

/// The path with something behind it.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
