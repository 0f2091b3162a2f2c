//! What goes in and comes out of a network: sparse rows, dense rows, labels.

mod csr;
mod dense;
mod distinct;
mod element;
mod targets;

pub use csr::{CsrMatrix, SparseRow};
pub use dense::{Matrix, argmax};
pub use distinct::{Distinct, distinct_samples};
pub use element::Element;
pub use targets::{Targets, to_categorical, to_classes};
