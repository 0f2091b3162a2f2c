//! The database and its one table.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::types::Type;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Row, TransactionBehavior, params,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Entry, Query, Run, RunsError, Sort};

/// Version of the table.
const VERSION: i64 = 1;

/// Tells the database from those of other programs: `SLUG`.
const APPLICATION: i64 = 0x534c_5547;

/// How long to wait for another program that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The last millisecond of the year 9999: what calendars and their printed forms can do with.
const LATEST: i64 = 253_402_300_799_999;

const TABLE: &str = "
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        started INTEGER NOT NULL,
        seconds REAL NOT NULL,
        command TEXT NOT NULL,
        settings TEXT NOT NULL,
        data TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        train_samples INTEGER NOT NULL,
        validation_samples INTEGER NOT NULL,
        epochs INTEGER NOT NULL,
        best_epoch INTEGER NOT NULL,
        stop_reason TEXT NOT NULL,
        scores TEXT NOT NULL,
        model TEXT NOT NULL,
        checksum TEXT NOT NULL,
        version TEXT NOT NULL,
        seed INTEGER NOT NULL
    ) STRICT;";

const COLUMNS: &str = "id, started, seconds, command, settings, data, fingerprint, train_samples, \
    validation_samples, epochs, best_epoch, stop_reason, scores, model, checksum, version, seed";

/// The database of runs.
#[derive(Debug)]
pub struct Runs {
    path: PathBuf,
    connection: Connection,
}

/// What a file is that opened as a database.
enum Found {
    Runs,
    Nothing,
}

