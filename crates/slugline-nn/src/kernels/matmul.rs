//! Products of small dense matrices: the layers after the first, forward and backward.
//!
//! Every element of a product is one sum over `k` in order, by fused multiply-adds; tiles of rows
//! and columns only decide what is held in registers meanwhile.

use pulp::{Arch, Simd, WithSimd};

/// Columns of a tile: two AVX2 registers, one AVX-512 register, four NEON registers.
const TILE_COLS: usize = 16;

/// `C = A · B + bias`: `a` is `[m, k]`, `b` is `[k, n]`, `c` is `[m, n]`, all row-major; `bias` has
/// `n` elements, or is absent for zero.
pub(crate) fn matmul(
    cpu: Arch,
    c: &mut [f32],
    a: &[f32],
    b: &[f32],
    bias: Option<&[f32]>,
    k: usize,
    n: usize,
) {
    struct Op<'a> {
        c: &'a mut [f32],
        a: &'a [f32],
        b: &'a [f32],
        bias: Option<&'a [f32]>,
        k: usize,
        n: usize,
    }
    impl WithSimd for Op<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { c, a, b, bias, k, n } = self;
            let m = c.len() / n;
            for row in c.chunks_exact_mut(n) {
                match bias {
                    Some(bias) => row.copy_from_slice(bias),
                    None => row.fill(0.0),
                }
            }
            let by_row = ByRow { a, k };
            tiles(simd, c, m, n, k, by_row, b);
        }
    }
    assert!(n > 0 && a.len() >= c.len() / n * k && b.len() >= k * n, "matmul: lengths");
    cpu.dispatch(Op { c, a, b, bias, k, n });
}

/// `C += (A[.., columns])ᵀ · B` for the rows of `C` that the columns of `a` from `first` stand for:
/// `a` is `[k, width]`, `b` is `[k, n]`, `c` is `[m, n]`, all row-major; `first + m` is at most
/// `width`.
pub(crate) fn matmul_transposed(
    cpu: Arch,
    c: &mut [f32],
    a: &[f32],
    b: &[f32],
    first: usize,
    width: usize,
    n: usize,
) {
    struct Op<'a> {
        c: &'a mut [f32],
        a: &'a [f32],
        b: &'a [f32],
        first: usize,
        width: usize,
        n: usize,
    }
    impl WithSimd for Op<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { c, a, b, first, width, n } = self;
            let (m, k) = (c.len() / n, b.len() / n);
            tiles(simd, c, m, n, k, ByColumn { a, first, width }, b);
        }
    }
    assert!(
        n > 0 && first + c.len() / n <= width && a.len() == b.len() / n * width,
        "matmul_transposed: lengths"
    );
    cpu.dispatch(Op { c, a, b, first, width, n });
}

/// Where the left factor of a product is read: `R` rows of the product at a time.
trait Left<'a>: Copy {
    /// What reading rows `i..i + R` needs.
    type Rows<const R: usize>: Copy;
    fn rows<const R: usize>(self, i: usize) -> Self::Rows<R>;
    /// The `R` factors of step `k` of the sums.
    fn at<const R: usize>(self, rows: &Self::Rows<R>, k: usize) -> [f32; R];
}

/// Row `i` of the product is row `i` of `a`.
#[derive(Clone, Copy)]
struct ByRow<'a> {
    a: &'a [f32],
    k: usize,
}

impl<'a> Left<'a> for ByRow<'a> {
    type Rows<const R: usize> = [&'a [f32]; R];

    #[inline(always)]
    fn rows<const R: usize>(self, i: usize) -> [&'a [f32]; R] {
        core::array::from_fn(|r| &self.a[(i + r) * self.k..(i + r + 1) * self.k])
    }

    #[inline(always)]
    fn at<const R: usize>(self, rows: &[&'a [f32]; R], k: usize) -> [f32; R] {
        core::array::from_fn(|r| rows[r][k])
    }
}

/// Row `i` of the product is column `first + i` of `a`.
#[derive(Clone, Copy)]
struct ByColumn<'a> {
    a: &'a [f32],
    first: usize,
    width: usize,
}

impl<'a> Left<'a> for ByColumn<'a> {
    type Rows<const R: usize> = usize;

    #[inline(always)]
    fn rows<const R: usize>(self, i: usize) -> usize {
        self.first + i
    }

    #[inline(always)]
    fn at<const R: usize>(self, column: &usize, k: usize) -> [f32; R] {
        let start = k * self.width + column;
        let row = &self.a[start..start + R];
        core::array::from_fn(|r| row[r])
    }
}

/// Covers `c` with tiles as high as the registers of the instruction set allow.
#[inline(always)]
fn tiles<'a, S: Simd>(
    simd: S,
    c: &mut [f32],
    m: usize,
    n: usize,
    k: usize,
    left: impl Left<'a>,
    b: &[f32],
) {
    match S::F32_LANES {
        16 => bands::<S, 12, 1>(simd, c, m, n, k, left, b),
        8 => bands::<S, 6, 2>(simd, c, m, n, k, left, b),
        4 => bands::<S, 4, 4>(simd, c, m, n, k, left, b),
        _ => bands::<S, 1, 16>(simd, c, m, n, k, left, b),
    }
}

