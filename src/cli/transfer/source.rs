//! Rows of the file that is imported, in batches, from any place on.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::Format;
use crate::domain::csv;
use crate::domain::transfer::{Columns, Record};
use crate::service::transfer::{self, BATCH};

/// Longest row; what is longer is refused.
const ROW: u64 = 1 << 20;
/// How much of a file's beginning tells it from others.
const HEAD: u64 = 64 << 10;

/// A place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Place {
    /// Bytes before it.
    pub(super) offset: u64,
    /// Lines before it.
    pub(super) line: u64,
}

/// A row, and what it says or why it says nothing.
pub(super) struct Row {
    pub(super) number: u64,
    /// As it stands in the file.
    pub(super) raw: Vec<u8>,
    /// Of a CSV file.
    pub(super) cells: Vec<String>,
    pub(super) record: Result<Record, String>,
}

/// Rows that follow each other.
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    /// Behind the last one.
    pub(super) end: Place,
}

pub(super) struct Source {
    reader: BufReader<File>,
    place: Place,
    /// Bytes of the file.
    pub(super) length: u64,
    /// Tells this file from others.
    pub(super) fingerprint: String,
    csv: Option<Csv>,
}

struct Csv {
    delimiter: char,
    heading: Vec<String>,
    columns: Columns,
}

impl Source {
    /// Opens a file; of a CSV file, reads its heading and what `mapping` makes of it.
    pub(super) fn open(path: &Path, format: Format, mapping: &[(String, String)]) -> Result<Self, String> {
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let mut file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut head = Vec::new();
        (&mut file).take(HEAD).read_to_end(&mut head).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let digest = Sha256::new().chain_update(length.to_be_bytes()).chain_update(&head).finalize();
        let fingerprint = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let reader = BufReader::with_capacity(256 << 10, file);
        let mut source = Source { reader, place: Place::default(), length, fingerprint, csv: None };
        if format == Format::Csv {
            let raw = source.row(true).map_err(failed)?.unwrap_or_default();
            let text = std::str::from_utf8(&raw).map_err(|_| format!("{} is not UTF-8", path.display()))?;
            let delimiter = delimiter(text);
            let heading = csv::split(text, delimiter)?;
            let columns = Columns::of(&heading, mapping)?;
            source.csv = Some(Csv { delimiter, heading, columns });
        }
        Ok(source)
    }

    /// Goes on at a place of a run before.
    pub(super) fn seek(&mut self, place: Place) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(place.offset))?;
        self.place = place;
        Ok(())
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// The heading of a CSV file.
    pub(super) fn heading(&self) -> &[String] {
        self.csv.as_ref().map_or(&[], |csv| &csv.heading)
    }

    /// Headings that mean nothing.
    pub(super) fn ignored(&self) -> Vec<&str> {
        let Some(csv) = &self.csv else { return Vec::new() };
        csv.columns.ignored().filter_map(|at| csv.heading.get(at)).map(|name| name.trim()).collect()
    }

    /// The next rows; none at the end.
    pub(super) fn batch(&mut self) -> io::Result<Batch> {
        let mut rows = Vec::with_capacity(BATCH);
        while rows.len() < BATCH {
            let number = self.place.line + 1;
            let Some(raw) = self.row(self.csv.is_some())? else { break };
            if raw.trim_ascii().is_empty() {
                continue;
            }
            rows.push(self.read(number, raw));
        }
        Ok(Batch { rows, end: self.place })
    }

    fn read(&self, number: u64, raw: Vec<u8>) -> Row {
        if raw.len() as u64 > ROW {
            let start = raw.get(..200).unwrap_or_default().to_vec();
            let record = Err("the row is longer than 1 MiB, or a quote is not closed".to_owned());
            return Row { number, raw: start, cells: Vec::new(), record };
        }
        let Some(csv) = &self.csv else {
            let record = transfer::parse(&raw);
            return Row { number, raw, cells: Vec::new(), record };
        };
        let cells = std::str::from_utf8(&raw)
            .map_err(|_| "the row is not UTF-8".to_owned())
            .and_then(|text| csv::split(text, csv.delimiter));
        let (cells, record) = match cells {
            Ok(cells) => {
                let record = csv.columns.person(&cells).map(Record::User);
                (cells, record)
            }
            Err(reason) => (vec![String::from_utf8_lossy(&raw).trim_end().to_owned()], Err(reason)),
        };
        Row { number, raw, cells, record }
    }

    /// One row with its end; of CSV, on over line breaks inside quotes. A row that is too long comes cut, one byte longer
    /// than a row may be; what is left of its line is passed over.
    fn row(&mut self, is_csv: bool) -> io::Result<Option<Vec<u8>>> {
        let mut raw: Vec<u8> = Vec::new();
        let mut inside_quotes = false;
        loop {
            let before = raw.len();
            let room = (ROW + 1).saturating_sub(raw.len() as u64);
            let read = (&mut self.reader).take(room).read_until(b'\n', &mut raw)? as u64;
            self.place.offset += read;
            let ends_line = raw.last() == Some(&b'\n');
            if read > 0 && ends_line {
                self.place.line += 1;
            }
            if raw.len() as u64 > ROW {
                if !ends_line {
                    self.skip_line()?;
                }
                return Ok(Some(raw));
            }
            if read == 0 || !ends_line {
                return Ok((!raw.is_empty()).then_some(raw));
            }
            let quotes = raw.iter().skip(before).filter(|byte| **byte == b'"').count();
            inside_quotes ^= quotes % 2 == 1;
            if !is_csv || !inside_quotes {
                return Ok(Some(raw));
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |at| at + 1);
            self.reader.consume(used);
            self.place.offset += used as u64;
            if end.is_some() {
                self.place.line += 1;
                return Ok(());
            }
        }
    }
}

/// The one that stands most often in the heading: some spreadsheets write semicolons or tabs.
fn delimiter(heading: &str) -> char {
    let count = |delimiter: &char| heading.matches(*delimiter).count();
    // Of equal ones the last: a heading of one column has none of them.
    [';', '\t', ','].into_iter().max_by_key(count).unwrap_or(',')
}
