//! From a file to a classifier. Trusts nothing in the file.

mod sniff;

use std::marker::PhantomData;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
use safetensors::Dtype;

use super::description::{
    BEFORE_VERSION, CHECKSUM, Description, FACTORS, FEATURES, INDEX_CLASS_ENDS, INDEX_CLASSES,
    INDEX_TEXT, INDEX_TEXT_ENDS, INDEX_VECTORS, INDICES, NGRAM_ENDS, NGRAM_TABLE, NGRAM_WORDS,
    PARTS, VectorizerPart, first_not_finite, tensor_names, vocabulary_names,
};
use super::{FORMAT_VERSION, ModelFileError};
use crate::classifier::Classifier;
use crate::container::{BEFORE_CHECKSUM, BLANK, Header, LENGTH, checksum, declared_header};
use crate::nearest::DocumentIndex;
use crate::nn::{Buffer, Layer, Sequential};
use crate::text::{
    FeatureListVectorizer, MultiHotVectorizer, Ngrams, TermVectorizer, TermVocabulary, Vectorizer,
    Vocabulary,
};

/// The content of a file and whatever keeps it.
pub(super) type Bytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// The classifier in `bytes`, which are the content of `path`.
pub(super) fn classifier(path: &Path, bytes: &Bytes) -> Result<Classifier, ModelFileError> {
    let file = bytes.as_ref().as_ref();
    check_version(path, file)?;
    check_checksum(path, file)?;
    let invalid = |part: &str, expected: &str, found: String| ModelFileError::Invalid {
        path: path.to_owned(),
        part: part.into(),
        expected: expected.into(),
        found,
    };
    let header = Header::parse(file)
        .map_err(|found| invalid("the header", "that of a safetensors file", found))?;
    let length = file.len() as u64;
    if header.file_length != length {
        let found = format!("{length} bytes");
        return Err(invalid("the file", &format!("{} bytes", header.file_length), found));
    }
    let text = header
        .description()
        .map_err(|found| invalid("__metadata__", "the one key `slugline`", found))?;
    let Description {
        class_names, vectorizer, network, calibration, decisions, record, index, ..
    } = serde_json::from_str(text)
        .map_err(|e| invalid("the description", "the fields of its version", e.to_string()))?;
    if record.best_epoch > record.history.epochs.len() {
        let expected = format!("at most {}", record.history.epochs.len());
        let found = record.best_epoch.to_string();
        return Err(invalid("best_epoch of the record", &expected, found));
    }

    let mut tensors = Tensors { path, bytes, header: &header, taken: 0 };
    let mut n_in = network.input_width;
    let (mut parameters, mut units) = (Vec::new(), Vec::new());
    let dense = network.layers.iter().filter_map(|layer| match layer {
        Layer::Dense(dense) => Some(dense),
        Layer::Dropout(_) => None,
    });
    for (i, dense) in dense.enumerate() {
        let [kernel, bias] = tensor_names(i);
        let kernel = tensors.weights(&kernel, &[n_in, dense.units])?;
        let bias = if dense.use_bias {
            tensors.weights(&bias, &[dense.units])?
        } else {
            Buffer::default()
        };
        parameters.push((kernel, bias));
        units.push(dense.units);
        n_in = dense.units;
    }
    let parts = |source| ModelFileError::Parts { path: path.to_owned(), source };
    let vectorizer: Vectorizer = match vectorizer {
        VectorizerPart::MultiHot { width, options } => {
            let words = tensors.vocabulary("vocabulary")?;
            MultiHotVectorizer::from_parts(words, options, width).into()
        }
        VectorizerPart::Terms { options, mean_length } => {
            let words = tensors.vocabulary("vocabulary")?;
            let (vocabulary, factors) = tensors.terms(words)?;
            TermVectorizer::from_parts(*options, vocabulary, factors, mean_length)
                .map_err(|e| parts(e.into()))?
                .into()
        }
        VectorizerPart::Features { scaling } => {
            let factors = tensors.factors()?;
            let indices = tensors.take::<u32>(INDICES, Dtype::U32, None)?;
            FeatureListVectorizer::from_parts(indices, factors, scaling)
                .map_err(|e| parts(e.into()))?
                .into()
        }
    };
    // The units before the last layer, or of the only one.
    let index_width = units[units.len().saturating_sub(2)..].first().copied().unwrap_or_default();
    let index = index
        .map(|part| tensors.index(part.documents, index_width, class_names.len()))
        .transpose()?;
    tensors.check_none_left()?;

    let network =
        Sequential::from_parameters(network.input_width, network.layers, parameters, network.seed)
            .map_err(|e| parts(e.into()))?;
    if let Err((expected, found)) = calibration.check(class_names.len()) {
        return Err(invalid("the calibration", &expected, found));
    }
    let classifier =
        Classifier::from_parts(vectorizer, network, class_names, record).map_err(parts)?;
    let classifier = classifier.with_calibration(calibration).with_document_index(index);
    classifier.with_decisions(decisions).map_err(parts)
}

