//! What each feature of a row adds to an output: integrated gradients.

mod pieces;
mod quadrature;

use super::Sequential;
use crate::NnError;
use crate::layers::Activation;
use crate::matrix::SparseRow;
use crate::shared::Shared;

/// Says of an output how much each feature of a row adds to it, by integrated gradients.
///
/// The output is looked at before its activation: its *logit* `z`. On the straight path from a row `b`
/// (the baseline) to a row `x`, the contribution of feature `i` is
///
/// ```text
/// (xᵢ − bᵢ) · ∫₀¹ ∂z/∂xᵢ (b + α·(x − b)) dα
/// ```
///
/// so that all contributions add up to `z(x) − z(b)` (Sundararajan, Taly & Yan 2017, "Axiomatic
/// Attribution for Deep Networks"). Where hidden layers are linear or `relu`, `z` is made of straight pieces
/// along the path, and the integral is exact to within rounding; otherwise it is summed by Gauss's rule,
/// on ever more parts of the path, until the contributions add up to `z(x) − z(b)` within 10⁻⁶ of the
/// larger of 1 and that sum, or there are 256 parts.
///
/// It works on one thread and reuses its buffers.
///
/// ```
/// use slugline_nn::*;
///
/// let layers = [Dense::new(8).activation(Activation::Relu).into(), Dense::new(3).into()];
/// let model = Sequential::new(20, layers, 1)?;
/// let (none, row) = (SparseRow::default(), SparseRow { indices: &[3, 7], values: &[1.0, 0.5] });
/// let mut attributor = model.attributor();
/// attributor.set_path(none, row)?;
/// let (z, z_none) = (attributor.logits()[2], attributor.baseline_logits()[2]);
/// let contributions = attributor.contributions(2, None)?;
/// assert_eq!(contributions.iter().map(|c| c.0).collect::<Vec<_>>(), [3, 7]);
/// assert!((z_none + contributions.iter().map(|c| c.1).sum::<f64>() - z).abs() < 1e-9);
/// # Ok::<(), NnError>(())
/// ```
pub struct Attributor<'a> {
    model: &'a Sequential,
    /// The kernels after the first, `[units, n_in]`.
    transposed: Shared<'a, Vec<f32>>,
    activations: Vec<Activation>,
    /// `x − b` where it is not zero, by rising feature.
    change: Vec<(u32, f64)>,
    /// Sums of the first layer at the baseline, and what the whole path adds to them.
    start: Vec<f64>,
    slope: Vec<f64>,
    logits: Vec<f64>,
    baseline_logits: Vec<f64>,
    /// `∫ ∂z/∂s dα` for each sum `s` of the first layer.
    gradient: Vec<f64>,
    layers: Layers,
    contributions: Vec<(u32, f64)>,
}

/// One vector a layer.
#[derive(Debug, Clone, Default)]
struct Layers {
    /// Sums before the activation.
    sums: Vec<Vec<f64>>,
    /// How the sums change along the path.
    tangents: Vec<Vec<f64>>,
    /// `∂z/∂` what the layer gives on, and for the first layer that of its sums.
    gradients: Vec<Vec<f64>>,
    active: Vec<Vec<bool>>,
}

impl Layers {
    fn of(units: &[usize]) -> Self {
        let numbers = || units.iter().map(|&n| vec![0.0; n]).collect::<Vec<_>>();
        let active = units.iter().map(|&n| vec![false; n]).collect();
        Self { sums: numbers(), tangents: numbers(), gradients: numbers(), active }
    }
}

impl Sequential {
    /// What says how much each feature adds to an output; see [`Attributor`].
    pub fn attributor(&self) -> Attributor<'_> {
        let transposed = self.parameters()[1..].iter().map(|p| {
            let kernel = p.kernel.as_slice();
            let mut columns = vec![0.0; kernel.len()];
            for (i, row) in kernel.chunks_exact(p.units).enumerate() {
                for (j, &w) in row.iter().enumerate() {
                    columns[j * p.n_in + i] = w;
                }
            }
            columns
        });
        let activations = self.stages().iter().map(|stage| stage.dense.activation).collect();
        Attributor::over(self, transposed.collect(), activations)
    }
}