/// Bands of `R` rows, then what is left of them.
#[inline(always)]
fn bands<'a, S: Simd, const R: usize, const V: usize>(
    simd: S,
    c: &mut [f32],
    m: usize,
    n: usize,
    k: usize,
    left: impl Left<'a>,
    b: &[f32],
) {
    let mut i = 0;
    while m - i >= R {
        band::<S, R, V>(simd, c, i, n, k, left, b);
        i += R;
    }
    while m - i >= 4 {
        band::<S, 4, V>(simd, c, i, n, k, left, b);
        i += 4;
    }
    while m - i >= 2 {
        band::<S, 2, V>(simd, c, i, n, k, left, b);
        i += 2;
    }
    if i < m {
        band::<S, 1, V>(simd, c, i, n, k, left, b);
    }
}

/// Rows `i..i + R` of the product.
#[inline(always)]
fn band<'a, S: Simd, const R: usize, const V: usize>(
    simd: S,
    c: &mut [f32],
    i: usize,
    n: usize,
    k: usize,
    left: impl Left<'a>,
    b: &[f32],
) {
    let rows = left.rows::<R>(i);
    let c = &mut c[i * n..(i + R) * n];
    let mut col = 0;
    while n - col >= TILE_COLS {
        let mut acc = [[simd.splat_f32s(0.0); V]; R];
        for r in 0..R {
            let (c, _) = S::as_simd_f32s(&c[r * n + col..r * n + col + TILE_COLS]);
            acc[r] = core::array::from_fn(|v| c[v]);
        }
        for kk in 0..k {
            let (b, _) = S::as_simd_f32s(&b[kk * n + col..kk * n + col + TILE_COLS]);
            let a = left.at::<R>(&rows, kk);
            for r in 0..R {
                let a = simd.splat_f32s(a[r]);
                for v in 0..V {
                    acc[r][v] = simd.mul_add_f32s(a, b[v], acc[r][v]);
                }
            }
        }
        for r in 0..R {
            let (c, _) = S::as_mut_simd_f32s(&mut c[r * n + col..r * n + col + TILE_COLS]);
            c[..V].copy_from_slice(&acc[r]);
        }
        col += TILE_COLS;
    }
    while col < n {
        let span = (n - col).min(S::F32_LANES);
        let mut acc = [simd.splat_f32s(0.0); R];
        for r in 0..R {
            acc[r] = simd.partial_load_f32s(&c[r * n + col..r * n + col + span]);
        }
        for kk in 0..k {
            let b = simd.partial_load_f32s(&b[kk * n + col..kk * n + col + span]);
            let a = left.at::<R>(&rows, kk);
            for r in 0..R {
                acc[r] = simd.mul_add_f32s(simd.splat_f32s(a[r]), b, acc[r]);
            }
        }
        for r in 0..R {
            simd.partial_store_f32s(&mut c[r * n + col..r * n + col + span], acc[r]);
        }
        col += span;
    }
}

/// `out[j, i] = a[i, j]`: `a` is `[rows, cols]`, `out` is `[cols, rows]`.
pub(crate) fn transpose(a: &[f32], rows: usize, cols: usize, out: &mut [f32]) {
    for (j, out) in out.chunks_exact_mut(rows.max(1)).enumerate().take(cols) {
        for (i, o) in out.iter_mut().enumerate() {
            *o = a[i * cols + j];
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
            m in 1usize..30, n in 1usize..70, k in 1usize..40, seed in 0u32..99,
        ) {
            let (a, b, bias) = (numbers(m * k, seed), numbers(k * n, seed + 1), numbers(n, seed + 2));
            let mut want: Vec<f32> = bias.iter().copied().cycle().take(m * n).collect();
            naive(&mut want, n, k, |i, kk| a[i * k + kk], &b);
            for cpu in every_cpu() {
                let mut c = vec![9.0; m * n];
                matmul(cpu, &mut c, &a, &b, Some(&bias), k, n);
                prop_assert_eq!(&c, &want);
            }
        }

        #[test]
        fn transposed_products_equal_the_definition_to_the_last_bit(
            m in 1usize..30, extra in 0usize..9, n in 1usize..70, k in 1usize..40, seed in 0u32..99,
        ) {
            let (width, first) = (m + extra, extra / 2);
            let (a, b, start) = (numbers(k * width, seed), numbers(k * n, seed + 1), numbers(m * n, seed + 2));
            let mut want = start.clone();
            naive(&mut want, n, k, |i, kk| a[kk * width + first + i], &b);
            for cpu in every_cpu() {
                let mut c = start.clone();
                matmul_transposed(cpu, &mut c, &a, &b, first, width, n);
                prop_assert_eq!(&c, &want);
            }
        }
    }

    #[test]
    fn transpose_swaps_rows_and_columns() {
        let mut out = [0.0; 6];
        transpose(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3, &mut out);
        assert_eq!(out, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
