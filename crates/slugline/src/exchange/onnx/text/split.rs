//! Texts to tokens as nodes.

use crate::exchange::onnx::graph::Graph;
use crate::exchange::onnx::schema::{AttributeProto, Type};

/// A list of tokens, and of the numbers of the texts in which they stand, which never fall.
pub(super) struct Tokens {
    pub(super) texts: String,
    pub(super) numbers: String,
}

/// Separators that most tokens have beside them.
const USUAL: [char; 3] = [' ', '\n', '\t'];

/// Cuts texts at each of the characters: where none of them is left, the tokens are. They come in the
/// order of the texts, and within a text in their own where they are to be `ordered`.
///
/// After the usual separators, most tokens have none of the others in them, and stay as they are; the rest
/// is cut by one separator after the other.
///
/// A delimiter is always named. Without one, the operator cuts at white space by its definition, and in
/// onnxruntime at U+0020 alone.
pub(super) fn tokens(graph: &mut Graph, texts: &str, separators: &[char], ordered: bool) -> Tokens {
    let numbers = numbers(graph, texts);
    let mut tokens = Tokens { texts: texts.to_owned(), numbers };
    for separator in USUAL.into_iter().filter(|c| separators.contains(c)) {
        tokens = tokens.cut(graph, separator);
    }
    let others: Vec<char> = separators.iter().copied().filter(|c| !USUAL.contains(c)).collect();
    if others.is_empty() {
        return tokens;
    }
    let pattern = AttributeProto::string("pattern", &without(&others));
    let is_whole = graph.node("RegexFullMatch", &[&tokens.texts], vec![pattern]);
    let is_cut = graph.node("Not", &[&is_whole], vec![]);
    let places = self::numbers(graph, &tokens.texts);
    let placed = Tokens { texts: tokens.texts, numbers: places };
    let whole = placed.kept(graph, &is_whole);
    let mut pieces = placed.kept(graph, &is_cut);
    for separator in others {
        pieces = pieces.cut(graph, separator);
    }
    let joined = |graph: &mut Graph, one: &str, other: &str| {
        graph.node("Concat", &[one, other], vec![AttributeProto::int("axis", 0)])
    };
    let mut all = Tokens {
        texts: joined(graph, &whole.texts, &pieces.texts),
        numbers: joined(graph, &whole.numbers, &pieces.numbers),
    };
    if ordered {
        // By place, and pieces of one place by their own order: numbers of which no two are equal.
        let one = graph.ints("one_int", &[], &[1]);
        let count = count(graph, &pieces.texts);
        let next = graph.node("Add", &[&count, &one], vec![]);
        let order = graph.node("Range", &[&one, &next, &one], vec![]);
        let of_pieces = graph.node("Mul", &[&pieces.numbers, &next], vec![]);
        let of_pieces = graph.node("Add", &[&of_pieces, &order], vec![]);
        let of_whole = graph.node("Mul", &[&whole.numbers, &next], vec![]);
        let keys = joined(graph, &of_whole, &of_pieces);
        let length = graph.node("Shape", &[&keys], vec![]);
        let rising = vec![AttributeProto::int("axis", 0), AttributeProto::int("largest", 0)];
        let sorted = graph.nodes_of("TopK", &[&keys, &length], rising, 2).swap_remove(1);
        all = Tokens {
            texts: graph.node("Gather", &[&all.texts, &sorted], vec![]),
            numbers: graph.node("Gather", &[&all.numbers, &sorted], vec![]),
        };
    }
    let numbers = graph.node("Gather", &[&tokens.numbers, &all.numbers], vec![]);
    Tokens { texts: all.texts, numbers }
}

/// The pattern of a token without any of these characters in it.
fn without(separators: &[char]) -> String {
    let mut pattern = "[^".to_owned();
    for &separator in separators {
        if separator.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(separator);
    }
    pattern + "]*"
}

