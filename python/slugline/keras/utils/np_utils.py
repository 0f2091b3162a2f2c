"""Labels as one-hot rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["normalize", "to_categorical"]


def to_categorical(x: Any, num_classes: int | None = None, dtype: Any = "float64") -> NDArray[Any]:
    """One-hot rows for integer labels; their last axis is that of the classes.

    >>> from slugline.keras.utils import to_categorical
    >>> to_categorical([0, 2], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    labels = np.array(x, dtype="int64")
    shape = labels.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    labels = labels.reshape(-1)
    classes = num_classes or (int(labels.max()) + 1 if labels.size else 0)
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(
            f"Expected labels from 0 to num_classes - 1 = {classes - 1}. Received: labels from "
            f"{labels.min()} to {labels.max()}"
        )
    rows = np.zeros((len(labels), classes), dtype=dtype)
    rows[np.arange(len(labels)), labels] = 1
    return rows.reshape((*shape, classes))


def normalize(x: Any, axis: int = -1, order: int = 2) -> NDArray[Any]:
    """An array with vectors of length 1 along an axis.

    >>> from slugline.keras.utils import normalize
    >>> normalize([3.0, 4.0])
    array([[0.6, 0.8]])
    """
    lengths = np.atleast_1d(np.linalg.norm(x, order, axis))
    lengths[lengths == 0] = 1
    return np.asarray(np.asarray(x) / np.expand_dims(lengths, axis))
