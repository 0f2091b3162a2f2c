//! Event files as TensorBoard reads them.
//!
//! An event file is a sequence of records, each with its length before it, and checksums of both; a
//! record is an `Event` of TensorFlow's `event.proto`. Of its messages stand here the fields that are
//! written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;
use sysinfo::System;

use super::LogError;
use crate::nn::{Callback, EpochLogs, Flow, Scores, Sequential};

/// Writes the values of every epoch as event files for TensorBoard, in the layout of Keras's callback of
/// that name: `train` and `validation` in a folder, with the tags `epoch_loss`, `epoch_accuracy` (or
/// `epoch_micro_f1`) and, of the training, `epoch_learning_rate`.
///
/// Steps are epochs and count from 1, in Keras from 0. A run that goes on from a checkpoint, or a new one
/// in the folder of an older one, writes files of its own: TensorBoard takes the newest value of a step,
/// and drops those that an older run had from there on.
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    train: Option<EventFile>,
    validation: Option<EventFile>,
    failure: Option<LogError>,
}

impl TensorBoard {
    /// Event files in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// [`LogError`] if it cannot be made, or nothing can be written in it.
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, LogError> {
        let folder = folder.into();
        let usable = fs::create_dir_all(&folder).and_then(|()| tempfile::tempfile_in(&folder));
        match usable {
            Ok(_) => Ok(Self { folder, train: None, validation: None, failure: None }),
            Err(source) => Err(LogError { path: folder, source }),
        }
    }

    /// What kept an epoch from being written, if anything did; no later epoch is written then.
    pub fn take_failure(&mut self) -> Option<LogError> {
        self.failure.take()
    }

    fn write(&mut self, logs: &EpochLogs) -> Result<(), LogError> {
        let step = logs.epoch as i64;
        let mut values = values(&logs.train);
        values.push(Value::new("learning_rate", logs.learning_rate));
        EventFile::of(&mut self.train, &self.folder.join("train"), step)?.add(step, values)?;
        if let Some(scores) = &logs.validation {
            let folder = self.folder.join("validation");
            let file = EventFile::of(&mut self.validation, &folder, step)?;
            file.add(step, self::values(scores))?;
        }
        Ok(())
    }
}

impl Callback for TensorBoard {
    fn on_epoch_end(&mut self, logs: &EpochLogs, _model: &Sequential) -> Flow {
        if self.failure.is_none() {
            self.failure = self.write(logs).err();
        }
        Flow::Continue
    }
}

fn values(scores: &Scores) -> Vec<Value> {
    let metrics = scores.metrics.iter().map(|(name, value)| Value::new(name, *value));
    std::iter::once(Value::new("loss", scores.loss)).chain(metrics).collect()
}

/// A file of events.
#[derive(Debug)]
struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// The file in `place`, begun in `folder` where there is none yet.
    fn of<'a>(
        place: &'a mut Option<Self>,
        folder: &Path,
        step: i64,
    ) -> Result<&'a mut Self, LogError> {
        let file = match place.take() {
            Some(file) => file,
            None => Self::begin(folder, step)?,
        };
        Ok(place.insert(file))
    }

    /// Begins a file whose first step is `step`.
    fn begin(folder: &Path, step: i64) -> Result<Self, LogError> {
        // TensorBoard reads the files of a folder by name. The moment, finer than in TensorFlow's names,
        // puts that of a run that goes on behind that of the run before.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let host = System::host_name().unwrap_or_else(|| "localhost".into());
        let name = format!(
            "events.out.tfevents.{:010}.{:06}.{host}.{}",
            now.as_secs(),
            now.subsec_micros(),
            std::process::id()
        );
        let path = folder.join(name);
        let made = fs::create_dir_all(folder).and_then(|()| File::create_new(&path));
        let file = made.map_err(|source| LogError { path: path.clone(), source })?;
        let mut file = Self { path, file };
        file.write(0, What::FileVersion("brain.Event:2".into()))?;
        // What older files say of this step and those after it no longer holds.
        file.write(step, What::SessionLog(SessionLog { status: SessionLog::START }))?;
        Ok(file)
    }

    fn add(&mut self, step: i64, value: Vec<Value>) -> Result<(), LogError> {
        self.write(step, What::Summary(Summary { value }))
    }

    fn write(&mut self, step: i64, what: What) -> Result<(), LogError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let event = Event { wall_time: now.as_secs_f64(), step, what: Some(what) };
        let written = self.file.write_all(&record(&event.encode_to_vec()));
        written.map_err(|source: io::Error| LogError { path: self.path.clone(), source })
    }
}

