//! Documents with any number of labels, set aside so that every label has its share: iterative
//! stratification (Sechidis, Tsoumakas & Vlahavas 2011, "On the Stratification of Multi-Label Data").

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::shuffle;

/// How many documents a part still wants.
struct Part {
    /// With each label.
    labels: Vec<f64>,
    /// In all.
    documents: f64,
}

/// Documents are given away label by label, the rarest one first.
struct Dealer<'a> {
    sets: &'a [Vec<u32>],
    /// The documents of each label, in random order.
    holders: Vec<Vec<usize>>,
    /// Part of each document, once it has one.
    part_of: Vec<Option<u32>>,
    parts: Vec<Part>,
    random: ChaCha8Rng,
}

/// The number of documents with each label, and those documents in random order.
fn holders(sets: &[Vec<u32>], random: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    let labels = sets.iter().flatten().max().map_or(0, |&largest| largest as usize + 1);
    let mut order: Vec<usize> = (0..sets.len()).collect();
    shuffle(&mut order, random);
    let mut holders = vec![Vec::new(); labels];
    for i in order {
        for &label in &sets[i] {
            holders[label as usize].push(i);
        }
    }
    holders
}

impl Dealer<'_> {
    /// Gives a document to the part that most wants its label; of equals to the one that most wants
    /// documents, then to one by lot.
    fn give(&mut self, document: usize, label: Option<usize>) {
        let want = |part: &Part| (label.map_or(0.0, |l| part.labels[l]), part.documents);
        let order = |a: (f64, f64), b: (f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
        let most = self.parts.iter().map(want).max_by(|&a, &b| order(a, b)).unwrap_or_default();
        let best: Vec<usize> =
            (0..self.parts.len()).filter(|&p| order(want(&self.parts[p]), most).is_eq()).collect();
        let lot = match best.len() {
            0 | 1 => 0,
            n => ((u64::from(self.random.next_u32()) * n as u64) >> 32) as usize,
        };
        let Some(&chosen) = best.get(lot) else { return };
        let part = &mut self.parts[chosen];
        part.documents -= 1.0;
        for &label in &self.sets[document] {
            part.labels[label as usize] -= 1.0;
        }
        self.part_of[document] = Some(chosen as u32);
    }

    /// The part of every document.
    fn deal(mut self) -> Vec<u32> {
        let mut left: Vec<usize> = self.holders.iter().map(Vec::len).collect();
        let mut rarest: BTreeSet<(usize, usize)> =
            left.iter().copied().zip(0..).filter(|(count, _)| *count > 0).collect();
        while let Some((_, label)) = rarest.pop_first() {
            for document in std::mem::take(&mut self.holders[label]) {
                if self.part_of[document].is_some() {
                    continue;
                }
                self.give(document, Some(label));
                for &other in &self.sets[document] {
                    let other = other as usize;
                    let waits = rarest.remove(&(left[other], other));
                    left[other] -= 1;
                    if waits && left[other] > 0 {
                        rarest.insert((left[other], other));
                    }
                }
            }
        }
        let mut unlabelled: Vec<usize> =
            (0..self.sets.len()).filter(|&i| self.part_of[i].is_none()).collect();
        shuffle(&mut unlabelled, &mut self.random);
        for document in unlabelled {
            self.give(document, None);
        }
        self.part_of.into_iter().map(Option::unwrap_or_default).collect()
    }
}

/// The fold of each document.
pub(super) fn folds(sets: &[Vec<u32>], count: u32, seed: u64) -> Vec<u32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let holders = holders(sets, &mut random);
    let share = 1.0 / f64::from(count.max(1));
    let parts = (0..count.max(1)).map(|_| Part {
        labels: holders.iter().map(|all| all.len() as f64 * share).collect(),
        documents: sets.len() as f64 * share,
    });
    let parts = parts.collect();
    Dealer { sets, holders, part_of: vec![None; sets.len()], parts, random }.deal()
}

/// The documents to train on and those held out.
pub(super) fn split(sets: &[Vec<u32>], share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let holders = holders(sets, &mut random);
    let wanted: Vec<f64> =
        holders.iter().map(|all| super::held_out_of(all.len(), share) as f64).collect();
    let left = holders.iter().zip(&wanted).map(|(all, out)| all.len() as f64 - out).collect();
    let out = sets.len() as f64 * share;
    let parts = vec![
        Part { labels: left, documents: sets.len() as f64 - out },
        Part { labels: wanted, documents: out },
    ];
    let labels = holders.len();
    let dealer = Dealer { sets, holders, part_of: vec![None; sets.len()], parts, random };
    let mut part_of = dealer.deal();
    // Documents with several labels may have taken the last of one along.
    let mut trained = vec![false; labels];
    let keep = |set: &[u32], trained: &mut [bool]| {
        for &label in set {
            trained[label as usize] = true;
        }
    };
    let kept = sets.iter().zip(&part_of).filter(|(_, part)| **part == 0);
    kept.for_each(|(set, _)| keep(set, &mut trained));
    for (set, part) in sets.iter().zip(&mut part_of) {
        if set.iter().any(|&label| !trained[label as usize]) {
            *part = 0;
            keep(set, &mut trained);
        }
    }
    (0..sets.len()).partition(|&i| part_of[i] == 0)
}
