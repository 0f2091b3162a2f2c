//! The network: a stack of layers with their parameters.

mod attribution;
mod ensemble;
mod forward;
mod grow;
mod predict;
mod summary;

use crate::NnError;
use crate::buffer::Weights;
use crate::layers::{Activation, Dense, Layer};
use crate::loss::Loss;
use crate::metrics::Metric;
use crate::optimizer::Optimizer;
use crate::random::{Stream, WEIGHTS};
use crate::training::Compiled;

pub use attribution::Attributor;
pub(crate) use forward::{BLOCK_ROWS, Columns, Forward, Packed, Scratch, apply};
pub use predict::Predictor;
pub use summary::{Summary, SummaryRow};

/// The parameters of one [`Dense`] layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Number of inputs.
    pub n_in: usize,
    /// Number of outputs.
    pub units: usize,
    /// Weights of shape `[n_in, units]`, row-major: row `i` belongs to input `i`.
    pub kernel: Weights,
    /// One number a unit; empty for a layer without bias.
    pub bias: Weights,
}

impl Parameters {
    /// Number of weights and biases.
    pub fn count(&self) -> usize {
        self.kernel.as_slice().len() + self.bias.as_slice().len()
    }
}

/// A stack of layers over sparse input, as Keras's `Sequential`.
///
/// Made by [`new`](Self::new) with random starting weights, or by
/// [`from_parameters`](Self::from_parameters) with given ones; then `compile`, `fit`, `evaluate`,
/// `predict`.
#[derive(Debug, Clone)]
pub struct Sequential {
    input_width: usize,
    layers: Vec<Layer>,
    parameters: Vec<Parameters>,
    seed: u64,
    pub(crate) compiled: Option<Compiled>,
}

/// A dense layer of the stack with the dropout that stands before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage<'a> {
    pub(crate) dense: &'a Dense,
    pub(crate) dropout: f32,
}

impl Sequential {
    /// A network for rows of `input_width` features, its weights drawn from `seed`.
    ///
    /// # Errors
    /// [`NnError::Setting`] for an input width of 0 or more than 2³² − 1, [`NnError::Layer`] for a
    /// layer that cannot stand where it does, [`NnError::Setting`] for a setting out of range.
    pub fn new(
        input_width: usize,
        layers: impl IntoIterator<Item = Layer>,
        seed: u64,
    ) -> Result<Self, NnError> {
        let layers: Vec<Layer> = layers.into_iter().collect();
        check_layers(input_width, &layers)?;
        let mut n_in = input_width;
        let parameters = dense_layers(&layers)
            .enumerate()
            .map(|(i, dense)| {
                let mut random = Stream::new(seed, WEIGHTS, i as u64);
                let kernel = dense.kernel_initializer.draw(n_in, dense.units, &mut random);
                let bias = vec![0.0; if dense.use_bias { dense.units } else { 0 }];
                let parameters = Parameters {
                    n_in,
                    units: dense.units,
                    kernel: kernel.into(),
                    bias: bias.into(),
                };
                n_in = dense.units;
                parameters
            })
            .collect();
        Ok(Self { input_width, layers, parameters, seed, compiled: None })
    }

