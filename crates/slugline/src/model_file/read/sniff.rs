//! What a file is that is not a model.

use super::Header;

/// Beginnings of kinds of files that a model may be mistaken for.
const KINDS: [(&[u8], &str); 8] = [
    (b"\x89PNG", "a PNG image"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (such as Keras's .h5)"),
    (b"PK\x03\x04", "a ZIP archive (such as .keras and .npz files)"),
    (b"\x1f\x8b", "a file compressed by gzip"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"{", "a JSON text"),
];

/// Describes a file that is not a model.
pub(super) fn kind(file: &[u8]) -> String {
    if file.is_empty() {
        return "an empty file".into();
    }
    let start = file.trim_ascii_start();
    let known =
        |name: &[u8]| start.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| known(name)) {
        return (*kind).into();
    }
    if Header::parse(file).is_ok_and(|header| header.file_length == file.len() as u64) {
        return "a safetensors file without Slugline's description".into();
    }
    let start = file[..file.len().min(16)].escape_ascii();
    format!("{} bytes that begin with \"{start}\"", file.len())
}
