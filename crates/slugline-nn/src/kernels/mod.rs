//! The inner loops, written once over [`pulp::Simd`] and compiled for every instruction set.
//!
//! [`cpu`] picks the instruction set at run time; each kernel takes it as its first argument, which
//! is also how the tests run every set on the same input. A kernel's sums have one order, and all of
//! its operations are correctly rounded (`+`, `*`, `/`, fused multiply-add), so that the
//! results are the same to the last bit on every instruction set, the portable one included.
//!
//! All memory access goes through checked slices: the crate has no `unsafe`.

#![allow(
    clippy::inline_always,
    reason = "code is compiled for an instruction set only where it is inlined into the function that has it"
)]

pub(crate) mod activation;
pub(crate) mod matmul;
pub(crate) mod root;
pub(crate) mod rows;
pub(crate) mod rule;
pub(crate) mod step;

use std::sync::OnceLock;

use pulp::Arch;

/// The instruction set that the kernels run on: the best one that the CPU has.
///
/// The environment variable `SLUGLINE_CPU=portable` picks the portable kernels instead, to rule a
/// CPU out when results are in doubt; it changes the speed alone.
pub(crate) fn cpu() -> Arch {
    static CPU: OnceLock<Arch> = OnceLock::new();
    *CPU.get_or_init(|| match std::env::var("SLUGLINE_CPU") {
        Ok(name) if name == "portable" => Arch::Scalar,
        _ => Arch::new(),
    })
}

/// Name of the instruction set in use: `avx512`, `avx2`, `neon` or `portable`.
///
/// ```
/// assert!(["avx512", "avx2", "neon", "portable"].contains(&slugline_nn::cpu_name()));
/// ```
pub fn cpu_name() -> &'static str {
    struct Name;
    impl pulp::WithSimd for Name {
        type Output = &'static str;
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> Self::Output {
            match S::F32_LANES {
                16 => "avx512",
                8 => "avx2",
                4 => "neon",
                _ => "portable",
            }
        }
    }
    cpu().dispatch(Name)
}

/// The portable kernels and the ones that [`cpu`] would pick.
#[cfg(test)]
pub(crate) fn every_cpu() -> Vec<Arch> {
    vec![Arch::Scalar, Arch::new()]
}
