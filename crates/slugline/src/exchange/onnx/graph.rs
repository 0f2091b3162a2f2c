//! A graph as it grows, node by node.

use std::collections::HashMap;

use super::schema::{
    AttributeProto, Dimension, GraphProto, NodeProto, TensorProto, Type, ValueInfoProto,
};

/// The domain of the operators that the main one leaves out.
pub(super) const ML: &str = "ai.onnx.ml";

/// Nodes and constants. Values are known by their names; those that are given no name are called by the
/// operator that makes them, with a number.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    /// How many values each operator has made.
    made: HashMap<&'static str, usize>,
    /// Stands before the names of values, so that those of graphs within graphs are their own.
    prefix: String,
}

impl Graph {
    /// A graph that may stand in another, under a name of its own.
    pub(super) fn within(name: &str) -> Self {
        Self { prefix: format!("{name}/"), ..Self::default() }
    }

    /// Adds a node with one output, and gives the output's name.
    pub(super) fn node(
        &mut self,
        operator: &'static str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.nodes_of(operator, inputs, attributes, 1).swap_remove(0)
    }

    /// Adds a node with so many outputs, and gives their names.
    pub(super) fn nodes_of(
        &mut self,
        operator: &'static str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
        outputs: usize,
    ) -> Vec<String> {
        let made = self.made.entry(operator).or_default();
        let name = format!("{}{operator}_{made}", self.prefix);
        *made += 1;
        let named = |i| if i == 0 { name.clone() } else { format!("{name}_{i}") };
        let outputs: Vec<String> = (0..outputs).map(named).collect();
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: outputs.clone(),
            name,
            op_type: operator.into(),
            attribute: attributes,
            domain: if operator == "LabelEncoder" { ML.into() } else { String::new() },
        });
        outputs
    }

    /// Gives a value the name of an output.
    pub(super) fn output(&mut self, value: &str, name: &str) {
        self.nodes.push(NodeProto {
            input: vec![value.into()],
            output: vec![name.into()],
            name: name.into(),
            op_type: "Identity".into(),
            ..NodeProto::default()
        });
    }

    /// Adds a constant of single precision.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.constant(name, Type::Float, shape, bytemuck::cast_slice(values))
    }

    /// Adds a constant of double precision.
    pub(super) fn doubles(&mut self, name: &str, shape: &[usize], values: &[f64]) -> String {
        self.constant(name, Type::Double, shape, bytemuck::cast_slice(values))
    }

    /// Adds a constant of whole numbers.
    pub(super) fn ints(&mut self, name: &str, shape: &[usize], values: &[i64]) -> String {
        self.constant(name, Type::Int64, shape, bytemuck::cast_slice(values))
    }

    /// Adds a constant of texts.
    pub(super) fn strings(&mut self, name: &str, shape: &[usize], values: &[&str]) -> String {
        let string_data = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        self.tensor(TensorProto { string_data, ..tensor(name, Type::String, shape) })
    }

    /// Turns the elements of a value into those of another type.
    pub(super) fn cast(&mut self, value: &str, to: Type) -> String {
        self.node("Cast", &[value], vec![AttributeProto::int("to", to as i64)])
    }

    /// The finished graph.
    pub(super) fn finish(
        self,
        name: &str,
        input: Vec<ValueInfoProto>,
        output: Vec<ValueInfoProto>,
    ) -> GraphProto {
        let Self { nodes: node, constants: initializer, .. } = self;
        GraphProto { node, name: name.into(), initializer, input, output }
    }

    fn constant(&mut self, name: &str, element: Type, shape: &[usize], bytes: &[u8]) -> String {
        self.tensor(TensorProto { raw_data: Some(bytes.to_vec()), ..tensor(name, element, shape) })
    }

    /// Keeps a constant under its name; one that is there already is the same.
    fn tensor(&mut self, mut tensor: TensorProto) -> String {
        tensor.name = format!("{}{}", self.prefix, tensor.name);
        let name = tensor.name.clone();
        match self.constants.iter().find(|other| other.name == name) {
            Some(other) => debug_assert!(*other == tensor, "two constants called {name}"),
            None => self.constants.push(tensor),
        }
        name
    }
}

fn tensor(name: &str, element: Type, shape: &[usize]) -> TensorProto {
    TensorProto {
        name: name.into(),
        data_type: element as i32,
        dims: shape.iter().map(|&n| n as i64).collect(),
        ..TensorProto::default()
    }
}

/// A value of a graph within another that has no shape to speak of.
pub(super) fn scalar(name: &str, element: Type) -> ValueInfoProto {
    ValueInfoProto::tensor(name, element, &[])
}

/// A row of values, one for each of a number that is not known.
pub(super) fn list(name: &str, element: Type) -> ValueInfoProto {
    ValueInfoProto::tensor(name, element, &[Dimension::Name("tokens".into())])
}
