//! The published example with candle, a tensor library in Rust: the dense equivalent.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use candle_core::{D, DType, Device, Tensor};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use serde_json::json;
use slugline::nn::{CsrMatrix, Targets};
use slugline_bench::Failure;
use slugline_bench::data::{Example, example};

const EPOCHS: usize = 20;
const BATCH: usize = 512;
const HIDDEN: usize = 64;

/// Trains once for each line of `input`, as `fit` does: the same rows as dense numbers, the same
/// layers and batches, in the order of the data. The optimizer is Adam, since candle has no RMSprop.
pub(crate) fn serve(
    folder: &Path,
    input: impl BufRead,
    mut output: impl Write,
) -> Result<(), Failure> {
    let example = example(folder)?;
    let (x, y) = (dense(&example.x)?, labels(&example.y)?);
    let (x_test, y_test) = (dense(&example.x_test)?, labels(&example.y_test)?);
    fit(&example, &x, &y, 1)?;
    writeln!(output, "{}", json!({"ready": true}))?;
    output.flush()?;
    for line in input.lines() {
        line?;
        let start = Instant::now();
        let (network, loss) = fit(&example, &x, &y, EPOCHS)?;
        let seconds = start.elapsed().as_secs_f64();
        let answers = network.forward(&x_test)?.argmax(D::Minus1)?;
        let right = answers.eq(&y_test)?.to_dtype(DType::F32)?.mean_all()?.to_scalar::<f32>()?;
        let answer = json!({
            "seconds": seconds,
            "samples": example.x.rows(),
            "epochs": EPOCHS,
            "loss": loss,
            "test_accuracy": right,
        });
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

struct Network([Linear; 3]);

impl Module for Network {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let [first, second, last] = &self.0;
        last.forward(&second.forward(&first.forward(x)?.relu()?)?.relu()?)
    }
}

/// Fresh weights, trained; and the mean loss of the last epoch.
fn fit(
    example: &Example,
    x: &Tensor,
    y: &Tensor,
    epochs: usize,
) -> Result<(Network, f64), Failure> {
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let network = Network([
        candle_nn::linear(example.x.cols(), HIDDEN, builder.pp("first"))?,
        candle_nn::linear(HIDDEN, HIDDEN, builder.pp("second"))?,
        candle_nn::linear(HIDDEN, example.classes, builder.pp("last"))?,
    ]);
    let settings = ParamsAdamW { weight_decay: 0.0, ..Default::default() };
    let mut optimizer = AdamW::new(variables.all_vars(), settings)?;
    let samples = example.x.rows();
    let mut mean = 0.0;
    for _ in 0..epochs {
        mean = 0.0;
        for first in (0..samples).step_by(BATCH) {
            let n = BATCH.min(samples - first);
            let logits = network.forward(&x.narrow(0, first, n)?)?;
            let loss = candle_nn::loss::cross_entropy(&logits, &y.narrow(0, first, n)?)?;
            optimizer.backward_step(&loss)?;
            mean += f64::from(loss.to_scalar::<f32>()?) * n as f64 / samples as f64;
        }
    }
    Ok((network, mean))
}

fn dense(x: &CsrMatrix) -> Result<Tensor, Failure> {
    let rows = x.to_dense();
    let shape = (rows.rows(), rows.cols());
    Ok(Tensor::from_slice(rows.data(), shape, &Device::Cpu)?)
}

fn labels(y: &Targets) -> Result<Tensor, Failure> {
    let labels = y.classes();
    let count = labels.len();
    Ok(Tensor::from_vec(labels, count, &Device::Cpu)?)
}
