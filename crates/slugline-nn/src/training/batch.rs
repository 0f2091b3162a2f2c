//! One batch: its rows, and the same non-zeros by feature.

use crate::kernels::rows::SparseRows;
use crate::matrix::CsrMatrix;
use crate::random::DropoutMask;

/// The rows of a batch in the order of training.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    spans: Vec<(usize, usize)>,
    /// Copies of the non-zeros after dropout on the input; empty without.
    dropped: Option<(Vec<u32>, Vec<f32>)>,
}

impl Batch {
    /// Takes the rows `samples` of `x`, with dropout on their values if there is a mask.
    pub(crate) fn gather(&mut self, x: &CsrMatrix, samples: &[usize], mask: Option<DropoutMask>) {
        self.spans.clear();
        let Some(mask) = mask else {
            self.spans.extend(samples.iter().map(|&s| x.span(s)));
            self.dropped = None;
            return;
        };
        let (indices, values) = self.dropped.get_or_insert_default();
        indices.clear();
        values.clear();
        for (r, &s) in samples.iter().enumerate() {
            let start = indices.len();
            let row = x.row(s);
            for (&id, &value) in row.indices.iter().zip(row.values) {
                let factor = mask.factor(r, id);
                if factor != 0.0 {
                    indices.push(id);
                    values.push(value * factor);
                }
            }
            self.spans.push((start, indices.len()));
        }
    }

    /// The rows for the kernels.
    pub(crate) fn rows<'a>(&'a self, x: &'a CsrMatrix) -> SparseRows<'a> {
        match &self.dropped {
            Some((indices, values)) => SparseRows { spans: &self.spans, indices, values },
            None => x.as_rows(&self.spans),
        }
    }
}

/// The non-zeros of a batch by feature: a counting sort of the batch.
///
/// Its cost follows the non-zeros, but for one bit a feature of the vocabulary.
#[derive(Debug, Default)]
pub(crate) struct ByFeature {
    /// Features that occur, rising.
    pub(crate) features: Vec<u32>,
    /// `starts[i]..starts[i + 1]` is the place of feature `i` in the two lists below.
    pub(crate) starts: Vec<u32>,
    /// Row of the batch of each non-zero, rising within a feature.
    pub(crate) samples: Vec<u32>,
    /// Value of each non-zero.
    pub(crate) values: Vec<f32>,
    /// Per feature of the vocabulary: first its count, then its next free place. Zero between batches.
    cursors: Vec<u32>,
    /// Per feature, whether it occurs. Zero between batches.
    present: Vec<u64>,
}

impl ByFeature {
    /// Sorts the non-zeros of `rows`, whose features are below `features`.
    pub(crate) fn build(&mut self, rows: SparseRows<'_>, features: usize) {
        self.cursors.resize(features, 0);
        self.present.resize(features.div_ceil(64), 0);
        self.features.clear();
        self.starts.clear();
        let mut total = 0;
        for r in 0..rows.spans.len() {
            let (ids, _) = rows.row(r);
            total += ids.len();
            for &id in ids {
                let cursor = &mut self.cursors[id as usize];
                if *cursor == 0 {
                    self.present[id as usize / 64] |= 1 << (id % 64);
                }
                *cursor += 1;
            }
        }
        let mut start = 0;
        for (word, bits) in self.present.iter_mut().enumerate() {
            while *bits != 0 {
                let id = word as u32 * 64 + bits.trailing_zeros();
                *bits &= *bits - 1;
                self.features.push(id);
                self.starts.push(start);
                let cursor = &mut self.cursors[id as usize];
                start += std::mem::replace(cursor, start);
            }
        }
        self.starts.push(start);
        self.samples.resize(total, 0);
        self.values.resize(total, 0.0);
        for r in 0..rows.spans.len() {
            let (ids, values) = rows.row(r);
            for (&id, &value) in ids.iter().zip(values) {
                let cursor = &mut self.cursors[id as usize];
                self.samples[*cursor as usize] = r as u32;
                self.values[*cursor as usize] = value;
                *cursor += 1;
            }
        }
        for &id in &self.features {
            self.cursors[id as usize] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sorting_by_feature_keeps_every_non_zero(
            rows in prop::collection::vec(prop::collection::btree_map(0u32..300, -2.0f32..2.0, 0..30), 0..40),
        ) {
            let mut x = CsrMatrix::with_cols(300);
            for row in &rows {
                let (ids, values): (Vec<u32>, Vec<f32>) = row.iter().map(|(k, v)| (*k, *v)).unzip();
                x.push_row(&ids, &values).unwrap();
            }
            let samples: Vec<usize> = (0..rows.len()).rev().collect();
            let (mut batch, mut sorted) = (Batch::default(), ByFeature::default());
            batch.gather(&x, &samples, None);
            // Twice, so that what the first call leaves behind shows.
            for _ in 0..2 {
                sorted.build(batch.rows(&x), 300);
                let mut want: BTreeMap<u32, Vec<(u32, f32)>> = BTreeMap::new();
                for (r, &s) in samples.iter().enumerate() {
                    for (&id, &v) in &rows[s] {
                        want.entry(id).or_default().push((r as u32, v));
                    }
                }
                let got: BTreeMap<u32, Vec<(u32, f32)>> = sorted.features.iter().enumerate().map(|(i, &f)| {
                    let places = sorted.starts[i] as usize..sorted.starts[i + 1] as usize;
                    (f, places.map(|p| (sorted.samples[p], sorted.values[p])).collect())
                }).collect();
                prop_assert_eq!(got, want);
                prop_assert!(sorted.features.windows(2).all(|w| w[0] < w[1]));
            }
        }
    }

    #[test]
    fn dropout_on_the_input_leaves_scaled_survivors() {
        let mut x = CsrMatrix::with_cols(1000);
        let ids: Vec<u32> = (0..1000).collect();
        x.push_row(&ids, &vec![1.0; 1000]).unwrap();
        let mut batch = Batch::default();
        batch.gather(&x, &[0], Some(DropoutMask::new(1, 0.5)));
        let (ids, values) = batch.rows(&x).row(0);
        assert!((400..600).contains(&ids.len()) && values.iter().all(|&v| v == 2.0));
    }
}
