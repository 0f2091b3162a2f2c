//! The parameters as they are trained: laid out for the threads and the kernels.
//!
//! The first kernel is by far the largest, and each step reads and writes rows all over it. It is
//! kept in panels of columns, one a thread where it is wide enough: each thread then meets the same
//! part of the kernel and of the optimizer's memory in every step and finds it in its own cache,
//! where bands of rows would wander from core to core. Columns do not take part in each other's
//! sums, so that panels leave every bit as it would be without them.
//!
//! The model itself keeps the weights of the last good epoch meanwhile.

use std::ops::Range;

use rayon::prelude::*;

use super::Compiled;
use super::batch::GROUP;
use super::kept::Kept;
use crate::buffer::{Aligned, LINE, pack_into, padded, unpack};
use crate::kernels::{self, matmul};
use crate::layers::Regularizer;
use crate::model::{Columns, Forward, Packed, Sequential};
use crate::optimizer::ParameterState;
use crate::shared::Shared;
use crate::table::Table;

/// Columns that a panel has at least: with fewer, reading the ids of the features anew for each panel
/// costs more than the cache saves.
const PANEL_COLUMNS: usize = 32;

/// Elements whose penalties are summed by one task.
const PENALTY_ELEMENTS: usize = 1 << 16;

/// Rows that one task copies at least.
const ROWS_A_TASK: usize = 1024;

/// Some columns of the first kernel and bias with their optimizer state.
pub(super) struct Panel {
    pub(super) columns: Range<usize>,
    /// `[n_in, columns]`.
    pub(super) weights: Table,
    /// One number a column; empty for a layer without bias.
    pub(super) bias: Table,
    pub(super) state: ParameterState,
    pub(super) bias_state: ParameterState,
}

impl Panel {
    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn as_columns(&self) -> Columns<'_> {
        let Self { columns, weights, bias, .. } = self;
        Columns { range: columns.clone(), weights, bias }
    }
}

/// A stage after the first.
pub(super) struct Later {
    /// The kernel transposed, `[units, padded(n_in)]`, for the way back.
    pub(super) transposed: Aligned<f32>,
    /// States, laid out as the packed parameters are.
    pub(super) state: ParameterState,
    pub(super) bias_state: ParameterState,
}

/// All parameters of a network in training.
pub(super) struct Working {
    pub(super) panels: Vec<Panel>,
    pub(super) packed: Vec<Packed>,
    pub(super) later: Vec<Later>,
    /// For each [`GROUP`] of rows of the first kernel, whether a step may have changed one of them
    /// since the model was last written: so that an epoch costs what it touches.
    pub(super) changed: Vec<bool>,
    /// What the first kernel has rows for, if not for every feature.
    kept: Option<Kept>,
    /// The optimizer's memory for all features, if the panels have not all of it.
    all_state: Option<ParameterState>,
}

impl Working {
    /// Takes the weights of a model, for `kept` features if there is a choice, and its optimizer's
    /// memory out of `compiled`.
    pub(super) fn new(
        model: &Sequential,
        compiled: &mut Compiled,
        threads: usize,
        kept: Option<Kept>,
    ) -> Self {
        let (first, rest) = model.parameters().split_first().expect("a network has layers");
        let mut states = std::mem::take(&mut compiled.state).into_iter();
        let (mut state, bias_state) = states.next().expect("one state a layer");
        let count = (first.units / PANEL_COLUMNS).clamp(1, threads.max(1));
        let width = (padded(first.units) / LINE).div_ceil(count) * LINE;
        let all = first.units;
        let mut all_state = None;
        let gathered;
        let mut kernel = first.kernel.as_slice();
        if let Some(kept) = &kept {
            gathered = kept.gather(kernel, all);
            kernel = &gathered;
            let gathered = kept.gather_state(&state, all);
            all_state = Some(std::mem::replace(&mut state, gathered));
        }
        let ranges: Vec<_> =
            (0..all).step_by(width).map(|start| start..(start + width).min(all)).collect();
        let states_of_panels = cut_state(state, all, &ranges);
        let panels = ranges
            .iter()
            .zip(states_of_panels.into_iter().zip(cut_state(bias_state, all, &ranges)))
            .map(|(columns, (state, bias_state))| Panel {
                columns: columns.clone(),
                weights: cut(kernel, all, columns),
                bias: cut(first.bias.as_slice(), all, columns),
                state,
                bias_state,
            })
            .collect();
        let packed: Vec<Packed> = rest.iter().map(Packed::new).collect();
        let later = packed
            .iter()
            .zip(states)
            .map(|(p, (state, bias_state))| {
                let packed = |state: ParameterState| {
                    state.map_moments(|rows| {
                        let mut packed = Table::zeros(rows.len() / p.units * p.stride());
                        pack_into(rows, p.units, &mut packed);
                        packed
                    })
                };
                let mut transposed = Aligned::new(0);
                transposed.resize(p.units * padded(p.n_in), 0.0);
                Later { transposed, state: packed(state), bias_state: packed(bias_state) }
            })
            .collect();
        let changed = vec![false; kept.as_ref().map_or(first.n_in, Kept::len).div_ceil(GROUP)];
        Self { panels, packed, later, changed, kept, all_state }
    }

