//! From a description and tensors to a file.

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde_json::{Map, Value, json};

use super::{KEY, LENGTH, MAX_HEADER, checksum};

/// A tensor to be written.
pub(crate) struct Tensor<'a> {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: &'a [u8],
}

/// The content of a file: the header, and the tensors where they lie in memory.
pub(crate) struct Image<'a> {
    header: Vec<u8>,
    tensors: Vec<&'a [u8]>,
    digits: String,
}

impl<'a> Image<'a> {
    /// The file of a description, in which the checksum at `place` of the file is blank, and of tensors
    /// in their order; or why there can be none.
    pub(crate) fn new(
        description: String,
        tensors: &[Tensor<'a>],
        place: Range<usize>,
    ) -> Result<Self, String> {
        let json = header(description, tensors).map_err(|e| e.to_string())?;
        let length = json.len().next_multiple_of(LENGTH);
        if length as u64 > MAX_HEADER {
            return Err(format!(
                "has {length} bytes, at most {MAX_HEADER} fit; shorten the record"
            ));
        }
        let mut header = (length as u64).to_le_bytes().to_vec();
        header.extend(json);
        header.resize(LENGTH + length, b' ');

        let tensors = tensors.iter().map(|t| t.bytes).collect();
        let mut image = Self { header, tensors, digits: String::new() };
        image.digits = checksum(&image.pieces());
        image.header[place].copy_from_slice(image.digits.as_bytes());
        Ok(image)
    }

    /// The checksum.
    pub(crate) fn digits(&self) -> &str {
        &self.digits
    }

    /// The content of the file, to be put end to end.
    pub(crate) fn pieces(&self) -> Vec<&[u8]> {
        std::iter::once(&self.header[..]).chain(self.tensors.iter().copied()).collect()
    }
}

/// How the name of a file begins that is being written, and how it ends.
const TEMPORARY: &str = ".slugline-";
const UNFINISHED: &str = ".part";

/// Whether a file by its name is one that was being written when the program was killed.
pub(crate) fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(TEMPORARY) && name.ends_with(UNFINISHED)
}

/// Writes `pieces`, end to end, to a temporary file beside `path`, and renames it when it is on the
/// disk: afterwards `path` is the whole new file, or what stood there before is untouched.
pub(crate) fn write_atomically(path: &Path, pieces: &[&[u8]]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY).suffix(UNFINISHED);
    // Temporary files are private by default; a model gets what the user's mask allows.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    for piece in pieces {
        file.write_all(piece)?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The new name is on the disk only when the folder is; folders cannot be opened on Windows.
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
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
