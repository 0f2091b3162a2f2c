//! One optimizer step on rows of weights, and the first layer's whole backward pass by feature.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::rows::{Factors, Ones, Panels, Terms, for_panels, load, store};
use super::rule::{Decay, Rule, Update, Weights, WithUpdate};
use crate::layers::Regularizer;

/// `g` with the gradient of the penalty `l1·Σ|w| + l2·Σw²` added.
#[inline(always)]
fn penalized<S: Simd>(simd: S, regularizer: Regularizer, w: S::f32s, g: S::f32s) -> S::f32s {
    let splat = |c: f32| simd.splat_f32s(c);
    let (zero, l1) = (splat(0.0), splat(regularizer.l1));
    let up = simd.select_f32s(simd.greater_than_f32s(w, zero), l1, zero);
    let down = simd.select_f32s(simd.less_than_f32s(w, zero), l1, zero);
    let absolute = simd.sub_f32s(up, down);
    let squares = simd.mul_f32s(splat(2.0 * regularizer.l2), w);
    simd.add_f32s(g, simd.add_f32s(absolute, squares))
}

/// A range of rows of one parameter with the optimizer's state for them; a state that the rule does
/// not have is empty.
#[derive(Debug)]
pub(crate) struct RowsMut<'a> {
    pub(crate) weights: &'a mut [f32],
    pub(crate) m: &'a mut [f32],
    pub(crate) v: &'a mut [f32],
}

impl RowsMut<'_> {
    /// Steps the weights at `span`, a panel whose gradient is `g`.
    #[inline(always)]
    fn step<S: Simd, U: Update, const P: usize, const PARTIAL: bool>(
        &mut self,
        simd: S,
        update: U,
        regularizer: Regularizer,
        span: Range<usize>,
        missed: f32,
        g: [S::f32s; P],
    ) {
        let missed = simd.splat_f32s(missed);
        let weights = &mut self.weights[span.clone()];
        let mut w = load::<S, P, PARTIAL>(simd, weights);
        let (mut m, mut v) = ([simd.splat_f32s(0.0); P], [simd.splat_f32s(0.0); P]);
        if U::FIRST {
            m = load::<S, P, PARTIAL>(simd, &self.m[span.clone()]);
        }
        if U::SECOND {
            v = load::<S, P, PARTIAL>(simd, &self.v[span.clone()]);
        }
        for p in 0..P {
            let mut g = g[p];
            if !regularizer.is_zero() {
                g = penalized(simd, regularizer, w[p], g);
            }
            let after = update.step(simd, g, missed, Weights { w: w[p], m: m[p], v: v[p] });
            (w[p], m[p], v[p]) = (after.w, after.m, after.v);
        }
        store::<S, P, PARTIAL>(simd, weights, w);
        if U::FIRST {
            store::<S, P, PARTIAL>(simd, &mut self.m[span.clone()], m);
        }
        if U::SECOND {
            store::<S, P, PARTIAL>(simd, &mut self.v[span], v);
        }
    }
}

/// One step on dense rows whose gradient is at hand; that of the penalty is added to it.
pub(crate) fn step_dense(
    cpu: Arch,
    rule: Rule,
    regularizer: Regularizer,
    rows: RowsMut<'_>,
    gradient: &[f32],
) {
    struct Op<'a> {
        rule: Rule,
        regularizer: Regularizer,
        rows: RowsMut<'a>,
        gradient: &'a [f32],
    }
    struct All<'a, S> {
        simd: S,
        op: Op<'a>,
    }
    struct Whole<'a, U> {
        update: U,
        op: Op<'a>,
    }
    impl WithSimd for Op<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            self.rule.dispatch(All { simd, op: self });
        }
    }
    impl<S: Simd> WithUpdate for All<'_, S> {
        #[inline(always)]
        fn with<U: Update>(self, update: U) {
            let width = self.op.gradient.len();
            for_panels(self.simd, width, &mut Whole { update, op: self.op });
        }
    }
    impl<S: Simd, U: Update> Panels<S> for Whole<'_, U> {
        #[inline(always)]
        fn panel<const P: usize, const PARTIAL: bool>(&mut self, simd: S, columns: Range<usize>) {
            let Op { regularizer, rows, gradient, .. } = &mut self.op;
            let g = load::<S, P, PARTIAL>(simd, &gradient[columns.clone()]);
            rows.step::<S, U, P, PARTIAL>(simd, self.update, *regularizer, columns, 1.0, g);
        }
    }
    cpu.dispatch(Op { rule, regularizer, rows, gradient });
}

