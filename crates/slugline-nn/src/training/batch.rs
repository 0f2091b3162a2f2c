//! One batch: its rows, and the same non-zeros by feature.

use crate::kernels::rows::SparseRows;
use crate::matrix::CsrMatrix;
use crate::random::DropoutMask;

/// Features whose presence is noted together: the counts of as many fill a cache line.
pub(super) const GROUP: usize = 16;

/// Flags that are looked at together.
const FLAGS: usize = 8;

/// The rows of a batch in the order of training, copied end to end.
///
/// The rows lie scattered over the data; the copy fetches many of them at once, and everything after
/// it finds them in the cache.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    spans: Vec<(usize, usize)>,
    indices: Vec<u32>,
    /// Empty where all values are 1.
    values: Vec<f32>,
}

impl Batch {
    /// Takes the rows `samples` of `x`, with dropout on their values if there is a mask, and with
    /// `places` for features if they are given.
    pub(crate) fn gather(
        &mut self,
        x: &CsrMatrix,
        samples: &[usize],
        mask: Option<DropoutMask>,
        places: Option<&[u32]>,
    ) {
        let Self { spans, indices, values } = self;
        spans.clear();
        indices.clear();
        values.clear();
        for (r, &sample) in samples.iter().enumerate() {
            let start = indices.len();
            let row = x.row(sample);
            if let Some(mask) = mask {
                for (&id, &value) in row.indices.iter().zip(row.values) {
                    let factor = mask.factor(r, id);
                    if factor != 0.0 {
                        indices.push(id);
                        values.push(value * factor);
                    }
                }
            } else {
                indices.extend_from_slice(row.indices);
                if !x.is_binary() {
                    values.extend_from_slice(row.values);
                }
            }
            spans.push((start, indices.len()));
        }
        if let Some(places) = places {
            for id in indices.iter_mut() {
                *id = places[*id as usize];
            }
        }
    }

    /// The rows for the kernels.
    pub(crate) fn rows(&self) -> SparseRows<'_> {
        let values = Some(&self.values[..]).filter(|v| v.len() == self.indices.len());
        SparseRows { spans: &self.spans, indices: &self.indices, values }
    }
}

/// The non-zeros of a batch by feature: a counting sort of the batch.
///
/// Its cost follows the non-zeros, but for one byte in [`GROUP`] features of the vocabulary.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByFeature {
    /// Features that occur, rising.
    pub(crate) features: Vec<u32>,
    /// `starts[i]..starts[i + 1]` is the place of feature `i` in the two lists below.
    pub(crate) starts: Vec<u32>,
    /// Row of the batch of each non-zero, rising within a feature.
    pub(crate) samples: Vec<u32>,
    /// Value of each non-zero; empty where all are 1.
    pub(crate) values: Vec<f32>,
    /// Per feature of the vocabulary: first its count, then its next free place. Zero between batches.
    cursors: Vec<u32>,
    /// Per group of features, whether one of them occurs. False between batches.
    touched: Vec<bool>,
    /// The groups that are touched, rising.
    groups: Vec<usize>,
}

impl ByFeature {
    /// Sorts the non-zeros of `rows`, whose features are below `n_features`.
    pub(crate) fn build(&mut self, rows: SparseRows<'_>, n_features: usize) {
        // Flags are looked through by whole words.
        let n_groups = n_features.div_ceil(GROUP).next_multiple_of(FLAGS);
        self.cursors.resize(n_groups * GROUP, 0);
        self.touched.resize(n_groups, false);
        let Self { features, starts, samples, values, cursors, touched, groups } = self;
        let (cursors, touched) = (&mut cursors[..], &mut touched[..]);
        for &id in rows.indices {
            cursors[id as usize] += 1;
            touched[id as usize / GROUP] = true;
        }
        groups.clear();
        for (word, flags) in touched.as_chunks_mut::<FLAGS>().0.iter_mut().enumerate() {
            if *flags != [false; FLAGS] {
                let set = (0..FLAGS).filter(|&i| std::mem::take(&mut flags[i]));
                groups.extend(set.map(|i| word * FLAGS + i));
            }
        }
        // One more than can be used, so that writing needs no condition.
        features.resize(groups.len() * GROUP + 1, 0);
        starts.resize(groups.len() * GROUP + 1, 0);
        let (mut found, mut start) = (0, 0);
        for group in &*groups {
            let first = group * GROUP;
            for (id, cursor) in (first..).zip(&mut cursors[first..first + GROUP]) {
                // Written in any case and kept if the feature occurs: whether it does cannot be
                // foreseen, and a wrong guess costs more than the writing.
                features[found] = id as u32;
                starts[found] = start;
                let count = std::mem::replace(cursor, start);
                found += usize::from(count > 0);
                start += count;
            }
        }
        features.truncate(found);
        starts.truncate(found + 1);
        starts[found] = start;
        samples.resize(rows.indices.len(), 0);
        values.resize(rows.values.map_or(0, <[f32]>::len), 0.0);
        let (samples, values) = (&mut samples[..], &mut values[..]);
        for r in 0..rows.spans.len() {
            let (ids, row_values) = rows.row(r);
            for (i, &id) in ids.iter().enumerate() {
                let place = cursors[id as usize] as usize;
                cursors[id as usize] += 1;
                samples[place] = r as u32;
                if let Some(row_values) = row_values {
                    values[place] = row_values[i];
                }
            }
        }
        for group in groups {
            cursors[*group * GROUP..][..GROUP].fill(0);
        }
    }

    /// The values for the kernels; `None` where all are 1.
    pub(crate) fn values(&self) -> Option<&[f32]> {
        Some(&self.values[..]).filter(|v| v.len() == self.samples.len())
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
            batch.gather(&x, &samples, None, None);
            // Twice, so that what the first call leaves behind shows.
            for _ in 0..2 {
                sorted.build(batch.rows(), 300);
                let mut want: BTreeMap<u32, Vec<(u32, f32)>> = BTreeMap::new();
                for (r, &s) in samples.iter().enumerate() {
                    for (&id, &v) in &rows[s] {
                        want.entry(id).or_default().push((r as u32, v));
                    }
                }
                let got: BTreeMap<u32, Vec<(u32, f32)>> = sorted.features.iter().enumerate().map(|(i, &f)| {
                    let places = sorted.starts[i] as usize..sorted.starts[i + 1] as usize;
                    (f, places.map(|p| (sorted.samples[p], sorted.values().map_or(1.0, |v| v[p]))).collect())
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
        batch.gather(&x, &[0], Some(DropoutMask::new(1, 0.5)), None);
        let (ids, values) = batch.rows().row(0);
        assert!((400..600).contains(&ids.len()) && values.unwrap().iter().all(|&v| v == 2.0));
    }
}
