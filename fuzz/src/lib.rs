//! What the fuzz targets do with their input, and what must hold whatever the input is.
//!
//! Each target is a function of bytes that panics if something is wrong. libFuzzer calls them
//! (`fuzz_targets`), and so does the test `fuzz_seeds` of the crate `slugline`, with the seeds and past
//! findings.

mod exchange;
mod model;
mod options;
mod reading;
mod reuters;
pub mod seeds;
mod text;

/// A target: its name, which is that of its folder of seeds, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 13] = [
    ("read_file", reading::file),
    ("read_options", reading::options),
    ("read_back", reading::back),
    ("reuters_sgml", reuters::sgml),
    ("reuters_keras", reuters::keras),
    ("analyzer", text::analyzer),
    ("vectorizer", text::vectorizer),
    ("stored_terms", text::stored),
    ("check", text::check),
    ("model_file", model::file),
    ("model_edited", model::edited),
    ("options_json", options::json),
    ("keras_archive", exchange::keras),
];

/// Runs the target of a name.
///
/// # Panics
/// If there is none, or if the target finds something.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.0 == name);
    let (_, body) = target.unwrap_or_else(|| panic!("there is no target {name}"));
    body(data);
}
