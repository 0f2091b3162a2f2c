//! The layers of a network.

use serde::Serialize;

use super::canvas::{Anchor, BELOW_TITLE, Canvas, EDGE, Look, TITLE};
use super::text::{shortened, widest, width};
use super::{Picture, PlotError, Theme, titled};
use crate::classifier::Classifier;
use crate::corpus::LabelKind;
use crate::nn::{Activation, Layer, Sequential};
use crate::number::grouped;
use crate::text::{FeatureScaling, Idf, TermFrequency, Vectorizer, VectorizerOptions};

/// The network from its features to its classes, a box for each layer, with output shapes and numbers
/// of parameters.
///
/// ```
/// use slugline::classifier::{Classifier, TrainingOptions};
/// use slugline::corpus::{SequenceOptions, sample};
/// use slugline::plot::{Architecture, Picture, Theme};
///
/// let corpus = sample::load(&SequenceOptions { num_words: Some(2000), ..Default::default() })?;
/// let options = TrainingOptions { max_features: 2000, epochs: 1, ..Default::default() };
/// let architecture = Architecture::of(&Classifier::train(&corpus, &options)?);
/// assert_eq!(architecture.layers[0].parameters, 2000 * 64 + 64);
/// assert!(architecture.svg(Theme::Light)?.contains("128,064"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Architecture {
    /// What was trained on; stands before the title, unless it is empty.
    pub name: String,
    /// Number of features of a document.
    pub features: usize,
    /// What the features are, in words.
    pub input: String,
    /// The layers in order.
    pub layers: Vec<LayerBox>,
    /// Number of classes.
    pub classes: usize,
    /// What kind of labels is given.
    pub label_kind: LabelKind,
    /// Number of weights and biases of all layers.
    pub parameters: usize,
}

/// A layer as it is drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerBox {
    /// Keras's name of the layer: `dense`, `dense_1`, `dropout`, …
    pub name: String,
    /// Number of outputs a document.
    pub units: usize,
    /// What a dense layer makes of its sums.
    pub activation: Option<Activation>,
    /// The share of inputs that a dropout leaves out in training.
    pub rate: Option<f32>,
    /// Number of weights and biases.
    pub parameters: usize,
}

impl Architecture {
    /// The network of a classifier.
    pub fn of(classifier: &Classifier) -> Self {
        Self {
            name: classifier.record().corpus.name.clone(),
            input: input(classifier.vectorizer()),
            label_kind: classifier.label_kind(),
            ..Self::of_network("", classifier.network())
        }
    }

    /// A network of given features.
    pub fn of_network(name: impl Into<String>, network: &Sequential) -> Self {
        let summary = network.summary();
        let layers = network.layers().iter().zip(summary.layers).map(|(layer, row)| {
            let (activation, rate) = match layer {
                Layer::Dense(dense) => (Some(dense.activation), None),
                Layer::Dropout(dropout) => (None, Some(dropout.rate)),
            };
            let (name, units, parameters) = (row.name, row.units, row.parameters);
            LayerBox { name, units, activation, rate, parameters }
        });
        Self {
            name: name.into(),
            features: network.input_width(),
            input: "given features".into(),
            layers: layers.collect(),
            classes: network.units(),
            label_kind: match network.output_activation() {
                Activation::Sigmoid => LabelKind::Multi,
                _ => LabelKind::Single,
            },
            parameters: summary.parameters,
        }
    }

    /// The boxes from top to bottom.
    fn boxes(&self) -> Vec<Block> {
        let shape = |units: usize| format!("(–, {})", grouped(units as u64));
        let mut blocks = vec![Block {
            name: "input".into(),
            kind: self.input.clone(),
            shape: shape(self.features),
            parameters: None,
            fill: Fill::Ends,
        }];
        blocks.extend(self.layers.iter().map(|layer| {
            let kind = match (layer.activation, layer.rate) {
                (Some(activation), _) => format!("Dense, {activation}"),
                (None, Some(rate)) => format!("Dropout, {rate} left out in training"),
                (None, None) => String::new(),
            };
            Block {
                name: layer.name.clone(),
                kind,
                shape: shape(layer.units),
                parameters: Some(layer.parameters),
                fill: if layer.rate.is_some() { Fill::Faint } else { Fill::Layer },
            }
        }));
        let kind = match self.label_kind {
            LabelKind::Single => "one class a document",
            LabelKind::Multi => "any number of classes a document",
            LabelKind::Soft => "shares of the classes",
        };
        blocks.push(Block {
            name: "answer".into(),
            kind: kind.into(),
            shape: format!("{} classes", grouped(self.classes as u64)),
            parameters: None,
            fill: Fill::Ends,
        });
        blocks
    }
}

