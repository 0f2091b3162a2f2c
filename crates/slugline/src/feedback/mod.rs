//! Corrections that people make of answers, kept until a better model is trained with them.
//!
//! Whoever reads an answer often knows better. Here stands what was asked, what a model said and what it
//! should have said, and it comes back as documents to train on.
//!
//! ```
//! use slugline::feedback::{Correction, Feedback, FeedbackError, Query};
//! use std::time::SystemTime;
//!
//! let place = tempfile::tempdir()?;
//! let mut feedback = Feedback::open(place.path().join("feedback.sqlite"))?;
//! let mut correction = Correction {
//!     text: "Tin rose in London.".into(),
//!     labels: vec!["grain".into()],
//!     multi_label: false,
//!     answer: vec!["ship".into()],
//!     probability: Some(0.4),
//!     model: "news".into(),
//!     checksum: "00ff".into(),
//!     note: None,
//!     time: SystemTime::now(),
//! };
//! feedback.add(&correction)?;
//! correction.labels = vec!["metal".into()];
//! feedback.add(&correction)?;
//! assert_eq!(feedback.count()?, 2);
//!
//! let mut labels = Vec::new();
//! let last_words = Query { latest_only: true, ..Query::default() };
//! feedback.for_each(&last_words, |stored| {
//!     labels.push(stored.correction.labels);
//!     Ok::<(), FeedbackError>(())
//! })?;
//! assert_eq!(labels, [["metal"]]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The database
//!
//! A `SQLite` file. Several programs may write at the same time, and read meanwhile: whoever writes waits
//! for others that write, for ten seconds. It keeps a log beside the file (`-wal`, and `-shm`), which
//! belongs to it while a program has it open. Its `user_version` is the version of the table
//! `corrections`, whose columns are the fields of [`Correction`]: `time` in milliseconds since 1970,
//! `labels` and `answer` as JSON lists. Numbers of corrections are not given again after one is removed.

mod error;
mod store;

use std::time::SystemTime;

pub use error::FeedbackError;
pub use store::Feedback;

/// A text with the labels that it should have got.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// The text.
    pub text: String,
    /// Its labels: one of a model that gives one, any number of a model that gives any number. The
    /// model need not have them.
    pub labels: Vec<String>,
    /// Whether the model gives any number of labels.
    pub multi_label: bool,
    /// What the model answered; nothing where it decided for no class.
    pub answer: Vec<String>,
    /// The largest probability of the answer, if it is known.
    pub probability: Option<f32>,
    /// Name of the model.
    pub model: String,
    /// Checksum of the model.
    pub checksum: String,
    /// What was said of it.
    pub note: Option<String>,
    /// When it was made, to the millisecond.
    pub time: SystemTime,
}

/// A correction that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its number; a later correction has a higher one.
    pub id: i64,
    /// The correction.
    pub correction: Correction,
}

/// What is kept for one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Name of the model.
    pub model: String,
    /// Number of its corrections.
    pub corrections: u64,
    /// Whether one of them is of a model that gives any number of labels.
    pub multi_label: bool,
}

/// Which corrections are wanted, and in which order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Those of models of this name; `None` for any.
    pub model: Option<String>,
    /// Those of the model file with this checksum; `None` for any.
    pub checksum: Option<String>,
    /// Those made then or later.
    pub since: Option<SystemTime>,
    /// Those with this label among the corrected ones; `None` for any.
    pub label: Option<String>,
    /// Of several corrections of a text for models of one name the last one alone: it takes back those
    /// before it. What is compared is the text to the last byte.
    pub latest_only: bool,
    /// The newest first rather than the oldest.
    pub newest_first: bool,
    /// The first ones, so many; `None` for all.
    pub limit: Option<usize>,
}

#[cfg(test)]
mod tests;
