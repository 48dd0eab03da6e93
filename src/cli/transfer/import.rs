//! `rollcall import FILE`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::position::{PositionFile, failed};
use super::progress::Progress;
use super::report::Report;
use super::source::{Batch, Place, Row, Source};
use super::{Format, beside};
use crate::cli::{Output, Refused, Result, open, operator, output};
use crate::config::Settings;
use crate::domain::event::EventKind;
use crate::domain::transfer::Import;
use crate::service::transfer::{self, Counts, Holdings, Importer, Line, Outcome};
use crate::storage::Database;

const FORMAT: &str = r#"A JSON Lines file has one object a line. `data` is the SCIM resource; `id` is what other lines name it by:
  {"type":"user","id":"u1","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"anna@example.com"}}
  {"type":"group","id":"g1","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Sales"}}
  {"type":"member","group":"g1","member":"u1"}
  {"type":"role","user":"u1","role":"read_only"}
A role may be a group's (`"group":"g1"`), for its members. `rollcall export` writes the same.

A CSV file holds people. Its first row says what the columns are, in these words or common others (see --map):
  email, user_name, given_name, family_name, display_name, title, department, division, cost_center,
  employee_number, phone, mobile, locale, language, time_zone, external_id, active, roles"#;

#[derive(clap::Args)]
#[command(after_long_help = FORMAT)]
pub(in crate::cli) struct Arguments {
    /// The file
    file: PathBuf,
    /// Slug or id of the organization
    #[arg(long)]
    organization: String,
    /// Name or id of the connection that shall own the people and groups; without it the organization itself does
    #[arg(long)]
    connection: Option<String>,
    /// Form of the file; without it its ending decides
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// What columns of a CSV file mean, e.g. "Mail=email,First=given_name,Notes=ignore"; the rest is guessed
    #[arg(long, value_name = "HEADING=FIELD,…")]
    map: Vec<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Where refused rows go [default: FILE.refused.jsonl or FILE.refused.csv]
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
    /// Where it says how far it has come [default: FILE.position]
    #[arg(long, value_name = "FILE")]
    position: Option<PathBuf>,
    /// Begin from the start, though a run before was interrupted
    #[arg(long)]
    restart: bool,
    #[command(flatten)]
    output: Output,
}

/// How far an import has come.
#[derive(Clone, Serialize, Deserialize)]
struct Position {
    run: uuid::Uuid,
    started: i64,
    file: String,
    organization: uuid::Uuid,
    connection: uuid::Uuid,
    place: Place,
    counts: Counts,
    refused_bytes: u64,
}

pub(in crate::cli) async fn run(arguments: &Arguments, settings: &Settings) -> Result<ExitCode> {
    let db = open(settings).await?;
    let result = execute(arguments, &db).await;
    db.close().await;
    result
}

async fn execute(arguments: &Arguments, db: &Database) -> Result<ExitCode> {
    let format = Format::of(arguments.format, &arguments.file);
    let mapping = mapping(&arguments.map)?;
    let mut source = Source::open(&arguments.file, format, &mapping).map_err(Refused)?;
    let holdings = Holdings::find(db, &arguments.organization, arguments.connection.as_deref()).await?;
    let path = arguments.position.clone().unwrap_or_else(|| beside(&arguments.file, ".position"));
    let mut file = PositionFile::new(path);
    let found = if arguments.dry_run || arguments.restart { None } else { file.read::<Position>()? };
    let resumed = found.is_some();
    let mut position = match found {
        Some(position) => checked(position, &source, &holdings, &file)?,
        None => fresh(&source, &holdings),
    };
    source.seek(position.place).map_err(|error| failed(&arguments.file, &error))?;
    let refused = arguments.refused.clone();
    let refused = refused.unwrap_or_else(|| beside(&arguments.file, &format!(".refused.{}", format.ending())));
    let mut report = Report::open(refused.clone(), format, source.heading(), position.refused_bytes)
        .map_err(|error| failed(&refused, &error))?;
    if !source.ignored().is_empty() {
        output::complain(&format!("columns that mean nothing here: {}", source.ignored().join(", ")));
    }
    db.expect_many_writes().await?;
    let import = Import { organization: holdings.scope.organization, id: position.run, started: position.started };
    let mut importer = Importer::new(db, operator(), &holdings, import)?;
    if arguments.dry_run {
        importer = importer.dry();
    } else {
        // Before the first row, so that a run that dies in its first batch makes the same ids again.
        file.write(&position)?;
        if !resumed {
            let detail = json!({ "job": "import", "file": position.file });
            transfer::note(&operator(), db, holdings.scope, EventKind::JobStarted, position.run, &detail).await?;
        }
    }
    let run = Run { source, importer, position: &mut position, report: &mut report };
    let done = run.finish(arguments, &mut file).await;
    if let Err(Refused(text)) = done {
        if arguments.dry_run {
            return Err(Refused(text));
        }
        file.write(&position)?;
        let line = position.place.line;
        return Err(Refused(format!("{text}\n{line} lines are done; give the same command again to go on from there")));
    }
    if !arguments.dry_run {
        let detail = json!({ "job": "import", "counts": position.counts });
        transfer::note(&operator(), db, holdings.scope, EventKind::JobFinished, position.run, &detail).await?;
        file.remove()?;
    }
    print(arguments, &position, resumed, &report)?;
    Ok(if position.counts.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Run<'a> {
    source: Source,
    importer: Importer,
    position: &'a mut Position,
    report: &'a mut Report,
}

impl Run<'_> {
    /// Does batch after batch; reads and parses the next one while the last is being stored.
    async fn finish(mut self, arguments: &Arguments, file: &mut PositionFile) -> Result<()> {
        let unreadable = |error| failed(&arguments.file, &error);
        let mut progress = Progress::new(self.position.place.line);
        let mut batch = self.source.batch().map_err(unreadable)?;
        while !batch.rows.is_empty() {
            let Batch { mut rows, end } = batch;
            let (lines, mut refused) = sort(&mut rows);
            let next = async {
                // Lets what `apply` has begun be on its way first.
                tokio::task::yield_now().await;
                self.source.batch()
            };
            let (outcomes, next) = tokio::join!(self.importer.apply(&lines), next);
            self.position.counts.refused += refused.len() as u64;
            for (line, outcome) in lines.iter().zip(outcomes?) {
                self.position.counts.add(&line.record, &outcome);
                if let Outcome::Refused(reason) = outcome {
                    refused.push((line.number, reason));
                }
            }
            refused.sort_unstable();
            let row = |number: u64| rows.iter().find(|row| row.number == number);
            let refused: Vec<(&Row, String)> =
                refused.into_iter().filter_map(|(number, reason)| Some((row(number)?, reason))).collect();
            self.report.write(&refused).map_err(|error| failed(self.report.path(), &error))?;
            self.position.refused_bytes = self.report.bytes;
            self.position.place = end;
            if !arguments.dry_run {
                file.note(self.position)?;
            }
            let share = end.offset as f64 / (self.source.length.max(1)) as f64;
            let refused = self.position.counts.refused;
            let more = if refused > 0 { format!("  {refused} refused") } else { String::new() };
            progress.show(end.line, Some(share), &more);
            batch = next.map_err(unreadable)?;
        }
        progress.clear();
        Ok(())
    }
}

