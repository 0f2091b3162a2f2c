//! Calibration as nodes: the formulas of [`Calibration::apply`], in double precision as there.

use super::graph::Graph;
use super::schema::{AttributeProto, Type};
use crate::evaluation::{Calibration, Mixture};

/// Adds what turns probabilities of shape `[N, classes]` into calibrated ones of the same shape.
pub(super) fn add(
    graph: &mut Graph,
    calibration: &Calibration,
    classes: usize,
    probabilities: &str,
) -> String {
    let calibrated = match calibration {
        Calibration::None => return probabilities.to_owned(),
        Calibration::Temperature { temperature } => cooled(graph, *temperature, probabilities),
        Calibration::Mixture(mixture) => mixed(graph, mixture, classes, probabilities),
        Calibration::Platt { scales, offsets } => platt(graph, scales, offsets, probabilities),
    };
    graph.cast(&calibrated, Type::Float)
}

/// `p^(1/T)` scaled to sum 1, which is the softmax of `ln p / T`.
fn cooled(graph: &mut Graph, temperature: f64, probabilities: &str) -> String {
    let double = graph.cast(probabilities, Type::Double);
    let least = graph.doubles("least", &[], &[f64::from(f32::MIN_POSITIVE)]);
    let temperature = graph.doubles("temperature", &[], &[temperature]);
    let positive = graph.node("Max", &[&double, &least], vec![]);
    let logits = graph.node("Log", &[&positive], vec![]);
    let cooled = graph.node("Div", &[&logits, &temperature], vec![]);
    graph.node("Softmax", &[&cooled], vec![AttributeProto::int("axis", 1)])
}

/// A temperature, a share of drawn labels, and the map of confidence.
fn mixed(graph: &mut Graph, mixture: &Mixture, classes: usize, probabilities: &str) -> String {
    let cooled = cooled(graph, mixture.temperature, probabilities);
    let clean = graph.doubles("clean", &[], &[1.0 - mixture.noise]);
    let drawn = mixture.shares.iter().map(|&share| mixture.noise * f64::from(share));
    let drawn = graph.doubles("drawn", &[classes], &drawn.collect::<Vec<f64>>());
    let kept = graph.node("Mul", &[&cooled, &clean], vec![]);
    let sum = graph.node("Add", &[&kept, &drawn], vec![]);
    // Rounded in between, as there.
    let single = graph.cast(&sum, Type::Float);
    let mixed = graph.cast(&single, Type::Double);

    // The largest, the second and where the largest stands. Picked by `ArgMax`, as `ReduceMax` takes its
    // axes in another way in later versions.
    let along = || vec![AttributeProto::int("axis", 1)];
    let (zero, one) =
        (graph.doubles("zero", &[], &[0.0]), graph.doubles("one_double", &[], &[1.0]));
    let top = graph.node("ArgMax", &[&mixed], along());
    let numbers: Vec<i64> = (0..classes as i64).collect();
    let numbers = graph.ints("class_numbers", &[1, classes], &numbers);
    let is_top = graph.node("Equal", &[&numbers, &top], vec![]);
    let largest = graph.node("GatherElements", &[&mixed, &top], along());
    let others = graph.node("Where", &[&is_top, &zero, &mixed], vec![]);
    let next = graph.node("ArgMax", &[&others], along());
    let second = graph.node("GatherElements", &[&others, &next], along());

    let [a, b, d] = mixture.confidence;
    let a = graph.doubles("confidence_a", &[], &[a]);
    let b = graph.doubles("confidence_b", &[], &[b]);
    let d = graph.doubles("confidence_d", &[], &[d]);
    let low = graph.doubles("confidence_low", &[], &[1e-7]);
    let high = graph.doubles("confidence_high", &[], &[1.0 - 1e-7]);
    let c = graph.node("Clip", &[&largest, &low, &high], vec![]);
    let log = graph.node("Log", &[&c], vec![]);
    let doubt = graph.node("Sub", &[&one, &c], vec![]);
    let log_doubt = graph.node("Log", &[&doubt], vec![]);
    let left = graph.node("Mul", &[&log, &a], vec![]);
    let right = graph.node("Mul", &[&log_doubt, &b], vec![]);
    let between = graph.node("Sub", &[&left, &right], vec![]);
    let logit = graph.node("Add", &[&between, &d], vec![]);
    let wanted = graph.node("Sigmoid", &[&logit], vec![]);

    let rest = graph.node("Sub", &[&one, &largest], vec![]);
    let both = graph.node("Add", &[&rest, &second], vec![]);
    let least = graph.node("Div", &[&second, &both], vec![]);
    let raised = graph.node("Max", &[&wanted, &least], vec![]);
    let confidence = graph.node("Min", &[&raised, &one], vec![]);
    let left_over = graph.node("Sub", &[&one, &confidence], vec![]);
    let factor = graph.node("Div", &[&left_over, &rest], vec![]);
    let scaled = graph.node("Mul", &[&mixed, &factor], vec![]);
    let mapped = graph.node("Where", &[&is_top, &confidence, &scaled], vec![]);
    // Where the largest is all, nothing is left to be shared out.
    let is_some = graph.node("Greater", &[&rest, &zero], vec![]);
    graph.node("Where", &[&is_some, &mapped, &mixed], vec![])
}

/// `sigmoid(aⱼ·zⱼ + bⱼ)` of the logits `zⱼ`.
fn platt(graph: &mut Graph, scales: &[f64], offsets: &[f64], probabilities: &str) -> String {
    let double = graph.cast(probabilities, Type::Double);
    let low = graph.doubles("least", &[], &[f64::from(f32::MIN_POSITIVE)]);
    let high = graph.doubles("most", &[], &[f64::from(1.0 - f32::EPSILON / 2.0)]);
    let one = graph.doubles("one_double", &[], &[1.0]);
    let scales = graph.doubles("platt_scales", &[scales.len()], scales);
    let offsets = graph.doubles("platt_offsets", &[offsets.len()], offsets);
    let p = graph.node("Clip", &[&double, &low, &high], vec![]);
    let rest = graph.node("Sub", &[&one, &p], vec![]);
    let (log, log_rest) = (graph.node("Log", &[&p], vec![]), graph.node("Log", &[&rest], vec![]));
    let logits = graph.node("Sub", &[&log, &log_rest], vec![]);
    let scaled = graph.node("Mul", &[&logits, &scales], vec![]);
    let moved = graph.node("Add", &[&scaled, &offsets], vec![]);
    graph.node("Sigmoid", &[&moved], vec![])
}
