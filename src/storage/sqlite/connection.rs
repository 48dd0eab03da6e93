//! Opens connections to the file: its path, its mode, the pragmas of writer and readers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, ConnectionError, SqliteConnection};

use crate::storage::error::{Result, StorageError};

/// What a connection needs to be opened.
#[derive(Clone)]
pub(super) struct File {
    pub(super) path: PathBuf,
    /// How long a statement waits for another process's lock before it is `Busy`.
    pub(super) busy_timeout: Duration,
}

/// The path of `sqlite://PATH`.
///
/// # Errors
/// `Broken` where there is none, or where it names no file.
pub(super) fn path_of(url: &str) -> Result<PathBuf> {
    let path = url.strip_prefix("sqlite://").unwrap_or_default();
    // Each connection to `:memory:` would be another database.
    if path.is_empty() || path.starts_with(':') {
        return Err(StorageError::Broken("the database URL must name a file: sqlite://PATH".to_owned()));
    }
    Ok(PathBuf::from(path))
}

/// Creates the file, readable by its owner only; SQLite gives `-wal` and `-shm` the same mode.
///
/// # Errors
/// `Broken` with the reason and the path.
pub(super) fn create_file(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(e) => Err(StorageError::Broken(format!("{}: {e}", path.display()))),
    }
}

/// A connection that writes. WAL lets readers go on; `FULL` makes an answered commit survive a power cut. The cache is
/// small: a split of a b-tree page takes a page number out of the way (SQLite's `balance_nonroot`), after which COMMIT looks
/// through the whole cache for pages to drop; the operating system has the rest of the file in its memory.
///
/// # Errors
/// `Busy` while another process holds the file, `Broken` otherwise.
pub(super) fn open_writer(file: &File) -> Result<SqliteConnection> {
    let mut conn = establish(file)?;
    set_wal(&mut conn, file.busy_timeout)?;
    conn.batch_execute(
        "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY; \
         PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864",
    )?;
    Ok(conn)
}

/// A connection that only reads.
///
/// # Errors
/// `Broken` with the reason.
pub(super) fn open_reader(file: &File) -> Result<SqliteConnection> {
    let mut conn = establish(file)?;
    conn.batch_execute("PRAGMA query_only=ON; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY")?;
    crate::storage::search::prepare_sqlite_reader(&mut conn)?;
    Ok(conn)
}

fn establish(file: &File) -> Result<SqliteConnection> {
    let path = &*file.path;
    let text = path.to_str().ok_or_else(|| StorageError::Broken("the database path is not UTF-8".to_owned()))?;
    // `./` keeps a name that looks like a URI (`file:…`) a file name.
    let plain = if path.is_absolute() { text.to_owned() } else { format!("./{text}") };
    let mut conn = SqliteConnection::establish(&plain).map_err(|e| match e {
        ConnectionError::BadConnection(reason) => StorageError::Broken(format!("{text}: {reason}")),
        other => StorageError::Broken(format!("{text}: {other}")),
    })?;
    conn.batch_execute(&format!("PRAGMA busy_timeout={}", file.busy_timeout.as_millis()))?;
    Ok(conn)
}

/// The switch to WAL fails at once, whatever the busy timeout, while another process opens the same new file.
fn set_wal(conn: &mut SqliteConnection, longest: Duration) -> Result<()> {
    let pause = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match conn.batch_execute("PRAGMA journal_mode=WAL").map_err(StorageError::from) {
            Err(StorageError::Busy(_)) if waited < longest => {
                std::thread::sleep(pause);
                waited += pause;
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_that_name_a_file_have_a_path() {
        assert_eq!(path_of("sqlite:///var/lib/rollcall.db").ok(), Some(PathBuf::from("/var/lib/rollcall.db")));
        assert_eq!(path_of("sqlite://rollcall.db").ok(), Some(PathBuf::from("rollcall.db")));
        for refused in ["sqlite://", "sqlite://:memory:", "rollcall.db", "postgres://h/d"] {
            assert!(path_of(refused).is_err(), "{refused}");
        }
    }
}
