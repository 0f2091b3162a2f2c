//! One `fit` of the published example, again and again.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use slugline::classifier::Preset;
use slugline::nn::{FitOptions, History, Sequential, Validation};

use crate::Failure;
use crate::data::{Example, example, network};

/// How to train.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Threads to train on.
    pub threads: usize,
    /// Passes over the data.
    pub epochs: usize,
    /// Whether each epoch is validated.
    pub validate: bool,
}

/// Loads the example and trains once untimed; then trains a fresh network for each line of `input`
/// and answers it with one JSON object on `output`: seconds of the fit and the scores reached.
///
/// The data stay in memory from fit to fit, so that only the training is measured, and so that the
/// system it is held against can be asked in turn.
///
/// # Errors
/// If the data are not there, or the training fails.
pub fn serve(
    folder: &Path,
    plan: Plan,
    input: impl BufRead,
    mut output: impl Write,
) -> Result<(), Failure> {
    let example = example(folder)?;
    fit(&example, Plan { epochs: 1, ..plan }, 0)?;
    writeln!(output, "{}", json!({"ready": true, "cpu": slugline::nn::cpu_name()}))?;
    output.flush()?;
    for (number, line) in input.lines().enumerate() {
        line?;
        let start = Instant::now();
        let (network, history) = fit(&example, plan, number as u64)?;
        let seconds = start.elapsed().as_secs_f64();
        let test = network.evaluate(&example.x_test, &example.y_test)?;
        let answer = json!({
            "seconds": seconds,
            "samples": example.x.rows(),
            "epochs": history.epochs.len(),
            "loss": history.last("loss"),
            "test_accuracy": test.get("accuracy"),
        });
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

/// One fit from fresh weights.
fn fit(example: &Example, plan: Plan, seed: u64) -> Result<(Sequential, History), Failure> {
    let mut network = network(example.x.cols(), example.classes, seed)?;
    let options = FitOptions {
        epochs: plan.epochs,
        batch_size: Preset::Notebook.options().batch_size,
        validation: match plan.validate {
            true => Validation::Data(&example.x_val, &example.y_val),
            false => Validation::None,
        },
        threads: plan.threads,
        ..Default::default()
    };
    let history = network.fit(&example.x, &example.y, &options)?;
    Ok((network, history))
}
