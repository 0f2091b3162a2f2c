//! What one training step costs in a narrow and in a wide network.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use slugline::nn::{
    BatchReport, Callback, CsrMatrix, FitOptions, Flow, Validation, to_categorical,
};

use crate::Failure;
use crate::data::{example, network, spread};

/// Notes when each step ends.
#[derive(Debug, Default)]
struct Clock {
    last: Option<Instant>,
    steps: Vec<Duration>,
}

impl Callback for Clock {
    fn on_batch_end(&mut self, report: &BatchReport) -> Flow {
        let now = Instant::now();
        // The first step of an epoch has the shuffle before it, and the last one fewer samples.
        if let Some(last) = self.last.filter(|_| report.step > 1 && report.step < report.steps) {
            self.steps.push(now - last);
        }
        self.last = Some(now);
        Flow::Continue
    }
}

/// What to step.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Columns that the rows are strewn over.
    pub features: usize,
    /// Whether held-out data with most of the features keep a row of weights for each.
    pub every_row: bool,
    /// Samples a step.
    pub batch: usize,
    /// Epochs timed.
    pub epochs: usize,
    /// Threads to train on.
    pub threads: usize,
}

/// Trains the network of the published example on the same rows in more columns, and tells the median
/// time of a step after one epoch to warm up.
///
/// # Errors
/// If the data are not there, or the training fails.
pub fn measure(folder: &Path, plan: Plan) -> Result<Value, Failure> {
    let Plan { features, every_row, batch, epochs, threads } = plan;
    let example = example(folder)?;
    let x = spread(&example.x, features)?;
    let mut network = network(features, example.classes, 0)?;
    let mut most = CsrMatrix::with_cols(features);
    let ids: Vec<u32> = (0..features as u32).filter(|id| id % 3 > 0).collect();
    most.push_row(&ids, &vec![1e-6; ids.len()])?;
    let label = to_categorical(&[0], example.classes)?.into();
    let validation = if every_row { Validation::Data(&most, &label) } else { Validation::None };
    let options = |epochs| FitOptions {
        epochs,
        batch_size: batch,
        threads,
        validation,
        ..Default::default()
    };
    network.fit(&x, &example.y, &options(1))?;
    let mut clock = Clock::default();
    let history = network.fit_with(&x, &example.y, &options(epochs), &mut [&mut clock])?;
    let mut steps = clock.steps;
    if steps.is_empty() {
        return Err("no step was timed: the batch holds all samples".into());
    }
    let timed = steps.len();
    let (_, median, _) = steps.select_nth_unstable(timed / 2);
    Ok(json!({
        "seconds": median.as_secs_f64(),
        "steps": timed,
        "features": features,
        "non_zeros": x.nnz(),
        "loss": history.last("loss"),
    }))
}
