//! Sums of chosen rows of a table: the first layer forward, and its gradient by feature.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

/// The factors of a weighted sum of rows.
pub(crate) trait Factors: Copy {
    /// `acc + factor[j] · row`, rounded once. Without factors the sum is the same as with ones.
    fn add<S: Simd>(self, simd: S, j: usize, row: S::f32s, acc: S::f32s) -> S::f32s;
}

/// All factors are 1.
#[derive(Clone, Copy)]
pub(crate) struct Ones;

impl Factors for Ones {
    #[inline(always)]
    fn add<S: Simd>(self, simd: S, _: usize, row: S::f32s, acc: S::f32s) -> S::f32s {
        simd.add_f32s(acc, row)
    }
}

impl Factors for &[f32] {
    #[inline(always)]
    fn add<S: Simd>(self, simd: S, j: usize, row: S::f32s, acc: S::f32s) -> S::f32s {
        simd.mul_add_f32s(simd.splat_f32s(self[j]), row, acc)
    }
}

/// What is done to the columns of a row, a few vectors of them at a time.
pub(crate) trait Panels<S: Simd> {
    /// Does it for `columns`: `P` whole vectors, or one that is not full if `PARTIAL`.
    fn panel<const P: usize, const PARTIAL: bool>(&mut self, simd: S, columns: Range<usize>);
}

/// Covers `width` columns with panels of at most four vectors: with two sums for each column they fit
/// the registers of every instruction set.
#[inline(always)]
pub(crate) fn for_panels<S: Simd>(simd: S, width: usize, work: &mut impl Panels<S>) {
    let lanes = S::F32_LANES;
    let mut col = 0;
    while width - col >= 4 * lanes {
        work.panel::<4, false>(simd, col..col + 4 * lanes);
        col += 4 * lanes;
    }
    if width - col >= 2 * lanes {
        work.panel::<2, false>(simd, col..col + 2 * lanes);
        col += 2 * lanes;
    }
    if width - col >= lanes {
        work.panel::<1, false>(simd, col..col + lanes);
        col += lanes;
    }
    if col < width {
        work.panel::<1, true>(simd, col..width);
    }
}

/// The vectors of a panel.
#[inline(always)]
pub(crate) fn load<S: Simd, const P: usize, const PARTIAL: bool>(
    simd: S,
    panel: &[f32],
) -> [S::f32s; P] {
    if PARTIAL {
        [simd.partial_load_f32s(panel); P]
    } else {
        let (vectors, _) = S::as_simd_f32s(panel);
        let mut values = [simd.splat_f32s(0.0); P];
        values.copy_from_slice(&vectors[..P]);
        values
    }
}

/// Writes the vectors of a panel.
#[inline(always)]
pub(crate) fn store<S: Simd, const P: usize, const PARTIAL: bool>(
    simd: S,
    panel: &mut [f32],
    values: [S::f32s; P],
) {
    if PARTIAL {
        simd.partial_store_f32s(panel, values[0]);
    } else {
        let (vectors, _) = S::as_mut_simd_f32s(panel);
        vectors[..P].copy_from_slice(&values);
    }
}

/// Rows of a table that are to be summed.
pub(crate) struct Terms<'a, F> {
    /// Rows of `width` elements.
    pub(crate) table: &'a [f32],
    pub(crate) width: usize,
    /// Which rows.
    pub(crate) ids: &'a [u32],
    /// The factor of each.
    pub(crate) factors: F,
}

impl<F: Factors> Terms<'_, F> {
    /// `acc + factor[j] · table[ids[j], columns]`.
    #[inline(always)]
    fn add<S: Simd, const P: usize, const PARTIAL: bool>(
        &self,
        simd: S,
        j: usize,
        columns: &Range<usize>,
        mut acc: [S::f32s; P],
    ) -> [S::f32s; P] {
        let start = self.ids[j] as usize * self.width;
        let row = &self.table[start + columns.start..start + columns.end];
        let row = load::<S, P, PARTIAL>(simd, row);
        for p in 0..P {
            acc[p] = self.factors.add(simd, j, row[p], acc[p]);
        }
        acc
    }

    /// `start + Σⱼ factor[j] · table[ids[j], columns]`, one term after the other: for short sums.
    #[inline(always)]
    pub(crate) fn sum<S: Simd, const P: usize, const PARTIAL: bool>(
        &self,
        simd: S,
        columns: &Range<usize>,
        start: [S::f32s; P],
    ) -> [S::f32s; P] {
        let mut acc = start;
        for j in 0..self.ids.len() {
            acc = self.add::<S, P, PARTIAL>(simd, j, columns, acc);
        }
        acc
    }

    /// The same sum, the terms at even places apart from those at odd ones, which are added at the
    /// end: an addition has to wait for the one before it, and two sums wait half as long.
    #[inline(always)]
    fn sum_by_twos<S: Simd, const P: usize, const PARTIAL: bool>(
        &self,
        simd: S,
        columns: &Range<usize>,
        start: [S::f32s; P],
    ) -> [S::f32s; P] {
        let (mut even, mut odd) = (start, [simd.splat_f32s(0.0); P]);
        let n = self.ids.len();
        for pair in 0..n / 2 {
            even = self.add::<S, P, PARTIAL>(simd, 2 * pair, columns, even);
            odd = self.add::<S, P, PARTIAL>(simd, 2 * pair + 1, columns, odd);
        }
        if n % 2 == 1 {
            even = self.add::<S, P, PARTIAL>(simd, n - 1, columns, even);
        }
        for p in 0..P {
            even[p] = simd.add_f32s(even[p], odd[p]);
        }
        even
    }
}

