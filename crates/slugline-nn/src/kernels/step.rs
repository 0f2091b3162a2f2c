//! One optimizer step on rows of weights, and the first layer's whole backward pass by feature.

use pulp::{Arch, Simd, WithSimd};

use super::root::{reciprocal, root};
use super::rows::add_rows;
use crate::layers::Regularizer;

/// An optimizer's rule with everything settled that is the same for all weights of one step.
/// The formulas stand in [`crate::optimizer`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    Sgd { learning_rate: f32 },
    Momentum { learning_rate: f32, momentum: f32, nesterov: bool },
    RmsProp { learning_rate: f32, rho: f32, epsilon: f32, inside_root: bool },
    Adagrad { learning_rate: f32, epsilon: f32 },
    Adam { alpha: f32, beta_1: f32, beta_2: f32, epsilon: f32, decay: f32 },
}

/// `rho^n` for the steps that a row was not visited.
#[derive(Debug, Clone)]
pub(crate) struct Decay {
    rho: f64,
    table: [f32; 64],
}

impl Decay {
    pub(crate) fn new(rho: f32) -> Self {
        let rho = f64::from(rho);
        let mut power = 1.0;
        let table = core::array::from_fn(|_| {
            let now = power as f32;
            power *= rho;
            now
        });
        Self { rho, table }
    }

    #[inline(always)]
    fn power(&self, n: u32) -> f32 {
        match self.table.get(n as usize) {
            Some(&p) => p,
            None => libm::pow(self.rho, f64::from(n)) as f32,
        }
    }
}

/// Applies `rule` to the weights `w` with the gradient `g` and the state `m`, `v` (empty where the
/// rule has no such state). `missed` is by how much a decaying state has to be scaled for the steps
/// since the last visit: 1 where there were none.
#[inline(always)]
pub(crate) fn step_row(
    rule: Rule,
    w: &mut [f32],
    m: &mut [f32],
    v: &mut [f32],
    g: &[f32],
    missed: f32,
) {
    match rule {
        Rule::Sgd { learning_rate } => {
            for (w, g) in w.iter_mut().zip(g) {
                *w -= learning_rate * g;
            }
        }
        Rule::Momentum { learning_rate, momentum, nesterov } => {
            for ((w, m), g) in w.iter_mut().zip(m).zip(g) {
                *m = momentum * *m - learning_rate * g;
                *w += if nesterov { momentum * *m - learning_rate * g } else { *m };
            }
        }
        Rule::RmsProp { learning_rate, rho, epsilon, inside_root } => {
            let keep = rho * missed;
            let add = 1.0 - rho;
            if inside_root {
                for ((w, v), g) in w.iter_mut().zip(v).zip(g) {
                    *v = keep.mul_add(*v, add * (g * g));
                    *w -= learning_rate * g * reciprocal(root(*v + epsilon));
                }
            } else {
                for ((w, v), g) in w.iter_mut().zip(v).zip(g) {
                    *v = keep.mul_add(*v, add * (g * g));
                    *w -= learning_rate * g * reciprocal(root(*v) + epsilon);
                }
            }
        }
        Rule::Adagrad { learning_rate, epsilon } => {
            for ((w, v), g) in w.iter_mut().zip(v).zip(g) {
                *v += g * g;
                *w -= learning_rate * g * reciprocal(root(*v + epsilon));
            }
        }
        Rule::Adam { alpha, beta_1, beta_2, epsilon, decay } => {
            for (((w, m), v), g) in w.iter_mut().zip(m).zip(v).zip(g) {
                *m += (g - *m) * (1.0 - beta_1);
                *v += (g * g - *v) * (1.0 - beta_2);
                *w -= decay * *w;
                *w -= *m * alpha * reciprocal(root(*v) + epsilon);
            }
        }
    }
}

/// Adds the gradient of the penalty `l1·Σ|w| + l2·Σw²` to `g`.
#[inline(always)]
fn add_penalty(regularizer: Regularizer, w: &[f32], g: &mut [f32]) {
    let Regularizer { l1, l2 } = regularizer;
    for (g, w) in g.iter_mut().zip(w) {
        let sign = f32::from(u8::from(*w > 0.0)) - f32::from(u8::from(*w < 0.0));
        *g += l1 * sign + 2.0 * l2 * w;
    }
}

/// A range of rows of one parameter with the optimizer's state for them.
#[derive(Debug)]
pub(crate) struct RowsMut<'a> {
    pub(crate) weights: &'a mut [f32],
    pub(crate) m: &'a mut [f32],
    pub(crate) v: &'a mut [f32],
}

/// One step on dense rows whose gradient is at hand; the penalty is added to `gradient` first.
pub(crate) fn step_dense(
    cpu: Arch,
    rule: Rule,
    regularizer: Regularizer,
    rows: RowsMut<'_>,
    gradient: &mut [f32],
) {
    struct Op<'a> {
        rule: Rule,
        regularizer: Regularizer,
        rows: RowsMut<'a>,
        gradient: &'a mut [f32],
    }
    impl WithSimd for Op<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Self { rule, regularizer, rows, gradient } = self;
            if !regularizer.is_zero() {
                add_penalty(regularizer, rows.weights, gradient);
            }
            step_row(rule, rows.weights, rows.m, rows.v, gradient, 1.0);
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
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut gradient = vec![0.0f32; self.width];
        if self.every_row {
            let mut at = 0;
            for row in 0..(self.rows.weights.len() / self.width) {
                let feature = self.first + row as u32;
                let found = self.features.get(at) == Some(&feature);
                let places = if found {
                    at += 1;
                    self.starts[at - 1] as usize..self.starts[at] as usize
                } else {
                    0..0
                };
                self.step_feature(simd, row, places, &mut gradient);
            }
        } else {
            for (i, &feature) in self.features.iter().enumerate() {
                let places = self.starts[i] as usize..self.starts[i + 1] as usize;
                self.step_feature(simd, (feature - self.first) as usize, places, &mut gradient);
            }
        }
    }
}

impl FeatureStep<'_> {
    #[inline(always)]
    fn step_feature<S: Simd>(
        &mut self,
        simd: S,
        row: usize,
        places: std::ops::Range<usize>,
        gradient: &mut [f32],
    ) {
        let span = row * self.width..(row + 1) * self.width;
        gradient.fill(0.0);
        add_rows(
            simd,
            gradient,
            self.delta,
            &self.samples[places.clone()],
            self.values.map(|v| &v[places]),
        );
        let weights = &mut self.rows.weights[span.clone()];
        if !self.regularizer.is_zero() {
            add_penalty(self.regularizer, weights, gradient);
        }
        let missed = match self.last_visit.get_mut(row) {
            Some(last) => {
                let missed = self.decay.power(self.step - *last - 1);
                *last = self.step;
                missed
            }
            None => 1.0,
        };
        let m = self.rows.m.get_mut(span.clone()).unwrap_or_default();
        let v = self.rows.v.get_mut(span).unwrap_or_default();
        step_row(self.rule, weights, m, v, gradient, missed);
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
    fn decay_is_the_power_inside_and_beyond_its_table() {
        let decay = Decay::new(0.9);
        for n in [0u32, 1, 2, 63, 64, 100, 5000] {
            let want = f64::from(0.9f32).powi(n as i32);
            assert!((f64::from(decay.power(n)) - want).abs() <= 1e-6 * want + 1e-45, "{n}");
        }
    }

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
