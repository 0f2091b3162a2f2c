//! The files that can be fetched: names, public addresses, checksums and sizes.

/// The digest that the public copy of a file has, in hexadecimal digits of either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checksum<'a> {
    /// SHA-256, 64 digits.
    Sha256(&'a str),
    /// MD5, 32 digits. Finds damage but not malice; for files whose publisher names nothing better.
    Md5(&'a str),
}

impl<'a> Checksum<'a> {
    /// Name of the algorithm, as in messages: `SHA-256` or `MD5`.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::Md5(_) => "MD5",
        }
    }

    /// The expected digits.
    pub fn digits(&self) -> &'a str {
        match self {
            Self::Sha256(digits) | Self::Md5(digits) => digits,
        }
    }
}

/// A file of a corpus that has a public source.
///
/// Other files than those listed here can be described the same way and given to a
/// [`Locator`](super::Locator).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataFile<'a> {
    /// Name of the file in every folder that is searched; a plain name without separators.
    pub name: &'a str,
    /// `http` or `https` addresses of byte-identical copies, in the order in which they are tried.
    pub urls: &'a [&'a str],
    /// What a download must match. Files found on this machine are not held against it.
    pub checksum: Checksum<'a>,
    /// Size of the public copy in bytes. A download of more than [`DataFile::max_size`] is refused.
    pub size: u64,
}

impl DataFile<'_> {
    /// The most bytes a download may have: four times [`size`](Self::size), so that a server that
    /// sends without end, or something else altogether, cannot fill the disk.
    pub fn max_size(&self) -> u64 {
        self.size.saturating_mul(4)
    }
}

/// Reuters-21578, Distribution 1.0: 22 files of SGML, `reut2-000.sgm` to `reut2-021.sgm`.
///
/// The publishers name no checksum. Size and SHA-256 are those that two programs pin independently
/// of each other: scikit-learn's example of out-of-core classification for the copy at
/// archive.ics.uci.edu, and the Hugging Face `datasets` library (`dataset_infos.json` of
/// `reuters21578`) for the one at kdd.ics.uci.edu. David Lewis's page calls the copy there and his
/// own identical.
pub const REUTERS_ARCHIVE: DataFile<'static> = DataFile {
    name: "reuters21578.tar.gz",
    urls: &[
        "https://kdd.ics.uci.edu/databases/reuters21578/reuters21578.tar.gz",
        "https://archive.ics.uci.edu/ml/machine-learning-databases/reuters21578-mld/reuters21578.tar.gz",
        "https://www.daviddlewis.com/resources/testcollections/reuters21578/reuters21578.tar.gz",
        "http://www.daviddlewis.com/resources/testcollections/reuters21578/reuters21578.tar.gz",
    ],
    checksum: Checksum::Sha256("3bae43c9b14e387f76a61b6d82bf98a4fb5d3ef99ef7e7075ff2ccbcf59f9d30"),
    size: 8_150_596,
};

/// The 46-topic set in the layout of `keras.datasets.reuters`: word ids and labels.
///
/// SHA-256 as Keras pins it in `keras/src/datasets/reuters.py`.
pub const REUTERS_NPZ: DataFile<'static> = DataFile {
    name: "reuters.npz",
    urls: &["https://storage.googleapis.com/tensorflow/tf-keras-datasets/reuters.npz"],
    checksum: Checksum::Sha256("d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"),
    size: 2_110_848,
};

/// Word to rank, for the ids in [`REUTERS_NPZ`].
///
/// MD5 as Keras pins it in `keras/src/datasets/reuters.py`; Keras names no stronger one.
pub const REUTERS_WORD_INDEX: DataFile<'static> = DataFile {
    name: "reuters_word_index.json",
    urls: &["https://storage.googleapis.com/tensorflow/tf-keras-datasets/reuters_word_index.json"],
    checksum: Checksum::Md5("4d44cc38712099c9e383dc6e5f11a921"),
    size: 550_378,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_files_are_well_formed() {
        for file in [REUTERS_ARCHIVE, REUTERS_NPZ, REUTERS_WORD_INDEX] {
            assert!(!file.urls.is_empty(), "{}", file.name);
            for url in file.urls {
                assert!(url.starts_with("https://") || url.starts_with("http://"), "{url}");
                assert!(url.ends_with(&format!("/{}", file.name)), "{url}");
            }
            let digits = match file.checksum {
                Checksum::Sha256(_) => 64,
                Checksum::Md5(_) => 32,
            };
            assert_eq!(file.checksum.digits().len(), digits, "{}", file.name);
            assert!(file.checksum.digits().bytes().all(|b| b.is_ascii_hexdigit()), "{}", file.name);
            assert!(file.max_size() > file.size, "{}", file.name);
        }
    }
}
