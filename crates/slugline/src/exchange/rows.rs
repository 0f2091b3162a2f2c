//! Feature rows, for programs that run a network by themselves.
//!
//! ```
//! use slugline::classifier::{Classifier, TrainingOptions};
//! use slugline::corpus::{SequenceOptions, sample};
//! use slugline::exchange::rows;
//!
//! let options = TrainingOptions { max_features: 500, hidden: vec![8], epochs: 1, ..Default::default() };
//! let corpus = sample::load(&SequenceOptions { num_words: Some(500), ..Default::default() })?;
//! let classifier = Classifier::train(&corpus, &options)?;
//! let x = classifier.vectorizer().transform(&["rain on the harvest", "gold"])?;
//! assert_eq!((x.rows(), x.cols()), (2, 500));
//! // In Python: `scipy.sparse.load_npz("rows.npz").toarray()`.
//! let file = rows::to_npz(&x)?;
//! # assert!(!file.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io::Cursor;
use std::path::Path;

use npyz::{AutoSerialize, DType, TypeStr, WriterBuilder};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::ExchangeError;
use crate::nn::CsrMatrix;

const FORM: &str = "a file of rows";

/// A sparse matrix as `SciPy`'s `scipy.sparse.load_npz` reads it: a CSR matrix of single precision.
///
/// # Errors
/// [`ExchangeError::Form`] if it becomes too large for an archive.
pub fn to_npz(rows: &CsrMatrix) -> Result<Vec<u8>, ExchangeError> {
    archive(rows).map_err(|error| ExchangeError::Form { form: FORM, problem: error.to_string() })
}

/// Writes a sparse matrix to a file for `SciPy`, atomically.
///
/// # Errors
/// As [`to_npz`]; [`ExchangeError::Write`] if the system refuses.
pub fn save(rows: &CsrMatrix, path: impl AsRef<Path>) -> Result<(), ExchangeError> {
    super::write(path.as_ref(), &to_npz(rows)?)
}

type Archive = ZipWriter<Cursor<Vec<u8>>>;

fn archive(rows: &CsrMatrix) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let (mut indptr, mut indices, mut data) = (vec![0_i64], Vec::new(), Vec::new());
    for i in 0..rows.rows() {
        let row = rows.row(i);
        indices.extend(row.indices.iter().map(|&index| i64::from(index)));
        data.extend_from_slice(row.values);
        indptr.push(indices.len() as i64);
    }
    array(&mut archive, "indices", indices)?;
    array(&mut archive, "indptr", indptr)?;
    array(&mut archive, "shape", vec![rows.rows() as i64, rows.cols() as i64])?;
    array(&mut archive, "data", data)?;
    // A text without dimensions, as NumPy writes `b"csr"`.
    begin(&mut archive, "format")?;
    let kind: TypeStr = "|S3".parse()?;
    let mut writer = npyz::WriteOptions::new()
        .dtype(DType::Plain(kind))
        .shape(&[])
        .writer(&mut archive)
        .begin_nd()?;
    writer.push(b"csr".as_slice())?;
    writer.finish()?;
    Ok(archive.finish()?.into_inner())
}

/// Adds an array of one dimension.
fn array<T: AutoSerialize>(
    archive: &mut Archive,
    name: &str,
    values: Vec<T>,
) -> Result<(), Box<dyn std::error::Error>> {
    begin(archive, name)?;
    let shape = [values.len() as u64];
    let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
    let mut writer = options.writer(archive).begin_nd()?;
    writer.extend(values)?;
    Ok(writer.finish()?)
}

fn begin(archive: &mut Archive, name: &str) -> zip::result::ZipResult<()> {
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    archive.start_file(format!("{name}.npy"), options)
}
