//! Models of other programs.

use std::io::{Cursor, Read, Write};

use slugline::exchange::keras;
use slugline::nn::{CsrMatrix, Sequential};

/// A sound archive, written by Keras.
pub(crate) const ARCHIVE: &[u8] = include_bytes!("../../crates/slugline/tests/golden/small.keras");

/// The files of it that are read.
pub(crate) const PARTS: [&str; 2] = ["config.json", "model.weights.h5"];

/// A file of an archive.
pub(crate) fn part(archive: &[u8], name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).expect("a sound archive");
    let mut content = Vec::new();
    archive.by_name(name).expect("its file").read_to_end(&mut content).expect("memory");
    content
}

/// An archive of Keras. The first byte says what is given: 0 the whole archive, 1 its layers, else its
/// weights, the rest being sound.
pub(crate) fn keras(data: &[u8]) {
    let Some((&given, data)) = data.split_first() else { return };
    let read = if given == 0 {
        keras::from_bytes(data)
    } else {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        for (i, name) in PARTS.iter().enumerate() {
            archive.start_file(*name, stored).expect("memory");
            let sound = part(ARCHIVE, name);
            let is_given = i == usize::from(given > 1);
            archive.write_all(if is_given { data } else { &sound }).expect("memory");
        }
        keras::from_bytes(&archive.finish().expect("memory").into_inner())
    };
    if let Ok(network) = read {
        again(&network);
    }
}

/// A network that was read is written, read again, and answers.
fn again(network: &Sequential) {
    let bytes = keras::network_to_bytes(network).expect("it was read");
    let same = keras::from_bytes(&bytes).expect("it was written here");
    assert!(same.same_weights(network));
    assert_eq!(same.layers(), network.layers());
    let mut rows = CsrMatrix::with_cols(network.input_width());
    rows.push_row(&[0], &[1.0]).expect("there is a first feature");
    let answers = network.predict(&rows).expect("rows of its width");
    assert_eq!(answers.row(0).len(), network.units());
}
