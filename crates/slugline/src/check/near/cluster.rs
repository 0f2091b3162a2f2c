//! Which texts are alike: candidates by shared keys, each verified by the similarity itself.

use rayon::prelude::*;

use super::minhash::{Bands, jaccard, pairs};
use crate::text::Tokenised;

/// In a crowd of texts with the same key, each is compared with no more than this many.
const MOST_COMPARED: usize = 16;

/// Texts whose keys are computed in one go.
const CHUNK: usize = 256;

/// Texts in clusters: two texts are in one if a chain of texts leads from one to the other in which each
/// has at least the similarity asked for with the next.
#[derive(Debug)]
pub(super) struct Clusters {
    /// The next text on the way to the cluster's first one; a first one leads to itself.
    parents: Vec<u32>,
}

/// A text in a band: its key there, its key in the next band, its number.
type Entry = (u32, u32, u32);

impl Clusters {
    pub(super) fn new(texts: &Tokenised, similarity: f64) -> Self {
        let n = texts.len();
        let bands = Bands::new(similarity);
        let count = bands.count();
        let mut keys = vec![0_u32; n * count];
        keys.par_chunks_mut(count * CHUNK).enumerate().for_each(|(chunk, keys)| {
            for (i, keys) in keys.chunks_exact_mut(count).enumerate() {
                bands.keys(texts.ids(chunk * CHUNK + i), keys);
            }
        });
        let mut clusters = Self { parents: (0..n as u32).collect() };
        for band in 0..count {
            // By the next band's key within a key: in a crowd, neighbours are the most alike.
            let mut entries: Vec<Entry> = (0..n)
                .filter(|&i| !texts.ids(i).is_empty())
                .map(|i| {
                    let keys = &keys[i * count..][..count];
                    (keys[band], keys[(band + 1) % count], i as u32)
                })
                .collect();
            entries.par_sort_unstable();
            let crowds: Vec<&[Entry]> =
                entries.chunk_by(|a, b| a.0 == b.0).filter(|crowd| crowd.len() > 1).collect();
            let before = &clusters;
            let links: Vec<Vec<(u32, u32)>> =
                crowds.par_iter().map(|crowd| before.links(crowd, texts, similarity)).collect();
            for (a, b) in links.into_iter().flatten() {
                clusters.join(a, b);
            }
            // Every text one step from the first: the next band asks all threads at once.
            for i in 0..n {
                clusters.parents[i] = clusters.first(i as u32);
            }
        }
        clusters
    }

    /// The clusters of two texts or more, each rising, in the order of their first texts.
    pub(super) fn groups(&self) -> Vec<Vec<usize>> {
        let mut members: Vec<(u32, u32)> =
            (0..).map(|i| self.first(i)).zip(0..).take(self.parents.len()).collect();
        members.sort_unstable();
        members
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|cluster| cluster.len() > 1)
            .map(|cluster| cluster.iter().map(|&(_, text)| text as usize).collect())
            .collect()
    }

    /// The first text of the cluster of `text`.
    fn first(&self, mut text: u32) -> u32 {
        while self.parents[text as usize] != text {
            text = self.parents[text as usize];
        }
        text
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.first(a), self.first(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }

    /// Pairs of texts with the same key that are alike and were not in one cluster yet.
    fn links(&self, crowd: &[Entry], texts: &Tokenised, similarity: f64) -> Vec<(u32, u32)> {
        let mut links = Vec::new();
        // What this crowd has joined so far, by places in it.
        let mut joined = Self { parents: (0..crowd.len() as u32).collect() };
        // The sets of the last texts, each made when it is first needed.
        let mut sets: Vec<Option<(usize, Vec<u64>)>> = vec![None; MOST_COMPARED + 1];
        let set = |sets: &mut Vec<Option<(usize, Vec<u64>)>>, place: usize| {
            let slot = place % sets.len();
            if sets[slot].as_ref().is_none_or(|(of, _)| *of != place) {
                sets[slot] = Some((place, pairs(texts.ids(crowd[place].2 as usize))));
            }
            slot
        };
        for place in 1..crowd.len() {
            for other in (place.saturating_sub(MOST_COMPARED)..place).rev() {
                let (a, b) = (crowd[other].2, crowd[place].2);
                if self.first(a) == self.first(b)
                    || joined.first(other as u32) == joined.first(place as u32)
                {
                    continue;
                }
                let slots = [set(&mut sets, other), set(&mut sets, place)];
                let [Some((_, x)), Some((_, y))] = slots.map(|slot| sets[slot].as_ref()) else {
                    continue;
                };
                if alike(x, y, similarity) {
                    links.push((a, b));
                    joined.join(other as u32, place as u32);
                }
            }
        }
        links
    }
}

