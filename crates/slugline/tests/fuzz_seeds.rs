//! The fuzz targets, run on their seeds and on everything that fuzzing has found.
//!
//! `fuzz/README.md` says how to fuzz. After a change of a target's input,
//! `cargo test -p slugline --test fuzz_seeds -- --ignored` writes the seeds anew.

#[allow(unreachable_pub, reason = "the file is a crate of its own as well")]
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(name)
}

/// The files of a target's folder; none where there is no folder.
fn inputs(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    files.sort();
    files
}

#[test]
fn every_seed_and_every_finding_passes() {
    for (name, _) in targets::TARGETS {
        let seeds = inputs(&folder("seeds").join(name));
        assert!(!seeds.is_empty(), "the target {name} has no seed");
        for file in seeds.into_iter().chain(inputs(&folder("findings").join(name))) {
            // Shown where the test fails.
            println!("{}", file.display());
            targets::run(name, &fs::read(&file).unwrap());
        }
    }
}

#[test]
fn every_target_has_a_program() {
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for (name, _) in targets::TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let program =
            fs::read_to_string(folder("fuzz_targets").join(format!("{name}.rs"))).unwrap();
        assert!(program.contains(&format!("run(\"{name}\", data)")), "{name}");
    }
    assert_eq!(inputs(&folder("fuzz_targets")).len(), targets::TARGETS.len());
}

#[test]
#[ignore = "writes the seeds"]
fn write_seeds() {
    targets::seeds::write(&folder("seeds")).unwrap();
}