/// Lines to do, and rows that say nothing with the reason. The records move out of the rows.
fn sort(rows: &mut [Row]) -> (Vec<Line>, Vec<(u64, String)>) {
    let (mut lines, mut refused) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match std::mem::replace(&mut row.record, Err(String::new())) {
            Ok(record) => lines.push(Line { number: row.number, record }),
            Err(reason) => refused.push((row.number, reason)),
        }
    }
    (lines, refused)
}

fn fresh(source: &Source, holdings: &Holdings) -> Position {
    Position {
        run: transfer::run_id(),
        started: operator().now,
        file: source.fingerprint.clone(),
        organization: holdings.scope.organization.0,
        connection: holdings.scope.connection.0,
        place: source.place(),
        counts: Counts::default(),
        refused_bytes: 0,
    }
}

/// A position of the same file and owner.
fn checked(position: Position, source: &Source, holdings: &Holdings, file: &PositionFile) -> Result<Position> {
    let same_owner =
        position.organization == holdings.scope.organization.0 && position.connection == holdings.scope.connection.0;
    if position.file == source.fingerprint && same_owner {
        return Ok(position);
    }
    let path = file.path().display();
    Err(Refused(format!("{path} is of an import of another file or owner; with --restart the import begins anew")))
}

/// `Heading=field` pairs.
fn mapping(arguments: &[String]) -> Result<Vec<(String, String)>> {
    let pairs = arguments.iter().flat_map(|argument| argument.split(',')).filter(|pair| !pair.trim().is_empty());
    pairs
        .map(|pair| match pair.rsplit_once('=') {
            Some((heading, field)) => Ok((heading.trim().to_owned(), field.trim().to_owned())),
            None => Err(Refused(format!("--map takes HEADING=FIELD, not `{pair}`"))),
        })
        .collect()
}

fn print(arguments: &Arguments, position: &Position, resumed: bool, report: &Report) -> Result<()> {
    let counts = position.counts;
    let refused = (counts.refused > 0).then(|| report.path().display().to_string());
    let mut json = serde_json::to_value(counts).unwrap_or_default();
    if let Value::Object(members) = &mut json {
        members.insert("dry_run".to_owned(), arguments.dry_run.into());
        members.insert("resumed".to_owned(), resumed.into());
        members.insert("refused_file".to_owned(), refused.clone().into());
    }
    arguments.output.print(&json, || {
        let verb = if arguments.dry_run { "Would import" } else { "Imported" };
        let Counts { users, groups, members, roles, present, .. } = counts;
        let mut text = format!("{verb} {users} people, {groups} groups, {members} memberships, {roles} roles.");
        if present > 0 {
            text.push_str(&format!(" {present} rows were there already."));
        }
        if let Some(refused) = refused {
            text.push_str(&format!("\n{} rows were refused: {refused}", counts.refused));
        }
        text
    })?;
    Ok(())
}
