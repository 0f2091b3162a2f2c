"""Labels of every form to numbers of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Encoded:
    """Labels as numbers, and what the numbers stand for."""

    #: Class numbers (``uint32``), lists of them, or shares (``float32``).
    codes: Any
    #: Names of the classes.
    names: list[str]


def encode(labels: Any, classes: Sequence[str] | None = None) -> Encoded:
    """One class a document, lists of classes, an indicator matrix, or shares of every class."""
    columns = getattr(labels, "columns", None)
    if hasattr(labels, "toarray"):
        labels = labels.toarray()
    if hasattr(labels, "to_numpy"):
        labels = labels.to_numpy()
    if not isinstance(labels, np.ndarray):
        labels = list(labels)
        if any(isinstance(label, (list, tuple, set, frozenset)) for label in labels):
            return _lists(labels, classes)
        labels = np.asarray(labels)
    if labels.ndim == 2:
        names = classes if classes is not None else columns
        return _matrix(labels, names)
    if labels.ndim != 1:
        raise ValueError(f"expected one label a document, or a matrix, got an array of shape {labels.shape}")
    return _single(labels, classes)


def _single(labels: np.ndarray, classes: Sequence[str] | None) -> Encoded:
    if labels.dtype == object:
        bad = [row for row, label in enumerate(labels) if label is None or label != label]
        if bad:
            raise ValueError(f"label {bad[0]} is missing: expected a class for every document")
        labels = np.asarray([str(label) for label in labels], dtype=str)
    elif np.issubdtype(labels.dtype, np.floating):
        if not np.isfinite(labels).all() or (labels != np.floor(labels)).any():
            raise ValueError("labels are numbers with fractions: expected classes")
        labels = labels.astype(np.int64)
    found, codes = np.unique(labels, return_inverse=True)
    names = [str(label) for label in found.tolist()]
    if classes is None:
        return Encoded(codes.astype(np.uint32), names)
    numbers = _numbers(classes)
    places = np.array([_number(name, numbers) for name in names], dtype=np.uint32)
    return Encoded(places[codes] if len(codes) else codes.astype(np.uint32), list(numbers))


def _lists(labels: list[Any], classes: Sequence[str] | None) -> Encoded:
    lists = [[str(label) for label in many] for many in labels]
    names = sorted({label for many in lists for label in many}) if classes is None else classes
    numbers = _numbers(names)
    codes = [sorted({_number(label, numbers) for label in many}) for many in lists]
    return Encoded(codes, list(numbers))


def _matrix(labels: np.ndarray, classes: Any) -> Encoded:
    names = [str(name) for name in (range(labels.shape[1]) if classes is None else classes)]
    if len(names) != labels.shape[1]:
        raise ValueError(f"labels have {labels.shape[1]} columns, and there are {len(names)} classes")
    if np.isin(labels, (0, 1)).all():
        return Encoded([np.flatnonzero(row).tolist() for row in labels], list(_numbers(names)))
    return Encoded(np.ascontiguousarray(labels, dtype=np.float32), list(_numbers(names)))


def _numbers(classes: Sequence[str]) -> dict[str, int]:
    names = [str(name) for name in classes]
    numbers = {name: number for number, name in enumerate(names)}
    if len(numbers) < len(names):
        raise ValueError(f"a class stands twice in {names}")
    return numbers


def _number(label: str, numbers: Mapping[str, int]) -> int:
    try:
        return numbers[label]
    except KeyError:
        known = ", ".join(list(numbers)[:10])
        raise ValueError(f"there is a label {label!r}, which is none of the classes: {known}") from None


def weights(sample_weight: Any) -> np.ndarray:
    """Weights of samples in 32 bits."""
    return np.ascontiguousarray(sample_weight, dtype=np.float32)


def plain(value: Any) -> Any:
    """A setting without NumPy's types, and without those that are not given."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(each) for each in value]
    return value