/// What the features are, in words.
fn input(vectorizer: &Vectorizer) -> String {
    match vectorizer {
        Vectorizer::MultiHot(_) => "which words occur (multi-hot)".into(),
        Vectorizer::Terms(terms) => terms_in_words(terms.options()),
        Vectorizer::Features(features) => match features.scaling() {
            FeatureScaling::None => "given features".into(),
            scaling => format!("given features, {}", scaling.name()),
        },
    }
}

fn terms_in_words(options: &VectorizerOptions) -> String {
    let mut parts = vec!["words".to_owned()];
    match options.word_ngrams {
        0 | 1 => {}
        2 => parts.push("pairs of words".into()),
        3 => parts.push("pairs and triples of words".into()),
        n => parts.push(format!("2 to {n} words in a row")),
    }
    if !options.prefix_lengths.is_empty() {
        parts.push("beginnings".into());
    }
    match options.char_ngrams {
        Some((least, most)) if least == most => parts.push(format!("parts of {least} letters")),
        Some((least, most)) => parts.push(format!("parts of {least} to {most} letters")),
        None => {}
    }
    if options.hashing.is_some() {
        parts.push("hashed".into());
    }
    let weight = match (options.tf, options.idf) {
        (TermFrequency::Bm25 { .. }, _) => "BM25",
        (_, Idf::None) => match options.tf {
            TermFrequency::Binary => "present or not",
            _ => "counted",
        },
        _ => "tf-idf",
    };
    format!("{} ({weight})", parts.join(", "))
}

/// A box of the diagram.
struct Block {
    name: String,
    kind: String,
    shape: String,
    parameters: Option<usize>,
    fill: Fill,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    /// What goes in and comes out.
    Ends,
    Layer,
    /// What only acts in training.
    Faint,
}

const HEIGHT: f64 = 54.0;
/// Between two boxes.
const GAP: f64 = 26.0;
/// Widest line of words in a box.
const WORDS: f64 = 460.0;

impl Picture for Architecture {
    fn svg(&self, theme: Theme) -> Result<String, PlotError> {
        let mut blocks = self.boxes();
        for block in &mut blocks {
            block.kind = shortened(&block.kind, 11.0, WORDS);
        }
        let words = widest(blocks.iter().map(|block| block.kind.as_str()), 11.0);
        let words = words.max(widest(blocks.iter().map(|block| block.name.as_str()), 13.0));
        let figures: Vec<String> = blocks.iter().map(Block::figures).collect();
        let shapes = widest(blocks.iter().map(|block| block.shape.as_str()), 13.0);
        let shapes = shapes.max(widest(figures.iter().map(String::as_str), 11.0));
        let inner = (14.0 + words + 36.0 + shapes + 14.0).max(380.0);
        let parameters = grouped(self.parameters as u64);
        let title = titled(&self.name, &format!("{parameters} parameters"));
        let wide = (inner + 2.0 * EDGE).max((width(&title, TITLE) + 2.0 * EDGE).min(700.0));
        let height = BELOW_TITLE + blocks.len() as f64 * (HEIGHT + GAP) - GAP + EDGE;
        let mut canvas = Canvas::new(wide, height, &title, theme);
        let left = (wide - inner) / 2.0;
        for (i, (block, figures)) in blocks.iter().zip(&figures).enumerate() {
            let top = BELOW_TITLE + i as f64 * (HEIGHT + GAP);
            if i > 0 {
                arrow(&mut canvas, (wide / 2.0, top - GAP), top);
            }
            block.draw(&mut canvas, (left, top), inner, figures);
        }
        Ok(canvas.finish())
    }
}

impl Block {
    fn figures(&self) -> String {
        match self.parameters {
            None | Some(0) => String::new(),
            Some(1) => "1 parameter".into(),
            Some(n) => format!("{} parameters", grouped(n as u64)),
        }
    }

