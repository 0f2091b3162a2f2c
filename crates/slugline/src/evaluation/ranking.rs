//! How well probabilities order the documents, one class against the rest.

/// The documents of a column of probabilities by falling probability. Any weighting of the documents
/// by whole numbers is scored in one pass.
#[derive(Debug, Clone)]
pub(super) struct Ranking {
    /// `document << 2 | last of equal probabilities << 1 | of the class`.
    entries: Vec<u32>,
}

/// Flags of an entry.
const OF_CLASS: u32 = 1;
const LAST_OF_EQUALS: u32 = 2;
const FLAGS: u32 = 2;

/// Most documents that a ranking has a place for.
pub(super) const MOST_DOCUMENTS: usize = 1 << 30;

/// The areas of a class.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Areas {
    /// Under the receiver operating characteristic, the trapezoids of its steps summed: the share of
    /// pairs of a document of the class and another one in which the former is more probable, equals
    /// counting half. None without a pair.
    pub(super) roc_auc: Option<f64>,
    /// `Σ (Rₙ − Rₙ₋₁)·Pₙ` over the distinct probabilities in falling order. None without a document of
    /// the class.
    pub(super) average_precision: Option<f64>,
    /// Documents of the class.
    pub(super) positives: u64,
}

impl Ranking {
    /// From the probability of each item, the document that it belongs to, and whether it is of the
    /// class.
    ///
    /// # Panics
    /// For a document beyond [`MOST_DOCUMENTS`].
    pub(super) fn new(items: impl Iterator<Item = (f32, usize, bool)>) -> Self {
        let mut items: Vec<(f32, u32)> = items
            .map(|(p, document, of_class)| {
                assert!(document < MOST_DOCUMENTS, "too many documents to rank");
                (p, (document as u32) << FLAGS | u32::from(of_class))
            })
            .collect();
        items.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let differs = |i: usize| items.get(i + 1).is_none_or(|next| next.0 != items[i].0);
        let marked = |(i, item): (usize, &(f32, u32))| match differs(i) {
            true => item.1 | LAST_OF_EQUALS,
            false => item.1,
        };
        Self { entries: items.iter().enumerate().map(marked).collect() }
    }

    /// The areas where each document counts as often as its weight says.
    pub(super) fn areas(&self, weights: &[u32]) -> Areas {
        // All but the precisions is in whole numbers, so the order of equals does not matter.
        let (mut tp, mut fp) = (0_u64, 0_u64);
        let (mut equal_tp, mut equal_fp) = (0_u64, 0_u64);
        let mut twice_area = 0_u128;
        let mut precisions = 0.0;
        for &entry in &self.entries {
            let weight = u64::from(weights[(entry >> FLAGS) as usize]);
            if entry & OF_CLASS == 0 {
                equal_fp += weight;
            } else {
                equal_tp += weight;
            }
            if entry & LAST_OF_EQUALS == 0 {
                continue;
            }
            twice_area += u128::from(equal_fp) * u128::from(2 * tp + equal_tp);
            tp += equal_tp;
            fp += equal_fp;
            if equal_tp > 0 {
                precisions += equal_tp as f64 * (tp as f64 / (tp + fp) as f64);
            }
            (equal_tp, equal_fp) = (0, 0);
        }
        let pairs = u128::from(tp) * u128::from(fp);
        Areas {
            roc_auc: (pairs > 0).then(|| twice_area as f64 / (2 * pairs) as f64),
            average_precision: (tp > 0).then(|| precisions / tp as f64),
            positives: tp,
        }
    }
}

/// The plain mean and the mean weighted by documents of a kind of area, over the classes that have it.
pub(super) fn means(
    areas: &[Areas],
    of: impl Fn(&Areas) -> Option<f64>,
) -> (Option<f64>, Option<f64>) {
    let (mut count, mut sum, mut weights, mut weighted) = (0_u64, 0.0, 0_u64, 0.0);
    for class in areas {
        if let Some(area) = of(class) {
            count += 1;
            sum += area;
            weights += class.positives;
            weighted += area * class.positives as f64;
        }
    }
    let mean = |sum: f64, n: u64| (n > 0).then(|| sum / n as f64);
    (mean(sum, count), mean(weighted, weights))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_area_is_the_share_of_pairs_in_order(
            items in prop::collection::vec((0_u8..6, any::<bool>(), 0_u32..4), 1..40),
        ) {
            let weights: Vec<u32> = items.iter().map(|item| item.2).collect();
            let all = items.iter().enumerate().map(|(i, item)| (f32::from(item.0) / 8.0, i, item.1));
            let areas = Ranking::new(all).areas(&weights);
            let (mut pairs, mut right) = (0.0, 0.0);
            for a in items.iter().filter(|a| a.1) {
                for b in items.iter().filter(|b| !b.1) {
                    let weight = f64::from(a.2 * b.2);
                    pairs += weight;
                    right += weight * match a.0.cmp(&b.0) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    };
                }
            }
            match areas.roc_auc {
                None => prop_assert_eq!(pairs, 0.0),
                Some(area) => prop_assert!((area - right / pairs).abs() < 1e-12),
            }
            // A weight is as good as so many documents.
            let spread: Vec<_> = items.iter().flat_map(|item| vec![item; item.2 as usize]).collect();
            let all = spread.iter().enumerate().map(|(i, item)| (f32::from(item.0) / 8.0, i, item.1));
            prop_assert_eq!(Ranking::new(all).areas(&vec![1; spread.len()]), areas);
        }
    }
}
