//! Which documents a corpus holds: their labels, the topics they are written in, their order.

use super::Origin;
use super::draw::{Draw, Weights};
use super::vocabulary::Topic;

/// Percentage of documents written in the words of two topics.
const MIXED: u32 = 10;

/// Percentage of documents that carry the label of another document.
const MISLABELLED: usize = 5;

/// How much more often a mixed document's second topic comes from the same desk than its number of
/// documents alone would have it.
const DESK_AFFINITY: u64 = 8;

/// A document before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) label: usize,
    /// The topic to write in.
    pub(super) topic: usize,
    /// A second topic to write in.
    pub(super) second: Option<usize>,
}

impl Draft {
    /// How the label came about.
    pub(super) fn origin(&self) -> Origin {
        match self.second {
            Some(second) => Origin::Mixed { with: second as u32 },
            None if self.topic == self.label => Origin::Plain,
            None => Origin::Mislabelled { written_as: self.topic as u32 },
        }
    }
}

/// The drafts of all documents of `topics`, in random order.
pub(super) fn drafts(topics: &[Topic], draw: &mut Draw) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (label, topic) in topics.iter().enumerate() {
        let neighbours = Weights::new(topics.iter().enumerate().map(|(i, other)| {
            let affinity = if other.desk == topic.desk { DESK_AFFINITY } else { 1 };
            if i == label { 0 } else { other.documents as u64 * affinity }
        }));
        drafts.extend((0..topic.documents).map(|_| Draft {
            label,
            topic: label,
            second: draw.percent(MIXED).then(|| draw.weighted(&neighbours)),
        }));
    }
    draw.shuffle(&mut drafts);
    swap_labels(&mut drafts, draw);
    drafts
}

/// Exchanges the labels of random pairs, which leaves the class sizes as they are.
fn swap_labels(drafts: &mut [Draft], draw: &mut Draw) {
    let mut plain: Vec<usize> = (0..drafts.len()).filter(|&i| drafts[i].second.is_none()).collect();
    draw.shuffle(&mut plain);
    let mut left = drafts.len() * MISLABELLED / 200;
    for pair in plain.chunks_exact(2) {
        let (a, b) = (pair[0], pair[1]);
        if left > 0 && drafts[a].topic != drafts[b].topic {
            drafts[a].label = drafts[b].topic;
            drafts[b].label = drafts[a].topic;
            left -= 1;
        }
    }
}