    fn draw(&self, canvas: &mut Canvas, (x, y): (f64, f64), inner: f64, figures: &str) {
        let (ground, panel, grid) =
            (canvas.colours.ground, canvas.colours.panel, canvas.colours.grid);
        let [blue, orange, ..] = canvas.colours.series;
        let (fill, frame) = match self.fill {
            Fill::Ends => (ground, orange),
            Fill::Layer => (panel, blue),
            Fill::Faint => (ground, grid),
        };
        canvas.frame((x, y), (inner, HEIGHT), fill, frame);
        let (upper, lower, only) = (y + 18.0, y + 37.0, y + HEIGHT / 2.0);
        let name = Look { size: 13.0, ..canvas.look(Anchor::Start) };
        let kind = Look { size: 11.0, ..canvas.quiet(Anchor::Start) };
        canvas.text((x + 14.0, upper), &self.name, name);
        canvas.text((x + 14.0, lower), &self.kind, kind);
        let right = x + inner - 14.0;
        let shape = Look { anchor: Anchor::End, ..name };
        let place = if figures.is_empty() { only } else { upper };
        canvas.text((right, place), &self.shape, shape);
        canvas.text((right, lower), figures, Look { anchor: Anchor::End, ..kind });
    }
}

fn arrow(canvas: &mut Canvas, from: (f64, f64), to: f64) {
    let colour = canvas.colours.quiet;
    canvas.line((from.0, from.1 + 4.0), (from.0, to - 9.0), colour, 1.5);
    let head = [(from.0, to - 3.0), (from.0 - 4.5, to - 10.0), (from.0 + 4.5, to - 10.0)];
    canvas.polygon(head.into_iter(), colour, 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::testing::check;

    fn published() -> Architecture {
        let dense = |name: &str, units, activation, parameters| LayerBox {
            name: name.into(),
            units,
            activation: Some(activation),
            rate: None,
            parameters,
        };
        let dropout = LayerBox {
            name: "dropout".into(),
            units: 64,
            activation: None,
            rate: Some(0.5),
            parameters: 0,
        };
        Architecture {
            name: "reuters".into(),
            features: 10_000,
            input: "which words occur (multi-hot)".into(),
            layers: vec![
                dense("dense", 64, Activation::Relu, 640_064),
                dropout,
                dense("dense_1", 64, Activation::Relu, 4160),
                dense("dense_2", 46, Activation::Softmax, 2990),
            ],
            classes: 46,
            label_kind: LabelKind::Single,
            parameters: 647_214,
        }
    }

    #[test]
    fn every_layer_has_its_shape_and_parameters() {
        let svg = check(&published());
        for wanted in [
            "reuters: 647,214 parameters",
            ">(–, 10,000)<",
            ">Dense, relu<",
            ">dense_2<",
            ">Dropout, 0.5 left out in training<",
            ">640,064 parameters<",
            ">46 classes<",
            ">one class a document<",
        ] {
            assert!(svg.contains(wanted), "{wanted} in {svg}");
        }
        assert_eq!(svg.matches("rx=").count(), 6);
    }

    #[test]
    fn features_are_told_in_words() {
        let words = |options: VectorizerOptions| terms_in_words(&options);
        let plain = VectorizerOptions::default();
        assert_eq!(words(plain.clone()), "words (counted)");
        let all = VectorizerOptions {
            word_ngrams: 4,
            prefix_lengths: vec![4],
            char_ngrams: Some((3, 5)),
            idf: Idf::Smooth,
            ..plain.clone()
        };
        let wanted = "words, 2 to 4 words in a row, beginnings, parts of 3 to 5 letters (tf-idf)";
        assert_eq!(words(all), wanted);
        let parts = VectorizerOptions {
            word_ngrams: 3,
            char_ngrams: Some((3, 3)),
            hashing: Some(20),
            tf: TermFrequency::Binary,
            ..plain.clone()
        };
        let wanted =
            "words, pairs and triples of words, parts of 3 letters, hashed (present or not)";
        assert_eq!(words(parts), wanted);
        let bm25 = VectorizerOptions { tf: TermFrequency::ALL[3], word_ngrams: 2, ..plain };
        assert_eq!(words(bm25), "words, pairs of words (BM25)");
    }
}
