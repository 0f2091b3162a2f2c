//! The published Reuters example as the measurements use it.

use std::path::Path;

use slugline::classifier::{Preset, TrainingOptions};
use slugline::corpus::{Corpus, SequenceOptions, reuters};
use slugline::nn::{CsrMatrix, Metric, Sequential, Targets, to_categorical};
use slugline::text::multi_hot;

use crate::Failure;

/// Samples that the published example validates on: the first ones of the training part.
pub const VALIDATION: usize = 1000;

/// The training part of the example in rows.
pub struct Example {
    /// Features of the samples trained on.
    pub x: CsrMatrix,
    /// Their classes, one-hot.
    pub y: Targets,
    /// Features of the samples validated on.
    pub x_val: CsrMatrix,
    /// Their classes.
    pub y_val: Targets,
    /// Features of the test part.
    pub x_test: CsrMatrix,
    /// Its classes.
    pub y_test: Targets,
    /// Number of classes.
    pub classes: usize,
}

/// Where the newswires in `folder` are.
///
/// # Errors
/// If there are none.
pub fn source(folder: &Path) -> Result<reuters::Source, Failure> {
    reuters::Source::in_folder(folder).ok_or_else(|| {
        let archive = reuters::ARCHIVE;
        format!("no Reuters files in {}: expected {archive}", folder.display()).into()
    })
}

/// How the words of the example are numbered: the 10,000 most frequent ones.
pub fn sequence_options() -> SequenceOptions {
    let width = Preset::Notebook.options().max_features as u32;
    SequenceOptions { num_words: Some(width), ..Default::default() }
}

/// The corpus of the example.
///
/// # Errors
/// If the folder does not hold it.
pub fn corpus(folder: &Path) -> Result<Corpus, Failure> {
    Ok(reuters::load(&source(folder)?, reuters::Variant::Original, &sequence_options())?)
}

/// The rows of the example.
///
/// # Errors
/// If the folder does not hold the corpus.
pub fn example(folder: &Path) -> Result<Example, Failure> {
    let corpus = corpus(folder)?;
    let width = Preset::Notebook.options().max_features;
    let classes = corpus.class_names.len();
    let x = multi_hot(&corpus.train, width)?;
    let labels = corpus.train.labels();
    Ok(Example {
        x: x.slice_rows(VALIDATION..x.rows())?,
        y: to_categorical(&labels[VALIDATION..], classes)?.into(),
        x_val: x.slice_rows(0..VALIDATION)?,
        y_val: to_categorical(&labels[..VALIDATION], classes)?.into(),
        x_test: multi_hot(&corpus.test, width)?,
        y_test: to_categorical(corpus.test.labels(), classes)?.into(),
        classes,
    })
}

/// A fresh network of the example for rows of `width` features, compiled.
///
/// # Errors
/// If the width is none.
pub fn network(width: usize, classes: usize, seed: u64) -> Result<Sequential, Failure> {
    let options = TrainingOptions { seed, ..Preset::Notebook.options() };
    let mut network = Sequential::new(width, options.layers(classes), seed)?;
    network.compile(options.optimizer, options.loss, &[Metric::Accuracy])?;
    Ok(network)
}

/// The same rows in a matrix of `width` columns: column `i` of `n` moves to a place of its own among
/// the columns from `i·width/n` on, so that neighbours lie far apart and no two columns meet.
///
/// # Errors
/// If `width` is below the number of columns.
pub fn spread(x: &CsrMatrix, width: usize) -> Result<CsrMatrix, Failure> {
    let gap = width / x.cols();
    if gap == 0 {
        return Err(format!("{width} columns do not hold {}", x.cols()).into());
    }
    let place = |column: u32| {
        let scattered = u64::from(column).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        (column as usize * gap + scattered as usize % gap) as u32
    };
    let mut indptr = vec![0];
    let mut indices = Vec::with_capacity(x.nnz());
    let mut values = Vec::with_capacity(x.nnz());
    for row in x.iter_rows() {
        indices.extend(row.indices.iter().map(|&column| place(column)));
        values.extend_from_slice(row.values);
        indptr.push(indices.len());
    }
    Ok(CsrMatrix::new(width, indptr, indices, values)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreading_keeps_rows_apart_and_in_order() {
        let x = CsrMatrix::new(4, vec![0, 3, 5], vec![0, 1, 3, 1, 2], vec![1.0; 5]).unwrap();
        let wide = spread(&x, 4000).unwrap();
        assert_eq!((wide.rows(), wide.cols(), wide.nnz()), (2, 4000, 5));
        assert_eq!(wide.row(0).indices[1], wide.row(1).indices[0]);
        assert!(wide.row(0).indices[2] >= 3000);
        assert_eq!(spread(&x, 4).unwrap(), x);
        assert!(spread(&x, 3).is_err());
    }
}
