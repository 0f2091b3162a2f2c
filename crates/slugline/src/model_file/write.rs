//! From a classifier to a file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde_json::{Map, Value, json};

use super::checksum::{BLANK, checksum};
use super::description::{
    CHECKSUM, Description, FACTORS, FEATURES, FORMAT, KEY, LENGTH, MAX_HEADER, NGRAM_ENDS,
    NGRAM_TABLE, NGRAM_WORDS, NetworkPart, PARTS, VectorizerPart, first_not_finite, tensor_names,
    vocabulary_names,
};
use super::{FORMAT_VERSION, ModelFileError};
use crate::classifier::Classifier;
use crate::text::{TermVocabulary, Vectorizer};

/// The content of a model file: the header, and the tensors where the classifier has them.
pub(super) struct Image<'a> {
    header: Vec<u8>,
    tensors: Vec<&'a [u8]>,
}

/// A tensor to be written.
struct Tensor<'a> {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: &'a [u8],
}

impl<'a> Image<'a> {
    /// The file for `classifier`; `path` is named in errors.
    pub(super) fn new(classifier: &'a Classifier, path: &Path) -> Result<Self, ModelFileError> {
        let tensors = tensors(classifier, path)?;
        let description = describe(classifier, path)?;
        let not_storable = |problem: String| ModelFileError::NotStorable {
            path: path.to_owned(),
            part: "the header".into(),
            problem,
        };
        let json = header(description, &tensors).map_err(|e| not_storable(e.to_string()))?;
        let length = json.len().next_multiple_of(LENGTH);
        if length as u64 > MAX_HEADER {
            return Err(not_storable(format!(
                "has {length} bytes, at most {MAX_HEADER} fit; shorten the record"
            )));
        }
        let mut header = (length as u64).to_le_bytes().to_vec();
        header.extend(json);
        header.resize(LENGTH + length, b' ');

        let mut image = Self { header, tensors: tensors.iter().map(|t| t.bytes).collect() };
        let digits = checksum(&image.pieces());
        image.header[CHECKSUM].copy_from_slice(digits.as_bytes());
        Ok(image)
    }

    /// The content of the file, to be put end to end.
    pub(super) fn pieces(&self) -> Vec<&[u8]> {
        std::iter::once(&self.header[..]).chain(self.tensors.iter().copied()).collect()
    }

    /// Writes a temporary file beside `path`, or beside what it links to, and renames it.
    pub(super) fn save(&self, path: &Path) -> Result<(), ModelFileError> {
        let target = save_target(path)?;
        self.write(&target)
            .map_err(|source| ModelFileError::Write { path: path.to_owned(), source })
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".slugline-").suffix(".part");
        // Temporary files are private by default; a model gets what the user's mask allows.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder)?;
        for piece in self.pieces() {
            file.write_all(piece)?;
        }
        file.as_file().sync_all()?;
        file.persist(path)?;
        // The new name is on the disk only when the folder is; folders cannot be opened on Windows.
        #[cfg(unix)]
        std::fs::File::open(folder)?.sync_all()?;
        Ok(())
    }
}