impl<'a> Attributor<'a> {
    fn over(
        model: &'a Sequential,
        transposed: Shared<'a, Vec<f32>>,
        activations: Vec<Activation>,
    ) -> Self {
        let units: Vec<usize> = model.parameters().iter().map(|p| p.units).collect();
        let first = units[0];
        Self {
            model,
            transposed,
            activations,
            change: Vec::new(),
            start: vec![0.0; first],
            slope: vec![0.0; first],
            logits: vec![0.0; model.units()],
            baseline_logits: vec![0.0; model.units()],
            gradient: vec![0.0; first],
            layers: Layers::of(&units),
            contributions: Vec::new(),
        }
    }

    /// The same for another thread, which shares what this one has prepared.
    #[must_use]
    pub fn fork(&self) -> Attributor<'a> {
        Attributor::over(self.model, self.transposed.clone(), self.activations.clone())
    }

    /// Takes the row to be explained and the baseline that it is held against.
    ///
    /// # Errors
    /// [`NnError::Shape`] if a feature number is not below the input width, or the numbers of ids and
    /// values differ.
    pub fn set_path(&mut self, baseline: SparseRow<'_>, row: SparseRow<'_>) -> Result<(), NnError> {
        for part in [baseline, row] {
            self.check(part)?;
        }
        self.change.clear();
        let given = |row: SparseRow<'_>, sign: f64| {
            let pairs = row.indices.iter().copied().zip(row.values.iter().copied());
            pairs.map(move |(i, v)| (i, sign * f64::from(v))).collect::<Vec<_>>()
        };
        let mut all = given(row, 1.0);
        if !baseline.indices.is_empty() {
            all.extend(given(baseline, -1.0));
            all.sort_by_key(|&(feature, _)| feature);
        }
        for same in all.chunk_by(|a, b| a.0 == b.0) {
            let change: f64 = same.iter().map(|(_, v)| v).sum();
            if change != 0.0 {
                self.change.push((same[0].0, change));
            }
        }

        let first = &self.model.parameters()[0];
        let (kernel, units) = (first.kernel.as_slice(), first.units);
        let kernel_row = |feature: u32| &kernel[feature as usize * units..][..units];
        self.start.fill(0.0);
        for (s, &b) in self.start.iter_mut().zip(first.bias.as_slice()) {
            *s = f64::from(b);
        }
        for (&feature, &v) in baseline.indices.iter().zip(baseline.values) {
            add(&mut self.start, f64::from(v), kernel_row(feature));
        }
        self.slope.fill(0.0);
        for &(feature, v) in &self.change {
            add(&mut self.slope, v, kernel_row(feature));
        }
        for (share, at_end) in [(0.0, false), (1.0, true)] {
            self.forward(share);
            let out = self.layers.sums.last().map_or(&[][..], Vec::as_slice);
            let kept = if at_end { &mut self.logits } else { &mut self.baseline_logits };
            kept.copy_from_slice(out);
        }
        Ok(())
    }

    fn check(&self, row: SparseRow<'_>) -> Result<(), NnError> {
        let width = self.model.input_width();
        if row.indices.len() != row.values.len() {
            return Err(NnError::Shape {
                what: "values of a sparse row",
                expected: row.indices.len(),
                got: row.values.len(),
            });
        }
        match row.indices.iter().find(|&&id| id as usize >= width) {
            Some(&id) => Err(NnError::Shape {
                what: "features of a sparse row",
                expected: width,
                got: id as usize + 1,
            }),
            None => Ok(()),
        }
    }

    /// The sums of the last layer, before its activation, for the row.
    pub fn logits(&self) -> &[f64] {
        &self.logits
    }

    /// The same for the baseline.
    pub fn baseline_logits(&self) -> &[f64] {
        &self.baseline_logits
    }

    /// The contribution of each feature in which the row differs from the baseline, by rising feature,
    /// to the logit of `output`; with `against`, to how far it lies above that of another output.
    ///
    /// # Errors
    /// [`NnError::Shape`] if there is no such output.
    pub fn contributions(
        &mut self,
        output: u32,
        against: Option<u32>,
    ) -> Result<&[(u32, f64)], NnError> {
        let outputs = self.model.units();
        if let Some(&beyond) =
            [Some(output), against].iter().flatten().find(|&&o| o as usize >= outputs)
        {
            return Err(NnError::Shape {
                what: "outputs of the network",
                expected: outputs,
                got: beyond as usize + 1,
            });
        }
        let wanted = [Some((output as usize, 1.0)), against.map(|o| (o as usize, -1.0))];
        let hidden = &self.activations[..self.activations.len() - 1];
        let straight = |a: &Activation| matches!(a, Activation::Linear | Activation::Relu);
        let (none_hidden, in_pieces) = (hidden.is_empty(), hidden.iter().all(straight));
        self.gradient.fill(0.0);
        if none_hidden {
            for (output, sign) in wanted.into_iter().flatten() {
                self.gradient[output] += sign;
            }
        } else {
            self.set_last_gradient(wanted);
            if in_pieces { self.over_pieces() } else { self.by_points(wanted) }
        }
        let first = &self.model.parameters()[0];
        let (kernel, units) = (first.kernel.as_slice(), first.units);
        self.contributions.clear();
        for &(feature, change) in &self.change {
            let row = &kernel[feature as usize * units..][..units];
            self.contributions.push((feature, change * dot(row, &self.gradient)));
        }
        Ok(&self.contributions)
    }

    /// The gradient of the wanted difference of outputs by what the last hidden layer gives on.
    fn set_last_gradient(&mut self, wanted: [Option<(usize, f64)>; 2]) {
        let last = self.layers.gradients.len() - 2;
        let gradient = &mut self.layers.gradients[last];
        gradient.fill(0.0);
        let columns = &self.transposed[last];
        for (output, sign) in wanted.into_iter().flatten() {
            let n = gradient.len();
            add(gradient, sign, &columns[output * n..][..n]);
        }
    }

    /// Computes the sums of all layers at a share of the path.
    fn forward(&mut self, share: f64) {
        let sums = &mut self.layers.sums;
        for ((sum, &start), &slope) in sums[0].iter_mut().zip(&self.start).zip(&self.slope) {
            *sum = start + share * slope;
        }
        let mut given_on = Vec::new();
        for (layer, p) in self.model.parameters().iter().enumerate().skip(1) {
            let (before, after) = sums.split_at_mut(layer);
            given_on.clear();
            given_on.extend_from_slice(&before[layer - 1]);
            quadrature::activate(self.activations[layer - 1], &mut given_on);
            let out = &mut after[0];
            out.fill(0.0);
            for (o, &b) in out.iter_mut().zip(p.bias.as_slice()) {
                *o = f64::from(b);
            }
            for (row, &a) in p.kernel.as_slice().chunks_exact(p.units).zip(&given_on) {
                if a != 0.0 {
                    add(out, a, row);
                }
            }
        }
    }
}

/// `out += factor · row`.
fn add(out: &mut [f64], factor: f64, row: &[f32]) {
    for (o, &w) in out.iter_mut().zip(row) {
        *o += factor * f64::from(w);
    }
}

/// `Σ rowᵢ·valueᵢ`, in eight sums side by side.
fn dot(row: &[f32], values: &[f64]) -> f64 {
    const SIDE: usize = 8;
    let (rows, row_rest) = row.as_chunks::<SIDE>();
    let (all, rest) = values.as_chunks::<SIDE>();
    let mut sums = [0.0; SIDE];
    for (r, v) in rows.iter().zip(all) {
        for i in 0..SIDE {
            sums[i] += f64::from(r[i]) * v[i];
        }
    }
    let rest: f64 = row_rest.iter().zip(rest).map(|(&w, v)| f64::from(w) * v).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests;
