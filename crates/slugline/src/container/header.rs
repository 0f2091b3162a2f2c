//! The header of a file, read without trust.

use safetensors::tensor::Metadata;

use super::{LENGTH, MAX_HEADER};

/// Where the header ends by the length before it, if that is one that a header can have.
pub(crate) fn declared_header(file: &[u8]) -> Option<u64> {
    let length = u64::from_le_bytes(*file.first_chunk()?);
    (length <= MAX_HEADER).then(|| LENGTH as u64 + length)
}

/// A header whose tensors lie end to end, each as long as its type and shape demand.
pub(crate) struct Header {
    pub(crate) metadata: Metadata,
    /// Where the tensors begin.
    pub(crate) data: usize,
    /// Length of the file by the header.
    pub(crate) file_length: u64,
}

impl Header {
    /// The header of `file`, or what is wrong with it. The tensors may lie beyond the end of the file.
    pub(crate) fn parse(file: &[u8]) -> Result<Self, String> {
        let end = declared_header(file).ok_or("no length of at most 100 MB before it")?;
        let data = end as usize;
        let json = file.get(LENGTH..data).ok_or_else(|| format!("a header up to byte {end}"))?;
        let metadata: Metadata = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        let file_length = end.saturating_add(metadata.data_len() as u64);
        Ok(Self { metadata, data, file_length })
    }

    /// The description: the value of the one key of `__metadata__`, or what stands there instead.
    pub(crate) fn description(&self) -> Result<&str, String> {
        let metadata = self.metadata.metadata().iter().flatten().collect::<Vec<_>>();
        match metadata[..] {
            [(key, text)] if key == super::KEY => Ok(text),
            [(key, _)] => Err(format!("{key:?}")),
            _ => Err(format!("{} keys", metadata.len())),
        }
    }
}
