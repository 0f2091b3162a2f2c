//! One file of a checkpoint.

use std::collections::BTreeMap;
use std::path::Path;

use bytemuck::Pod;
use safetensors::Dtype;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CheckpointError;
use crate::container::{
    BEFORE_CHECKSUM, BLANK, Header, Image, LENGTH, Tensor, checksum, checksum_place,
};
use crate::model_file::tensor_names;
use crate::nn::{CallbackState, History, ParameterState, Parameters, Progress, Weights};

/// The header up to the version.
const BEFORE_VERSION: &[u8] =
    br#"{"__metadata__":{"slugline":"{\"format\":\"slugline checkpoint\",\"version\":"#;

const FORMAT: &str = "slugline checkpoint";

/// The version that is written, and the only one that is read: a run is gone on with by the program
/// that began it.
const VERSION: u64 = 1;

/// Differences between two runs that are named.
const NAMED: usize = 5;

/// All of a file that is not a tensor. The order of the fields is part of the format.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    format: String,
    version: u64,
    checksum: String,
    run: Value,
    part: String,
    content: Content,
}

/// What a part has come to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Content {
    UnderWay { steps: u64, epochs: u64, history: History, callbacks: Vec<Numbers> },
    Network { history: History },
    Result { value: Value },
}

/// A callback's numbers; what it keeps of weights are tensors.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Numbers {
    name: String,
    numbers: BTreeMap<String, f64>,
}

type Pairs = Vec<(Weights, Weights)>;

/// A file that has been read and whose checksum is right.
#[derive(Debug)]
pub(super) struct File {
    description: Description,
    tensors: BTreeMap<String, (Dtype, Vec<u8>)>,
}

/// The bytes of a file, as pieces to be put end to end.
pub(super) struct Written<'a>(Image<'a>);

impl Written<'_> {
    pub(super) fn pieces(&self) -> Vec<&[u8]> {
        self.0.pieces()
    }
}

/// A tensor of one dimension, of none if it is empty.
fn tensor<'a, T: Pod>(name: String, dtype: Dtype, values: &'a [T]) -> Option<Tensor<'a>> {
    let bytes: &'a [u8] = bytemuck::cast_slice(values);
    (!values.is_empty()).then(|| Tensor { name, dtype, shape: vec![values.len()], bytes })
}

/// Tensors of kernels and biases.
fn weights<'a>(
    prefix: &str,
    pairs: impl Iterator<Item = (&'a Weights, &'a Weights)>,
) -> Vec<Tensor<'a>> {
    let mut all = Vec::new();
    for (i, (kernel, bias)) in pairs.enumerate() {
        for (name, values) in tensor_names(i).into_iter().zip([kernel, bias]) {
            all.extend(tensor(format!("{prefix}{name}"), Dtype::F32, values.as_slice()));
        }
    }
    all
}

/// The file of a part.
pub(super) fn write<'a>(
    run: &Value,
    part: &str,
    content: Content,
    parameters: &'a [Parameters],
    progress: Option<&'a Progress>,
) -> Result<Written<'a>, String> {
    let mut tensors = weights("", parameters.iter().map(|p| (&p.kernel, &p.bias)));
    if let Some(progress) = progress {
        for (i, (kernel, bias)) in progress.optimizer.iter().enumerate() {
            for (name, state) in tensor_names(i).iter().zip([kernel, bias]) {
                let part = |end: &str| format!("optimizer.{name}.{end}");
                tensors.extend(tensor(part("m"), Dtype::F32, state.m()));
                tensors.extend(tensor(part("v"), Dtype::F32, state.v()));
                tensors.extend(tensor(part("last_visit"), Dtype::U32, state.last_visit()));
            }
        }
        for (i, state) in progress.callbacks.iter().enumerate() {
            let pairs = state.weights.iter().map(|(kernel, bias)| (kernel, bias));
            tensors.extend(weights(&format!("callback.{i}."), pairs));
        }
    }
    let description = Description {
        format: FORMAT.into(),
        version: VERSION,
        checksum: String::from_utf8_lossy(BLANK).into_owned(),
        run: run.clone(),
        part: part.to_owned(),
        content,
    };
    let description = serde_json::to_string(&description).map_err(|e| e.to_string())?;
    Image::new(description, &tensors, checksum_place(BEFORE_VERSION)).map(Written)
}

impl Content {
    pub(super) fn under_way(progress: &Progress) -> Self {
        let numbers = |state: &CallbackState| Numbers {
            name: state.name.clone(),
            numbers: state.numbers.clone(),
        };
        Self::UnderWay {
            steps: progress.steps,
            epochs: progress.epochs,
            history: progress.history.clone(),
            callbacks: progress.callbacks.iter().map(numbers).collect(),
        }
    }
}