    /// A network with given parameters: a kernel and a bias for each dense layer, in order.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`NnError::Shape`] if a kernel or bias has the wrong number of
    /// elements, [`NnError::NotFinite`] is not checked here, so that a mapped file need not be read.
    pub fn from_parameters(
        input_width: usize,
        layers: impl IntoIterator<Item = Layer>,
        parameters: impl IntoIterator<Item = (Weights, Weights)>,
        seed: u64,
    ) -> Result<Self, NnError> {
        let layers: Vec<Layer> = layers.into_iter().collect();
        check_layers(input_width, &layers)?;
        let mut given = parameters.into_iter();
        let mut n_in = input_width;
        let mut checked = Vec::new();
        let length = |what, weights: &Weights, expected: Option<usize>| {
            let got = weights.as_slice().len();
            match expected {
                Some(expected) if expected == got => Ok(()),
                expected => {
                    Err(NnError::Shape { what, expected: expected.unwrap_or(usize::MAX), got })
                }
            }
        };
        for dense in dense_layers(&layers) {
            let (kernel, bias) = given.next().ok_or(NnError::Shape {
                what: "dense layers with parameters",
                expected: dense_layers(&layers).count(),
                got: checked.len(),
            })?;
            length("weights of a kernel", &kernel, n_in.checked_mul(dense.units))?;
            length("biases of a layer", &bias, Some(if dense.use_bias { dense.units } else { 0 }))?;
            checked.push(Parameters { n_in, units: dense.units, kernel, bias });
            n_in = dense.units;
        }
        let surplus = given.count();
        if surplus > 0 {
            return Err(NnError::Shape {
                what: "dense layers with parameters",
                expected: checked.len(),
                got: checked.len() + surplus,
            });
        }
        Ok(Self { input_width, layers, parameters: checked, seed, compiled: None })
    }

    /// Number of features of an input row.
    pub fn input_width(&self) -> usize {
        self.input_width
    }

    /// Number of outputs.
    pub fn units(&self) -> usize {
        self.parameters.last().map_or(0, |p| p.units)
    }

    /// The layers in order.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The parameters of the dense layers in order.
    pub fn parameters(&self) -> &[Parameters] {
        &self.parameters
    }

    /// The seed of the weights, the shuffling and the dropout.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Number of weights and biases of all layers.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(Parameters::count).sum()
    }

    /// Sets how to train and what to report. Forgets the state of an earlier optimizer.
    ///
    /// # Errors
    /// [`NnError::Setting`] for a setting out of range, [`NnError::Loss`] if the loss does not fit
    /// the activation of the last layer.
    pub fn compile(
        &mut self,
        optimizer: Optimizer,
        loss: Loss,
        metrics: &[Metric],
    ) -> Result<(), NnError> {
        optimizer.check()?;
        let last = self.output_activation();
        loss.check_output(last, self.units())?;
        for metric in metrics {
            metric.check(self.units())?;
        }
        self.compiled = Some(Compiled::new(optimizer, loss, metrics));
        Ok(())
    }

    /// The optimizer set by [`compile`](Self::compile).
    pub fn optimizer(&self) -> Option<&Optimizer> {
        self.compiled.as_ref().map(|c| &c.optimizer)
    }

    /// The loss set by [`compile`](Self::compile).
    pub fn loss(&self) -> Option<Loss> {
        self.compiled.as_ref().map(|c| c.loss)
    }

    /// The metrics set by [`compile`](Self::compile), besides the loss.
    pub fn metrics(&self) -> &[Metric] {
        self.compiled.as_ref().map_or(&[], |c| &c.metrics)
    }

    /// What the last layer makes of its sums.
    pub fn output_activation(&self) -> Activation {
        dense_layers(&self.layers).last().map_or(Activation::Linear, |d| d.activation)
    }

    pub(crate) fn parameters_mut(&mut self) -> &mut [Parameters] {
        &mut self.parameters
    }

    /// The dense layers, each with the dropout rate before it.
    pub(crate) fn stages(&self) -> Vec<Stage<'_>> {
        let mut dropout = 0.0;
        let mut stages = Vec::new();
        for layer in &self.layers {
            match layer {
                Layer::Dropout(d) => dropout = d.rate,
                Layer::Dense(dense) => {
                    stages.push(Stage { dense, dropout });
                    dropout = 0.0;
                }
            }
        }
        stages
    }
}

fn dense_layers(layers: &[Layer]) -> impl Iterator<Item = &Dense> {
    layers.iter().filter_map(|layer| match layer {
        Layer::Dense(dense) => Some(dense),
        Layer::Dropout(_) => None,
    })
}

