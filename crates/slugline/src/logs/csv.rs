//! A row an epoch.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::LogError;
use crate::nn::{Callback, EpochLogs, Flow, Sequential};

/// Writes the values of every epoch to a CSV file, as Keras's `CSVLogger`: a header of `epoch` and the
/// names in the order of the alphabet, then a row an epoch, on the disk as soon as it is trained.
///
/// Epochs count from 1, in Keras from 0. What the file held before is replaced when the first epoch ends.
/// In a run that goes on from a checkpoint the rows of the epochs before it stay, where they have the
/// same header, and those of epochs that are trained again are replaced.
#[derive(Debug)]
pub struct CsvLogger {
    path: PathBuf,
    file: File,
    begun: bool,
    failure: Option<io::Error>,
}

impl CsvLogger {
    /// A log in the file `path`, which is made if it is not there.
    ///
    /// # Errors
    /// [`LogError`] if it cannot be opened.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, LogError> {
        let path = path.into();
        match open(&path) {
            Ok(file) => Ok(Self { path, file, begun: false, failure: None }),
            Err(source) => Err(LogError { path, source }),
        }
    }

    /// What kept a row from being written, if anything did; no later row is written then.
    pub fn take_failure(&mut self) -> Option<LogError> {
        let source = self.failure.take()?;
        Some(LogError { path: self.path.clone(), source })
    }

    fn write(&mut self, logs: &EpochLogs) -> io::Result<()> {
        let values = values(logs);
        if !self.begun {
            let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
            let header = format!("epoch,{}\n", names.join(","));
            if !self.keep_rows_before(logs.epoch, &header)? {
                self.file.write_all(header.as_bytes())?;
            }
            self.begun = true;
        }
        let mut row = logs.epoch.to_string();
        for (_, value) in values {
            // Writing to a string cannot fail.
            let _ = write!(row, ",{value}");
        }
        row.push('\n');
        self.file.write_all(row.as_bytes())
    }

    /// Cuts the file off before the row of `epoch` and goes to its end; nothing is left where the header
    /// is another one. Gives whether the header is left.
    fn keep_rows_before(&mut self, epoch: usize, header: &str) -> io::Result<bool> {
        // A pipe or a terminal has nothing to be kept.
        if !self.file.metadata()?.is_file() {
            return Ok(false);
        }
        let mut kept = 0;
        if epoch > 1 {
            let mut text = Vec::new();
            self.file.read_to_end(&mut text)?;
            kept = rows_before(&String::from_utf8_lossy(&text), epoch, header);
        }
        self.file.set_len(kept)?;
        self.file.seek(SeekFrom::End(0))?;
        Ok(kept > 0)
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    // A pipe cannot always be read.
    options.clone().read(true).open(path).or_else(|_| options.open(path))
}

/// The length of the header and of the rows that are whole and of earlier epochs than `epoch`.
fn rows_before(text: &str, epoch: usize, header: &str) -> u64 {
    let Some(rows) = text.strip_prefix(header) else { return 0 };
    let columns = header.matches(',').count();
    let earlier = rows.split_inclusive('\n').take_while(|row| {
        let number = row.split(',').next().and_then(|number| number.parse::<usize>().ok());
        // A run that was killed may have left half a row.
        row.ends_with('\n')
            && row.matches(',').count() == columns
            && number.is_some_and(|number| number < epoch)
    });
    (header.len() + earlier.map(str::len).sum::<usize>()) as u64
}

/// The values of an epoch by Keras's keys, in the order of the alphabet.
fn values(logs: &EpochLogs) -> Vec<(String, f64)> {
    let mut values = vec![("learning_rate".to_owned(), logs.learning_rate)];
    for (prefix, scores) in [("", Some(&logs.train)), ("val_", logs.validation.as_ref())] {
        let Some(scores) = scores else { continue };
        values.push((format!("{prefix}loss"), scores.loss));
        values
            .extend(scores.metrics.iter().map(|(name, value)| (format!("{prefix}{name}"), *value)));
    }
    values.sort_by(|a, b| a.0.cmp(&b.0));
    values
}

impl Callback for CsvLogger {
    fn on_epoch_end(&mut self, logs: &EpochLogs, _model: &Sequential) -> Flow {
        if self.failure.is_none() {
            self.failure = self.write(logs).err();
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::tests::{logs, model};

    fn log(path: &Path, epochs: std::ops::RangeInclusive<usize>) -> String {
        let mut log = CsvLogger::new(path).unwrap();
        for epoch in epochs {
            log.on_epoch_end(&logs(epoch), &model());
        }
        assert!(log.take_failure().is_none());
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_row_is_an_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        std::fs::write(&path, "something else\n".repeat(100)).unwrap();
        assert_eq!(
            log(&path, 1..=2),
            "epoch,accuracy,learning_rate,loss,val_accuracy,val_loss\n\
             1,0.5,0.001,1,0.25,2\n2,0.5,0.001,0.5,0.25,1\n"
        );
    }

    #[test]
    fn going_on_keeps_the_rows_before_and_replaces_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        let whole = log(&path, 1..=5);
        assert_eq!(log(&path, 4..=5), whole);
        // Of the third row, all is there but the end of its last number.
        let third = whole.match_indices('\n').nth(3).unwrap().0;
        std::fs::write(&path, &whole[..third - 1]).unwrap();
        assert_eq!(log(&path, 3..=5), whole);
        // A row that was never written is not made up.
        let header = whole.lines().next().unwrap();
        for other in ["", "epoch,loss\n1,2\n", "\u{0}\u{ff}"] {
            std::fs::write(&path, other).unwrap();
            let text = log(&path, 5..=5);
            assert_eq!(text.lines().collect::<Vec<_>>(), [header, whole.lines().last().unwrap()]);
        }
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = CsvLogger::new(folder.path()).unwrap_err();
        assert!(error.to_string().starts_with("cannot write the log "), "{error}");
        assert!(CsvLogger::new(folder.path().join("no/where")).is_err());
        #[cfg(target_os = "linux")]
        {
            let mut full = CsvLogger::new("/dev/full").unwrap();
            full.on_epoch_end(&logs(1), &model());
            full.on_epoch_end(&logs(2), &model());
            assert_eq!(full.take_failure().unwrap().path, Path::new("/dev/full"));
            assert!(full.take_failure().is_none());
        }
    }
}