    /// Number of rows of the first kernel.
    pub(super) fn rows(&self) -> usize {
        self.panels[0].weights.len() / self.panels[0].width()
    }

    /// The rows of the first kernel by feature, if not every feature has one.
    pub(super) fn places(&self) -> Option<&[u32]> {
        self.kept.as_ref().map(Kept::places)
    }

    /// The way through the layers of `model` with these parameters.
    pub(super) fn forward<'a>(&'a self, model: &'a Sequential) -> Forward<'a> {
        Forward {
            cpu: kernels::cpu(),
            stages: model.stages(),
            first: self.panels.iter().map(Panel::as_columns).collect(),
            packed: Shared::Borrowed(&self.packed),
        }
    }

    /// Copies the weights into the model.
    pub(super) fn write(&mut self, model: &mut Sequential) {
        let (first, rest) = model.parameters_mut().split_first_mut().expect("a network has layers");
        let all = first.units;
        for panel in &self.panels {
            let columns = &panel.columns;
            let kernel = first.kernel.make_mut();
            if let Some(kept) = &self.kept {
                let rows = panel.weights.chunks_exact(panel.width()).enumerate();
                for (place, row) in rows.filter(|(place, _)| self.changed[place / GROUP]) {
                    let all = &mut kernel[kept.id(place) * all..][..all];
                    all[columns.clone()].copy_from_slice(row);
                }
            } else {
                kernel
                    .par_chunks_mut(GROUP * all)
                    .zip(panel.weights.par_chunks(GROUP * panel.width()))
                    .zip(&self.changed)
                    .with_min_len(ROWS_A_TASK / GROUP)
                    .filter(|(_, changed)| **changed)
                    .for_each(|((rows, part), _)| paste_rows(part, columns, rows, all));
            }
            paste(&panel.bias, columns, first.bias.make_mut(), all);
        }
        for (p, packed) in rest.iter_mut().zip(&self.packed) {
            unpack(&packed.kernel, packed.units, p.kernel.make_mut());
            unpack(&packed.bias, packed.units, p.bias.make_mut());
        }
        self.changed.fill(false);
    }

    /// A copy of the optimizer's memory.
    pub(super) fn state(&self, model: &Sequential) -> Vec<(ParameterState, ParameterState)> {
        let all = model.parameters()[0].units;
        let mut state = joined_states(&self.panels, all, |panel| &panel.state);
        if let Some((kept, all_state)) = self.kept.as_ref().zip(self.all_state.as_ref()) {
            let kept_state = std::mem::replace(&mut state, all_state.clone());
            kept.scatter_state(&kept_state, &mut state, all);
        }
        let bias_state = joined_states(&self.panels, all, |panel| &panel.bias_state);
        let mut states = vec![(state, bias_state)];
        states.extend(self.later_states());
        states
    }

    /// The optimizer's memory of the stages after the first, laid out as their parameters are.
    fn later_states(&self) -> impl Iterator<Item = (ParameterState, ParameterState)> {
        self.later.iter().zip(&self.packed).map(|(later, p)| {
            let tight = |state: &ParameterState| {
                state.map_moments(|packed| {
                    let mut rows = Table::zeros(packed.len() / p.stride() * p.units);
                    unpack(packed, p.units, &mut rows);
                    rows
                })
            };
            (tight(&later.state), tight(&later.bias_state))
        })
    }

    /// Gives the optimizer's memory back.
    pub(super) fn into_state(
        mut self,
        model: &Sequential,
    ) -> Vec<(ParameterState, ParameterState)> {
        let all = model.parameters()[0].units;
        let panels = &mut self.panels;
        let first = (
            join_states(panels, all, |panel| &mut panel.state),
            join_states(panels, all, |panel| &mut panel.bias_state),
        );
        let (mut state, bias_state) = first;
        if let Some((kept, mut all_state)) = self.kept.take().zip(self.all_state.take()) {
            kept.scatter_state(&state, &mut all_state, all);
            state = all_state;
        }
        let mut states = vec![(state, bias_state)];
        states.extend(self.later_states());
        states
    }

