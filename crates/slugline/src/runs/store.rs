//! The database and its one table.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value};

use super::{Entry, Query, Run, RunsError, Sort};
use crate::database::{Database, Kind, broken, json, milliseconds, time};

const KIND: Kind = Kind {
    // `SLUG`.
    application: 0x534c_5547,
    version: 1,
    tables: TABLE,
};

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
    database: Database,
}

impl Runs {
    /// Opens the database `path`, which is made with its folder if it is not there.
    ///
    /// # Errors
    /// [`RunsError`], for whatever is wrong with it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RunsError> {
        Ok(Self { database: Database::open(path.into(), &KIND)? })
    }

    /// Opens the database `path`; `None` if there is none, so that nothing was noted yet.
    ///
    /// # Errors
    /// [`RunsError`], for whatever is wrong with it.
    pub fn open_existing(path: impl Into<PathBuf>) -> Result<Option<Self>, RunsError> {
        let database = Database::open_existing(path.into(), &KIND)?;
        Ok(database.map(|database| Self { database }))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.database.path()
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
        Ok(self.database.write(|transaction| {
            transaction.execute(&sql, values)?;
            Ok(transaction.last_insert_rowid())
        })?)
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
        Ok(self.database.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            statement.query_map(params![score, query.data, since, limit], run)?.collect()
        })?)
    }

    /// The run of that number.
    ///
    /// # Errors
    /// [`RunsError::Unknown`] if there is none; as for [`list`](Self::list).
    pub fn get(&self, id: i64) -> Result<Run, RunsError> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
        let found = self.database.read(|db| db.query_row(&sql, [id], run).optional())?;
        found.ok_or_else(|| RunsError::Unknown { id, path: self.path().to_owned() })
    }

    /// Removes runs by their numbers, all of them or none; a number may be given twice.
    ///
    /// # Errors
    /// [`RunsError::Unknown`] if one of them is not there; [`RunsError::Database`] if they cannot be
    /// removed.
    pub fn remove(&mut self, ids: &[i64]) -> Result<(), RunsError> {
        match self.database.remove("runs", ids)? {
            None => Ok(()),
            Some(id) => Err(RunsError::Unknown { id, path: self.path().to_owned() }),
        }
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
    let seconds: f64 = row.get("seconds")?;
    Ok(Run {
        id: row.get("id")?,
        entry: Entry {
            started: time(row, "started")?,
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