/// Checks that the file is a model of a known version.
fn check_version(path: &Path, file: &[u8]) -> Result<(), ModelFileError> {
    let start = file.get(LENGTH..).unwrap_or_default();
    if !start.is_empty() && BEFORE_VERSION.starts_with(start) {
        return Err(ModelFileError::Truncated {
            path: path.to_owned(),
            expected: CHECKSUM.end as u64,
            found: file.len() as u64,
        });
    }
    let Some(rest) = start.strip_prefix(BEFORE_VERSION) else {
        return Err(ModelFileError::NotAModel { path: path.to_owned(), found: sniff::kind(file) });
    };
    let digits = rest.iter().take(20).take_while(|b| b.is_ascii_digit());
    let version =
        digits.fold(0u64, |v, d| v.saturating_mul(10).saturating_add(u64::from(d - b'0')));
    match version {
        1..=FORMAT_VERSION => Ok(()),
        0 => Err(ModelFileError::Invalid {
            path: path.to_owned(),
            part: "the version".into(),
            expected: "1 or more".into(),
            found: rest[..rest.len().min(20)].escape_ascii().to_string(),
        }),
        _ => Err(ModelFileError::Newer { path: path.to_owned(), version }),
    }
}

/// The checksum that stands in a file; nothing of use where [`classifier`] refuses the file.
pub(super) fn stored_checksum(file: &[u8]) -> String {
    String::from_utf8_lossy(file.get(CHECKSUM).unwrap_or_default()).into_owned()
}

/// Checks that the content is what was written.
fn check_checksum(path: &Path, file: &[u8]) -> Result<(), ModelFileError> {
    let path = || path.to_owned();
    let found = file.len() as u64;
    let before = file.get(CHECKSUM.start - BEFORE_CHECKSUM.len()..CHECKSUM.start);
    let (Some(before), Some(stored)) = (before, file.get(CHECKSUM)) else {
        return Err(ModelFileError::Truncated {
            path: path(),
            expected: CHECKSUM.end as u64,
            found,
        });
    };
    let computed = checksum(&[&file[..CHECKSUM.start], BLANK, &file[CHECKSUM.end..]]);
    if before == BEFORE_CHECKSUM && stored == computed.as_bytes() {
        return Ok(());
    }
    // Nothing here can be relied on, but a file cut short usually still tells its length.
    let expected = match declared_header(file) {
        Some(end) if end > found => end,
        _ => Header::parse(file).map_or(0, |header| header.file_length),
    };
    if expected > found {
        return Err(ModelFileError::Truncated { path: path(), expected, found });
    }
    let expected = stored.escape_ascii().to_string();
    Err(ModelFileError::Damaged { path: path(), expected, found: computed })
}

/// The tensors of a file, taken one by one.
struct Tensors<'a> {
    path: &'a Path,
    bytes: &'a Bytes,
    header: &'a Header,
    taken: usize,
}