/// The numbers from 0 on, one for each text.
fn numbers(graph: &mut Graph, texts: &str) -> String {
    let count = count(graph, texts);
    let (zero, one) = (graph.ints("zero_int", &[], &[0]), graph.ints("one_int", &[], &[1]));
    graph.node("Range", &[&zero, &count, &one], vec![])
}

/// The number of texts, without a dimension.
fn count(graph: &mut Graph, texts: &str) -> String {
    let shape = graph.node("Shape", &[texts], vec![]);
    graph.node("Squeeze", &[&shape], vec![])
}

/// The number of tokens of each text, `[N]`, as whole numbers.
pub(super) fn lengths(graph: &mut Graph, tokens: &Tokens, texts: &str) -> String {
    let shape = graph.node("Shape", &[texts], vec![]);
    let none = graph.node("ConstantOfShape", &[&shape], vec![]);
    let none = graph.cast(&none, Type::Int64);
    let found = graph.nodes_of("Unique", &[&tokens.numbers], vec![], 4);
    let last = graph.ints("axis_1", &[1], &[1]);
    let places = graph.node("Unsqueeze", &[&found[0], &last], vec![]);
    graph.node("ScatterND", &[&none, &places, &found[3]], vec![])
}

impl Tokens {
    /// Those for which a condition holds.
    fn kept(&self, graph: &mut Graph, condition: &str) -> Self {
        let mut keep = |value: &str| {
            graph.node("Compress", &[value, condition], vec![AttributeProto::int("axis", 0)])
        };
        Self { texts: keep(&self.texts), numbers: keep(&self.numbers) }
    }

    /// Cuts every token at a character and drops what is empty.
    fn cut(&self, graph: &mut Graph, separator: char) -> Self {
        let mut utf8 = [0; 4];
        let delimiter = AttributeProto::string("delimiter", separator.encode_utf8(&mut utf8));
        let pieces =
            graph.nodes_of("StringSplit", &[&self.texts], vec![delimiter], 2).swap_remove(0);
        let empty = graph.strings("empty", &[], &[""]);
        let is_empty = graph.node("Equal", &[&pieces, &empty], vec![]);
        let is_token = graph.node("Not", &[&is_empty], vec![]);
        let flat = graph.ints("flat", &[1], &[-1]);
        let kept = graph.node("Reshape", &[&is_token, &flat], vec![]);

        let last = graph.ints("axis_1", &[1], &[1]);
        let column = graph.node("Unsqueeze", &[&self.numbers, &last], vec![]);
        let shape = graph.node("Shape", &[&pieces], vec![]);
        let repeated = graph.node("Expand", &[&column, &shape], vec![]);
        let texts = graph.node("Reshape", &[&pieces, &flat], vec![]);
        let numbers = graph.node("Reshape", &[&repeated, &flat], vec![]);
        Self { texts, numbers }.kept(graph, &kept)
    }

    /// All runs of so many tokens of one text, at least 2, with [`BETWEEN`](super::BETWEEN) between.
    pub(super) fn neighbours(&self, graph: &mut Graph, length: usize) -> Self {
        // Of each run the token at a place: all but so many at the front and at the end.
        let mut part = |value: &str, place: usize| {
            let after = length - 1 - place;
            let from = graph.ints(&format!("from_{place}"), &[1], &[place as i64]);
            let end = if after == 0 { i64::MAX } else { -(after as i64) };
            let to = graph.ints(&format!("to_{after}"), &[1], &[end]);
            graph.node("Slice", &[value, &from, &to], vec![])
        };
        let (first, last) = (part(&self.numbers, 0), part(&self.numbers, length - 1));
        let parts: Vec<String> = (0..length).map(|place| part(&self.texts, place)).collect();
        let together = graph.node("Equal", &[&first, &last], vec![]);
        let between = graph.strings("between", &[], &[super::BETWEEN]);
        let mut joined = parts[0].clone();
        for part in &parts[1..] {
            let opened = graph.node("StringConcat", &[&joined, &between], vec![]);
            joined = graph.node("StringConcat", &[&opened, part], vec![]);
        }
        Self { texts: joined, numbers: first }.kept(graph, &together)
    }
}
