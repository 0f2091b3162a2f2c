//! The table that shows a network's layers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Sequential;
use crate::layers::Layer;

/// One layer in a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// Keras's name of the layer: `dense`, `dense_1`, `dropout`, …
    pub name: String,
    /// Kind and settings: `Dense (relu)`, `Dropout (0.5)`.
    pub kind: String,
    /// Number of outputs a sample.
    pub units: usize,
    /// Number of weights and biases.
    pub parameters: usize,
}

/// The layers of a network with their shapes and parameter counts; [`Display`](fmt::Display) draws
/// it as a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Number of features of an input row.
    pub input_width: usize,
    /// The layers in order.
    pub layers: Vec<SummaryRow>,
    /// Number of weights and biases of all layers.
    pub parameters: usize,
}

impl Sequential {
    /// The layers with their shapes and parameter counts.
    ///
    /// ```
    /// use slugline_nn::{Dense, Sequential};
    ///
    /// let model = Sequential::new(10_000, [Dense::new(64).into(), Dense::new(46).into()], 0)?;
    /// assert_eq!(model.summary().layers[0].parameters, 640_064);
    /// # Ok::<(), slugline_nn::NnError>(())
    /// ```
    pub fn summary(&self) -> Summary {
        let mut parameters = self.parameters().iter();
        let mut units = self.input_width();
        let (mut dense, mut dropout) = (0, 0);
        let numbered = |kind: &str, seen: &mut usize| {
            *seen += 1;
            if *seen == 1 { kind.to_owned() } else { format!("{kind}_{}", *seen - 1) }
        };
        let layers = self
            .layers()
            .iter()
            .map(|layer| match layer {
                Layer::Dense(d) => {
                    units = d.units;
                    SummaryRow {
                        name: numbered("dense", &mut dense),
                        kind: format!("Dense ({})", d.activation),
                        units,
                        parameters: parameters.next().map_or(0, super::Parameters::count),
                    }
                }
                Layer::Dropout(d) => SummaryRow {
                    name: numbered("dropout", &mut dropout),
                    kind: format!("Dropout ({})", d.rate),
                    units,
                    parameters: 0,
                },
            })
            .collect();
        Summary { input_width: self.input_width(), layers, parameters: self.parameter_count() }
    }
}

/// `1234567` as `1,234,567`.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12} {:<20} {:>14} {:>12}", "layer", "kind", "output shape", "parameters")?;
        writeln!(f, "{}", "─".repeat(61))?;
        let shape = |units: usize| format!("(–, {units})");
        writeln!(f, "{:<12} {:<20} {:>14} {:>12}", "input", "Sparse", shape(self.input_width), 0)?;
        for row in &self.layers {
            writeln!(
                f,
                "{:<12} {:<20} {:>14} {:>12}",
                row.name,
                row.kind,
                shape(row.units),
                grouped(row.parameters)
            )?;
        }
        writeln!(f, "{}", "─".repeat(61))?;
        write!(f, "{:<12} {:>48}", "total", grouped(self.parameters))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Activation, Dense, Dropout, Sequential};

    #[test]
    fn the_published_example_has_the_published_counts() {
        let model = Sequential::new(
            10_000,
            [
                Dense::new(64).activation(Activation::Relu).into(),
                Dropout::new(0.5).into(),
                Dense::new(64).activation(Activation::Relu).into(),
                Dense::new(46).activation(Activation::Softmax).into(),
            ],
            0,
        )
        .unwrap();
        let summary = model.summary();
        let counts: Vec<usize> = summary.layers.iter().map(|l| l.parameters).collect();
        assert_eq!(counts, [640_064, 0, 4_160, 2_990]);
        assert_eq!(summary.parameters, 647_214);
        let text = summary.to_string();
        for want in ["dense_1 ", "dense_2 ", "Dropout (0.5)", "(–, 46)", "640,064", "647,214"] {
            assert!(text.contains(want), "{want} in\n{text}");
        }
    }
}
