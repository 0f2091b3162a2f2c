"""Reuters newswires by topic: 11,228 texts of 46 topics, as lists of word numbers.

The files are those of :envvar:`SLUGLINE_DATA_DIR`, or else downloaded once to the cache of ``slugline
datasets fetch reuters``. They may be distributed freely for research only.
"""

from __future__ import annotations

import json
import os
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import _slugline

__all__ = ["get_label_names", "get_word_index", "load_data"]

#: Documents and labels.
Part = tuple[NDArray[np.object_], NDArray[np.int64]]


def load_data(
    path: str | os.PathLike[str] = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Part, Part]:
    """``(x_train, y_train), (x_test, y_test)``: arrays of lists of word numbers, and of topics.

    The arguments are Keras's. Words are numbered by how frequent they are, the most frequent one by
    ``1 + index_from``; numbers from ``num_words`` on, and those below ``skip_top``, become ``oov_char``; each
    list begins with ``start_char``; lists of ``maxlen`` numbers and more are left out. Of a ``path`` only the
    folder counts, where it has one: then that is where the files are.
    """
    folder = os.path.dirname(os.fspath(path))
    options: dict[str, Any] = {
        "data_dir": os.path.expanduser(folder) or None,
        "num_words": num_words,
        "skip_top": skip_top,
        "maxlen": maxlen,
        "test_split": test_split,
        "seed": seed,
        "start_char": start_char,
        "oov_char": oov_char,
        "index_from": index_from,
    }
    text = json.dumps(options, default=_plain)
    indptr, ids, labels, training = _slugline.reuters_sequences(text)
    numbers, ends = ids.tolist(), indptr.tolist()
    documents = np.empty(len(labels), dtype=object)
    for number, (start, end) in enumerate(pairwise(ends)):
        documents[number] = numbers[start:end]
    return (documents[:training], labels[:training]), (documents[training:], labels[training:])


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"Expected a number. Received: {value!r}")


def get_word_index(path: str | os.PathLike[str] = "reuters_word_index.json") -> dict[str, int]:
    """The rank of each word, from 1; in documents it is ``index_from`` higher.

    The file is found as :func:`load_data` finds its own; ``path`` is there for Keras's sake.
    """
    return dict(_slugline.reuters_word_index())


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of the labels."""
    return tuple(_slugline.reuters_labels())
