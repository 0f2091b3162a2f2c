//! The database and its one table.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, Row, params};

use super::{Correction, FeedbackError, Query, Stored, Tally};
use crate::database::{Database, Kind, json, milliseconds, time};

const KIND: Kind = Kind {
    // `SLFB`.
    application: 0x534c_4642,
    version: 1,
    tables: TABLE,
};

// The text comes last: what stands before it is read without it, however long it is.
const TABLE: &str = "
    CREATE TABLE corrections (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER NOT NULL,
        model TEXT NOT NULL,
        checksum TEXT NOT NULL,
        multi_label INTEGER NOT NULL,
        probability REAL,
        labels TEXT NOT NULL,
        answer TEXT NOT NULL,
        note TEXT,
        text TEXT NOT NULL
    ) STRICT;";

/// The corrections that people make of answers.
#[derive(Debug)]
pub struct Feedback {
    database: Database,
}

impl Feedback {
    /// Opens the file `path`, which is made with its folder if it is not there.
    ///
    /// # Errors
    /// [`FeedbackError`], for whatever is wrong with it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FeedbackError> {
        let database = Database::open(path.into(), &KIND)?;
        // Corrections are kept while others are read at length.
        database.write_ahead()?;
        Ok(Self { database })
    }

    /// Opens the file `path`; `None` if there is none, or an empty one, so that nothing was corrected
    /// yet.
    ///
    /// # Errors
    /// [`FeedbackError`], for whatever is wrong with it.
    pub fn open_existing(path: impl Into<PathBuf>) -> Result<Option<Self>, FeedbackError> {
        let database = Database::open_existing(path.into(), &KIND)?;
        Ok(database.map(|database| Self { database }))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Keeps a correction and gives its number. It is on the disk then.
    ///
    /// # Errors
    /// [`FeedbackError::Labels`] if a label is blank, or if there is not one label for a model that gives
    /// one; [`FeedbackError::Database`] if it cannot be written.
    pub fn add(&mut self, correction: &Correction) -> Result<i64, FeedbackError> {
        check(correction)?;
        let list = |labels: &[String]| serde_json::Value::from(labels).to_string();
        let sql = "INSERT INTO corrections \
             (time, model, checksum, multi_label, probability, labels, answer, note, text) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        Ok(self.database.write(|transaction| {
            let values = params![
                milliseconds(correction.time),
                correction.model,
                correction.checksum,
                correction.multi_label,
                correction.probability,
                list(&correction.labels),
                list(&correction.answer),
                correction.note,
                correction.text,
            ];
            transaction.execute(sql, values)?;
            Ok(transaction.last_insert_rowid())
        })?)
    }

    /// How many corrections there are.
    ///
    /// # Errors
    /// [`FeedbackError::Database`] or [`FeedbackError::Unusable`] if they cannot be read.
    pub fn count(&self) -> Result<u64, FeedbackError> {
        let sql = "SELECT count(*) FROM corrections";
        let count: i64 = self.database.read(|db| db.query_row(sql, [], |row| row.get(0)))?;
        Ok(count as u64)
    }

    /// What there is for each model, by their names.
    ///
    /// # Errors
    /// As for [`count`](Self::count).
    pub fn tallies(&self) -> Result<Vec<Tally>, FeedbackError> {
        let sql = "SELECT model, count(*) AS corrections, max(multi_label) AS multi_label \
             FROM corrections GROUP BY model ORDER BY model";
        let tally = |row: &Row<'_>| {
            Ok(Tally {
                model: row.get("model")?,
                corrections: row.get::<_, i64>("corrections")? as u64,
                multi_label: row.get("multi_label")?,
            })
        };
        Ok(self.database.read(|db| {
            let mut statement = db.prepare(sql)?;
            statement.query_map([], tally)?.collect()
        })?)
    }

    /// Hands out the corrections that a query asks for, one after the other, so that a file of any size
    /// takes little memory. They are those of one moment, whatever is added meanwhile.
    ///
    /// # Errors
    /// As for [`count`](Self::count); and what `each` returns, which ends it.
    pub fn for_each<E: From<FeedbackError>>(
        &self,
        query: &Query,
        mut each: impl FnMut(Stored) -> Result<(), E>,
    ) -> Result<(), E> {
        let wanted = "(?1 IS NULL OR model = ?1) AND (?2 IS NULL OR checksum = ?2) AND time >= ?3";
        let which = match query.latest_only {
            // Texts are sorted outside the memory where they are many.
            true => format!(
                "id IN (SELECT max(id) FROM corrections WHERE {wanted} GROUP BY model, text)"
            ),
            false => wanted.to_owned(),
        };
        let order = if query.newest_first { "DESC" } else { "ASC" };
        let sql = format!("SELECT * FROM corrections WHERE {which} ORDER BY id {order}");
        let since = query.since.map_or(i64::MIN, milliseconds);
        let mut left = query.limit.unwrap_or(usize::MAX);
        let mut ended = Ok(());
        let read = self.database.read(|db| {
            let mut statement = db.prepare(&sql)?;
            let mut rows = statement.query(params![query.model, query.checksum, since])?;
            while left > 0
                && let Some(row) = rows.next()?
            {
                let stored = stored(row)?;
                let labels = &stored.correction.labels;
                if query.label.as_ref().is_some_and(|label| !labels.contains(label)) {
                    continue;
                }
                left -= 1;
                ended = each(stored);
                if ended.is_err() {
                    break;
                }
            }
            Ok(())
        });
        read.map_err(FeedbackError::from)?;
        ended
    }

    /// The correction of that number.
    ///
    /// # Errors
    /// [`FeedbackError::Unknown`] if there is none; as for [`count`](Self::count).
    pub fn get(&self, id: i64) -> Result<Stored, FeedbackError> {
        let sql = "SELECT * FROM corrections WHERE id = ?1";
        let found = self.database.read(|db| db.query_row(sql, [id], stored).optional())?;
        found.ok_or_else(|| FeedbackError::Unknown { id, path: self.path().to_owned() })
    }

    /// Removes corrections by their numbers, all of them or none; a number may be given twice.
    ///
    /// # Errors
    /// [`FeedbackError::Unknown`] if one of them is not there; [`FeedbackError::Database`] if they cannot
    /// be removed.
    pub fn remove(&mut self, ids: &[i64]) -> Result<(), FeedbackError> {
        match self.database.remove("corrections", ids)? {
            None => Ok(()),
            Some(id) => Err(FeedbackError::Unknown { id, path: self.path().to_owned() }),
        }
    }
}

/// Sees to it that what is kept can be trained on.
fn check(correction: &Correction) -> Result<(), FeedbackError> {
    let labels = &correction.labels;
    let problem = match labels.len() {
        _ if labels.iter().any(|label| label.trim().is_empty()) => "a label is empty".to_owned(),
        n if n != 1 && !correction.multi_label => {
            format!("a model that gives one label learns from one, not from {n}")
        }
        _ => return Ok(()),
    };
    Err(FeedbackError::Labels { problem })
}

/// A row as a correction.
fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: row.get("id")?,
        correction: Correction {
            text: row.get("text")?,
            labels: json(row, "labels")?,
            multi_label: row.get("multi_label")?,
            answer: json(row, "answer")?,
            probability: row.get("probability")?,
            model: row.get("model")?,
            checksum: row.get("checksum")?,
            note: row.get("note")?,
            time: time(row, "time")?,
        },
    })
}
