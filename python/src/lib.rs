//! The library for Python: what comes in is converted, the library does the work without the
//! interpreter's lock, and what comes out is converted back. Names, defaults and documentation that
//! Python users see are those of the package `slugline` around it.

#![allow(clippy::needless_pass_by_value, reason = "what is extracted from Python is a value")]
#![allow(unreachable_pub, reason = "what Python sees is no interface for Rust")]

mod arrow;
mod classifier;
mod datasets;
mod documents;
mod errors;
mod exchange;
mod fit;
mod interrupt;
mod network;
mod pictures;
mod pool;
mod rows;
mod targets;
mod terms;
mod texts;
mod train;

use pyo3::prelude::*;

/// The native part of the package `slugline`.
#[pymodule]
mod _slugline {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::classifier::Classifier;
    #[pymodule_export]
    use super::datasets::{reuters_labels, reuters_sequences, reuters_word_index};
    #[pymodule_export]
    use super::network::Network;
    #[pymodule_export]
    use super::rows::Rows;
    #[pymodule_export]
    use super::terms::Terms;
    #[pymodule_export]
    use super::train::{setting_names, settings};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
