//! How far a run has come, in a file beside the one it reads or writes, so that the same command goes on from there.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::beside;
use crate::cli::{Refused, Result};

/// Shortest time between two writes of a position: what is done twice after a crash changes nothing.
const PAUSE: Duration = Duration::from_millis(200);

/// The file that holds a position.
pub(super) struct PositionFile {
    path: PathBuf,
    written: Option<Instant>,
}

impl PositionFile {
    pub(super) fn new(path: PathBuf) -> Self {
        PositionFile { path, written: None }
    }

    /// What it holds, if it is there.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&self.path, &error)),
        };
        let damaged = |error| Refused(format!("{} is no position: {error}", self.path.display()));
        serde_json::from_str(&text).map(Some).map_err(damaged)
    }

    /// Writes a position if the last one is old enough.
    pub(super) fn note<T: Serialize>(&mut self, position: &T) -> Result<()> {
        if self.written.is_some_and(|at| at.elapsed() < PAUSE) {
            return Ok(());
        }
        self.write(position)
    }

    /// Writes a position: whole or not at all.
    pub(super) fn write<T: Serialize>(&mut self, position: &T) -> Result<()> {
        let new = beside(&self.path, ".new");
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(serde_json::to_string(position)?.as_bytes())?;
            fs::rename(&new, &self.path)
        };
        write().map_err(|error| failed(&self.path, &error))?;
        self.written = Some(Instant::now());
        Ok(())
    }

    /// Takes the file away, if it is there.
    pub(super) fn remove(&self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&self.path, &error)),
            _ => Ok(()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// A sentence for a file that could not be read or written.
pub(super) fn failed(path: &Path, error: &io::Error) -> Refused {
    Refused(format!("{}: {error}", path.display()))
}
