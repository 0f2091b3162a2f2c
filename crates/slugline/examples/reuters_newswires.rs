//! The published Keras example of newswire classification, cell by cell. The Reuters files come from
//! `SLUGLINE_DATA_DIR`, the cache folder, or the public source:
//! `cargo run --release -p slugline --example reuters_newswires`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use std::ops::ControlFlow;

use slugline::corpus::fetch::Locator;
use slugline::corpus::{Dataset, SequenceOptions};
use slugline::evaluation::Baselines;
use slugline::nn::Activation::{Relu, Softmax};
use slugline::nn::{
    Dense, FitOptions, Loss, Metric, NnError, Optimizer, Sequential, Targets, Validation,
    to_categorical,
};
use slugline::text::multi_hot;

fn build(middle: usize, loss: Loss) -> Result<Sequential, NnError> {
    let layers = [
        Dense::new(64).activation(Relu).into(),
        Dense::new(middle).activation(Relu).into(),
        Dense::new(46).activation(Softmax).into(),
    ];
    let mut model = Sequential::new(10_000, layers, 1)?;
    model.compile(Optimizer::rmsprop_keras2(), loss, &[Metric::Accuracy])?;
    Ok(model)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The newswires as numbers, and one of them back in words.
    let options = SequenceOptions { num_words: Some(10_000), ..Default::default() };
    let reuters: Dataset = "reuters".parse()?;
    let corpus =
        reuters.load(&options, &Locator::from_env(), &mut |_| ControlFlow::Continue(()))?;
    println!("{} + {} newswires", corpus.train.len(), corpus.test.len());
    println!("{}", corpus.decode(corpus.train.get(0).unwrap_or_default()));

    // Multi-hot rows and one-hot labels; the first 1,000 are held out to validate on.
    let (x_train, x_test) = (multi_hot(&corpus.train, 10_000)?, multi_hot(&corpus.test, 10_000)?);
    let y_train = Targets::from(to_categorical(corpus.train.labels(), 46)?);
    let y_test = Targets::from(to_categorical(corpus.test.labels(), 46)?);
    let (x_val, y_val) = (x_train.slice_rows(0..1000)?, y_train.slice(0..1000));
    let (x, y) = (x_train.slice_rows(1000..8982)?, y_train.slice(1000..8982));
    let validation = Validation::Data(&x_val, &y_val);

    // Twenty epochs, to see where overfitting begins.
    let mut model = build(64, Loss::CATEGORICAL_CROSSENTROPY)?;
    println!("{}", model.summary());
    let long = FitOptions { epochs: 20, batch_size: 512, validation, ..Default::default() };
    let history = model.fit(&x, &y, &long)?;
    let epochs = history.overfits_after().unwrap_or(20);
    println!("validation loss is lowest after epoch {epochs}");

    // A new network, trained until then, beside the same labels in random order.
    let mut model = build(64, Loss::CATEGORICAL_CROSSENTROPY)?;
    model.fit(&x, &y, &FitOptions { epochs, ..long.clone() })?;
    let accuracy = model.evaluate(&x_test, &y_test)?.get("accuracy").unwrap_or_default();
    let by_chance = Baselines::new(corpus.test.labels(), &[]).random_permutation;
    println!("test accuracy {accuracy:.4}, by chance {by_chance:.4}");
    let predictions = model.predict(&x_test)?;
    let sum: f32 = predictions.row(0).iter().sum();
    println!(
        "first answer: {} (sum {sum:.6})",
        corpus.class_names[predictions.argmax_rows()[0] as usize]
    );

    // Integer labels make the same model.
    let mut sparse = build(64, Loss::SparseCategoricalCrossentropy)?;
    let (integers, val_integers) = (y.classes().into(), y_val.classes().into());
    let validation = Validation::Data(&x_val, &val_integers);
    sparse.fit(&x, &integers, &FitOptions { epochs, validation, ..long.clone() })?;
    println!("integer labels: same weights {}", sparse.same_weights(&model));

    // Four units in the middle drop what the last layer needs.
    let mut narrow = build(4, Loss::CATEGORICAL_CROSSENTROPY)?;
    let history = narrow.fit(&x, &y, &FitOptions { batch_size: 128, ..long })?;
    let best = history.series("val_accuracy").into_iter().flatten().fold(0.0, f64::max);
    println!("4 units in the middle: best validation accuracy {best:.4}");
    Ok(())
}