impl Tensors<'_> {
    fn invalid(&self, part: &str, expected: impl Into<String>, found: String) -> ModelFileError {
        ModelFileError::Invalid {
            path: self.path.to_owned(),
            part: part.into(),
            expected: expected.into(),
            found,
        }
    }

    /// A tensor of a type and a shape; `None` is any length of one dimension.
    fn take<T: Pod + Send + Sync>(
        &mut self,
        name: &str,
        dtype: Dtype,
        shape: Option<&[usize]>,
    ) -> Result<Buffer<T>, ModelFileError> {
        let expected = match shape {
            Some(shape) => format!("{dtype} {shape:?}"),
            None => format!("{dtype} of one dimension"),
        };
        let Some(info) = self.header.metadata.info(name) else {
            return Err(self.invalid(name, expected, "no such tensor".into()));
        };
        let fits = shape.map_or(info.shape.len() == 1, |shape| shape == info.shape);
        if info.dtype != dtype || !fits {
            return Err(self.invalid(name, expected, format!("{} {:?}", info.dtype, info.shape)));
        }
        self.taken += 1;
        let (start, end) = info.data_offsets;
        let range = self.header.data + start..self.header.data + end;
        let bytes = self.bytes.as_ref().as_ref().get(range.clone()).unwrap_or_default();
        Ok(match bytemuck::try_cast_slice::<u8, T>(bytes) {
            Ok(_) => Buffer::shared(Arc::new(Mapped {
                bytes: Arc::clone(self.bytes),
                range,
                element: PhantomData,
            })),
            Err(_) => bytes
                .chunks_exact(size_of::<T>())
                .map(bytemuck::pod_read_unaligned)
                .collect::<Vec<T>>()
                .into(),
        })
    }

    /// A kernel or bias.
    fn weights(&mut self, name: &str, shape: &[usize]) -> Result<Buffer<f32>, ModelFileError> {
        let weights = self.take::<f32>(name, Dtype::F32, Some(shape))?;
        match first_not_finite(weights.as_slice()) {
            None => Ok(weights),
            Some(at) => {
                let found = format!("{} at position {at}", weights.as_slice()[at]);
                Err(self.invalid(name, "finite numbers", found))
            }
        }
    }

    /// What a vectorizer of terms knows beside its words, and the factors of its features.
    fn terms(
        &mut self,
        words: Vocabulary,
    ) -> Result<(TermVocabulary, Buffer<f32>), ModelFileError> {
        let [prefixes, chars] = PARTS;
        let (prefixes, chars) = (self.vocabulary(prefixes)?, self.vocabulary(chars)?);
        let ngram_words = self.take::<u32>(NGRAM_WORDS, Dtype::U32, None)?;
        let ends = self.take::<u32>(NGRAM_ENDS, Dtype::U32, None)?;
        let table = self.take::<u64>(NGRAM_TABLE, Dtype::U64, None)?;
        let Some(ngrams) = Ngrams::from_stored(ngram_words, ends, table) else {
            let expected = "words, ends and a table that fit each other";
            return Err(self.invalid("the n-grams", expected, "others".into()));
        };
        let features = self.take::<u32>(FEATURES, Dtype::U32, None)?;
        let factors = self.factors()?;
        Ok((TermVocabulary { words, ngrams, prefixes, chars, features }, factors))
    }

    /// An index of documents, whose rows have `width` numbers.
    fn index(
        &mut self,
        documents: usize,
        width: usize,
        class_count: usize,
    ) -> Result<DocumentIndex, ModelFileError> {
        let text_ends = self.take::<u64>(INDEX_TEXT_ENDS, Dtype::U64, Some(&[documents]))?;
        let class_ends = self.take::<u64>(INDEX_CLASS_ENDS, Dtype::U64, Some(&[documents]))?;
        let classes = self.take::<u32>(INDEX_CLASSES, Dtype::U32, None)?;
        let text = self.take::<u8>(INDEX_TEXT, Dtype::U8, None)?;
        let vectors = self.weights(INDEX_VECTORS, &[documents, width])?;
        let parts = ((vectors, width), (text, text_ends), (classes, class_ends));
        DocumentIndex::from_stored(parts.0, parts.1, parts.2, class_count).map_err(|found| {
            self.invalid("the index of documents", "parts that fit each other", found)
        })
    }

    /// What the values of each feature are multiplied by.
    fn factors(&mut self) -> Result<Buffer<f32>, ModelFileError> {
        let factors = self.take::<f32>(FACTORS, Dtype::F32, None)?;
        match first_not_finite(factors.as_slice()) {
            None => Ok(factors),
            Some(at) => {
                let found = format!("{} at position {at}", factors.as_slice()[at]);
                Err(self.invalid(FACTORS, "finite numbers", found))
            }
        }
    }

    fn vocabulary(&mut self, name: &str) -> Result<Vocabulary, ModelFileError> {
        let [table_name, offsets_name, bytes_name] = vocabulary_names(name);
        let bytes = self.take::<u8>(&bytes_name, Dtype::U8, None)?;
        let offsets = self.take::<u32>(&offsets_name, Dtype::U32, None)?;
        let table = self.take::<u64>(&table_name, Dtype::U64, None)?;
        let vocabulary = Vocabulary::from_stored(bytes, offsets, table)
            .map_err(|e| ModelFileError::Parts { path: self.path.to_owned(), source: e.into() })?;
        let (bytes, offsets, table) = vocabulary.stored();
        let words = std::str::from_utf8(bytes)
            .map_err(|e| self.invalid(&bytes_name, "UTF-8", e.to_string()))?;
        let bad = |pair: &[u32]| pair[0] > pair[1] || !words.is_char_boundary(pair[0] as usize);
        if let Some(at) = offsets.windows(2).position(bad) {
            let found = format!("{} and {} for word {at}", offsets[at], offsets[at + 1]);
            let expected = "offsets that rise and stand between characters";
            return Err(self.invalid(&offsets_name, expected, found));
        }
        let used = table.as_chunks::<2>().0.iter().filter(|entry| entry[1] != 0).count();
        if used != vocabulary.len() {
            let expected = format!("{} used entries", vocabulary.len());
            return Err(self.invalid(&table_name, expected, used.to_string()));
        }
        Ok(vocabulary)
    }

    fn check_none_left(&self) -> Result<(), ModelFileError> {
        let names = self.header.metadata.offset_keys();
        if names.len() != self.taken {
            let expected = format!("the {} of this network", self.taken);
            return Err(self.invalid("the tensors", expected, names.join(", ")));
        }
        Ok(())
    }
}

/// Numbers within a file.
struct Mapped<T> {
    bytes: Bytes,
    range: Range<usize>,
    element: PhantomData<fn() -> T>,
}

impl<T: Pod> AsRef<[T]> for Mapped<T> {
    fn as_ref(&self) -> &[T] {
        // Range, alignment and length were checked when this was made.
        let bytes = self.bytes.as_ref().as_ref().get(self.range.clone()).unwrap_or_default();
        bytemuck::try_cast_slice(bytes).unwrap_or_default()
    }
}
