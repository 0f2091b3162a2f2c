//! The optimizers' formulas for a vector of weights.

use pulp::Simd;

use super::root::{reciprocal, root};

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
    pub(super) fn power(&self, n: u32) -> f32 {
        match self.table.get(n as usize) {
            Some(&p) => p,
            None => libm::pow(self.rho, f64::from(n)) as f32,
        }
    }
}

/// An optimizer's formula for a vector of weights.
pub(super) trait Update: Copy {
    /// Whether there is a first moment `m`.
    const FIRST: bool;
    /// Whether there is a second moment `v`.
    const SECOND: bool;

    /// The weights and the moments after a step with gradient `g`. `missed` is by how much a decaying state has to be scaled for the
    /// steps since the last visit: 1 where there were none.
    fn step<S: Simd>(self, simd: S, g: S::f32s, missed: S::f32s, at: Weights<S>) -> Weights<S>;
}

/// A vector of weights with their state.
#[derive(Clone, Copy)]
pub(super) struct Weights<S: Simd> {
    pub(super) w: S::f32s,
    pub(super) m: S::f32s,
    pub(super) v: S::f32s,
}

#[derive(Clone, Copy)]
struct Sgd {
    learning_rate: f32,
}

impl Update for Sgd {
    const FIRST: bool = false;
    const SECOND: bool = false;

    #[inline(always)]
    fn step<S: Simd>(self, simd: S, g: S::f32s, _: S::f32s, at: Weights<S>) -> Weights<S> {
        let w = simd.negate_mul_add_f32s(simd.splat_f32s(self.learning_rate), g, at.w);
        Weights { w, ..at }
    }
}

#[derive(Clone, Copy)]
struct Momentum<const NESTEROV: bool> {
    learning_rate: f32,
    momentum: f32,
}

impl<const NESTEROV: bool> Update for Momentum<NESTEROV> {
    const FIRST: bool = true;
    const SECOND: bool = false;

    #[inline(always)]
    fn step<S: Simd>(self, simd: S, g: S::f32s, _: S::f32s, at: Weights<S>) -> Weights<S> {
        let momentum = simd.splat_f32s(self.momentum);
        let step = simd.mul_f32s(simd.splat_f32s(self.learning_rate), g);
        let m = simd.sub_f32s(simd.mul_f32s(momentum, at.m), step);
        let moved = if NESTEROV { simd.sub_f32s(simd.mul_f32s(momentum, m), step) } else { m };
        Weights { w: simd.add_f32s(at.w, moved), m, ..at }
    }
}

#[derive(Clone, Copy)]
struct RmsProp<const INSIDE_ROOT: bool> {
    learning_rate: f32,
    rho: f32,
    epsilon: f32,
}

impl<const INSIDE_ROOT: bool> Update for RmsProp<INSIDE_ROOT> {
    const FIRST: bool = false;
    const SECOND: bool = true;

    #[inline(always)]
    fn step<S: Simd>(self, simd: S, g: S::f32s, missed: S::f32s, at: Weights<S>) -> Weights<S> {
        let keep = simd.mul_f32s(simd.splat_f32s(self.rho), missed);
        let added = simd.mul_f32s(simd.splat_f32s(1.0 - self.rho), simd.mul_f32s(g, g));
        let v = simd.mul_add_f32s(keep, at.v, added);
        let epsilon = simd.splat_f32s(self.epsilon);
        let divisor = match INSIDE_ROOT {
            true => root(simd, simd.add_f32s(v, epsilon)),
            false => simd.add_f32s(root(simd, v), epsilon),
        };
        let step = simd.mul_f32s(simd.splat_f32s(self.learning_rate), g);
        let w = simd.negate_mul_add_f32s(step, reciprocal(simd, divisor), at.w);
        Weights { w, v, ..at }
    }
}

#[derive(Clone, Copy)]
struct Adagrad {
    learning_rate: f32,
    epsilon: f32,
}

impl Update for Adagrad {
    const FIRST: bool = false;
    const SECOND: bool = true;

    #[inline(always)]
    fn step<S: Simd>(self, simd: S, g: S::f32s, _: S::f32s, at: Weights<S>) -> Weights<S> {
        let v = simd.mul_add_f32s(g, g, at.v);
        let divisor = root(simd, simd.add_f32s(v, simd.splat_f32s(self.epsilon)));
        let step = simd.mul_f32s(simd.splat_f32s(self.learning_rate), g);
        let w = simd.negate_mul_add_f32s(step, reciprocal(simd, divisor), at.w);
        Weights { w, v, ..at }
    }
}

#[derive(Clone, Copy)]
struct Adam {
    alpha: f32,
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    decay: f32,
}

impl Update for Adam {
    const FIRST: bool = true;
    const SECOND: bool = true;

    #[inline(always)]
    fn step<S: Simd>(self, simd: S, g: S::f32s, _: S::f32s, at: Weights<S>) -> Weights<S> {
        let m = towards(simd, at.m, g, 1.0 - self.beta_1);
        let v = towards(simd, at.v, simd.mul_f32s(g, g), 1.0 - self.beta_2);
        let divisor = simd.add_f32s(root(simd, v), simd.splat_f32s(self.epsilon));
        let decayed = simd.negate_mul_add_f32s(simd.splat_f32s(self.decay), at.w, at.w);
        let step = simd.mul_f32s(m, simd.splat_f32s(self.alpha));
        let w = simd.negate_mul_add_f32s(step, reciprocal(simd, divisor), decayed);
        Weights { w, m, v }
    }
}

/// `from + share · (to − from)`.
#[inline(always)]
fn towards<S: Simd>(simd: S, from: S::f32s, to: S::f32s, share: f32) -> S::f32s {
    simd.mul_add_f32s(simd.sub_f32s(to, from), simd.splat_f32s(share), from)
}

/// What is done with a rule once its formula is known.
pub(super) trait WithUpdate {
    fn with<U: Update>(self, update: U);
}

impl Rule {
    #[inline(always)]
    pub(super) fn dispatch(self, work: impl WithUpdate) {
        match self {
            Self::Sgd { learning_rate } => work.with(Sgd { learning_rate }),
            Self::Momentum { learning_rate, momentum, nesterov: true } => {
                work.with(Momentum::<true> { learning_rate, momentum });
            }
            Self::Momentum { learning_rate, momentum, nesterov: false } => {
                work.with(Momentum::<false> { learning_rate, momentum });
            }
            Self::RmsProp { learning_rate, rho, epsilon, inside_root: true } => {
                work.with(RmsProp::<true> { learning_rate, rho, epsilon });
            }
            Self::RmsProp { learning_rate, rho, epsilon, inside_root: false } => {
                work.with(RmsProp::<false> { learning_rate, rho, epsilon });
            }
            Self::Adagrad { learning_rate, epsilon } => {
                work.with(Adagrad { learning_rate, epsilon });
            }
            Self::Adam { alpha, beta_1, beta_2, epsilon, decay } => {
                work.with(Adam { alpha, beta_1, beta_2, epsilon, decay });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decay_is_the_power_inside_and_beyond_its_table() {
        let decay = Decay::new(0.9);
        for n in [0u32, 1, 2, 63, 64, 100, 5000] {
            let want = f64::from(0.9f32).powi(n as i32);
            assert!((f64::from(decay.power(n)) - want).abs() <= 1e-6 * want + 1e-45, "{n}");
        }
    }
}
