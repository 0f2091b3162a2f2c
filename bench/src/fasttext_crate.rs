//! The Rust rewrite of fastText on lines of text: what its own command does, which is not built from
//! the published crate.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use fasttext::FastText;
use slugline_bench::Failure;

/// Writes the best label and its probability for each line of `lines`.
pub(crate) fn answer(model: &Path, lines: &Path, output: impl Write) -> Result<(), Failure> {
    let model = FastText::load_model(model)?;
    let mut input = BufReader::with_capacity(1 << 20, File::open(lines)?);
    let mut output = BufWriter::with_capacity(1 << 20, output);
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            output.flush()?;
            return Ok(());
        }
        match model.predict(&line, 1, 0.0).first() {
            Some(best) => writeln!(output, "{} {}", best.label, best.prob)?,
            None => writeln!(output)?,
        }
    }
}