/// The first layer's backward pass for a range of features: gradient and step of each in one go.
pub(crate) struct FeatureStep<'a> {
    /// The rows of the features `first..first + weights.len() / width`.
    pub(crate) rows: RowsMut<'a>,
    /// Number of the feature that the first row stands for.
    pub(crate) first: u32,
    /// Per row, the step of the last visit; empty where the rule needs no catching up.
    pub(crate) last_visit: &'a mut [u32],
    /// Features of the batch within the range, rising.
    pub(crate) features: &'a [u32],
    /// `starts[i]..starts[i + 1]` are the places of feature `i` of `features` in `samples`.
    pub(crate) starts: &'a [u32],
    /// For each non-zero of the batch, by feature: the sample it stands in …
    pub(crate) samples: &'a [u32],
    /// … and its value, or nothing where all are 1.
    pub(crate) values: Option<&'a [f32]>,
    /// Gradient of the layer's pre-activations: one row of `width` a sample.
    pub(crate) delta: &'a [f32],
    pub(crate) width: usize,
    /// Number of this step, counted from 1.
    pub(crate) step: u32,
    pub(crate) rule: Rule,
    pub(crate) decay: &'a Decay,
    pub(crate) regularizer: Regularizer,
    /// Step every row, also those whose gradient is zero.
    pub(crate) every_row: bool,
}

impl FeatureStep<'_> {
    /// Runs the pass.
    pub(crate) fn run(self, cpu: Arch) {
        cpu.dispatch(self);
    }
}

impl WithSimd for FeatureStep<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        struct All<'a, S> {
            simd: S,
            step: FeatureStep<'a>,
        }
        impl<S: Simd> WithUpdate for All<'_, S> {
            #[inline(always)]
            fn with<U: Update>(self, update: U) {
                match self.step.values {
                    Some(values) => self.step.each(self.simd, update, |at| &values[at]),
                    None => self.step.each(self.simd, update, |_| Ones),
                }
            }
        }
        self.rule.dispatch(All { simd, step: self });
    }
}

impl FeatureStep<'_> {
    /// Steps every feature; `factors` are those at a range of places.
    #[inline(always)]
    fn each<S: Simd, U: Update, F: Factors>(
        mut self,
        simd: S,
        update: U,
        factors: impl Fn(Range<usize>) -> F,
    ) {
        if self.every_row {
            let mut at = 0;
            for row in 0..(self.rows.weights.len() / self.width) {
                let feature = self.first + row as u32;
                let mut places = 0..0;
                if self.features.get(at) == Some(&feature) {
                    places = self.starts[at] as usize..self.starts[at + 1] as usize;
                    at += 1;
                }
                self.one(simd, update, row, &places, factors(places.clone()));
            }
        } else {
            for (i, &feature) in self.features.iter().enumerate() {
                let places = self.starts[i] as usize..self.starts[i + 1] as usize;
                let row = (feature - self.first) as usize;
                self.one(simd, update, row, &places, factors(places.clone()));
            }
        }
    }

    /// Sums the gradient of one feature and steps its row with it.
    #[inline(always)]
    fn one<S: Simd, U: Update, F: Factors>(
        &mut self,
        simd: S,
        update: U,
        row: usize,
        places: &Range<usize>,
        factors: F,
    ) {
        let missed = match self.last_visit.get_mut(row) {
            Some(last) => self.decay.power(self.step - std::mem::replace(last, self.step) - 1),
            None => 1.0,
        };
        let (table, width) = (self.delta, self.width);
        let terms = Terms { table, width, ids: &self.samples[places.clone()], factors };
        let regularizer = self.regularizer;
        let start = row * width;
        let mut one = Feature { rows: &mut self.rows, terms, update, regularizer, start, missed };
        for_panels(simd, width, &mut one);
    }
}

