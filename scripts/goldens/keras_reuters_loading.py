"""Writes what keras.datasets.reuters.load_data returns for a range of its options.

    pip install keras tensorflow-cpu numpy
    SLUGLINE_DATA_DIR=folder python scripts/goldens/keras_reuters_loading.py

The folder holds reuters.npz rebuilt from the SGML files by the rule that the module
slugline::corpus::reuters documents; the SHA-256 of the file used stands in the output. (The public
file numbers words that are equally frequent in another order, so its hashes differ.) The output is crates/slugline/tests/golden/keras_reuters_loading.json. For each set of
options it has, of both parts, the number of documents, the sum of their lengths and a SHA-256 over
32-bit little-endian integers: the number of documents, then for each its length, its ids, its label.
"""

import hashlib
import json
import os
import pathlib

import keras
import numpy as np
from keras.src.datasets import reuters

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = REPOSITORY / "crates/slugline/tests/golden/keras_reuters_loading.json"

OPTIONS = [
    {},
    {"num_words": 10000},
    {"num_words": 0},
    {"num_words": 1000, "skip_top": 20},
    {"num_words": 1000, "oov_char": None},
    {"num_words": 500, "skip_top": 50, "oov_char": None, "maxlen": 200},
    {"maxlen": 100},
    {"maxlen": 0, "num_words": 3},
    {"maxlen": 100, "start_char": None, "num_words": 5000},
    {"maxlen": 30, "test_split": 0.5},
    {"start_char": None, "index_from": 0, "num_words": 30984},
    {"start_char": None, "index_from": 7, "num_words": 2000},
    {"start_char": 5, "oov_char": 70000, "index_from": 10, "num_words": 4000},
    {"start_char": 40000, "oov_char": 0},
    {"seed": 0, "test_split": 0.5},
    {"seed": 4294967295, "test_split": 0.33, "num_words": 10000},
    {"test_split": 0.0},
    {"test_split": 1.0},
]


def part(sequences, labels):
    lengths = [len(sequence) for sequence in sequences]
    numbers = [len(lengths)]
    for length, sequence, label in zip(lengths, sequences, labels):
        numbers += [length, *sequence, label]
    return {
        "documents": len(lengths),
        "total_ids": sum(lengths),
        "sha256": hashlib.sha256(np.array(numbers, dtype="<i4").tobytes()).hexdigest(),
    }


def main():
    npz = pathlib.Path(os.environ["SLUGLINE_DATA_DIR"]).resolve() / "reuters.npz"
    # load_data would replace a file that is not the public one by a download.
    reuters.get_file = lambda fname, **_: fname
    cases = []
    for options in OPTIONS:
        (x_train, y_train), (x_test, y_test) = reuters.load_data(path=str(npz), **options)
        cases.append(
            {"options": options, "train": part(x_train, y_train), "test": part(x_test, y_test)}
        )
    golden = {
        "made_by": "scripts/goldens/keras_reuters_loading.py",
        "keras": keras.__version__,
        "numpy": np.__version__,
        "npz_sha256": hashlib.sha256(npz.read_bytes()).hexdigest(),
        "cases": cases,
    }
    OUTPUT.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
