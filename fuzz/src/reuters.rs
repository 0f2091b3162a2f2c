//! Readers of the Reuters newswires.

use std::fs;
use std::io::{Cursor, Write};

use slugline::corpus::reuters::{self, ARCHIVE, MIN_DOCUMENTS, Source, Variant};
use slugline::corpus::{Corpus, SequenceOptions};

/// A newswire in the form of the archive.
const WIRE: &str =
    "<REUTERS><TOPICS><D>grain</D></TOPICS><BODY>Corn rose &lt;up>\n&#3;</BODY></REUTERS>\n";

/// One of the SGML files, the others being sound; or an archive, known by its first bytes.
pub(crate) fn sgml(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = if data.starts_with(&[0x1F, 0x8B]) {
        let path = folder.path().join(ARCHIVE);
        fs::write(&path, data).expect("a temporary file");
        Source::Archive(path)
    } else {
        for i in 0..22 {
            let wire = format!("{WIRE}{}", WIRE.replace("Corn", &format!("Corn{i}")));
            let content = if i == 7 { data } else { wire.as_bytes() };
            let path = folder.path().join(format!("reut2-{i:03}.sgm"));
            fs::write(path, content).expect("a temporary file");
        }
        Source::Folder(folder.path().to_owned())
    };
    for variant in [Variant::Original, Variant::Clean] {
        let Ok(found) = reuters::documents(&source, variant) else { continue };
        let mut sizes = vec![0; found.class_names.len()];
        found.documents.iter().for_each(|document| sizes[document.label as usize] += 1);
        assert!(!sizes.is_empty() && sizes.iter().all(|&size| size >= MIN_DOCUMENTS));
        let options = SequenceOptions { num_words: Some(20), ..Default::default() };
        if let Ok(corpus) = reuters::load(&source, variant, &options) {
            assert_eq!(corpus.class_names, found.class_names);
            numbered(&corpus, 20);
        }
    }
}

/// Whether ids and labels are within their bounds.
fn numbered(corpus: &Corpus, num_words: u32) {
    for part in [&corpus.train, &corpus.test] {
        assert_eq!(part.len(), part.labels().len());
        assert!(part.iter().flatten().all(|&id| id < num_words));
        assert!(part.labels().iter().all(|&label| (label as usize) < corpus.class_names.len()));
    }
}

/// Keras's files. The first byte says which part is given, the others being sound: 0 the whole `npz`, 1
/// the pickled lists, 2 the file of the lists, 3 that of the labels, else the word index.
pub(crate) fn keras(data: &[u8]) {
    let Some((&part, data)) = data.split_first() else { return };
    let (_, x, y) = arrays();
    let archive = match part {
        0 => data.to_vec(),
        1 => npz(&npy("|O", data), &y),
        2 => npz(data, &y),
        3 => npz(&x, data),
        _ => npz(&x, &y),
    };
    let words: &[u8] = if part > 3 { data } else { br#"{"the": 1, "of": 2, "to": 3}"# };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a temporary file");
        path
    };
    let (npz, word_index) = (path("reuters.npz", &archive), path("words.json", words));
    let source = Source::Keras { npz, word_index };
    let options = SequenceOptions { num_words: Some(5), ..Default::default() };
    if let Ok(corpus) = reuters::load(&source, Variant::Original, &options) {
        numbered(&corpus, 5);
    }
}

/// The pickled lists, the file of the lists and that of the labels.
pub(crate) fn arrays() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let pickle = pickle();
    let labels: Vec<u8> = (0..46_i64).flat_map(i64::to_le_bytes).collect();
    let (x, y) = (npy("|O", &pickle), npy("<i8", &labels));
    (pickle, x, y)
}

/// An array file with 46 elements.
fn npy(descr: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (46,), }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

/// 46 lists, as Python pickles them in protocol 4.
fn pickle() -> Vec<u8> {
    let mut pickle = b"\x80\x04\x8c\x16numpy._core.multiarray\x94\x8c\x0c_reconstruct\x94\x93\x94\
        \x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94K\x00\x85\x94C\x01b\x94\x87\x94R\x94(K\x01K\x2e\
        \x85\x94h\x03\x8c\x05dtype\x94\x93\x94\x8c\x02O8\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94\
        NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?t\x94b\x89]\x94("
        .to_vec();
    for i in 0..46 {
        pickle.extend([b']', 0x94, b'(', b'K', 1 + i % 3, b'K', 2, b'e']);
    }
    pickle.extend(b"et\x94b.");
    pickle
}

/// Keras's archive.
pub(crate) fn npz(x: &[u8], y: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in [("x.npy", x), ("y.npy", y)] {
        archive.start_file(name, options).expect("memory");
        archive.write_all(content).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}