fn check_layers(input_width: usize, layers: &[Layer]) -> Result<(), NnError> {
    if input_width == 0 || u32::try_from(input_width).is_err() {
        return Err(NnError::Setting {
            name: "input_width",
            value: input_width.to_string(),
            expected: "from 1 to 2^32 - 1",
        });
    }
    let bad = |index, problem: &str| {
        Err(NnError::Layer {
            index,
            layer: match layers.get(index) {
                Some(Layer::Dense(_)) => "dense".into(),
                Some(Layer::Dropout(_)) => "dropout".into(),
                None => "none".into(),
            },
            problem: problem.into(),
        })
    };
    for (index, layer) in layers.iter().enumerate() {
        match layer {
            Layer::Dense(dense) => {
                if dense.units == 0 {
                    return bad(index, "units = 0: must be at least 1");
                }
                dense.kernel_regularizer.check()?;
            }
            Layer::Dropout(d) if !(0.0..1.0).contains(&d.rate) => {
                return bad(index, &format!("rate = {}: must be at least 0 and below 1", d.rate));
            }
            Layer::Dropout(_) => match layers.get(index + 1) {
                Some(Layer::Dense(_)) => {}
                Some(Layer::Dropout(_)) => return bad(index, "two dropouts follow each other"),
                None => return bad(index, "a dropout cannot be the last layer"),
            },
        }
    }
    if layers.is_empty() {
        return bad(0, "a network needs at least one dense layer");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Dropout;

    #[test]
    fn layers_that_cannot_stand_are_refused() {
        let dense = || Layer::from(Dense::new(2));
        let dropout = |rate| Layer::from(Dropout::new(rate));
        let cases: [(usize, Vec<Layer>, &str); 6] = [
            (0, vec![dense()], "input_width = 0"),
            (3, vec![], "at least one dense layer"),
            (3, vec![Dense::new(0).into()], "units = 0"),
            (3, vec![dropout(1.0), dense()], "rate = 1"),
            (3, vec![dropout(0.1), dropout(0.1), dense()], "two dropouts"),
            (3, vec![dense(), dropout(0.1)], "cannot be the last"),
        ];
        for (width, layers, want) in cases {
            let err = Sequential::new(width, layers, 1).unwrap_err().to_string();
            assert!(err.contains(want), "{err}");
        }
    }

    #[test]
    fn given_parameters_must_have_the_right_shapes() {
        let layers = || [Layer::from(Dense::new(2)), Dense::new(3).use_bias(false).into()];
        let weights = |n: usize| Weights::from(vec![0.0; n]);
        let good = vec![(weights(8), weights(2)), (weights(6), weights(0))];
        assert_eq!(
            Sequential::from_parameters(4, layers(), good.clone(), 0).unwrap().parameter_count(),
            16
        );
        let mut wrong = good.clone();
        wrong[1].0 = weights(7);
        let err = Sequential::from_parameters(4, layers(), wrong, 0).unwrap_err().to_string();
        assert_eq!(err, "weights of a kernel: expected 6, got 7");
        assert!(Sequential::from_parameters(4, layers(), good[..1].to_vec(), 0).is_err());
        let more = [good, vec![(weights(1), weights(0))]].concat();
        assert!(Sequential::from_parameters(4, layers(), more, 0).is_err());
    }

    #[test]
    fn one_seed_gives_one_start() {
        let start = |seed| Sequential::new(5, [Dense::new(3).into()], seed).unwrap().parameters;
        assert_eq!(start(1), start(1));
        assert_ne!(start(1), start(2));
        let model = |seed| Sequential::new(5, [Dense::new(3).into()], seed).unwrap();
        assert!(model(1).same_weights(&model(1)));
        assert!(!model(1).same_weights(&model(2)));
        let mut minus_zero = model(1);
        minus_zero.parameters[0].bias.make_mut()[0] = -0.0;
        assert!(!model(1).same_weights(&minus_zero));
    }
}
