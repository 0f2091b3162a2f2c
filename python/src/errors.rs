//! Errors as the exceptions that Python users expect.

use std::error::Error;
use std::io;

use pyo3::exceptions::{PyFloatingPointError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use slugline::classifier::ClassifierError;
use slugline::model_file::ModelFileError;
use slugline::nn::NnError;

/// What the library refuses, with the causes behind a message that does not name them.
fn told(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
}

/// Data and settings that cannot be used: `ValueError`.
pub(crate) fn value_error(error: &dyn Error) -> PyErr {
    PyValueError::new_err(told(error))
}

/// `ValueError`, but `FloatingPointError` for training that diverged and `RuntimeError` for what comes
/// too early or what the system refuses.
pub(crate) fn network_error(error: &NnError) -> PyErr {
    match error {
        NnError::Diverged { .. } => PyFloatingPointError::new_err(told(error)),
        NnError::NotCompiled { .. } | NnError::Threads { .. } => {
            PyRuntimeError::new_err(told(error))
        }
        _ => value_error(error),
    }
}

/// As [`network_error`].
pub(crate) fn classifier_error(error: &ClassifierError) -> PyErr {
    match error {
        ClassifierError::Network(error) | ClassifierError::Diverged { error, .. } => {
            network_error(error)
        }
        _ => value_error(error),
    }
}

/// `OSError` with number and file name, so that Python makes it a `FileNotFoundError` and the like, for
/// what the system refuses; `ValueError` for what stands in the file.
pub(crate) fn file_error(error: &ModelFileError) -> PyErr {
    match error {
        ModelFileError::Read { path, source } | ModelFileError::Write { path, source } => {
            system_error(source, &path.display().to_string())
        }
        _ => value_error(error),
    }
}

fn system_error(error: &io::Error, path: &str) -> PyErr {
    let (number, message) = match (error.raw_os_error(), number(error.kind())) {
        (Some(number), _) | (None, Some(number)) => (number, error.to_string()),
        (None, None) => return PyOSError::new_err(format!("{path}: {error}")),
    };
    // Python adds the number itself.
    let message = message.split(" (os error").next().unwrap_or_default().to_owned();
    PyOSError::new_err((number, message, path.to_owned()))
}

/// The system's number of a kind of error, for those that something has wrapped.
fn number(kind: io::ErrorKind) -> Option<i32> {
    Some(match kind {
        io::ErrorKind::NotFound => libc::ENOENT,
        io::ErrorKind::PermissionDenied => libc::EACCES,
        io::ErrorKind::AlreadyExists => libc::EEXIST,
        io::ErrorKind::NotADirectory => libc::ENOTDIR,
        io::ErrorKind::IsADirectory => libc::EISDIR,
        io::ErrorKind::StorageFull => libc::ENOSPC,
        io::ErrorKind::ReadOnlyFilesystem => libc::EROFS,
        _ => return None,
    })
}
