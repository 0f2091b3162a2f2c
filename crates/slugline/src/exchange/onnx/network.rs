//! The layers of a network as nodes.

use super::graph::Graph;
use super::schema::AttributeProto;
use crate::exchange::tensor_names;
use crate::nn::{Activation, Layer, Sequential};

/// Adds the network over dense rows of shape `[N, input_width]`, and gives what its last layer makes of
/// them, `[N, units]`. Dropout does nothing when predicting and is left out.
pub(super) fn add(graph: &mut Graph, network: &Sequential, rows: &str) -> String {
    let activations = network.layers().iter().filter_map(|layer| match layer {
        Layer::Dense(dense) => Some(dense.activation),
        Layer::Dropout(_) => None,
    });
    let mut value = rows.to_owned();
    for (i, (parameters, activation)) in network.parameters().iter().zip(activations).enumerate() {
        let [kernel, bias] = tensor_names(i);
        let shape = [parameters.n_in, parameters.units];
        let kernel = graph.floats(&kernel, &shape, parameters.kernel.as_slice());
        let mut inputs = vec![value, kernel];
        if !parameters.bias.as_slice().is_empty() {
            inputs.push(graph.floats(&bias, &[parameters.units], parameters.bias.as_slice()));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let sums = graph.node("Gemm", &inputs, vec![]);
        value = activate(graph, activation, &sums);
    }
    value
}

/// Adds an activation.
fn activate(graph: &mut Graph, activation: Activation, sums: &str) -> String {
    match activation {
        Activation::Linear => sums.to_owned(),
        Activation::Relu => graph.node("Relu", &[sums], vec![]),
        Activation::Tanh => graph.node("Tanh", &[sums], vec![]),
        Activation::Sigmoid => sigmoid(graph, sums),
        Activation::Softmax => graph.node("Softmax", &[sums], vec![AttributeProto::int("axis", 1)]),
        // By the definition: the operator `Gelu` came with version 20 only.
        Activation::Gelu => {
            let (one, half) = (graph.floats("one", &[], &[1.0]), graph.floats("half", &[], &[0.5]));
            let root = graph.floats("root_half", &[], &[std::f32::consts::FRAC_1_SQRT_2]);
            let scaled = graph.node("Mul", &[sums, &root], vec![]);
            let erf = graph.node("Erf", &[&scaled], vec![]);
            let twice = graph.node("Add", &[&erf, &one], vec![]);
            let share = graph.node("Mul", &[&twice, &half], vec![]);
            graph.node("Mul", &[sums, &share], vec![])
        }
    }
}

/// The sigmoid by its definition, and near 1 by what is missing to it, as the network computes it.
/// Platt scaling asks for logits again, and runtimes that approximate the operator `Sigmoid` have none
/// left far from 0.
fn sigmoid(graph: &mut Graph, sums: &str) -> String {
    let (zero, one) = (graph.floats("zero_float", &[], &[0.0]), graph.floats("one", &[], &[1.0]));
    let size = graph.node("Abs", &[sums], vec![]);
    let negative = graph.node("Neg", &[&size], vec![]);
    let exp = graph.node("Exp", &[&negative], vec![]);
    let whole = graph.node("Add", &[&exp, &one], vec![]);
    let small = graph.node("Div", &[&exp, &whole], vec![]);
    let large = graph.node("Sub", &[&one, &small], vec![]);
    let is_small = graph.node("Less", &[sums, &zero], vec![]);
    graph.node("Where", &[&is_small, &small, &large], vec![])
}
