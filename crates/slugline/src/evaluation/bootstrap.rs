//! How far scores would vary with other documents of the same kind.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Percentile bootstrap intervals (Efron & Tibshirani 1993, "An Introduction to the Bootstrap",
/// chapter 13): the documents are drawn again with replacement, as many as there are, so many times;
/// between the percentiles of a score over these draws lies its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    /// Number of draws; 0 for no intervals. Default 1,000.
    pub resamples: usize,
    /// Share of the draws that lie within an interval, above 0 and below 1. Default 0.95.
    pub confidence: f64,
    /// Settles the draws. Default 0.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 1000, confidence: 0.95, seed: 0 }
    }
}

impl Bootstrap {
    /// No intervals.
    pub const NONE: Self = Self { resamples: 0, confidence: 0.95, seed: 0 };

    /// The intervals of scores that a function gives by name for documents which count as often as
    /// their weights say. Draws in which a score is not defined do not count for it.
    ///
    /// Every draw has a random stream of its own, so that the result is the same for any number of
    /// threads.
    pub(super) fn intervals<N: Copy + Send + Sync>(
        &self,
        documents: usize,
        scores: impl Fn(&[u32]) -> Vec<(N, Option<f64>)> + Sync,
    ) -> Vec<(N, [f64; 2])> {
        if self.resamples == 0 {
            return Vec::new();
        }
        let draw = |weights: &mut Vec<u32>, number: usize| {
            weights.clear();
            weights.resize(documents, 0);
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(number as u64);
            for _ in 0..documents {
                // Fixed-point product: even to within 2⁻³², for documents of any real number.
                let i = (u64::from(random.next_u32()) * documents as u64) >> 32;
                weights[i as usize] += 1;
            }
            scores(weights)
        };
        let draws: Vec<Vec<(N, Option<f64>)>> =
            (0..self.resamples).into_par_iter().map_init(Vec::new, draw).collect();
        let names = draws.first().map_or(&[][..], |first| first);
        let interval = |(place, (name, _)): (usize, &(N, Option<f64>))| {
            let mut values: Vec<f64> = draws.iter().filter_map(|draw| draw[place].1).collect();
            values.sort_unstable_by(f64::total_cmp);
            let outside = (1.0 - self.confidence) / 2.0;
            let ends = [outside, 1.0 - outside].map(|share| percentile(&values, share));
            Some((*name, [ends[0]?, ends[1]?]))
        };
        names.iter().enumerate().filter_map(interval).collect()
    }
}

/// The value below which a share of sorted values lies, between two of them by a straight line, as
/// `NumPy`'s `percentile`.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::Score;
    use crate::evaluation::score::Values;
    use crate::nn::with_threads;

    #[test]
    fn percentiles_are_numpys() {
        let values = [1.0, 2.0, 4.0, 8.0];
        // numpy.percentile([1, 2, 4, 8], [0, 2.5, 50, 97.5, 100])
        for (share, want) in [(0.0, 1.0), (0.025, 1.075), (0.5, 3.0), (0.975, 7.7), (1.0, 8.0)] {
            assert!((percentile(&values, share).unwrap() - want).abs() < 1e-12);
        }
        assert_eq!(percentile(&[], 0.5), None);
    }

    /// The share of documents below 70 among those drawn.
    fn share(weights: &[u32]) -> Values {
        assert_eq!(weights.iter().sum::<u32>() as usize, weights.len());
        let hits = weights[..70].iter().sum::<u32>();
        vec![(Score::Accuracy, Some(f64::from(hits) / 100.0)), (Score::Mcc, None)]
    }

    #[test]
    fn intervals_are_those_of_a_share_and_do_not_depend_on_threads() {
        let bootstrap = Bootstrap { resamples: 4000, ..Bootstrap::default() };
        let intervals = bootstrap.intervals(100, share);
        // 0.7 ± 1.96·√(0.7·0.3/100)
        let [(Score::Accuracy, [low, high])] = intervals[..] else { panic!("{intervals:?}") };
        assert!((low - 0.61).abs() < 0.015 && (high - 0.79).abs() < 0.015, "{low} {high}");
        for threads in [1, 3] {
            let again = with_threads(threads, || bootstrap.intervals(100, share)).unwrap();
            assert_eq!(again, intervals);
        }
        let other = Bootstrap { seed: 1, ..bootstrap }.intervals(100, share);
        assert_ne!(other, intervals);
        assert!(Bootstrap::NONE.intervals(100, share).is_empty());
    }
}
