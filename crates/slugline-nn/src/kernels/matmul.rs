//! Products of small dense matrices: the layers after the first, forward and backward.
//!
//! Rows of the right factor and of the product are [`padded`](crate::buffer::padded) to whole cache
//! lines, so that no tile ends within a vector. Every element of a product is one sum over `k` in
//! order, by fused multiply-adds; tiles only decide what is held in registers meanwhile.

use pulp::{Arch, Simd, WithSimd};

use super::rows::{load, store};
use crate::buffer::LINE;

/// `C = A · B + bias`: `a` gives the rows of `C`, `b` is `[a.k, n]` and `c` is `[m, n]`, row-major;
/// `bias` has `n` elements, or is absent for zero.
pub(crate) fn matmul(
    cpu: Arch,
    c: &mut [f32],
    a: ByRow<'_>,
    b: &[f32],
    bias: Option<&[f32]>,
    n: usize,
) {
    struct Op<'a> {
        c: &'a mut [f32],
        left: ByRow<'a>,
        b: &'a [f32],
        bias: Option<&'a [f32]>,
        n: usize,
    }
    impl WithSimd for Op<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { c, left, b, bias, n } = self;
            let k = left.k;
            match bias {
                Some(bias) => Product { n, k, left, b, start: EveryRow(bias) }.run(simd, c),
                None => Product { n, k, left, b, start: Zero }.run(simd, c),
            }
        }
    }
    assert!(
        n > 0 && n.is_multiple_of(LINE) && a.k <= a.stride && a.a.len() >= c.len() / n * a.stride,
        "matmul: lengths"
    );
    cpu.dispatch(Op { c, left: a, b: &b[..a.k * n], bias, n });
}

/// `C += Aᵀ · B` for the rows of `C` that the columns of `a` from `a.first` on stand for: `a` is
/// `[k, a.stride]`, `b` is `[k, n]`, `c` is `[m, n]`, all row-major; `a.first + m` is at most
/// `a.stride`.
pub(crate) fn matmul_transposed(cpu: Arch, c: &mut [f32], a: ByColumn<'_>, b: &[f32], n: usize) {
    struct Op<'a> {
        c: &'a mut [f32],
        left: ByColumn<'a>,
        b: &'a [f32],
        n: usize,
    }
    impl WithSimd for Op<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { c, left, b, n } = self;
            Product { n, k: b.len() / n, left, b, start: Itself }.run(simd, c);
        }
    }
    assert!(
        n > 0
            && n.is_multiple_of(LINE)
            && a.first + c.len() / n <= a.stride
            && a.a.len() == b.len() / n * a.stride,
        "matmul_transposed: lengths"
    );
    cpu.dispatch(Op { c, left: a, b, n });
}

/// Where the left factor of a product is read: `R` rows of the product at a time.
trait Left<'a>: Copy {
    /// What reading rows `i..i + R` needs.
    type Rows<const R: usize>: Copy;
    fn rows<const R: usize>(self, i: usize) -> Self::Rows<R>;
    /// The `R` factors of step `k` of the sums.
    fn at<const R: usize>(self, rows: &Self::Rows<R>, k: usize) -> [f32; R];
}

/// Row `i` of the product is row `i` of `a`: the first `k` of `stride` numbers.
#[derive(Clone, Copy)]
pub(crate) struct ByRow<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) k: usize,
}

impl<'a> Left<'a> for ByRow<'a> {
    type Rows<const R: usize> = [&'a [f32]; R];

    #[inline(always)]
    fn rows<const R: usize>(self, i: usize) -> [&'a [f32]; R] {
        core::array::from_fn(|r| &self.a[(i + r) * self.stride..][..self.k])
    }

    #[inline(always)]
    fn at<const R: usize>(self, rows: &[&'a [f32]; R], k: usize) -> [f32; R] {
        core::array::from_fn(|r| rows[r][k])
    }
}

/// Row `i` of the product is column `first + i` of `a`, whose rows have `stride` numbers.
#[derive(Clone, Copy)]
pub(crate) struct ByColumn<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) first: usize,
    pub(crate) stride: usize,
}

