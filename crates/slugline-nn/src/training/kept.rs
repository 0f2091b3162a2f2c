//! The features that a training run meets, where they are few of many.

use crate::matrix::CsrMatrix;
use crate::optimizer::ParameterState;
use crate::table::Table;

/// Width from which it is worth looking whether features are left out.
const WIDE: usize = 1 << 16;

/// The features that occur in some data: rows of the first kernel that training can touch, as long as
/// absent features stay as they are. Kept side by side they take less memory and lie closer to each
/// other than strewn over a wide kernel, as hashed features are.
#[derive(Debug)]
pub(super) struct Kept {
    /// The features, rising.
    ids: Vec<u32>,
    /// For each feature of the network, its place among them; without meaning for the others.
    places: Vec<u32>,
}

impl Kept {
    /// The features that the first `rows` rows of `x` and those of `other` have; `None` where they are
    /// not few enough to be worth it.
    pub(super) fn of(x: &CsrMatrix, rows: usize, other: Option<&CsrMatrix>) -> Option<Self> {
        if x.cols() < WIDE {
            return None;
        }
        let mut present = vec![false; x.cols()];
        let all = x.iter_rows().take(rows).chain(other.into_iter().flat_map(CsrMatrix::iter_rows));
        for row in all {
            row.indices.iter().for_each(|&id| present[id as usize] = true);
        }
        let count = present.iter().filter(|p| **p).count();
        if count > x.cols() / 2 {
            return None;
        }
        let mut ids = Vec::with_capacity(count);
        let places = (0u32..)
            .zip(&present)
            .map(|(id, &present)| {
                let place = ids.len() as u32;
                ids.extend(present.then_some(id));
                place
            })
            .collect();
        Some(Self { ids, places })
    }

    /// Number of features.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The feature at a place.
    pub(super) fn id(&self, place: usize) -> usize {
        self.ids[place] as usize
    }

    /// The place of each feature.
    pub(super) fn places(&self) -> &[u32] {
        &self.places
    }

    /// The same rows with places for features.
    pub(super) fn narrow(&self, x: &CsrMatrix) -> CsrMatrix {
        x.map_columns(self.len(), |id| self.places[id as usize])
    }

    /// The rows of the features, out of a table with `width` numbers for each feature of the network.
    pub(super) fn gather(&self, table: &[f32], width: usize) -> Table {
        if table.is_empty() {
            return Table::default();
        }
        let mut kept = Table::zeros(self.len() * width);
        for (to, &id) in kept.chunks_exact_mut(width).zip(&self.ids) {
            to.copy_from_slice(&table[id as usize * width..][..width]);
        }
        kept
    }

    /// The same for an optimizer's memory.
    pub(super) fn gather_state(&self, state: &ParameterState, width: usize) -> ParameterState {
        let visits = &state.last_visit;
        let visited = self.ids.iter().filter_map(|&id| visits.get(id as usize).copied());
        ParameterState {
            last_visit: visited.collect(),
            ..state.map_moments(|table| self.gather(table, width))
        }
    }

    /// Puts what [`gather_state`](Self::gather_state) took back.
    pub(super) fn scatter_state(
        &self,
        kept: &ParameterState,
        all: &mut ParameterState,
        width: usize,
    ) {
        for (from, to) in [(&kept.m, &mut all.m), (&kept.v, &mut all.v)] {
            for (from, &id) in from.chunks_exact(width).zip(&self.ids) {
                to[id as usize * width..][..width].copy_from_slice(from);
            }
        }
        for (&visit, &id) in kept.last_visit.iter().zip(&self.ids) {
            all.last_visit[id as usize] = visit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Activation, Dense};
    use crate::matrix::Targets;
    use crate::{FitOptions, Loss, Optimizer, Sequential, Validation};

    /// `rows` rows with a few features each, `apart` from each other.
    fn rows(rows: usize, apart: u32) -> CsrMatrix {
        let mut x = CsrMatrix::with_cols(2 * WIDE);
        for r in 0..rows as u32 {
            let ids: Vec<u32> = (0..4).map(|i| (r * 7 + i * 5) % 40 * apart + i % 2).collect();
            let ids: std::collections::BTreeSet<u32> = ids.into_iter().collect();
            let ids: Vec<u32> = ids.into_iter().collect();
            x.push_row(&ids, &vec![0.5; ids.len()]).unwrap();
        }
        x
    }

    #[test]
    fn leaving_absent_features_out_changes_no_bit() {
        let x = rows(90, 3000);
        let y = Targets::from((0..90).map(|i| i % 3).collect::<Vec<u32>>());
        assert!(Kept::of(&x, 90, None).is_some_and(|kept| kept.len() < 90));
        // Validation data with most of the features: nothing is left out then.
        let mut most = CsrMatrix::with_cols(2 * WIDE);
        let ids: Vec<u32> = (0..2 * WIDE as u32).filter(|id| id % 3 > 0).collect();
        most.push_row(&ids, &vec![0.001; ids.len()]).unwrap();
        let most_y = Targets::from(vec![1]);
        assert!(Kept::of(&x, 90, Some(&most)).is_none());
        let sgd = Optimizer::sgd();
        for optimizer in [Optimizer::rmsprop(), Optimizer::rmsprop_keras2(), sgd] {
            let train = |validation: Validation<'_>| {
                let layers = [
                    Dense::new(64).activation(Activation::Relu).into(),
                    Dense::new(3).activation(Activation::Softmax).into(),
                ];
                let mut model = Sequential::new(2 * WIDE, layers, 5).unwrap();
                model.compile(optimizer.clone(), Loss::default(), &[]).unwrap();
                let options = FitOptions {
                    epochs: 2,
                    batch_size: 16,
                    validation,
                    threads: 2,
                    ..Default::default()
                };
                // Twice, so that the optimizer's memory makes the way back.
                model.fit(&x, &y, &options).unwrap();
                let history = model.fit(&x, &y, &options).unwrap();
                (model, history)
            };
            let (all, _) = train(Validation::Data(&most, &most_y));
            let (kept, _) = train(Validation::None);
            assert!(kept.same_weights(&all), "{optimizer:?}");
            let other = rows(10, 2999);
            let other_y = Targets::from(vec![2; 10]);
            let (validated, history) = train(Validation::Data(&other, &other_y));
            assert!(validated.same_weights(&all), "{optimizer:?}");
            let scores = validated.evaluate(&other, &other_y).unwrap();
            assert_eq!(history.last("val_loss"), Some(scores.loss));
        }
    }
}
