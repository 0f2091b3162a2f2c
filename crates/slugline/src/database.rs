//! `SQLite` databases that Slugline keeps: made, told from those of other programs, read and written.

use std::collections::BTreeSet;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Transaction, TransactionBehavior};
use serde::de::DeserializeOwned;

/// How long to wait for another program that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The last millisecond of the year 9999: what calendars and their printed forms can do with.
const LATEST: i64 = 253_402_300_799_999;

/// A kind of database.
pub(crate) struct Kind {
    /// Its `application_id`, which tells it from the databases of other programs.
    pub(crate) application: i64,
    /// Its `user_version`: the version of its tables.
    pub(crate) version: i64,
    /// The statements that make its tables.
    pub(crate) tables: &'static str,
}

/// A database of a kind.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    connection: Connection,
}

/// What is wrong with a database.
#[derive(Debug)]
pub(crate) enum DatabaseError {
    /// Its folder could not be made.
    Folder { path: PathBuf, source: io::Error },
    /// It could not be read or written.
    Failed { path: PathBuf, source: rusqlite::Error },
    /// It is of another kind, or damaged.
    Unusable { path: PathBuf, problem: String },
    /// A later version of Slugline wrote it.
    Newer { path: PathBuf, found: i64, known: i64 },
}

/// What a file is that opened as a database.
enum Found {
    Ours,
    Nothing,
}

impl Database {
    /// Opens the database `path`, which is made with its folder if it is not there.
    pub(crate) fn open(path: PathBuf, kind: &Kind) -> Result<Self, DatabaseError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| DatabaseError::Folder { path: folder.to_owned(), source })?;
        }
        let mut database = Self::connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
        if let Found::Nothing = database.look(kind)? {
            database.make(kind)?;
        }
        Ok(database)
    }

    /// Opens the database `path`; `None` if there is none, or an empty file.
    pub(crate) fn open_existing(path: PathBuf, kind: &Kind) -> Result<Option<Self>, DatabaseError> {
        // What cannot be looked at is for the database to complain of.
        if path.try_exists().is_ok_and(|exists| !exists) {
            return Ok(None);
        }
        let database = Self::connect(path, OpenFlags::empty())?;
        Ok(match database.look(kind)? {
            Found::Ours => Some(database),
            Found::Nothing => None,
        })
    }

    fn connect(path: PathBuf, more: OpenFlags) -> Result<Self, DatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let connection = Connection::open_with_flags(&path, flags)
            .and_then(|connection| connection.busy_timeout(PATIENCE).map(|()| connection));
        match connection {
            Ok(connection) => Ok(Self { path, connection }),
            Err(error) => Err(failed(&path, error)),
        }
    }

    /// What is there.
    fn look(&self, kind: &Kind) -> Result<Found, DatabaseError> {
        let (tables, application, version) = self.read(|connection| {
            // Together, as another program may be making the tables.
            let together = connection.unchecked_transaction()?;
            let number = |sql| together.query_row(sql, [], |row| row.get::<_, i64>(0));
            Ok((
                number("SELECT count(*) FROM sqlite_schema")?,
                number("PRAGMA application_id")?,
                number("PRAGMA user_version")?,
            ))
        })?;
        let path = self.path.clone();
        if application == kind.application {
            return match version == kind.version {
                true => Ok(Found::Ours),
                false => Err(DatabaseError::Newer { path, found: version, known: kind.version }),
            };
        }
        match (application, version, tables) {
            (0, 0, 0) => Ok(Found::Nothing),
            _ => Err(DatabaseError::Unusable {
                path,
                problem: "it is the database of another program".into(),
            }),
        }
    }

    /// Makes the tables, unless another program has done so meanwhile.
    fn make(&mut self, kind: &Kind) -> Result<(), DatabaseError> {
        self.write(|transaction| {
            let made: i64 =
                transaction
                    .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            if made == 0 {
                transaction.execute_batch(kind.tables)?;
                transaction.pragma_update(None, "application_id", kind.application)?;
                transaction.pragma_update(None, "user_version", kind.version)?;
            }
            Ok(())
        })
    }

    /// Has changes written to a log beside the file from now on, so that nobody who reads keeps others
    /// from writing. They are on the disk when they are committed, as without it.
    pub(crate) fn write_ahead(&self) -> Result<(), DatabaseError> {
        self.read(|connection| {
            let mode = |row: &Row<'_>| row.get::<_, String>(0);
            match connection.pragma_update_and_check(None, "journal_mode", "WAL", mode) {
                // In use by another program: it does as it is, and can be changed another time.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {}
                other => drop(other?),
            }
            connection.pragma_update(None, "synchronous", "FULL")
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads something.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        read(&self.connection).map_err(|error| failed(&self.path, error))
    }

    /// Changes something: all of it or nothing.
    pub(crate) fn write<T>(
        &mut self,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let Self { path, connection } = self;
        let written = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let value = write(&transaction)?;
                transaction.commit()?;
                Ok(value)
            });
        written.map_err(|error| failed(path, error))
    }

    /// Removes rows of a table by their ids, each of which may be given twice. Where one of them is not
    /// there, that one is given and none are removed.
    pub(crate) fn remove(
        &mut self,
        table: &str,
        ids: &[i64],
    ) -> Result<Option<i64>, DatabaseError> {
        let Self { path, connection } = self;
        let mut remove = || -> rusqlite::Result<Option<i64>> {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sql = format!("DELETE FROM {table} WHERE id = ?1");
            for id in ids.iter().copied().collect::<BTreeSet<i64>>() {
                if transaction.execute(&sql, [id])? == 0 {
                    return Ok(Some(id));
                }
            }
            transaction.commit().map(|()| None)
        };
        remove().map_err(|error| failed(path, error))
    }
}

/// A column of JSON.
pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|e| broken(row, column, e))
}

/// A column of milliseconds since 1970.
pub(crate) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<SystemTime> {
    match row.get(column)? {
        milliseconds @ 0..=LATEST => Ok(UNIX_EPOCH + Duration::from_millis(milliseconds as u64)),
        other => Err(broken(row, column, format!("{other} is no time"))),
    }
}

/// A value that is not what its column holds.
pub(crate) fn broken(
    row: &Row<'_>,
    column: &str,
    error: impl Into<Box<dyn Error + Send + Sync>>,
) -> rusqlite::Error {
    let place = row.as_ref().column_index(column).unwrap_or_default();
    let kind = row.get_ref(place).map_or(Type::Null, |value| value.data_type());
    rusqlite::Error::FromSqlConversionFailure(place, kind, error.into())
}

/// A time in milliseconds since 1970.
pub(crate) fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The error with its file; damage is told from what may pass.
fn failed(path: &Path, source: rusqlite::Error) -> DatabaseError {
    let path = path.to_owned();
    let code = source.sqlite_error_code();
    let unlike = matches!(
        source,
        rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::Utf8Error(..)
    );
    if unlike || matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)) {
        return DatabaseError::Unusable { path, problem: source.to_string() };
    }
    DatabaseError::Failed { path, source }
}