/// Whether two sets have at least this similarity.
fn alike(a: &[u64], b: &[u64], similarity: f64) -> bool {
    let (few, many) = (a.len().min(b.len()), a.len().max(b.len()));
    // The smaller set may lie in the larger one at best.
    few as f64 / many as f64 >= similarity && jaccard(a, b) >= similarity
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::AnalyzerOptions;

    fn tokenised(texts: &[String]) -> Tokenised {
        Tokenised::new(texts, &AnalyzerOptions::default())
    }

    /// All pairs, one by one.
    fn by_definition(texts: &Tokenised, similarity: f64) -> Vec<Vec<usize>> {
        let sets: Vec<Vec<u64>> = (0..texts.len()).map(|i| pairs(texts.ids(i))).collect();
        let mut clusters = Clusters { parents: (0..texts.len() as u32).collect() };
        for i in 0..sets.len() {
            for j in 0..i {
                if !sets[i].is_empty() && jaccard(&sets[i], &sets[j]) >= similarity {
                    clusters.join(j as u32, i as u32);
                }
            }
        }
        clusters.groups()
    }

    #[test]
    fn crowds_of_the_same_text_are_joined() {
        let texts: Vec<String> =
            (0..500).map(|i| format!("{} one Two three", "!".repeat(i))).collect();
        let clusters = Clusters::new(&tokenised(&texts), 0.9).groups();
        assert_eq!(clusters, [(0..500).collect::<Vec<_>>()]);
        let empty: Vec<String> = ["…", "", "--"].map(String::from).to_vec();
        assert_eq!(Clusters::new(&tokenised(&empty), 0.9).groups(), Vec::<Vec<usize>>::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// Texts of which each is a copy of an earlier one with some words exchanged. Nothing that is not
        /// alike may be joined; hardly anything alike may be missed.
        #[test]
        fn clusters_are_those_of_the_definition(
            copies in prop::collection::vec((0_usize..60, prop::collection::vec((0_usize..60, 0_u32..1000), 0..5)), 2..60),
        ) {
            let mut texts: Vec<Vec<String>> = Vec::new();
            for (i, (source, changes)) in copies.iter().enumerate() {
                let mut words: Vec<String> = match source % 3 {
                    0 if i > 0 => texts[source % i].clone(),
                    _ => (0..60).map(|k| format!("w{i}x{k}")).collect(),
                };
                for (at, word) in changes {
                    words[*at] = format!("new{word}");
                }
                texts.push(words);
            }
            let texts: Vec<String> = texts.iter().map(|words| words.join(" ")).collect();
            let texts = tokenised(&texts);
            for similarity in [0.5, 0.8, 0.9] {
                let (found, want) = (Clusters::new(&texts, similarity).groups(), by_definition(&texts, similarity));
                for cluster in &found {
                    prop_assert!(want.iter().any(|all| cluster.iter().all(|text| all.contains(text))));
                }
                // Every link is missed with a probability of a thousandth at most.
                let joined = |groups: &[Vec<usize>]| groups.iter().map(|group| group.len() - 1).sum::<usize>();
                prop_assert!(joined(&found) + 2 >= joined(&want), "{:?} {:?}", found, want);
            }
        }
    }
}