impl<'a> Left<'a> for ByColumn<'a> {
    type Rows<const R: usize> = usize;

    #[inline(always)]
    fn rows<const R: usize>(self, i: usize) -> usize {
        self.first + i
    }

    #[inline(always)]
    fn at<const R: usize>(self, column: &usize, k: usize) -> [f32; R] {
        let row = &self.a[k * self.stride + column..][..R];
        core::array::from_fn(|r| row[r])
    }
}

/// What the sums of a product start from.
trait Start: Copy {
    /// The vectors of columns from `col` of a row, given that row of the product as it was.
    fn vectors<S: Simd, const V: usize>(self, simd: S, row: &[f32], col: usize) -> [S::f32s; V];
}

#[derive(Clone, Copy)]
struct Zero;

impl Start for Zero {
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(self, simd: S, _: &[f32], _: usize) -> [S::f32s; V] {
        [simd.splat_f32s(0.0); V]
    }
}

/// The product as it was.
#[derive(Clone, Copy)]
struct Itself;

impl Start for Itself {
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(self, simd: S, row: &[f32], col: usize) -> [S::f32s; V] {
        load::<S, V, false>(simd, &row[col..][..V * S::F32_LANES])
    }
}

/// The same row for every row.
#[derive(Clone, Copy)]
struct EveryRow<'a>(&'a [f32]);

impl Start for EveryRow<'_> {
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(self, simd: S, _: &[f32], col: usize) -> [S::f32s; V] {
        load::<S, V, false>(simd, &self.0[col..][..V * S::F32_LANES])
    }
}

/// A product of `n` columns and sums of `k` terms.
#[derive(Clone, Copy)]
struct Product<'b, L, T> {
    n: usize,
    k: usize,
    left: L,
    /// `[k, n]`.
    b: &'b [f32],
    start: T,
}

impl<'a, L: Left<'a>, T: Start> Product<'_, L, T> {
    /// Covers `c` with tiles that fill the registers of the instruction set: `R` rows by `V` vectors,
    /// whose sums, a row of `b` and one factor fit them together.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, c: &mut [f32]) {
        let mut col = 0;
        while col < self.n {
            let lines = ((self.n - col) / LINE).min(4);
            match (S::F32_LANES, lines) {
                (16, 4) => self.bands::<S, 6, 4>(simd, c, col),
                (16, 3) => self.bands::<S, 8, 3>(simd, c, col),
                (16, 2) => self.bands::<S, 12, 2>(simd, c, col),
                (16, _) => self.bands::<S, 12, 1>(simd, c, col),
                (lanes, _) => {
                    for col in (col..col + lines * LINE).step_by(LINE) {
                        match lanes {
                            8 => self.bands::<S, 6, 2>(simd, c, col),
                            4 => self.bands::<S, 6, 4>(simd, c, col),
                            _ => self.bands::<S, 1, 16>(simd, c, col),
                        }
                    }
                }
            }
            col += lines * LINE;
        }
    }

    /// The `V` vectors of columns from `col`: bands of `R` rows, then what is left of them.
    #[inline(always)]
    fn bands<S: Simd, const R: usize, const V: usize>(self, simd: S, c: &mut [f32], col: usize) {
        let m = c.len() / self.n;
        let mut i = 0;
        while m - i >= R {
            self.tile::<S, R, V>(simd, c, i, col);
            i += R;
        }
        while m - i >= 4 {
            self.tile::<S, 4, V>(simd, c, i, col);
            i += 4;
        }
        while i < m {
            self.tile::<S, 1, V>(simd, c, i, col);
            i += 1;
        }
    }

    /// Rows `i..i + R` and `V` vectors of columns from `col`.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(
        self,
        simd: S,
        c: &mut [f32],
        i: usize,
        col: usize,
    ) {
        let Self { n, k, left, b, start } = self;
        let span = V * S::F32_LANES;
        let rows = left.rows::<R>(i);
        let mut acc = [[simd.splat_f32s(0.0); V]; R];
        for r in 0..R {
            acc[r] = start.vectors::<S, V>(simd, &c[(i + r) * n..][..n], col);
        }
        for kk in 0..k {
            let (b, _) = S::as_simd_f32s(&b[kk * n + col..][..span]);
            let a = left.at::<R>(&rows, kk);
            for r in 0..R {
                let a = simd.splat_f32s(a[r]);
                for v in 0..V {
                    acc[r][v] = simd.mul_add_f32s(a, b[v], acc[r][v]);
                }
            }
        }
        for r in 0..R {
            store::<S, V, false>(simd, &mut c[(i + r) * n + col..][..span], acc[r]);
        }
    }
}

