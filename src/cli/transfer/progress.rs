//! One line on a terminal that tells how far a run has come; nothing where the standard error output is none.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(200);

/// The line.
pub(super) struct Progress {
    is_terminal: bool,
    began: Instant,
    shown: Option<Instant>,
    /// Rows that a run before had done.
    before: u64,
}

impl Progress {
    pub(super) fn new(before: u64) -> Self {
        Progress { is_terminal: io::stderr().is_terminal(), began: Instant::now(), shown: None, before }
    }

    /// Shows rows done, and the share of the file where its size is known.
    pub(super) fn show(&mut self, rows: u64, share: Option<f64>, more: &str) {
        if !self.is_terminal || self.shown.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        self.shown = Some(Instant::now());
        let percent = share.map_or_else(String::new, |share| format!("{:5.1} %  ", share * 100.0));
        let rate = rows.saturating_sub(self.before) as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        let mut out = io::stderr().lock();
        // A terminal that went away ends the progress, not the run.
        let _ = write!(out, "\r\x1b[K{percent}{rows} rows  {rate:.0}/s{more}");
        let _ = out.flush();
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}