impl Runs {
    /// Opens the database `path`, which is made with its folder if it is not there.
    ///
    /// # Errors
    /// [`RunsError`], for whatever is wrong with it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RunsError> {
        let path = path.into();
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| RunsError::Folder { path: folder.to_owned(), source })?;
        }
        let mut runs = Self::connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
        if let Found::Nothing = runs.look()? {
            runs.make()?;
        }
        Ok(runs)
    }

    /// Opens the database `path`; `None` if there is none, so that nothing was noted yet.
    ///
    /// # Errors
    /// [`RunsError`], for whatever is wrong with it.
    pub fn open_existing(path: impl Into<PathBuf>) -> Result<Option<Self>, RunsError> {
        let path = path.into();
        // What cannot be looked at is for the database to complain of.
        if path.try_exists().is_ok_and(|exists| !exists) {
            return Ok(None);
        }
        let runs = Self::connect(path, OpenFlags::empty())?;
        Ok(match runs.look()? {
            Found::Runs => Some(runs),
            Found::Nothing => None,
        })
    }

    fn connect(path: PathBuf, more: OpenFlags) -> Result<Self, RunsError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let connection = Connection::open_with_flags(&path, flags)
            .and_then(|connection| connection.busy_timeout(PATIENCE).map(|()| connection));
        match connection {
            Ok(connection) => Ok(Self { path, connection }),
            Err(error) => Err(failed(&path, error)),
        }
    }

    /// What is there.
    fn look(&self) -> Result<Found, RunsError> {
        let read = || -> rusqlite::Result<(i64, i64, i64)> {
            // Together, as another program may be making the table.
            let together = self.connection.unchecked_transaction()?;
            let number = |sql| together.query_row(sql, [], |row| row.get(0));
            Ok((
                number("SELECT count(*) FROM sqlite_schema")?,
                number("PRAGMA application_id")?,
                number("PRAGMA user_version")?,
            ))
        };
        let (tables, application, version) = read().map_err(|e| failed(&self.path, e))?;
        if application == APPLICATION {
            return match version {
                VERSION => Ok(Found::Runs),
                _ => Err(RunsError::Newer {
                    path: self.path.clone(),
                    found: version,
                    known: VERSION,
                }),
            };
        }
        match (application, version, tables) {
            (0, 0, 0) => Ok(Found::Nothing),
            _ => Err(RunsError::Unusable {
                path: self.path.clone(),
                problem: "it is the database of another program".into(),
            }),
        }
    }

    /// Makes the table, unless another program has done so meanwhile.
    fn make(&mut self) -> Result<(), RunsError> {
        let path = self.path.clone();
        let failed = |error| failed(&path, error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let made: i64 = transaction
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(failed)?;
        if made == 0 {
            transaction.execute_batch(TABLE).map_err(failed)?;
            transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
            transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Notes a training and gives its number.
    ///
    /// # Errors
    /// [`RunsError::Database`] if it cannot be written.
    pub fn add(&mut self, entry: &Entry) -> Result<i64, RunsError> {
        let scores = entry.scores.iter().map(|(name, value)| (name.clone(), Value::from(*value)));
        let scores = Value::Object(scores.collect::<Map<String, Value>>());
        let reason = serde_json::to_value(entry.stop_reason).unwrap_or_default();
        let columns = COLUMNS.trim_start_matches("id, ");
        let sql = format!(
            "INSERT INTO runs ({columns}) VALUES \
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
        );
        let values = params![
            milliseconds(entry.started),
            entry.duration.as_secs_f64(),
            entry.command,
            entry.settings.to_string(),
            entry.data,
            entry.fingerprint,
            entry.train_samples as i64,
            entry.validation_samples as i64,
            entry.epochs as i64,
            entry.best_epoch as i64,
            reason.as_str().unwrap_or_default(),
            scores.to_string(),
            entry.model.to_string_lossy(),
            entry.checksum,
            entry.version,
            // SQLite's numbers have a sign; the bits are the same.
            entry.seed as i64,
        ];
        self.connection.execute(&sql, values).map_err(|e| failed(&self.path, e))?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The runs that a query asks for.
    ///
    /// # Errors
    /// [`RunsError::Database`] or [`RunsError::Unusable`] if they cannot be read.
    pub fn list(&self, query: &Query) -> Result<Vec<Run>, RunsError> {
        let (score, order) = match &query.sort {
            Sort::Newest => ("", "id DESC"),
            Sort::Duration => ("", "seconds, id DESC"),
            Sort::Score(name) if name.ends_with("loss") => (name.as_str(), "score, id DESC"),
            Sort::Score(name) => (name.as_str(), "score DESC, id DESC"),
        };
        let sql = format!(
            "SELECT {COLUMNS}, (SELECT value FROM json_each(scores) WHERE key = ?1) AS score \
             FROM runs WHERE (?2 IS NULL OR data = ?2) AND started >= ?3 \
             ORDER BY score IS NULL, {order} LIMIT ?4"
        );
        let since = query.since.map_or(i64::MIN, milliseconds);
        // SQLite takes a number below 0 for no limit.
        let limit = query.limit.map_or(-1, |limit| limit as i64);
        let read = || -> rusqlite::Result<Vec<Run>> {
            let mut statement = self.connection.prepare(&sql)?;
            statement.query_map(params![score, query.data, since, limit], run)?.collect()
        };
        read().map_err(|e| failed(&self.path, e))
    }

    /// The run of that number.
    ///
    /// # Errors
    /// [`RunsError::Unknown`] if there is none; as for [`list`](Self::list).
    pub fn get(&self, id: i64) -> Result<Run, RunsError> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
        let found = self.connection.query_row(&sql, [id], run).optional();
        found
            .map_err(|e| failed(&self.path, e))?
            .ok_or_else(|| RunsError::Unknown { id, path: self.path.clone() })
    }

    /// Removes runs by their numbers, all of them or none; a number may be given twice.
    ///
    /// # Errors
    /// [`RunsError::Unknown`] if one of them is not there; [`RunsError::Database`] if they cannot be
    /// removed.
    pub fn remove(&mut self, ids: &[i64]) -> Result<(), RunsError> {
        let path = self.path.clone();
        let failed = |error| failed(&path, error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        for id in ids.iter().copied().collect::<BTreeSet<i64>>() {
            let removed =
                transaction.execute("DELETE FROM runs WHERE id = ?1", [id]).map_err(failed)?;
            if removed == 0 {
                return Err(RunsError::Unknown { id, path });
            }
        }
        transaction.commit().map_err(failed)
    }
}

/// A row as a run.
fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    let count = |column: &str| {
        let n: i64 = row.get(column)?;
        usize::try_from(n).map_err(|e| broken(row, column, e))
    };
    let scores: Map<String, Value> = json(row, "scores")?;
    let reason: String = row.get("stop_reason")?;
    let started = match row.get("started")? {
        milliseconds @ 0..=LATEST => UNIX_EPOCH + Duration::from_millis(milliseconds as u64),
        other => return Err(broken(row, "started", format!("{other} is no time"))),
    };
    let seconds: f64 = row.get("seconds")?;
    Ok(Run {
        id: row.get("id")?,
        entry: Entry {
            started,
            duration: Duration::try_from_secs_f64(seconds)
                .map_err(|e| broken(row, "seconds", e))?,
            command: row.get("command")?,
            settings: json(row, "settings")?,
            data: row.get("data")?,
            fingerprint: row.get("fingerprint")?,
            train_samples: count("train_samples")?,
            validation_samples: count("validation_samples")?,
            epochs: count("epochs")?,
            best_epoch: count("best_epoch")?,
            stop_reason: serde_json::from_value(Value::String(reason))
                .map_err(|e| broken(row, "stop_reason", e))?,
            scores: scores.into_iter().filter_map(|(k, v)| v.as_f64().map(|v| (k, v))).collect(),
            model: row.get::<_, String>("model")?.into(),
            checksum: row.get("checksum")?,
            version: row.get("version")?,
            seed: row.get::<_, i64>("seed")? as u64,
        },
    })
}

/// A column of JSON.
fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|e| broken(row, column, e))
}

fn broken(
    row: &Row<'_>,
    column: &str,
    error: impl Into<Box<dyn Error + Send + Sync>>,
) -> rusqlite::Error {
    let place = row.as_ref().column_index(column).unwrap_or_default();
    let kind = row.get_ref(place).map_or(Type::Null, |value| value.data_type());
    rusqlite::Error::FromSqlConversionFailure(place, kind, error.into())
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The error with its file; damage is told from what may pass.
fn failed(path: &Path, source: rusqlite::Error) -> RunsError {
    let path = path.to_owned();
    let damaged = matches!(
        source.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    ) || matches!(source, rusqlite::Error::FromSqlConversionFailure(..));
    if damaged {
        return RunsError::Unusable { path, problem: source.to_string() };
    }
    RunsError::Database { path, source }
}
