//! Every kernel of the network at the shapes of the published example:
//! `cargo bench -p slugline-bench --bench kernels`.
//!
//! The batch is one of the Reuters newswires if `SLUGLINE_DATA_DIR` names a folder that has them, else
//! of the embedded sample. `bench/run` measures the same list beside the bounds of the machine.

#![allow(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::path::PathBuf;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::BytesCount;
use slugline::corpus::sample;
use slugline::text::multi_hot;
use slugline_bench::data;
use slugline_nn::benchmarks::{Data, Kernel, kernels};

static DATA: LazyLock<Data> = LazyLock::new(|| {
    let corpus = match std::env::var_os("SLUGLINE_DATA_DIR").map(PathBuf::from) {
        Some(folder) => data::corpus(&folder).unwrap(),
        None => sample::load(&data::sequence_options()).unwrap(),
    };
    Data::new(&multi_hot(&corpus.train, 10_000).unwrap()).unwrap()
});

static KERNELS: LazyLock<Vec<Kernel>> = LazyLock::new(|| kernels(&DATA));

fn main() {
    for kernel in &*KERNELS {
        assert!(kernel.agrees(&DATA), "{} differs from the portable kernel", kernel.name);
    }
    divan::main();
}

#[divan::bench(args = KERNELS.iter().map(|kernel| kernel.name))]
fn kernel(bencher: Bencher<'_, '_>, name: &str) {
    let kernel = KERNELS.iter().find(|kernel| kernel.name == name).unwrap();
    let mut data = DATA.clone();
    bencher
        .counter(BytesCount::new(kernel.work.bytes as u64))
        .bench_local(|| kernel.run(&mut data));
}
