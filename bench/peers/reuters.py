"""The Reuters example from Keras's `reuters.npz`, without Keras.

`load` follows `keras.datasets.reuters.load_data(num_words=10000)`, which would
download the file.
"""

import numpy

WORDS = 10_000
VALIDATION = 1_000


def load(npz):
    """Sequences and labels: (x_train, y_train), (x_test, y_test)."""
    with numpy.load(npz, allow_pickle=True) as file:
        sequences, labels = file["x"], file["y"]
    order = numpy.arange(len(sequences))
    numpy.random.RandomState(113).shuffle(order)
    sequences, labels = sequences[order], labels[order]
    numbered = [
        [1] + [word + 3 if word + 3 < WORDS else 2 for word in sequence]
        for sequence in sequences
    ]
    kept = int(0.8 * len(numbered))
    return (numbered[:kept], labels[:kept]), (numbered[kept:], labels[kept:])


def multi_hot(sequences):
    """A dense matrix of 32-bit floats, one row a sequence, 1 at each id in it."""
    rows = numpy.zeros((len(sequences), WORDS), dtype="float32")
    for i, sequence in enumerate(sequences):
        rows[i, sequence] = 1.0
    return rows


def one_hot(labels):
    """One row a label, 1 in its column."""
    return numpy.eye(46, dtype="float32")[labels]