    /// Whether no weight or bias has become NaN or infinite since the model was last written.
    pub(super) fn is_finite(&self) -> bool {
        self.panels.iter().all(|panel| {
            let groups = panel.weights.par_chunks(GROUP * panel.width()).zip(&self.changed);
            let groups = groups.with_min_len(ROWS_A_TASK / GROUP);
            all_finite(&panel.bias) && groups.all(|(rows, changed)| !changed || all_finite(rows))
        }) && self.packed.iter().all(|p| all_finite(&p.kernel) && all_finite(&p.bias))
    }

    /// The penalty of all kernels.
    pub(super) fn penalty(&self, model: &Sequential) -> f64 {
        let panels: Vec<_> = self.panels.iter().map(|p| (&p.weights[..], p.width())).collect();
        let first = std::iter::once(panels);
        let rest = self.packed.iter().map(|p| vec![(&p.kernel[..], p.stride())]);
        let regularizers = model.stages().into_iter().map(|s| s.dense.kernel_regularizer);
        regularizers.zip(first.chain(rest)).map(|(r, panels)| layer_penalty(r, &panels)).sum()
    }
}

/// The penalty of all kernels of a model.
pub(super) fn penalty(model: &Sequential) -> f64 {
    let stages = model.stages().into_iter().zip(model.parameters());
    stages
        .map(|(stage, p)| {
            layer_penalty(stage.dense.kernel_regularizer, &[(p.kernel.as_slice(), p.units)])
        })
        .sum()
}

/// The penalty of a kernel in panels of columns, each with its width. Summed line by line in a fixed
/// order, so that neither threads nor panels matter.
fn layer_penalty(regularizer: Regularizer, panels: &[(&[f32], usize)]) -> f64 {
    if regularizer.is_zero() {
        return 0.0;
    }
    let width: usize = panels.iter().map(|(_, width)| width).sum();
    let rows = panels.first().map_or(0, |(weights, width)| weights.len() / width);
    let piece = PENALTY_ELEMENTS.div_ceil(width);
    let pieces: Vec<f64> = (0..rows.div_ceil(piece))
        .into_par_iter()
        .map(|i| {
            let lines = (i * piece..((i + 1) * piece).min(rows)).flat_map(|row| {
                panels
                    .iter()
                    .flat_map(move |(weights, width)| weights[row * width..][..*width].chunks(LINE))
            });
            lines.map(|line| regularizer.penalty(line)).sum()
        })
        .collect();
    pieces.iter().sum()
}

/// `transposed` anew from the kernel.
pub(super) fn transpose(packed: &Packed, transposed: &mut [f32]) {
    matmul::transpose(
        &packed.kernel,
        packed.n_in,
        packed.stride(),
        transposed,
        padded(packed.n_in),
    );
}

/// The `columns` of rows of `width` numbers.
fn cut(rows: &[f32], width: usize, columns: &Range<usize>) -> Table {
    let mut part = Table::zeros(rows.len() / width * columns.len());
    part.par_chunks_exact_mut(columns.len())
        .zip(rows.par_chunks_exact(width))
        .with_min_len(ROWS_A_TASK)
        .for_each(|(part, row)| part.copy_from_slice(&row[columns.clone()]));
    part
}

/// Divides an optimizer's memory into the columns of each panel, moment by moment.
fn cut_state(state: ParameterState, width: usize, panels: &[Range<usize>]) -> Vec<ParameterState> {
    if panels.len() == 1 {
        return vec![state];
    }
    let ParameterState { m, v, last_visit } = state;
    let cut_all = |moment: Table| -> Vec<Table> {
        panels.iter().map(|columns| cut(&moment, width, columns)).collect()
    };
    let m = cut_all(m);
    let v = cut_all(v);
    let moments = m.into_iter().zip(v);
    moments.map(|(m, v)| ParameterState { m, v, last_visit: last_visit.clone() }).collect()
}

/// Puts what [`cut_state`] divided together.
fn join_states(
    panels: &mut [Panel],
    width: usize,
    state: impl Fn(&mut Panel) -> &mut ParameterState,
) -> ParameterState {
    if let [panel] = panels {
        return std::mem::take(state(panel));
    }
    let mut join = |moment: fn(&mut ParameterState) -> &mut Table| {
        let length = panels.iter_mut().map(|panel| moment(state(panel)).len()).sum();
        let mut whole = Table::zeros(length);
        for panel in panels.iter_mut() {
            let part = std::mem::take(moment(state(panel)));
            paste(&part, &panel.columns, &mut whole, width);
        }
        whole
    };
    let (m, v) = (join(|state| &mut state.m), join(|state| &mut state.v));
    ParameterState { m, v, last_visit: std::mem::take(&mut state(&mut panels[0]).last_visit) }
}