/// `out[j, i] = a[i, j]`: `a` is `[rows, a_stride]`, `out` is `[.., out_stride]`, a row for each
/// column that it has room for; `rows` is at most `out_stride`, and what lies beyond is left alone.
pub(crate) fn transpose(
    a: &[f32],
    rows: usize,
    a_stride: usize,
    out: &mut [f32],
    out_stride: usize,
) {
    for (j, out) in out.chunks_exact_mut(out_stride).enumerate() {
        for (i, o) in out[..rows].iter_mut().enumerate() {
            *o = a[i * a_stride + j];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::every_cpu;

    fn numbers(len: usize, seed: u32) -> Vec<f32> {
        (0..len)
            .map(|i| ((i as u32).wrapping_mul(747_796_405).wrapping_add(seed) as f32 / 1e9).cos())
            .collect()
    }

    /// The definition, one element at a time, from the starting values in `c`.
    fn naive(c: &mut [f32], n: usize, k: usize, a: impl Fn(usize, usize) -> f32, b: &[f32]) {
        for (i, row) in c.chunks_exact_mut(n).enumerate() {
            for (j, c) in row.iter_mut().enumerate() {
                *c = (0..k).fold(*c, |acc, kk| a(i, kk).mul_add(b[kk * n + j], acc));
            }
        }
    }

    proptest! {
        #[test]
        fn products_equal_the_definition_to_the_last_bit(
            m in 1usize..30, lines in 1usize..9, k in 1usize..40, extra in 0usize..20, seed in 0u32..99,
        ) {
            let (n, stride) = (lines * LINE, k + extra);
            let (a, b, bias) = (numbers(m * stride, seed), numbers(k * n, seed + 1), numbers(n, seed + 2));
            let mut want: Vec<f32> = bias.iter().copied().cycle().take(m * n).collect();
            naive(&mut want, n, k, |i, kk| a[i * stride + kk], &b);
            for cpu in every_cpu() {
                let mut c = vec![9.0; m * n];
                matmul(cpu, &mut c, ByRow { a: &a, stride, k }, &b, Some(&bias), n);
                prop_assert_eq!(&c, &want);
            }
        }

        #[test]
        fn transposed_products_equal_the_definition_to_the_last_bit(
            m in 1usize..30, extra in 0usize..9, lines in 1usize..9, k in 1usize..40, seed in 0u32..99,
        ) {
            let (n, width, first) = (lines * LINE, m + extra, extra / 2);
            let (a, b, start) = (numbers(k * width, seed), numbers(k * n, seed + 1), numbers(m * n, seed + 2));
            let mut want = start.clone();
            naive(&mut want, n, k, |i, kk| a[kk * width + first + i], &b);
            for cpu in every_cpu() {
                let mut c = start.clone();
                matmul_transposed(cpu, &mut c, ByColumn { a: &a, first, stride: width }, &b, n);
                prop_assert_eq!(&c, &want);
            }
        }
    }

    #[test]
    fn transpose_swaps_rows_and_columns() {
        let mut out = [9.0; 9];
        transpose(&[1.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0, 0.0], 2, 4, &mut out, 3);
        assert_eq!(out, [1.0, 4.0, 9.0, 2.0, 5.0, 9.0, 3.0, 6.0, 9.0]);
    }
}