/// A record of a `TFRecord` file: length, checksum of the length, data, checksum of the data.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend(length);
    record.extend(masked_checksum(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked_checksum(data).to_le_bytes());
    record
}

/// CRC-32C, masked as in TensorFlow's `crc32c.h`: turned right by 15 bits, and a constant added, so that
/// the checksum of data that hold checksums is a good one too.
fn masked_checksum(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// `Event` of TensorFlow's `event.proto`.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// `SessionLog` of `event.proto`.
#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

impl SessionLog {
    const START: i32 = 1;
}

/// `Summary` of `summary.proto`.
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

/// `Summary.Value` of `summary.proto`.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    /// One of several kinds there, so that a 0 is written too.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

impl Value {
    fn new(name: &str, value: f64) -> Self {
        Self { tag: format!("epoch_{name}"), simple_value: Some(value as f32) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::tests::{logs, model};

    /// The first record of every event file, as TensorFlow writes it but for the time.
    #[test]
    fn records_are_framed_as_tensorflow_frames_them() {
        // RFC 3720, appendix B.4: the CRC-32C of 32 bytes of zeros is 8a9136aa.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        let what = What::FileVersion("brain.Event:2".into());
        let event = Event { wall_time: 1.0, step: 0, what: Some(what) };
        let data = event.encode_to_vec();
        assert_eq!(data, b"\x09\0\0\0\0\0\0\xf0\x3f\x1a\x0dbrain.Event:2");
        let record = record(&data);
        assert_eq!(record[..8], 24_u64.to_le_bytes());
        // The length 24 has the checksum a3 7f 4b 22 in every event file of TensorFlow.
        assert_eq!(record[8..12], [0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(record.len(), 8 + 4 + 24 + 4);
    }

    /// The events of the files of a folder, by name.
    fn events(folder: &Path) -> Vec<Event> {
        let entries = fs::read_dir(folder).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let mut events = Vec::new();
        for path in paths {
            let bytes = fs::read(path).unwrap();
            let mut rest = bytes.as_slice();
            while let Some((length, _)) = rest.split_first_chunk::<8>() {
                let length = u64::from_le_bytes(*length) as usize;
                let data = &rest[12..12 + length];
                assert_eq!(rest[..16 + length], record(data));
                events.push(Event::decode(data).unwrap());
                rest = &rest[16 + length..];
            }
        }
        events
    }

    #[test]
    fn an_epoch_is_an_event_in_each_folder() {
        let folder = tempfile::tempdir().unwrap();
        for epochs in [1..=2, 2..=3] {
            let mut board = TensorBoard::new(folder.path().join("a/b")).unwrap();
            for epoch in epochs {
                board.on_epoch_end(&logs(epoch), &model());
            }
            assert!(board.take_failure().is_none());
        }
        let train = events(&folder.path().join("a/b/train"));
        let steps: Vec<i64> = train.iter().map(|event| event.step).collect();
        assert_eq!(steps, [0, 1, 1, 2, 0, 2, 2, 3]);
        let Some(What::Summary(summary)) = &train[2].what else { panic!("{train:?}") };
        let tags: Vec<&str> = summary.value.iter().map(|value| value.tag.as_str()).collect();
        assert_eq!(tags, ["epoch_loss", "epoch_accuracy", "epoch_learning_rate"]);
        assert_eq!(summary.value[0].simple_value, Some(1.0));
        let start = What::SessionLog(SessionLog { status: 1 });
        assert_eq!(train[5].what, Some(start), "what was trained again replaces what was there");
        let validation = events(&folder.path().join("a/b/validation"));
        let Some(What::Summary(summary)) = &validation[2].what else { panic!("{validation:?}") };
        assert_eq!((summary.value.len(), summary.value[1].simple_value), (2, Some(0.25)));
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(TensorBoard::new(&file).unwrap_err().path, file);
        let mut board = TensorBoard::new(folder.path()).unwrap();
        fs::write(folder.path().join("train"), "in the way").unwrap();
        board.on_epoch_end(&logs(1), &model());
        assert!(board.take_failure().is_some());
    }
}
