//! What answers without looking at the text reach.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Accuracy without looking at the text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// Always answering with the largest class of the training documents.
    pub majority: f64,
    /// Answering with the true labels in random order: the expected share of hits, `Σ (n_c / n)²` over
    /// the classes, or the sets of labels.
    pub random_permutation: f64,
}

impl Baselines {
    /// The baselines for true labels, given the numbers of training documents of each class; without
    /// any, the labels themselves tell the largest class.
    pub fn new(truth: &[u32], training_counts: &[u64]) -> Self {
        let sets: Vec<[u32; 1]> = truth.iter().map(|&label| [label]).collect();
        Self::of_sets(&sets, training_counts)
    }

    /// The same for sets of labels, of which all have to be right.
    pub fn of_sets(truth: &[impl AsRef<[u32]>], training_counts: &[u64]) -> Self {
        let mut classes = vec![0_u64; training_counts.len()];
        let mut sets: BTreeMap<&[u32], u64> = BTreeMap::new();
        for set in truth {
            let set = set.as_ref();
            *sets.entry(set).or_default() += 1;
            for &label in set {
                let label = label as usize;
                classes.resize(classes.len().max(label + 1), 0);
                classes[label] += 1;
            }
        }
        let known = training_counts.iter().any(|&n| n > 0);
        let reference = if known { training_counts } else { &classes[..] };
        // The first of equals, as everywhere.
        let largest = reference.iter().enumerate().rev().max_by_key(|(_, n)| **n);
        let largest = largest.map_or(0, |(class, _)| class as u32);
        let n = truth.len().max(1) as f64;
        let majority = sets.get(&[largest][..]).copied().unwrap_or(0);
        Self {
            majority: majority as f64 / n,
            random_permutation: sets.values().map(|&c| (c as f64 / n).powi(2)).sum(),
        }
    }
}
