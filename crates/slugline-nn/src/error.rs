//! The one error type of this crate.

/// What can be wrong with data, settings or a training run. Every variant carries the values that
/// disagreed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NnError {
    /// Two sizes that must agree do not.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// What was measured, such as "columns of the input".
        what: &'static str,
        /// The size required.
        expected: usize,
        /// The size found.
        got: usize,
    },
    /// A CSR matrix breaks its own rules.
    #[error("sparse matrix, row {row}: {reason}")]
    Csr {
        /// The row, counted from 0.
        row: usize,
        /// Which rule, with the values.
        reason: String,
    },
    /// A label is not below the number of classes.
    #[error("sample {sample}: label {label} is out of range for {classes} classes (0 to {})", classes.saturating_sub(1))]
    Label {
        /// The sample, counted from 0.
        sample: usize,
        /// The label found.
        label: u32,
        /// The number of classes.
        classes: usize,
    },
    /// An input, target or weight is NaN or infinite.
    #[error("{what}, row {row}: {value} is not a finite number")]
    NotFinite {
        /// Which array.
        what: &'static str,
        /// The row, counted from 0.
        row: usize,
        /// The value found.
        value: f32,
    },
    /// There is nothing to work on.
    #[error("{what} is empty: at least one sample is needed")]
    Empty {
        /// Which data.
        what: &'static str,
    },
    /// A setting is outside its range.
    #[error("{name} = {value}: must be {expected}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Its value, printed.
        value: String,
        /// The range that is allowed.
        expected: &'static str,
    },
    /// The loss does not fit the output layer or the targets.
    #[error("loss {loss} {problem}")]
    Loss {
        /// Keras's name of the loss.
        loss: &'static str,
        /// What does not fit, with the shapes and what to do.
        problem: String,
    },
    /// The layers do not make a network.
    #[error("layer {index} ({layer}): {problem}")]
    Layer {
        /// Position, counted from 0.
        index: usize,
        /// Name of the layer.
        layer: String,
        /// What is wrong.
        problem: String,
    },
    /// `fit` or `evaluate` before `compile`.
    #[error("the model has no optimizer and loss yet: call compile() before {before}()")]
    NotCompiled {
        /// The method that was called.
        before: &'static str,
    },
    /// The loss became NaN or infinite. The weights are those of the end of the last good epoch.
    #[error(
        "training diverged: the loss was {loss} in epoch {epoch}, step {step}; {} \
         are kept. Lower the learning rate (now {learning_rate:?}), or look for extreme input values",
        kept_weights(*last_good)
    )]
    Diverged {
        /// Epoch counted from 1.
        epoch: usize,
        /// Step within the epoch, counted from 1.
        step: usize,
        /// The loss of that step.
        loss: f64,
        /// Learning rate of that step.
        learning_rate: f64,
        /// The last epoch with a finite loss; 0 stands for the starting weights.
        last_good: usize,
    },
    /// The worker threads could not be started.
    #[error("cannot start {threads} worker threads: {reason}")]
    Threads {
        /// The number asked for.
        threads: usize,
        /// The system's reason.
        reason: String,
    },
}

/// Which weights a run that diverged goes back to.
fn kept_weights(last_good: usize) -> String {
    match last_good {
        0 => "no epoch was finished; the starting weights".to_owned(),
        epoch => format!("the weights of epoch {epoch}"),
    }
}