impl File {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`CheckpointError::Read`]; [`CheckpointError::Unusable`] for one that is damaged or none of ours.
    pub(super) fn read(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = std::fs::read(path)
            .map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
        Self::parse(&bytes)
            .map_err(|problem| CheckpointError::Unusable { path: path.to_owned(), problem })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let place = checksum_place(BEFORE_VERSION);
        let cut =
            |expected: u64| format!("the file ends after {} of {expected} bytes", bytes.len());
        let start = bytes.get(LENGTH..).unwrap_or_default();
        if BEFORE_VERSION.starts_with(start) {
            return Err(cut(place.end as u64));
        }
        let Some(rest) = start.strip_prefix(BEFORE_VERSION) else {
            return Err("expected a checkpoint of a training run, found something else".into());
        };
        let digits: Vec<u8> = rest.iter().copied().take_while(u8::is_ascii_digit).collect();
        if digits != VERSION.to_string().as_bytes() {
            let found = String::from_utf8_lossy(&digits);
            return Err(format!("expected format {VERSION}, found {found}"));
        }
        let stored = bytes.get(place.clone()).ok_or_else(|| cut(place.end as u64))?;
        let computed = checksum(&[&bytes[..place.start], BLANK, &bytes[place.end..]]);
        let whole = bytes[..place.start].ends_with(BEFORE_CHECKSUM);
        if !whole || stored != computed.as_bytes() {
            return Err(match Header::parse(bytes) {
                Ok(header) if header.file_length > bytes.len() as u64 => cut(header.file_length),
                _ => format!(
                    "the file is damaged: its content has the checksum {computed}, expected {}",
                    stored.escape_ascii()
                ),
            });
        }
        let header = Header::parse(bytes)?;
        let text = header.description().map_err(|found| format!("a header with {found}"))?;
        let description = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let names = header.metadata.offset_keys();
        let tensors = names.into_iter().filter_map(|name| {
            let info = header.metadata.info(&name)?;
            let (start, end) = info.data_offsets;
            let bytes = bytes.get(header.data + start..header.data + end)?.to_vec();
            Some((name, (info.dtype, bytes)))
        });
        Ok(Self { tensors: tensors.collect(), description })
    }

    /// Checks that the file is of the run `run`.
    ///
    /// # Errors
    /// [`CheckpointError::OtherRun`] with what differs.
    pub(super) fn check_run(&self, path: &Path, run: &Value) -> Result<(), CheckpointError> {
        let (mut there, mut here) = (BTreeMap::new(), BTreeMap::new());
        flatten("", &self.description.run, &mut there);
        flatten("", run, &mut here);
        let keys: std::collections::BTreeSet<&String> = there.keys().chain(here.keys()).collect();
        let value = |map: &BTreeMap<String, String>, key| {
            map.get(key).map_or_else(|| "absent".to_owned(), String::clone)
        };
        let mut differences: Vec<String> = keys
            .into_iter()
            .filter(|key| there.get(*key) != here.get(*key))
            .map(|key| {
                format!("{key} is {} there and {} here", value(&there, key), value(&here, key))
            })
            .collect();
        if differences.is_empty() {
            return Ok(());
        }
        let more = differences.len().saturating_sub(NAMED);
        differences.truncate(NAMED);
        differences.extend((more > 0).then(|| format!("and {more} more")));
        Err(CheckpointError::OtherRun { path: path.to_owned(), differences })
    }

    pub(super) fn into_content(self) -> (Content, Tensors) {
        (self.description.content, Tensors(self.tensors))
    }

    pub(super) fn part(&self) -> &str {
        &self.description.part
    }
}

/// The tensors of a file, by their names.
pub(super) struct Tensors(BTreeMap<String, (Dtype, Vec<u8>)>);

impl Tensors {
    /// The numbers of a tensor; none of one that is not there. What a network takes is checked by it.
    fn take<T: Pod>(&mut self, name: &str, dtype: Dtype) -> Vec<T> {
        match self.0.remove(name) {
            Some((found, bytes)) if found == dtype => {
                bytes.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Kernels and biases under names with a prefix.
    pub(super) fn weights(&mut self, prefix: &str) -> Pairs {
        let mut pairs = Vec::new();
        loop {
            let [kernel, bias] = tensor_names(pairs.len());
            let kernel = self.take::<f32>(&format!("{prefix}{kernel}"), Dtype::F32);
            if kernel.is_empty() {
                return pairs;
            }
            let bias = self.take::<f32>(&format!("{prefix}{bias}"), Dtype::F32);
            pairs.push((kernel.into(), bias.into()));
        }
    }

    /// The progress of a network of so many dense layers.
    pub(super) fn progress(
        &mut self,
        layers: usize,
        (steps, epochs, history): (u64, u64, History),
        callbacks: Vec<Numbers>,
    ) -> Progress {
        let optimizer = (0..layers).map(|i| {
            let [kernel, bias] = tensor_names(i).map(|name| {
                let m = self.take::<f32>(&format!("optimizer.{name}.m"), Dtype::F32);
                let v = self.take::<f32>(&format!("optimizer.{name}.v"), Dtype::F32);
                let visits = format!("optimizer.{name}.last_visit");
                ParameterState::from_parts(&m, &v, self.take::<u32>(&visits, Dtype::U32))
            });
            (kernel, bias)
        });
        let optimizer = optimizer.collect();
        let callbacks = callbacks.into_iter().enumerate().map(|(i, Numbers { name, numbers })| {
            let weights = self.weights(&format!("callback.{i}."));
            CallbackState { name, numbers, weights }
        });
        Progress { steps, epochs, history, optimizer, callbacks: callbacks.collect() }
    }
}

/// The leaves of a JSON value by their paths.
fn flatten(path: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&below, value, leaves);
            }
        }
        leaf => {
            leaves.insert(path.to_owned(), leaf.to_string());
        }
    }
}
