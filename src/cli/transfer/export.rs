//! `rollcall export`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::position::{PositionFile, failed};
use super::progress::Progress;
use super::{Format, beside};
use crate::cli::{Refused, Result, open, operator};
use crate::config::Settings;
use crate::domain::csv;
use crate::domain::event::EventKind;
use crate::domain::transfer::columns::EXPORTED;
use crate::service::transfer::export::Place;
use crate::service::transfer::{self, Export, Holdings};
use crate::storage::Database;

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Slug or id of the organization
    #[arg(long)]
    organization: String,
    /// Name or id of the connection whose people and groups are wanted; without it, the organization's own
    #[arg(long)]
    connection: Option<String>,
    /// Form of the output; without it the file's ending decides
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// File to write, which must not exist unless an export into it was interrupted; without it, the standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How far an export has come.
#[derive(Serialize, Deserialize)]
struct Position {
    run: uuid::Uuid,
    organization: uuid::Uuid,
    connection: uuid::Uuid,
    is_csv: bool,
    place: Place,
    bytes: u64,
    rows: u64,
}

pub(in crate::cli) async fn run(arguments: &Arguments, settings: &Settings) -> Result<()> {
    let db = open(settings).await?;
    let result = execute(arguments, &db).await;
    db.close().await;
    result
}

async fn execute(arguments: &Arguments, db: &Database) -> Result<()> {
    let format = Format::of(arguments.format, arguments.output.as_deref().unwrap_or(Path::new("")));
    let holdings = Holdings::find(db, &arguments.organization, arguments.connection.as_deref()).await?;
    let mut position = Position {
        run: transfer::run_id(),
        organization: holdings.scope.organization.0,
        connection: holdings.scope.connection.0,
        is_csv: format == Format::Csv,
        place: Place::Users(None),
        bytes: 0,
        rows: 0,
    };
    let export = Export::new(db, &holdings);
    match &arguments.output {
        None => write(&export, format, &mut position, &mut io::stdout().lock(), None).await?,
        Some(path) => {
            let mut file = PositionFile::new(beside(path, ".position"));
            let mut out = BufWriter::with_capacity(256 << 10, begin(path, &file, &mut position)?);
            write(&export, format, &mut position, &mut out, Some(&mut file)).await?;
            out.get_ref().sync_all().map_err(|error| failed(path, &error))?;
            file.remove()?;
        }
    }
    let detail = json!({ "job": "export", "rows": position.rows });
    transfer::note(&operator(), db, holdings.scope, EventKind::JobFinished, position.run, &detail).await?;
    if let Some(path) = &arguments.output {
        crate::cli::output::line(&format!("Wrote {} rows to {}.", position.rows, path.display()))?;
    }
    Ok(())
}

/// The file to write into, cut to what a run before had written surely.
fn begin(path: &Path, file: &PositionFile, position: &mut Position) -> Result<File> {
    let Some(found) = file.read::<Position>()? else {
        // It will hold people.
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        return opened.map_err(|error| failed(path, &error));
    };
    let same = (found.organization, found.connection, found.is_csv);
    if same != (position.organization, position.connection, position.is_csv) {
        let file = file.path().display();
        return Err(Refused(format!("{file} is of an export of something else; take it away to begin anew")));
    }
    *position = found;
    let cut = || {
        let mut out = OpenOptions::new().write(true).open(path)?;
        if out.metadata()?.len() < position.bytes {
            return Err(io::Error::other("the file is shorter than its position file says; take both away"));
        }
        out.set_len(position.bytes)?;
        out.seek(SeekFrom::End(0))?;
        Ok(out)
    };
    cut().map_err(|error| failed(path, &error))
}

/// Writes from the position on to the end.
async fn write(
    export: &Export,
    format: Format,
    position: &mut Position,
    out: &mut impl Write,
    mut file: Option<&mut PositionFile>,
) -> Result<()> {
    let mut progress = Progress::new(position.rows);
    let mut text = String::new();
    if format == Format::Csv && position.bytes == 0 {
        text.push_str(&csv::line(&EXPORTED));
    }
    while position.place != Place::End {
        let rows = match format {
            Format::Jsonl => {
                let (records, next) = export.page(position.place).await?;
                for record in &records {
                    text.push_str(&record.print());
                    text.push('\n');
                }
                position.place = next;
                records.len()
            }
            Format::Csv => {
                let (rows, next) = export.rows(position.place).await?;
                rows.iter().for_each(|row| text.push_str(&csv::line(row)));
                position.place = next;
                rows.len()
            }
        };
        out.write_all(text.as_bytes())?;
        position.bytes += text.len() as u64;
        position.rows += rows as u64;
        text.clear();
        if let Some(file) = file.as_deref_mut() {
            out.flush()?;
            file.note(position)?;
        }
        progress.show(position.rows, None, "");
    }
    out.flush()?;
    progress.clear();
    Ok(())
}
