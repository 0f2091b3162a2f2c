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
struct Ones;

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

/// `out += Σⱼ values[j] · table[ids[j]]`, where `table` has rows of `out.len()` elements; without
/// `values` they are all 1.
///
/// The sum of each element runs over `j` in order, with fused multiply-adds.
///
/// # Panics
/// If a row number lies outside the table.
#[inline(always)]
pub(crate) fn add_rows<S: Simd>(
    simd: S,
    out: &mut [f32],
    table: &[f32],
    ids: &[u32],
    values: Option<&[f32]>,
) {
    match values {
        Some(values) => add_weighted(simd, out, table, ids, &values[..ids.len()]),
        None => add_weighted(simd, out, table, ids, Ones),
    }
}

#[inline(always)]
fn add_weighted<S: Simd>(
    simd: S,
    out: &mut [f32],
    table: &[f32],
    ids: &[u32],
    factors: impl Factors,
) {
    let width = out.len();
    let lanes = S::F32_LANES;
    let mut col = 0;
    while width - col >= 8 * lanes {
        panel::<S, 8>(simd, out, table, col, ids, factors);
        col += 8 * lanes;
    }
    if width - col >= 4 * lanes {
        panel::<S, 4>(simd, out, table, col, ids, factors);
        col += 4 * lanes;
    }
    if width - col >= 2 * lanes {
        panel::<S, 2>(simd, out, table, col, ids, factors);
        col += 2 * lanes;
    }
    if width - col >= lanes {
        panel::<S, 1>(simd, out, table, col, ids, factors);
        col += lanes;
    }
    if col < width {
        let out = &mut out[col..];
        let mut acc = simd.partial_load_f32s(out);
        for (j, &id) in ids.iter().enumerate() {
            let start = id as usize * width + col;
            let row = simd.partial_load_f32s(&table[start..start + (width - col)]);
            acc = factors.add(simd, j, row, acc);
        }
        simd.partial_store_f32s(out, acc);
    }
}

/// [`add_rows`] for `P` vectors of columns from `col`, held in registers.
#[inline(always)]
fn panel<S: Simd, const P: usize>(
    simd: S,
    out: &mut [f32],
    table: &[f32],
    col: usize,
    ids: &[u32],
    factors: impl Factors,
) {
    let width = out.len();
    let span = P * S::F32_LANES;
    let (out, _) = S::as_mut_simd_f32s(&mut out[col..col + span]);
    let mut acc: [S::f32s; P] = core::array::from_fn(|p| out[p]);
    for (j, &id) in ids.iter().enumerate() {
        let start = id as usize * width + col;
        let (row, _) = S::as_simd_f32s(&table[start..start + span]);
        for p in 0..P {
            acc[p] = factors.add(simd, j, row[p], acc[p]);
        }
    }
    out[..P].copy_from_slice(&acc);
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
            for (r, out) in self.out.chunks_exact_mut(self.stride).enumerate() {
                let out = &mut out[self.columns.clone()];
                match self.bias {
                    Some(bias) => out.copy_from_slice(bias),
                    None => out.fill(0.0),
                }
                let (ids, values) = self.x.row(r);
                add_rows(simd, out, self.weights, ids, values);
            }
        }
    }
    debug_assert_eq!(out.len(), x.spans.len() * stride);
    cpu.dispatch(Op { x, weights, bias, columns, stride, out });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::every_cpu;

    /// The definition, one element at a time.
    fn naive(width: usize, table: &[f32], bias: &[f32], ids: &[u32], values: &[f32]) -> Vec<f32> {
        (0..width)
            .map(|c| {
                ids.iter()
                    .zip(values)
                    .fold(bias[c], |acc, (&id, &v)| v.mul_add(table[id as usize * width + c], acc))
            })
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
