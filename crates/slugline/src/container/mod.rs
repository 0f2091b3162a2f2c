//! One file of a description and tensors: the form that model files and checkpoints share.
//!
//! A file is a valid safetensors file whose header begins with `__metadata__` and its one key
//! `slugline`; the value is a JSON text that begins with format, version and checksum. What the
//! description and the tensors are is a matter of the kind of file; here is how they become bytes, how
//! the bytes reach the disk, and how the header is read.

mod checksum;
mod header;
mod image;

pub(crate) use checksum::{BLANK, checksum};
pub(crate) use header::{Header, declared_header};
pub(crate) use image::{Image, Tensor, is_temporary, write_atomically};

/// The one key of `__metadata__`.
pub(crate) const KEY: &str = "slugline";

/// Bytes of the length before the header.
pub(crate) const LENGTH: usize = 8;

/// Longest header: the limit of safetensors.
pub(crate) const MAX_HEADER: u64 = 100_000_000;

/// The header between a version of one digit and the checksum.
pub(crate) const BEFORE_CHECKSUM: &[u8] = br#",\"checksum\":\""#;

/// Place of the checksum in a file whose header has `before_version` before its version of one digit.
pub(crate) const fn checksum_place(before_version: &[u8]) -> std::ops::Range<usize> {
    let start = LENGTH + before_version.len() + 1 + BEFORE_CHECKSUM.len();
    start..start + BLANK.len()
}