/// The file that saving a model to `path` writes: `path` itself, or the end of a symbolic link. Asking
/// before training shows early what saving would refuse.
///
/// # Errors
/// [`ModelFileError::NotAFile`] if something other than a file stands there;
/// [`ModelFileError::Write`] if it cannot be looked at.
pub fn save_target(path: &Path) -> Result<PathBuf, ModelFileError> {
    let failed = |source| ModelFileError::Write { path: path.to_owned(), source };
    let mut target = path.to_owned();
    // As many links in a row as Linux follows.
    for _ in 0..40 {
        let kind = match std::fs::symlink_metadata(&target) {
            Ok(metadata) => metadata.file_type(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(target),
            Err(e) => return Err(failed(e)),
        };
        if !kind.is_symlink() {
            let found = match kind {
                kind if kind.is_file() => return Ok(target),
                kind if kind.is_dir() => "a folder",
                _ => "a device, pipe or socket",
            };
            return Err(ModelFileError::NotAFile { path: path.to_owned(), found });
        }
        let link = std::fs::read_link(&target).map_err(failed)?;
        target = target.parent().unwrap_or(Path::new("")).join(link);
    }
    Err(failed(io::Error::other("too many symbolic links in a row")))
}

/// The tensors in the order of the file: their types descend in size, so that each is aligned.
fn tensors<'a>(classifier: &'a Classifier, path: &Path) -> Result<Vec<Tensor<'a>>, ModelFileError> {
    let tensor =
        |name: &str, dtype, shape, bytes| Tensor { name: name.into(), dtype, shape, bytes };
    let vectorizer = classifier.vectorizer();
    let mut vocabularies = vec![("vocabulary", vectorizer.words())];
    let terms = vectorizer.as_terms();
    if let Some(terms) = terms {
        let TermVocabulary { prefixes, chars, .. } = terms.vocabulary();
        vocabularies.extend(PARTS.into_iter().zip([prefixes, chars]));
    }
    let numbers = |name: &str, values: &'a [u64]| {
        tensor(name, Dtype::U64, vec![values.len()], bytemuck::cast_slice(values))
    };
    let mut all = Vec::new();
    for (name, vocabulary) in &vocabularies {
        let [table, ..] = vocabulary_names(name);
        all.push(numbers(&table, vocabulary.stored().2));
    }
    if let Some(terms) = terms {
        all.push(numbers(NGRAM_TABLE, terms.vocabulary().ngrams.stored().2));
    }
    for (i, parameters) in classifier.network().parameters().iter().enumerate() {
        let (kernel, bias) = (parameters.kernel.as_slice(), parameters.bias.as_slice());
        let shapes = [vec![parameters.n_in, parameters.units], vec![parameters.units]];
        for ((name, shape), values) in tensor_names(i).iter().zip(shapes).zip([kernel, bias]) {
            if values.is_empty() {
                continue;
            }
            if let Some(at) = first_not_finite(values) {
                return Err(ModelFileError::NotStorable {
                    path: path.to_owned(),
                    part: name.clone(),
                    problem: format!(
                        "holds the value {} at position {at}; train again with a lower learning rate",
                        values[at]
                    ),
                });
            }
            all.push(tensor(name, Dtype::F32, shape, bytemuck::cast_slice(values)));
        }
    }
    let short = |name: &str, values: &'a [u32]| {
        tensor(name, Dtype::U32, vec![values.len()], bytemuck::cast_slice(values))
    };
    if let Some(terms) = terms {
        let factors = terms.factors();
        let shape = vec![factors.len()];
        all.push(tensor(FACTORS, Dtype::F32, shape, bytemuck::cast_slice(factors)));
        let TermVocabulary { ngrams, features, .. } = terms.vocabulary();
        let (words, ends, _) = ngrams.stored();
        all.push(short(NGRAM_WORDS, words));
        all.push(short(NGRAM_ENDS, ends));
        all.push(short(FEATURES, features.as_slice()));
    }
    for (name, vocabulary) in &vocabularies {
        let [_, offsets, _] = vocabulary_names(name);
        all.push(short(&offsets, vocabulary.stored().1));
    }
    for (name, vocabulary) in &vocabularies {
        let [_, _, bytes] = vocabulary_names(name);
        let stored = vocabulary.stored().0;
        all.push(tensor(&bytes, Dtype::U8, vec![stored.len()], stored));
    }
    Ok(all)
}

/// The description with a blank checksum.
fn describe(classifier: &Classifier, path: &Path) -> Result<String, ModelFileError> {
    let (vectorizer, network) = (classifier.vectorizer(), classifier.network());
    let description = Description {
        format: FORMAT.into(),
        version: FORMAT_VERSION,
        checksum: String::from_utf8_lossy(BLANK).into_owned(),
        class_names: classifier.class_names().to_vec(),
        vectorizer: match vectorizer {
            Vectorizer::MultiHot(vectorizer) => VectorizerPart::MultiHot {
                width: vectorizer.width(),
                options: vectorizer.options().clone(),
            },
            Vectorizer::Terms(vectorizer) => VectorizerPart::Terms {
                options: Box::new(vectorizer.options().clone()),
                mean_length: vectorizer.mean_length(),
            },
        },
        network: NetworkPart {
            input_width: network.input_width(),
            layers: network.layers().to_vec(),
            seed: network.seed(),
        },
        calibration: classifier.calibration().clone(),
        decisions: classifier.decisions().clone(),
        record: classifier.record().clone(),
    };
    // JSON has no NaN and no infinity: a number that would come back as another one, or not at all,
    // must be found now and not when the model is needed.
    let text = serde_json::to_string(&description);
    let again = text.as_ref().ok().and_then(|text| {
        serde_json::to_string(&serde_json::from_str::<Description>(text).ok()?).ok()
    });
    match text {
        Ok(text) if again.as_ref() == Some(&text) => Ok(text),
        _ => Err(ModelFileError::NotStorable {
            path: path.to_owned(),
            part: "the training record".into(),
            problem:
                "holds a figure that is not a finite number; train again with a lower learning rate"
                    .into(),
        }),
    }
}

/// The JSON of the header; `serde_json`'s maps keep the order of insertion.
fn header(description: String, tensors: &[Tensor<'_>]) -> serde_json::Result<Vec<u8>> {
    let mut map = Map::new();
    map.insert("__metadata__".into(), json!({ KEY: Value::String(description) }));
    let mut end = 0;
    for tensor in tensors {
        let start = end;
        end += tensor.bytes.len();
        let info = TensorInfo {
            dtype: tensor.dtype,
            shape: tensor.shape.clone(),
            data_offsets: (start, end),
        };
        map.insert(tensor.name.clone(), serde_json::to_value(info)?);
    }
    serde_json::to_vec(&map)
}