/// One feature of a [`FeatureStep`].
struct Feature<'r, 'a, F, U> {
    rows: &'r mut RowsMut<'a>,
    /// The gradients of its samples.
    terms: Terms<'r, F>,
    update: U,
    regularizer: Regularizer,
    /// Where its row begins.
    start: usize,
    missed: f32,
}

impl<S: Simd, F: Factors, U: Update> Panels<S> for Feature<'_, '_, F, U> {
    #[inline(always)]
    fn panel<const P: usize, const PARTIAL: bool>(&mut self, simd: S, columns: Range<usize>) {
        let Self { rows, terms, update, regularizer, start, missed } = self;
        let g = terms.sum::<S, P, PARTIAL>(simd, &columns, [simd.splat_f32s(0.0); P]);
        let span = *start + columns.start..*start + columns.end;
        rows.step::<S, U, P, PARTIAL>(simd, *update, *regularizer, span, *missed, g);
    }
}

/// `out[c] += Σ over rows of a[row, c]`, in row order: the gradient of a bias.
pub(crate) fn add_column_sums(cpu: Arch, a: &[f32], out: &mut [f32]) {
    struct Op<'a> {
        a: &'a [f32],
        out: &'a mut [f32],
    }
    impl WithSimd for Op<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            for row in self.a.chunks_exact(self.out.len()) {
                for (o, a) in self.out.iter_mut().zip(row) {
                    *o += a;
                }
            }
        }
    }
    cpu.dispatch(Op { a, out });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::every_cpu;

    #[test]
    fn every_cpu_steps_to_the_same_bits() {
        let rules = [
            Rule::Sgd { learning_rate: 0.1 },
            Rule::Momentum { learning_rate: 0.1, momentum: 0.9, nesterov: true },
            Rule::RmsProp { learning_rate: 0.1, rho: 0.9, epsilon: 1e-7, inside_root: false },
            Rule::RmsProp { learning_rate: 0.1, rho: 0.9, epsilon: 1e-7, inside_root: true },
            Rule::Adagrad { learning_rate: 0.1, epsilon: 1e-7 },
            Rule::Adam { alpha: 0.1, beta_1: 0.9, beta_2: 0.99, epsilon: 1e-7, decay: 0.01 },
        ];
        let (width, delta_rows) = (19, 5);
        let numbers = |n: usize| (0..n).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<f32>>();
        for rule in rules {
            let mut results = Vec::new();
            for cpu in every_cpu() {
                for every_row in [false, true] {
                    let mut weights = numbers(4 * width);
                    let (mut m, mut v) = (numbers(4 * width), vec![0.5; 4 * width]);
                    let mut last_visit = vec![0, 2, 0, 1];
                    FeatureStep {
                        rows: RowsMut { weights: &mut weights, m: &mut m, v: &mut v },
                        first: 10,
                        last_visit: &mut last_visit,
                        features: &[10, 11, 12, 13],
                        starts: &[0, 2, 3, 3, 5],
                        samples: &[0, 3, 2, 1, 4],
                        values: Some(&[1.0, 0.5, 2.0, 1.0, -1.0]),
                        delta: &numbers(delta_rows * width),
                        width,
                        step: 3,
                        rule,
                        decay: &Decay::new(0.9),
                        regularizer: Regularizer { l1: 0.01, l2: 0.02 },
                        every_row,
                    }
                    .run(cpu);
                    assert_eq!(last_visit, [3; 4]);
                    results.push((weights, m, v));
                }
            }
            assert!(results.windows(2).all(|r| r[0] == r[1]), "{rule:?}");
        }
    }
}
