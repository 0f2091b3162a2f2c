//! What the machine can do at most: multiply-adds and bytes a second.

use std::hint::black_box;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::Failure;

/// The peaks of a number of threads together.
#[derive(Debug, Clone, Copy)]
pub struct Peaks {
    /// Floating-point operations in a second: 32 bits, fused multiply-adds, which count as two.
    pub flops: f64,
    /// Operations in a second where each is an addition.
    pub additions: f64,
    /// Bytes read in a second from 16 KiB a thread: the first cache.
    pub l1: f64,
    /// The same from 256 KiB a thread: the second cache.
    pub l2: f64,
    /// The same from 8 MiB, all threads together: the last cache.
    pub l3: f64,
    /// The same from 512 MiB, all threads together: memory.
    pub memory: f64,
}

/// Measures the peaks of `threads` threads: the best of several tries, as a peak is.
///
/// # Errors
/// If the system refuses the threads.
pub fn peaks(threads: usize) -> Result<Peaks, Failure> {
    Ok(slugline::nn::with_threads(threads, || {
        let cpu = Arch::new();
        Peaks {
            flops: best(threads, |_| cpu.dispatch(Arithmetic::<true>)),
            additions: best(threads, |_| cpu.dispatch(Arithmetic::<false>)),
            l1: read(cpu, threads, 4 << 10),
            l2: read(cpu, threads, 64 << 10),
            l3: read(cpu, threads, (2 << 20) / threads),
            memory: read(cpu, threads, (128 << 20) / threads),
        }
    })?)
}

/// Bytes a second that all threads read, each from its own `numbers` of 4 bytes.
fn read(cpu: Arch, threads: usize, numbers: usize) -> f64 {
    // Not zeros, which the system would hand out as one page many times.
    let data: Vec<Vec<f32>> = (0..threads).map(|i| vec![i as f32 + 1.0; numbers]).collect();
    let rounds = (256_usize << 20).div_ceil(4 * numbers).max(2);
    best(threads, |thread| {
        let mut bytes = 0;
        for _ in 0..rounds {
            bytes += 4 * cpu.dispatch(Sum(black_box(&data[thread])));
        }
        bytes
    })
}

/// The most units a second over several tries, in each of which every thread does `work` and tells
/// how many units that was.
fn best(threads: usize, work: impl Fn(usize) -> usize + Sync) -> f64 {
    (0..5)
        .map(|_| {
            let start = Instant::now();
            let units: usize = (0..threads).into_par_iter().with_max_len(1).map(&work).sum();
            units as f64 / start.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max)
}

/// Chains of independent multiply-adds (or additions), enough of them to keep every unit busy.
struct Arithmetic<const FUSED: bool>;

impl<const FUSED: bool> WithSimd for Arithmetic<FUSED> {
    /// Operations done.
    type Output = usize;

    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "only inlined code is compiled for the instruction set"
    )]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        const CHAINS: usize = 12;
        const ROUNDS: usize = 4_000_000;
        let factor = simd.splat_f32s(black_box(0.999_999));
        let term = simd.splat_f32s(black_box(1e-6));
        let mut sums = [simd.splat_f32s(1.0); CHAINS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = match FUSED {
                    true => simd.mul_add_f32s(*sum, factor, term),
                    false => simd.add_f32s(*sum, term),
                };
            }
        }
        for sum in sums {
            black_box(simd.reduce_sum_f32s(sum));
        }
        CHAINS * ROUNDS * S::F32_LANES * if FUSED { 2 } else { 1 }
    }
}

/// Sums numbers, so that each is read once.
struct Sum<'a>(&'a [f32]);

impl WithSimd for Sum<'_> {
    /// Numbers read.
    type Output = usize;

    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "only inlined code is compiled for the instruction set"
    )]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        const CHAINS: usize = 8;
        let (vectors, _) = S::as_simd_f32s(self.0);
        let (groups, _) = vectors.as_chunks::<CHAINS>();
        let mut sums = [simd.splat_f32s(0.0); CHAINS];
        for group in groups {
            for (sum, vector) in sums.iter_mut().zip(group) {
                *sum = simd.add_f32s(*sum, *vector);
            }
        }
        for sum in sums {
            black_box(simd.reduce_sum_f32s(sum));
        }
        self.0.len()
    }
}
