//! The Reuters newswires as lines of text, for the programs that read those.

use std::fs::{File, create_dir_all};
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use slugline::corpus::reuters::{self, Documents, Variant};

use crate::Failure;
use crate::data::{sequence_options, source};

/// Writes the newswires of `folder` into `output`:
///
/// * `train.txt`: the training texts, `__label__` with the topic before each, as fastText reads them;
/// * `test.txt`: the test texts without it, `test.labels` their topics;
/// * `lines.txt`: all texts, over and over up to at least `lines` of them.
///
/// # Errors
/// If the data are not there, or the files cannot be written.
pub fn texts(folder: &Path, output: &Path, lines: usize) -> Result<Value, Failure> {
    create_dir_all(output)?;
    let documents = reuters::documents(&source(folder)?, Variant::Original)?;
    let split = documents.split(&sequence_options())?;
    let texts: Vec<String> = documents.documents.iter().map(|d| one_line(&d.text)).collect();

    let mut train = create(output, "train.txt")?;
    for &i in &split.train {
        writeln!(train, "__label__{} {}", topic(&documents, i), texts[i])?;
    }
    train.flush()?;

    let (mut test, mut labels) = (create(output, "test.txt")?, create(output, "test.labels")?);
    for &i in &split.test {
        writeln!(test, "{}", texts[i])?;
        writeln!(labels, "{}", topic(&documents, i))?;
    }
    test.flush()?;
    labels.flush()?;

    let mut all = create(output, "lines.txt")?;
    let rounds = lines.div_ceil(texts.len());
    let mut bytes = 0;
    for text in (0..rounds).flat_map(|_| &texts) {
        writeln!(all, "{text}")?;
        bytes += text.len() + 1;
    }
    all.flush()?;
    Ok(json!({
        "train": split.train.len(),
        "test": split.test.len(),
        "lines": rounds * texts.len(),
        "bytes": bytes,
    }))
}

fn create(folder: &Path, name: &str) -> Result<BufWriter<File>, Failure> {
    Ok(BufWriter::with_capacity(1 << 20, File::create(folder.join(name))?))
}

fn topic(documents: &Documents, i: usize) -> &str {
    &documents.class_names[documents.documents[i].label as usize]
}

/// The text with a space in place of every control character.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_text_becomes_one_line() {
        assert_eq!(one_line("wheat\nrose\t5 pct\u{3}"), "wheat rose 5 pct ");
    }
}
