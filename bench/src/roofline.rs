//! The parts of the work beside the bounds that the machine sets them.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use slugline::classifier::Preset;
use slugline::corpus::reuters::{self, Variant};
use slugline::corpus::tokenize::Tokenizer;
use slugline::nn::{
    CsrMatrix, Dense, FitOptions, Loss, Optimizer, Sequential, Targets, with_threads,
};
use slugline::text::{FeatureBuffer, MultiHotVectorizer};
use slugline_nn::benchmarks::{Data, kernels};

use crate::Failure;
use crate::data::{self, Example, example, network};
use crate::machine::{Peaks, peaks};

/// Units of the hidden layers of the published example.
const HIDDEN: f64 = 64.0;
/// Bytes of a number.
const F32: f64 = 4.0;
/// Operations of one RMSprop step on one weight: v ← ρ·v + (1−ρ)·g², w ← w − η·g / (√v + ε), a root
/// and a division counting as one each.
const RMSPROP: f64 = 8.0;

/// A part of the work: what it took, and what it would take at the peaks of the machine.
struct Part {
    name: &'static str,
    /// Seconds of one sample, document or text.
    seconds: f64,
    /// Multiply-adds times two, of one of them.
    flops: f64,
    /// Additions, of one of them.
    additions: f64,
    /// Bytes read or written of one of them, wherever they lie.
    bytes: f64,
    /// Those of them that come from, or go to, a level beyond the nearest cache at least once.
    far_bytes: f64,
    /// Bytes a second at that level.
    far_bandwidth: f64,
    /// Its name.
    level: &'static str,
}

impl Part {
    /// The seconds that arithmetic, the nearest cache and the level beyond need at their peaks; they
    /// overlap, so the largest counts.
    fn bound(&self, peaks: &Peaks) -> f64 {
        let arithmetic = self.flops / peaks.flops + self.additions / peaks.additions;
        arithmetic.max(self.bytes / peaks.l1).max(self.far_bytes / self.far_bandwidth)
    }

    fn json(&self, peaks: &Peaks) -> Value {
        json!({
            "name": self.name,
            "seconds": self.seconds,
            "flops": self.flops,
            "additions": self.additions,
            "bytes": self.bytes,
            "far_bytes": self.far_bytes,
            "level": self.level,
            "bound_seconds": self.bound(peaks),
            "fraction": self.bound(peaks) / self.seconds,
        })
    }
}

/// Measures the machine and the parts on `threads` threads.
///
/// # Errors
/// If the data are not there, or the training fails.
pub fn measure(folder: &Path, threads: usize) -> Result<Value, Failure> {
    let peaks = peaks(threads)?;
    let example = example(folder)?;
    let distinct = features_a_step(&example.x);
    // Kernels run on one thread each.
    let kernels = if threads == 1 { kernel_parts(&example, &peaks)? } else { Vec::new() };
    let mut parts = network_parts(&example, distinct, &peaks, threads)?;
    parts.extend(text_parts(folder, &peaks, threads)?);
    Ok(json!({
        "threads": threads,
        "cpu": slugline::nn::cpu_name(),
        "flops": peaks.flops,
        "additions": peaks.additions,
        "l1": peaks.l1,
        "l2": peaks.l2,
        "l3": peaks.l3,
        "memory": peaks.memory,
        "non_zeros_a_sample": example.x.nnz() as f64 / example.x.rows() as f64,
        "features_a_step": distinct,
        "kernels": kernels,
        "parts": parts.iter().map(|part| part.json(&peaks)).collect::<Vec<_>>(),
    }))
}

/// Distinct features in a batch, on average.
fn features_a_step(x: &CsrMatrix) -> f64 {
    let batch = Preset::Notebook.options().batch_size;
    let counts: Vec<usize> = (0..x.rows() / batch)
        .map(|b| {
            let rows = (b * batch..(b + 1) * batch).map(|r| x.row(r));
            let mut ids: Vec<u32> = rows.flat_map(|row| row.indices.iter().copied()).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.len()
        })
        .collect();
    counts.iter().sum::<usize>() as f64 / counts.len() as f64
}

