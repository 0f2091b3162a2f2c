//! From a classifier to a file.

use std::io;
use std::path::{Path, PathBuf};

use safetensors::Dtype;

use super::description::{
    CHECKSUM, Description, FACTORS, FEATURES, FORMAT, INDEX_CLASS_ENDS, INDEX_CLASSES, INDEX_TEXT,
    INDEX_TEXT_ENDS, INDEX_VECTORS, INDICES, IndexPart, NGRAM_ENDS, NGRAM_TABLE, NGRAM_WORDS,
    NetworkPart, PARTS, VectorizerPart, first_not_finite, tensor_names, vocabulary_names,
};
use super::{FORMAT_VERSION, ModelFileError};
use crate::classifier::Classifier;
use crate::container::{BLANK, Image, Tensor, write_atomically};
use crate::text::{TermVocabulary, Vectorizer};

/// The content of the file for `classifier`; `path` is named in errors.
pub(super) fn image<'a>(
    classifier: &'a Classifier,
    path: &Path,
) -> Result<Image<'a>, ModelFileError> {
    let tensors = tensors(classifier, path)?;
    let description = describe(classifier, path)?;
    Image::new(description, &tensors, CHECKSUM).map_err(|problem| ModelFileError::NotStorable {
        path: path.to_owned(),
        part: "the header".into(),
        problem,
    })
}

/// Writes the file at `path`, or at what it links to.
pub(super) fn save(classifier: &Classifier, path: &Path) -> Result<(), ModelFileError> {
    let image = image(classifier, path)?;
    write_atomically(&save_target(path)?, &image.pieces())
        .map_err(|source| ModelFileError::Write { path: path.to_owned(), source })
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
    let mut vocabularies: Vec<_> =
        vectorizer.words().into_iter().map(|words| ("vocabulary", words)).collect();
    let terms = vectorizer.as_terms();
    if let Some(terms) = terms {
        let TermVocabulary { prefixes, chars, .. } = terms.vocabulary();
        vocabularies.extend(PARTS.into_iter().zip([prefixes, chars]));
    }
    let numbers = |name: &str, values: &'a [u64]| {
        tensor(name, Dtype::U64, vec![values.len()], bytemuck::cast_slice(values))
    };
    let index = classifier.index();
    let mut all = Vec::new();
    for (name, vocabulary) in &vocabularies {
        let [table, ..] = vocabulary_names(name);
        all.push(numbers(&table, vocabulary.stored().2));
    }
    if let Some(terms) = terms {
        all.push(numbers(NGRAM_TABLE, terms.vocabulary().ngrams.stored().2));
    }
    if let Some(index) = index {
        all.push(numbers(INDEX_TEXT_ENDS, index.texts().1));
        all.push(numbers(INDEX_CLASS_ENDS, index.classes().1));
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
    if let Some(index) = index {
        let (vectors, width) = index.vectors();
        let shape = vec![index.len(), width];
        all.push(tensor(INDEX_VECTORS, Dtype::F32, shape, bytemuck::cast_slice(vectors)));
        all.push(short(INDEX_CLASSES, index.classes().0));
    }
    if let Some(features) = vectorizer.as_features() {
        let factors = features.factors();
        let shape = vec![factors.len()];
        all.push(tensor(FACTORS, Dtype::F32, shape, bytemuck::cast_slice(factors)));
        all.push(short(INDICES, features.indices()));
    }
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
    if let Some(index) = index {
        let (text, _) = index.texts();
        all.push(tensor(INDEX_TEXT, Dtype::U8, vec![text.len()], text));
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
            Vectorizer::Features(vectorizer) => {
                VectorizerPart::Features { scaling: vectorizer.scaling() }
            }
        },
        network: NetworkPart {
            input_width: network.input_width(),
            layers: network.layers().to_vec(),
            seed: network.seed(),
        },
        calibration: classifier.calibration().clone(),
        decisions: classifier.decisions().clone(),
        record: classifier.record().clone(),
        index: classifier.index().map(|index| IndexPart { documents: index.len() }),
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
