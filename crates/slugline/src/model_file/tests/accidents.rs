//! Files that were damaged, cut short, or never were models.

use proptest::prelude::*;

use super::*;

fn refused(bytes: Vec<u8>) -> String {
    Classifier::from_bytes(bytes).unwrap_err().to_string()
}

#[test]
fn every_flipped_bit_is_noticed() {
    let mut bytes = tiny(&small()).to_bytes().unwrap();
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Classifier::from_bytes(bytes.clone()).is_err(), "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(Classifier::from_bytes(bytes).is_ok());
}

#[test]
fn every_missing_end_is_noticed_and_named() {
    let bytes = tiny(&small()).to_bytes().unwrap();
    let total = bytes.len();
    for length in 0..total {
        let err = refused(bytes[..length].to_vec());
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize + 8;
        if length > 8 {
            assert!(err.contains(&format!("ends after {length} of ")), "{length}: {err}");
        }
        if length >= header {
            assert!(err.contains(&format!("of {total} bytes")), "{length}: {err}");
        }
    }
    let longer = [bytes, vec![0]].concat();
    assert!(refused(longer).contains("damaged"));
}

#[test]
fn a_digit_of_the_checksum_in_upper_case_is_noticed() {
    let mut bytes = tiny(&small()).to_bytes().unwrap();
    let digit = bytes[description::CHECKSUM].iter().position(u8::is_ascii_lowercase).unwrap();
    bytes[description::CHECKSUM.start + digit].make_ascii_uppercase();
    assert!(refused(bytes).contains("the file is damaged"));
}

#[test]
fn other_files_are_named_for_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let tensor = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], &[0; 4]);
    let plain = safetensors::serialize([("a", tensor.unwrap())], None).unwrap();
    let long_header = [&[0xFF; 8][..], &[b'x'; 100]].concat();
    let cases: [(&str, &[u8], &str); 9] = [
        ("empty.slug", b"", "an empty file"),
        ("cat.png", b"\x89PNG\r\n\x1a\nmore", "a PNG image"),
        ("model.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        ("model.keras", b"PK\x03\x04", "a ZIP archive"),
        ("page.html", b"\n<!doctype html><p>Not found", "a web page"),
        ("model.json", b"{\"a\": 1}", "a JSON text"),
        ("other.safetensors", &plain, "a safetensors file without Slugline's description"),
        ("noise", &long_header, "108 bytes that begin with \"\\xff\\xff"),
        ("short", b"abc", "3 bytes that begin with \"abc\""),
    ];
    for (name, content, want) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let err = Classifier::load(&path).unwrap_err();
        let text = err.to_string();
        assert!(matches!(err, ModelFileError::NotAModel { .. }), "{name}: {text}");
        for want in [name, want, "expected a Slugline model file", "slugline train"] {
            assert!(text.contains(want), "{want}: {text}");
        }
    }
    let err = Classifier::load(folder.path()).unwrap_err().to_string();
    assert!(err.contains("found a folder"), "{err}");
    let err = Classifier::load(folder.path().join("none.slug")).unwrap_err();
    assert!(matches!(err, ModelFileError::Read { .. }), "{err}");
}

proptest! {
    #[test]
    fn cuts_and_insertions_are_refused(
        at in any::<prop::sample::Index>(),
        removed in 0usize..40,
        inserted in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let good = tiny(&small()).to_bytes().unwrap();
        let mut bytes = good.clone();
        let start = at.index(good.len());
        bytes.splice(start..(start + removed).min(good.len()), inserted);
        prop_assert_eq!(Classifier::from_bytes(bytes.clone()).is_ok(), bytes == good);
    }
}