/// Training and prediction, as a whole and as far as they come apart from outside.
fn network_parts(
    example: &Example,
    distinct: f64,
    peaks: &Peaks,
    threads: usize,
) -> Result<Vec<Part>, Failure> {
    let batch = Preset::Notebook.options().batch_size as f64;
    let nnz = example.x.nnz() as f64 / example.x.rows() as f64;
    let classes = example.classes as f64;
    // Multiply-adds of the two dense layers: 64 to 64 and 64 to the classes.
    let dense = HIDDEN * HIDDEN + HIDDEN * classes;
    // Forward, the gradient of the weights, the gradient of the input.
    let dense_flops = 3.0 * 2.0 * dense;
    let dense_update = RMSPROP * dense / batch;
    let rows_touched = distinct / batch;

    // First layer: one row of weights a non-zero forward, one row of gradients a non-zero back, and
    // for each feature of the batch weight and mean square read and written. These tables, 5 MB, are
    // larger than the second cache: each row of the batch comes from the third once on the way
    // forward and once, with its mean squares, for the step, and goes back there.
    let sparse = |name, seconds| Part {
        name,
        seconds,
        flops: 0.0,
        additions: 2.0 * nnz * HIDDEN + RMSPROP * rows_touched * HIDDEN,
        bytes: (2.0 * nnz + 4.0 * rows_touched) * HIDDEN * F32,
        far_bytes: 5.0 * rows_touched * HIDDEN * F32,
        far_bandwidth: peaks.l3,
        level: "L3",
    };
    let mut full = network(example.x.cols(), example.classes, 0)?;
    let seconds = train(&mut full, &example.x, &example.y, threads)?;
    let whole = sparse("training step, published network", seconds);
    let whole = Part { flops: dense_flops, additions: whole.additions + dense_update, ..whole };

    let mut first = Sequential::new(example.x.cols(), [Dense::new(64).into()], 0)?;
    first.compile(Optimizer::rmsprop_keras2(), Loss::MeanSquaredError, &[])?;
    let targets = slugline::nn::Matrix::zeros(example.x.rows(), 64).into();
    let seconds = train(&mut first, &example.x, &targets, threads)?;
    let first = sparse("training step, sparse first layer alone", seconds);

    let single = CsrMatrix::new(
        1,
        (0..=example.x.rows()).collect(),
        vec![0; example.x.rows()],
        vec![1.0; example.x.rows()],
    )?;
    let mut rest = network(1, example.classes, 0)?;
    let seconds = train(&mut rest, &single, &example.y, threads)?;
    let rest = Part {
        name: "training step, dense layers alone",
        seconds,
        flops: dense_flops,
        additions: dense_update + 2.0 * HIDDEN,
        // Activations and gradients of the two hidden layers and the outputs, written and read.
        bytes: 2.0 * 2.0 * (2.0 * HIDDEN + classes) * F32,
        far_bytes: 2.0 * 2.0 * (2.0 * HIDDEN + classes) * F32,
        far_bandwidth: peaks.l2,
        level: "L2",
    };

    let seconds = with_threads(threads, || {
        best(|| {
            let start = Instant::now();
            let out = full.predict(&example.x)?;
            Ok(start.elapsed().as_secs_f64() / out.rows() as f64)
        })
    })??;
    let predict = Part {
        name: "prediction from rows",
        seconds,
        flops: 2.0 * dense,
        additions: nnz * HIDDEN,
        bytes: nnz * HIDDEN * F32,
        // The rows of rare words; how many of the others stay near is the cache's affair.
        far_bytes: distinct / batch * HIDDEN * F32,
        far_bandwidth: peaks.l2,
        level: "L2",
    };
    Ok(vec![whole, first, rest, predict])
}