/// The same as a copy.
fn joined_states(
    panels: &[Panel],
    width: usize,
    state: impl Fn(&Panel) -> &ParameterState,
) -> ParameterState {
    let join = |moment: fn(&ParameterState) -> &Table| {
        let length = panels.iter().map(|panel| moment(state(panel)).len()).sum();
        let mut whole = Table::zeros(length);
        for panel in panels {
            paste(moment(state(panel)), &panel.columns, &mut whole, width);
        }
        whole
    };
    let (m, v) = (join(|state| &state.m), join(|state| &state.v));
    let last_visit = panels.first().map(|panel| state(panel).last_visit.clone());
    ParameterState { m, v, last_visit: last_visit.unwrap_or_default() }
}

/// Puts what [`cut`] took back.
fn paste(part: &[f32], columns: &Range<usize>, rows: &mut [f32], width: usize) {
    rows.par_chunks_mut(ROWS_A_TASK * width)
        .zip(part.par_chunks(ROWS_A_TASK * columns.len()))
        .for_each(|(rows, part)| paste_rows(part, columns, rows, width));
}

fn paste_rows(part: &[f32], columns: &Range<usize>, rows: &mut [f32], width: usize) {
    for (row, part) in rows.chunks_exact_mut(width).zip(part.chunks_exact(columns.len())) {
        row[columns.clone()].copy_from_slice(part);
    }
}

/// Whether none of the numbers is NaN or infinite.
fn all_finite(values: &[f32]) -> bool {
    // Without a sign, the bits of numbers are in the order of the numbers, and these above infinity.
    let magnitude = |v: &f32| v.to_bits() & 0x7FFF_FFFF;
    values.iter().map(magnitude).fold(0, u32::max) < f32::INFINITY.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Dense;
    use crate::{Activation, Loss, Optimizer};

    #[test]
    fn panels_and_padding_come_back_as_they_were() {
        for (units, threads) in [(1, 4), (33, 2), (64, 1), (64, 2), (64, 3), (100, 3), (160, 8)] {
            let layers = [
                Dense::new(units).activation(Activation::Relu).into(),
                Dense::new(5).use_bias(false).into(),
                Dense::new(17).activation(Activation::Softmax).into(),
            ];
            let mut model = Sequential::new(7, layers, 3).unwrap();
            let (optimizer, loss) = (Optimizer::adam(), Loss::SparseCategoricalCrossentropy);
            model.compile(optimizer, loss, &[]).unwrap();
            let mut compiled = model.compiled.take().unwrap();
            compiled.prepare(model.parameters());
            let mut number = 0.0;
            for (kernel, bias) in &mut compiled.state {
                for values in [&mut kernel.m, &mut kernel.v, &mut bias.m, &mut bias.v] {
                    for v in values.iter_mut() {
                        number += 1.0;
                        *v = number;
                    }
                }
            }
            let state = compiled.state.clone();
            let mut working = Working::new(&model, &mut compiled, threads, None);
            assert!(working.panels.len() <= threads);
            working.changed.fill(true);
            assert!(working.is_finite());
            let mut other = Sequential::new(7, model.layers().to_vec(), 4).unwrap();
            working.write(&mut other);
            assert!(other.same_weights(&model));
            assert_eq!(working.state(&model), state);
            assert_eq!(working.into_state(&model), state);
        }
    }

    #[test]
    fn penalties_do_not_depend_on_panels() {
        let regularizer = Regularizer { l1: 0.1, l2: 0.3 };
        let rows: Vec<f32> = (0..300 * 64).map(|i| (i as f32).sin()).collect();
        let whole = layer_penalty(regularizer, &[(&rows, 64)]);
        let (left, right) = (cut(&rows, 64, &(0..48)), cut(&rows, 64, &(48..64)));
        assert_eq!(whole, layer_penalty(regularizer, &[(&left, 48), (&right, 16)]));
        assert!((whole - regularizer.penalty(&rows)).abs() < 1e-9 * whole);
    }

    #[test]
    fn what_is_not_finite_is_found() {
        assert!(all_finite(&[0.0, f32::MAX, f32::MIN]));
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!all_finite(&[1.0, bad, 2.0]));
        }
    }
}
