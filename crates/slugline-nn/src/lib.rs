//! Feed-forward networks over sparse input: exact, deterministic and fast on CPUs.
//!
//! Input is a [`CsrMatrix`], one row a document; a [`Sequential`] stack of [`Dense`] and [`Dropout`]
//! layers makes class probabilities of it. Names, defaults and formulas are Keras's. One seed gives
//! one result, to the last bit, for any number of threads.
//!
//! ```
//! use slugline_nn::*;
//!
//! // Two classes: does the row hold feature 0 or feature 1?
//! let x = CsrMatrix::new(3, vec![0, 1, 3, 4, 6], vec![0, 1, 2, 0, 1, 2], vec![1.0; 6])?;
//! let y = Targets::from(vec![0, 1, 0, 1]);
//!
//! let mut model = Sequential::new(3, [
//!     Dense::new(8).activation(Activation::Relu).into(),
//!     Dense::new(2).activation(Activation::Softmax).into(),
//! ], 42)?;
//! model.compile(Optimizer::rmsprop(), Loss::SparseCategoricalCrossentropy, &[Metric::Accuracy])?;
//! let history = model.fit(&x, &y, &FitOptions { epochs: 200, batch_size: 2, ..Default::default() })?;
//! assert!(history.last("loss").unwrap() < history.first("loss").unwrap());
//! assert_eq!(model.evaluate(&x, &y)?.get("accuracy"), Some(1.0));
//! # Ok::<(), NnError>(())
//! ```
//!
//! This crate knows nothing of words, files or terminals.

#[cfg(feature = "benchmarks")]
#[doc(hidden)]
pub mod benchmarks;
mod buffer;
mod error;
mod kernels;
mod layers;
mod loss;
mod matrix;
mod metrics;
mod model;
pub mod optimizer;
mod random;
mod shared;
mod table;
mod training;

pub use buffer::{Buffer, Weights};
pub use error::NnError;
pub use kernels::cpu_name;
pub use layers::{Activation, Dense, Dropout, Initializer, Layer, Regularizer};
pub use loss::Loss;
pub use matrix::{
    CsrMatrix, Distinct, Element, Matrix, SparseRow, Targets, argmax, distinct_samples,
    to_categorical, to_classes,
};
pub use metrics::{Average, ClassCounts, Metric, average_score};
pub use model::{Attributor, Parameters, Predictor, Sequential, Summary, SummaryRow};
pub use optimizer::{EpsilonPlacement, LearningRate, Optimizer, ParameterState, SparseRule};
pub use training::{
    BatchReport, Callback, CallbackState, Checkpoint, EarlyStopping, EpochLogs, FitOptions, Flow,
    History, MAX_THREADS, Progress, Scores, StopReason, Validation, WeightAverage, with_threads,
};
