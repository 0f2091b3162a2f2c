//! Tokens to lower case, and numbers to zeros, as nodes.

use std::collections::BTreeSet;

use crate::exchange::ExchangeError;
use crate::exchange::onnx::graph::{Graph, list, scalar};
use crate::exchange::onnx::schema::{AttributeProto, Type};

/// What becomes of a token before it is looked up.
///
/// The operator that lowers texts does so by the rules of a locale, which need not be there, and none of
/// which are those of Unicode's full mapping. So letters are replaced one by one: of all characters that
/// lower-casing changes, those that it turns into characters of the vocabulary. A token with any other
/// such character is not in the vocabulary, lowered or not.
pub(super) struct Folding {
    /// Characters, and what stands in their place.
    lower: Vec<(char, String)>,
    lowers: bool,
    masks: bool,
}

impl Folding {
    /// For a vocabulary.
    ///
    /// # Errors
    /// [`ExchangeError::Inexpressible`] where lower case depends on the letters around: for the Greek
    /// sigma.
    pub(super) fn new<'a>(
        words: impl Iterator<Item = &'a str>,
        lowers: bool,
        masks: bool,
    ) -> Result<Self, ExchangeError> {
        let mut folding = Self { lower: Vec::new(), lowers, masks };
        if !lowers {
            return Ok(folding);
        }
        let alphabet: BTreeSet<char> =
            words.filter(|word| folding.reaches(word)).flat_map(str::chars).collect();
        if alphabet.contains(&'σ') || alphabet.contains(&'ς') {
            return Err(super::refusal(
                "lower case of the Greek Σ, which depends on what stands around it",
                "one trained with --lowercase no and --token-rule whitespace can",
            ));
        }
        let changed = ('\0'..=char::MAX).filter(|&c| !c.to_lowercase().eq([c]));
        let reached = changed.filter(|c| c.to_lowercase().all(|c| alphabet.contains(&c)));
        folding.lower = reached.map(|c| (c, c.to_lowercase().collect())).collect();
        Ok(folding)
    }

    /// Whether any token becomes this one.
    pub(super) fn reaches(&self, word: &str) -> bool {
        let lowered = |c: char| c.to_lowercase().eq([c]);
        let masked = || !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        (!self.lowers || word.chars().all(lowered))
            && !(self.masks && masked() && word.bytes().any(|byte| byte != b'0'))
    }

    /// The different tokens, folded, and the place of each token among them.
    pub(super) fn distinct(&self, graph: &mut Graph, tokens: &str) -> (String, String) {
        let unsorted = AttributeProto::int("sorted", 0);
        let found = graph.nodes_of("Unique", &[tokens], vec![unsorted], 4);
        let mut folded = found[0].clone();
        for (from, to) in &self.lower {
            folded = replaced(graph, &folded, *from, to);
        }
        if self.masks {
            let mut zeros = folded.clone();
            for digit in '1'..='9' {
                zeros = replaced(graph, &zeros, digit, "0");
            }
            let pattern = AttributeProto::string("pattern", "[0-9]+");
            let is_number = graph.node("RegexFullMatch", &[&folded], vec![pattern]);
            folded = graph.node("Where", &[&is_number, &zeros, &folded], vec![]);
        }
        (folded, found[2].clone())
    }
}

/// Adds a loop that puts the pieces of each token together again that lie between a character, with
/// another text between them.
fn replaced(graph: &mut Graph, tokens: &str, from: char, to: &str) -> String {
    let mut utf8 = [0; 4];
    let delimiter = AttributeProto::string("delimiter", from.encode_utf8(&mut utf8));
    let split = graph.nodes_of("StringSplit", &[tokens], vec![delimiter], 2);
    let shape = graph.node("Shape", &[&split[0]], vec![]);
    let second = graph.ints("one_int", &[], &[1]);
    let most = graph.node("Gather", &[&shape, &second], vec![]);
    let empty = graph.strings("empty", &[], &[""]);
    let shape = graph.node("Shape", &[tokens], vec![]);
    let nothing = graph.node("Expand", &[&empty, &shape], vec![]);

    let name = format!("replace_U{:04X}", u32::from(from));
    let at = |what: &str| format!("{name}/{what}");
    let (round, go_on, so_far) = (at("round"), at("go_on"), at("so_far"));
    let mut body = Graph::within(&name);
    let zero = body.ints("zero", &[], &[0]);
    let between = body.strings("between", &[], &[to]);
    let none = body.strings("none", &[], &[""]);
    let piece = body.node("Gather", &[&split[0], &round], vec![AttributeProto::int("axis", 1)]);
    let is_later = body.node("Greater", &[&round, &zero], vec![]);
    let is_there = body.node("Less", &[&round, &split[1]], vec![]);
    let follows = body.node("And", &[&is_later, &is_there], vec![]);
    let glue = body.node("Where", &[&follows, &between, &none], vec![]);
    let glued = body.node("StringConcat", &[&so_far, &glue], vec![]);
    let joined = body.node("StringConcat", &[&glued, &piece], vec![]);
    let (still, longer) = (at("still"), at("longer"));
    body.output(&go_on, &still);
    body.output(&joined, &longer);
    let body = body.finish(
        &name,
        vec![scalar(&round, Type::Int64), scalar(&go_on, Type::Bool), list(&so_far, Type::String)],
        vec![scalar(&still, Type::Bool), list(&longer, Type::String)],
    );
    let body = AttributeProto::graph("body", body);
    graph.node("Loop", &[&most, "", &nothing], vec![body])
}