/// The kernels one by one, each on a batch of the example.
fn kernel_parts(example: &Example, peaks: &Peaks) -> Result<Vec<Value>, Failure> {
    const SECONDS: f64 = 0.05;
    let data = Data::new(&example.x)?;
    kernels(&data)
        .iter()
        .map(|kernel| {
            if !kernel.agrees(&data) {
                return Err(format!("{} differs from the portable kernel", kernel.name).into());
            }
            let mut data = data.clone();
            let mut rounds = 1;
            let seconds = best(|| {
                let start = Instant::now();
                for _ in 0..rounds {
                    kernel.run(black_box(&mut data));
                }
                let seconds = start.elapsed().as_secs_f64() / f64::from(rounds);
                rounds = (SECONDS / seconds).clamp(1.0, 1e6) as u32;
                Ok(seconds)
            })?;
            let work = kernel.work;
            let arithmetic = work.flops / peaks.flops + work.additions / peaks.additions;
            let bound = arithmetic.max(work.bytes / peaks.l1).max(work.table_bytes / peaks.l3);
            Ok(json!({
                "name": kernel.name,
                "shape": kernel.shape,
                "seconds": seconds,
                "flops": work.flops,
                "additions": work.additions,
                "bytes": work.bytes,
                "table_bytes": work.table_bytes,
                "bound_seconds": bound,
                "fraction": bound / seconds,
            }))
        })
        .collect()
}

/// From text to rows.
fn text_parts(folder: &Path, peaks: &Peaks, threads: usize) -> Result<Vec<Part>, Failure> {
    let corpus = data::corpus(folder)?;
    let width = Preset::Notebook.options().max_features;
    let vectorizer = MultiHotVectorizer::from_corpus(&corpus, width)?;
    let documents = reuters::documents(&data::source(folder)?, Variant::Original)?.documents;
    let bytes: usize = documents.iter().map(|d| d.text.len()).sum();
    let part = |name, seconds: f64, bytes_per_document| Part {
        name,
        seconds: seconds / documents.len() as f64,
        flops: 0.0,
        additions: 0.0,
        bytes: bytes_per_document,
        far_bytes: bytes_per_document,
        far_bandwidth: peaks.memory,
        level: "memory",
    };
    let chunk = documents.len().div_ceil(16 * threads);
    let on_all = |work: &(dyn Fn(&[reuters::Document]) -> usize + Sync)| {
        use rayon::prelude::*;
        with_threads(threads, || {
            best(|| {
                let start = Instant::now();
                let found: usize = documents.par_chunks(chunk).map(work).sum();
                if found == 0 {
                    return Err("no words were found".into());
                }
                Ok(start.elapsed().as_secs_f64())
            })
        })
    };
    let tokens = on_all(&|documents| {
        let (mut tokenizer, mut letters) = (Tokenizer::default(), 0);
        for document in documents {
            tokenizer.for_each(&document.text, |word| letters += black_box(word.as_str()).len());
        }
        letters
    })??;
    let rows = on_all(&|documents| {
        let mut buffer = FeatureBuffer::default();
        let mut features = 0;
        for document in documents {
            vectorizer.vectorize(&document.text, &mut buffer);
            features += buffer.row().indices.len();
        }
        features
    })??;
    let bytes = bytes as f64 / documents.len() as f64;
    Ok(vec![part("cutting text into words", tokens, bytes), part("text to row", rows, bytes)])
}

/// Seconds of one sample of one epoch, at best.
fn train(
    network: &mut Sequential,
    x: &CsrMatrix,
    y: &Targets,
    threads: usize,
) -> Result<f64, Failure> {
    let batch_size = Preset::Notebook.options().batch_size;
    let epochs = 5;
    let options = |epochs| FitOptions { epochs, batch_size, threads, ..Default::default() };
    network.fit(x, y, &options(1))?;
    best(|| {
        let start = Instant::now();
        network.fit(x, y, &options(epochs))?;
        Ok(start.elapsed().as_secs_f64() / (epochs * x.rows()) as f64)
    })
}

/// The least of several measurements.
fn best(mut measure: impl FnMut() -> Result<f64, Failure>) -> Result<f64, Failure> {
    (0..7).try_fold(f64::INFINITY, |least, _| Ok(measure()?.min(least)))
}
