//! What the measurements run, and the data they run on.
//!
//! Nothing imports this crate. `bench/run` starts its program `slugline-bench`, the benchmarks in
//! `benches/` use its [`data`].

pub mod data;
pub mod export;
pub mod fit;
pub mod growth;
pub mod machine;
pub mod roofline;
pub mod step;
pub mod wide;

/// Why a measurement could not be made: an error of the library or of the system, in words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
