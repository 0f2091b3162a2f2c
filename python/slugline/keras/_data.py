"""What a user hands to ``fit``, ``evaluate`` and ``predict``, as the native part takes it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._rows import to_rows
from .._slugline import Rows
from . import losses


def rows_of(x: Any, layer: str, width: int | None = None) -> Rows:
    """Samples as sparse rows, of the width that the first layer expects."""
    if isinstance(x, (list, tuple)) and len(x) == 1 and hasattr(x[0], "shape") and len(x[0].shape) == 2:
        x = x[0]
    if not (isinstance(x, (Rows, list, tuple)) or hasattr(x, "shape") or hasattr(x, "__array__")):
        raise ValueError(
            "Expected x to be a 2-dimensional array, a SciPy sparse matrix or a data frame. "
            f"Received: x of type {type(x).__name__}. Generators and datasets are not supported"
        )
    if not isinstance(x, Rows) and not hasattr(x, "tocsr"):
        x = _dense(x, layer)
    rows = to_rows(x)
    if width is not None and rows.shape[1] != width:
        raise ValueError(
            f"Input 0 of layer '{layer}' is incompatible with the layer: expected axis -1 of input shape "
            f"to have value {width}, but received input with shape {tuple(rows.shape)}"
        )
    return rows


def _dense(x: Any, layer: str) -> NDArray[Any]:
    """Samples as an array of numbers."""
    try:
        array = np.asarray(x)
    except ValueError:
        # Lists of different lengths.
        array = np.empty(len(x), dtype=object)
    if array.ndim != 2:
        hint = ""
        if array.dtype == object and len(array):
            hint = (
                ". Samples of different lengths, such as lists of word ids, have to become rows of one width"
            )
        raise ValueError(
            f"Input 0 of layer '{layer}' is incompatible with the layer: expected ndim=2, found "
            f"ndim={array.ndim}. Full shape received: {array.shape}{hint}"
        )
    if array.dtype == object or array.dtype.kind in "US":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"Expected x to be numbers. Received: an array of type {array.dtype}") from None
    return array


def targets_of(y: Any, loss: losses.Loss, units: int, samples: int) -> NDArray[Any]:
    """Wanted answers in the form that the loss takes: class numbers, or one row a sample."""
    if y is None:
        raise ValueError("Expected y to be the labels of x. Received: y=None")
    array = np.asarray(y.toarray() if hasattr(y, "tocsr") else y)
    if array.ndim == 0 or array.dtype.kind not in "biuf":
        try:
            array = np.asarray(array, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"Expected y to be numbers. Received: an array of type {array.dtype}. Names of classes "
                "have to become integers: sklearn.preprocessing.LabelEncoder, or np.unique(y, "
                "return_inverse=True)"
            ) from None
    if array.ndim == 0 or len(array) != samples:
        size = len(array) if array.ndim else 1
        raise ValueError(
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. "
            f"'x' sizes: {samples}. 'y' sizes: {size}"
        )
    if isinstance(loss, losses.SparseCategoricalCrossentropy):
        return _class_numbers(array, units)
    if array.ndim == 1 and units == 1:
        array = array[:, None]
    if array.shape != (samples, units):
        hint = ""
        if array.ndim == 1 or array.shape[1:] == (1,):
            hint = (
                ". Integer labels go with loss='sparse_categorical_crossentropy', "
                "or become rows with utils.to_categorical(y)"
            )
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. Received: "
            f"target.shape={array.shape}, output.shape=({samples}, {units}), loss={loss.name}{hint}"
        )
    return np.ascontiguousarray(array, dtype=np.float32)


def _class_numbers(array: NDArray[Any], units: int) -> NDArray[np.uint32]:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            "loss='sparse_categorical_crossentropy' expects integer labels of shape (samples,). Received: "
            f"target.shape={array.shape}. One-hot rows go with loss='categorical_crossentropy', or become "
            "labels with np.argmax(y, axis=-1)"
        )
    labels = array.astype(np.int64)
    if array.dtype.kind == "f" and not np.array_equal(labels, array):
        raise ValueError("Expected integer labels. Received: labels with fractions")
    if labels.size and not (labels.min() >= 0 and labels.max() < units):
        wrong = labels[(labels < 0) | (labels >= units)][0]
        raise ValueError(
            f"Received a label value of {wrong} which is outside the valid range of [0, {units}): the last "
            f"layer has {units} units"
        )
    return labels.astype(np.uint32)


def weights_of(
    sample_weight: Any, class_weight: dict[int, float] | None, y: NDArray[Any], trained: int
) -> NDArray[np.float32] | None:
    """One factor a sample: its own, times that of its class for the first ``trained`` samples."""
    if class_weight is not None and not isinstance(class_weight, dict):
        raise ValueError(
            f"Expected class_weight to be a dict from class to factor. Received: {class_weight!r}"
        )
    if sample_weight is None and not class_weight:
        return None
    weights: NDArray[np.float32] = np.ones(len(y), dtype=np.float32)
    if sample_weight is not None:
        weights = np.array(sample_weight, dtype=np.float32)
        if weights.shape not in ((len(y),), (len(y), 1)):
            raise ValueError(
                f"Expected sample_weight to have the shape ({len(y)},). Received: shape {weights.shape}"
            )
        weights = weights.reshape(-1)
    if class_weight:
        if y.ndim == 1:
            classes = y.astype(np.int64)
        elif y.shape[1] == 1:
            classes = np.round(y[:, 0]).astype(np.int64)
        else:
            classes = np.argmax(y, axis=-1)
        factors = np.ones(len(y), dtype=np.float32)
        for label, factor in class_weight.items():
            factors[classes == int(label)] = factor
        factors[trained:] = 1
        weights *= factors
    return weights


def validation_of(
    data: Any, loss: losses.Loss, layer: str, width: int, units: int
) -> tuple[Rows, NDArray[Any]]:
    """Held-out samples and labels."""
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        raise ValueError(
            f"Expected validation_data to be a tuple (x_val, y_val). Received: {type(data).__name__}"
        )
    if len(data) == 3 and data[2] is not None:
        raise ValueError(
            "Weights of validation samples are not supported. Expected validation_data=(x_val, y_val)"
        )
    x = rows_of(data[0], layer, width)
    return x, targets_of(data[1], loss, units, len(x))
