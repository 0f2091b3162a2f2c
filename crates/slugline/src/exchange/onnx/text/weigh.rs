//! Features found to rows of values, as nodes.

use crate::exchange::onnx::graph::Graph;
use crate::exchange::onnx::schema::{AttributeProto, Type};
use crate::text::{Norm, TermFrequency, TermVectorizer};

/// How often each feature was found in each text, without those that were not found.
pub(super) struct Counted {
    width: usize,
    /// Number of the text times the width, plus the feature; each once, rising.
    keys: String,
    counts: String,
}

/// What is made of counts.
pub(super) enum Weights<'a> {
    /// 1, whatever the count.
    Ones,
    /// The vectorizer's values before its norm; `lengths` are the tokens of each text, for BM25.
    Terms { vectorizer: &'a TermVectorizer, lengths: Option<String> },
}

impl Counted {
    /// Counts lists of features, each with the numbers of the texts in which they stand. Features below 0
    /// are none.
    pub(super) fn new(graph: &mut Graph, width: usize, found: Vec<(String, String)>) -> Self {
        let by = graph.ints("width", &[], &[width as i64]);
        let zero = graph.ints("zero_int", &[], &[0]);
        let along = || vec![AttributeProto::int("axis", 0)];
        let mut all = Vec::new();
        for (numbers, features) in found {
            let start = graph.node("Mul", &[&numbers, &by], vec![]);
            let keys = graph.node("Add", &[&start, &features], vec![]);
            let is_feature = graph.node("GreaterOrEqual", &[&features, &zero], vec![]);
            all.push(graph.node("Compress", &[&keys, &is_feature], along()));
        }
        let inputs: Vec<&str> = all.iter().map(String::as_str).collect();
        let together = match inputs[..] {
            [only] => only.to_owned(),
            _ => graph.node("Concat", &inputs, along()),
        };
        let mut counted = graph.nodes_of("Unique", &[&together], vec![], 4);
        let counts = counted.swap_remove(3);
        Self { width, keys: counted.swap_remove(0), counts }
    }

    /// Dense rows, `[N, width]`, of texts, `[N]`.
    pub(super) fn rows(&self, graph: &mut Graph, texts: &str, weights: &Weights<'_>) -> String {
        let by = graph.ints("width", &[], &[self.width as i64]);
        let counts = graph.cast(&self.counts, Type::Float);
        let values = match weights {
            Weights::Ones => {
                let one = graph.floats("one", &[], &[1.0]);
                graph.node("Min", &[&counts, &one], vec![])
            }
            Weights::Terms { vectorizer, lengths } => {
                let local = self.local(graph, vectorizer, lengths.as_deref(), &counts);
                let factors = graph.floats("factors", &[self.width], vectorizer.factors());
                let features = graph.node("Mod", &[&self.keys, &by], vec![]);
                let factors = graph.node("Gather", &[&factors, &features], vec![]);
                graph.node("Mul", &[&local, &factors], vec![])
            }
        };
        let shape = graph.node("Shape", &[texts], vec![]);
        let length = graph.node("Mul", &[&shape, &by], vec![]);
        let empty = graph.node("ConstantOfShape", &[&length], vec![]);
        let last = graph.ints("axis_1", &[1], &[1]);
        let places = graph.node("Unsqueeze", &[&self.keys, &last], vec![]);
        // Every key is there once: no order of writing makes a difference.
        let flat = graph.node("ScatterND", &[&empty, &places, &values], vec![]);
        let columns = graph.ints("columns", &[1], &[self.width as i64]);
        let along = vec![AttributeProto::int("axis", 0)];
        let shape = graph.node("Concat", &[&shape, &columns], along);
        // Without texts the shape is [0, width], which says its zero and copies none.
        let zeros = vec![AttributeProto::int("allowzero", 1)];
        graph.node("Reshape", &[&flat, &shape], zeros)
    }

    /// What counts are worth before the factors of the features.
    fn local(
        &self,
        graph: &mut Graph,
        vectorizer: &TermVectorizer,
        lengths: Option<&str>,
        counts: &str,
    ) -> String {
        let one = graph.floats("one", &[], &[1.0]);
        match (vectorizer.options().tf, lengths) {
            (TermFrequency::Binary, _) => graph.node("Min", &[counts, &one], vec![]),
            (TermFrequency::Log, _) => {
                let log = graph.node("Log", &[counts], vec![]);
                graph.node("Add", &[&log, &one], vec![])
            }
            (TermFrequency::Bm25 { k1, b }, Some(lengths)) => {
                let by = graph.ints("width", &[], &[self.width as i64]);
                let texts = graph.node("Div", &[&self.keys, &by], vec![]);
                let length = graph.node("Gather", &[lengths, &texts], vec![]);
                let length = graph.cast(&length, Type::Float);
                let mean = graph.floats("mean_length", &[], &[vectorizer.mean_length().max(1e-6)]);
                let relative = graph.node("Div", &[&length, &mean], vec![]);
                let slope = graph.floats("bm25_slope", &[], &[k1 * b]);
                let start = graph.floats("bm25_start", &[], &[k1 * (1.0 - b)]);
                let most = graph.floats("bm25_most", &[], &[k1 + 1.0]);
                let risen = graph.node("Mul", &[&relative, &slope], vec![]);
                let saturation = graph.node("Add", &[&risen, &start], vec![]);
                let below = graph.node("Add", &[counts, &saturation], vec![]);
                let above = graph.node("Mul", &[counts, &most], vec![]);
                graph.node("Div", &[&above, &below], vec![])
            }
            (TermFrequency::Count | TermFrequency::Bm25 { .. }, _) => counts.to_owned(),
        }
    }
}

/// Rows divided by their norm; those of zeros stay.
pub(super) fn divided(graph: &mut Graph, norm: Norm, rows: &str) -> String {
    let operator = if norm == Norm::L1 { "ReduceL1" } else { "ReduceL2" };
    let last = graph.ints("axis_1", &[1], &[1]);
    let length = graph.node(operator, &[rows, &last], vec![]);
    let (zero, one) = (graph.floats("zero_float", &[], &[0.0]), graph.floats("one", &[], &[1.0]));
    let is_some = graph.node("Greater", &[&length, &zero], vec![]);
    let divisor = graph.node("Where", &[&is_some, &length, &one], vec![]);
    graph.node("Div", &[rows, &divisor], vec![])
}