/// Sparse rows of a batch: `spans[r]` is the range of row `r` in `indices` and `values`. Without
/// `values` they are all 1.
#[derive(Clone, Copy)]
pub(crate) struct SparseRows<'a> {
    pub(crate) spans: &'a [(usize, usize)],
    pub(crate) indices: &'a [u32],
    pub(crate) values: Option<&'a [f32]>,
}

impl<'a> SparseRows<'a> {
    /// Ids and values of row `r`.
    #[inline(always)]
    pub(crate) fn row(&self, r: usize) -> (&'a [u32], Option<&'a [f32]>) {
        let (start, end) = self.spans[r];
        (&self.indices[start..end], self.values.map(|v| &v[start..end]))
    }
}

/// `out[r, columns] = bias + x[r] · weights` for every row of `x`, where `out` has rows of `stride`
/// elements; the other columns are left alone.
pub(crate) fn sparse_dense(
    cpu: Arch,
    x: SparseRows<'_>,
    weights: &[f32],
    bias: Option<&[f32]>,
    columns: Range<usize>,
    stride: usize,
    out: &mut [f32],
) {
    struct Op<'a> {
        x: SparseRows<'a>,
        weights: &'a [f32],
        bias: Option<&'a [f32]>,
        columns: Range<usize>,
        stride: usize,
        out: &'a mut [f32],
    }
    impl WithSimd for Op<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { x, weights, bias, columns, stride, out } = self;
            let width = columns.len();
            for (r, out) in out.chunks_exact_mut(stride).enumerate() {
                let (ids, values) = x.row(r);
                let (out, table) = (&mut out[columns.clone()], weights);
                if let Some(values) = values {
                    let terms = Terms { table, width, ids, factors: &values[..ids.len()] };
                    for_panels(simd, width, &mut Row { terms, bias, out });
                } else {
                    let terms = Terms { table, width, ids, factors: Ones };
                    for_panels(simd, width, &mut Row { terms, bias, out });
                }
            }
        }
    }
    debug_assert_eq!(out.len(), x.spans.len() * stride);
    cpu.dispatch(Op { x, weights, bias, columns, stride, out });
}

/// One row of [`sparse_dense`].
struct Row<'a, F> {
    terms: Terms<'a, F>,
    bias: Option<&'a [f32]>,
    out: &'a mut [f32],
}

impl<S: Simd, F: Factors> Panels<S> for Row<'_, F> {
    #[inline(always)]
    fn panel<const P: usize, const PARTIAL: bool>(&mut self, simd: S, columns: Range<usize>) {
        let start = match self.bias {
            Some(bias) => load::<S, P, PARTIAL>(simd, &bias[columns.clone()]),
            None => [simd.splat_f32s(0.0); P],
        };
        let sum = self.terms.sum_by_twos::<S, P, PARTIAL>(simd, &columns, start);
        store::<S, P, PARTIAL>(simd, &mut self.out[columns], sum);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::every_cpu;

    /// The definition, one element at a time.
    fn naive(width: usize, table: &[f32], bias: &[f32], ids: &[u32], values: &[f32]) -> Vec<f32> {
        let sum = |c: usize, start: f32, places: std::iter::StepBy<Range<usize>>| {
            places.fold(start, |acc, j| values[j].mul_add(table[ids[j] as usize * width + c], acc))
        };
        let n = ids.len();
        (0..width)
            .map(|c| sum(c, bias[c], (0..n).step_by(2)) + sum(c, 0.0, (1..n.max(1)).step_by(2)))
            .collect()
    }

    proptest! {
        #[test]
        fn every_cpu_agrees_with_the_definition_to_the_last_bit(
            width in 1usize..150,
            picks in prop::collection::vec((0u32..9, -3.0f32..3.0), 0..20),
            seed in 0u32..1000,
        ) {
            let table: Vec<f32> = (0..9 * width).map(|i| ((i as u32).wrapping_mul(747_796_405).wrapping_add(seed) as f32 / 1e9).sin()).collect();
            let bias = table[..width].to_vec();
            let (ids, values): (Vec<u32>, Vec<f32>) = picks.into_iter().unzip();
            let want = naive(width, &table, &bias, &ids, &values);
            for cpu in every_cpu() {
                let mut out = vec![0.0; width];
                let x = SparseRows { spans: &[(0, ids.len())], indices: &ids, values: Some(&values) };
                sparse_dense(cpu, x, &table, Some(&bias), 0..width, width, &mut out);
                prop_assert_eq!(&out, &want);

                let ones = vec![1.0; ids.len()];
                let (mut with, mut without) = (vec![0.0; width], vec![0.0; width]);
                let x = SparseRows { values: Some(&ones), ..x };
                sparse_dense(cpu, x, &table, Some(&bias), 0..width, width, &mut with);
                sparse_dense(cpu, SparseRows { values: None, ..x }, &table, Some(&bias), 0..width, width, &mut without);
                prop_assert_eq!(with, without);
            }
        }
    }
}
