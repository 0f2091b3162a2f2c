"""Scores with Keras's names and defaults, as ``compile`` takes them; and as functions of arrays.

>>> from slugline.keras import metrics
>>> metrics.categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])
array([1., 0.], dtype=float32)
>>> metrics.get("acc").name
'acc'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import losses
from ._common import absent, config_of, function_or_name, listed, refuse_settings, snake_case, whole_number

if TYPE_CHECKING:
    from .losses import Loss

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "F1Score", "Metric", "Precision", "Recall",
    "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy",
    "binary_accuracy", "categorical_accuracy", "get", "serialize", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]  # fmt: skip


class Metric:
    """What all metrics have in common; made by the classes below. They are computed in training and in
    ``evaluate``; the functions compute from arrays."""

    #: ``up`` where high values are the good ones.
    _direction = "up"
    #: Settings besides the name.
    _settings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        refuse_settings(type(self).__name__, {"dtype": dtype}, {"dtype": None})
        self.name = name or snake_case(type(self).__name__)

    def _native(self, loss: Loss, units: int) -> tuple[Any, str]:
        """The native part's form of it with a loss and a number of outputs, and its name for it."""
        return "accuracy", "accuracy"

    def get_config(self) -> dict[str, Any]:
        """The settings."""
        return {"name": self.name} | {key: getattr(self, key) for key in self._settings}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """The metric with these settings."""
        return cls(**{key: value for key, value in config.items() if key != "dtype"})

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name}>"


def _independent(loss: Loss) -> bool:
    """Whether each output answers for itself."""
    return isinstance(loss, (losses.BinaryCrossentropy, losses.BinaryFocalCrossentropy))


def _sparse(loss: Loss) -> bool:
    return isinstance(loss, losses.SparseCategoricalCrossentropy)


def _check_labels(metric: Metric, loss: Loss, sparse: bool) -> None:
    if _sparse(loss) != sparse:
        wanted = "integer labels" if sparse else "one-hot rows"
        raise ValueError(
            f"The metric {metric.name} is one of {wanted}, and the loss {loss.name} is not. "
            "metrics=['accuracy'] goes with both"
        )


class _Named(Metric):
    """The metric that the strings ``accuracy`` and ``acc`` stand for: that of the outputs."""


class Accuracy(Metric):
    """Not supported: in Keras it compares labels with labels, which a network does not put out."""

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        raise ValueError(
            "metrics.Accuracy compares outputs with labels bit by bit, which is 0 for probabilities. "
            "Expected: metrics=['accuracy'], CategoricalAccuracy() or SparseCategoricalAccuracy()"
        )


class CategoricalAccuracy(Metric):
    """Share of samples whose largest output is that of their class; for one-hot rows."""

    def _native(self, loss: Loss, units: int) -> tuple[Any, str]:
        _check_labels(self, loss, sparse=False)
        return "accuracy", "accuracy"


class SparseCategoricalAccuracy(Metric):
    """Share of samples whose largest output is that of their class; for integer labels."""

    def _native(self, loss: Loss, units: int) -> tuple[Any, str]:
        _check_labels(self, loss, sparse=True)
        return "accuracy", "accuracy"


class BinaryAccuracy(Metric):
    """Share of single yes-or-no answers that are right, over all outputs."""

    _settings = ("threshold",)

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        refuse_settings("BinaryAccuracy", {"threshold": threshold}, {"threshold": 0.5})
        self.threshold = threshold

    def _native(self, loss: Loss, units: int) -> tuple[Any, str]:
        return "binary_accuracy", "binary_accuracy"


class TopKCategoricalAccuracy(Metric):
    """Share of samples whose class is among the ``k`` largest outputs; for one-hot rows."""

    _settings = ("k",)
    _of_labels: ClassVar[bool] = False

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name or self._default_name(), dtype)
        self.k = whole_number("k", k)

    @classmethod
    def _default_name(cls) -> str:
        return f"{'sparse_' if cls._of_labels else ''}top_k_categorical_accuracy"

    def _native(self, loss: Loss, units: int) -> tuple[Any, str]:
        _check_labels(self, loss, sparse=self._of_labels)
        return {"top_k_accuracy": {"k": self.k}}, f"top_{self.k}_accuracy"


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """Share of samples whose class is among the ``k`` largest outputs; for integer labels."""

    _of_labels = True


class _Counted(Metric):
    """Precision and recall from the counts of all classes together."""

    _settings = ("top_k",)

    def __init__(
        self,
        thresholds: float | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        if thresholds == 0.5:
            thresholds = None
        refuse_settings(
            type(self).__name__,
            {"thresholds": thresholds, "class_id": class_id},
            {"thresholds": None, "class_id": None},
            "sklearn.metrics has them, of what predict() gives.",
        )
        if top_k not in (None, 1):
            raise ValueError(f"Expected top_k to be None or 1. Received: top_k={top_k}")
        self.top_k = top_k

    def _native(self, loss: Loss, units: int) -> tuple[Any, str]:
        kind = snake_case(type(self).__name__)
        if (self.top_k is None) != _independent(loss) or (self.top_k and _sparse(loss)):
            raise ValueError(
                f"metrics.{type(self).__name__}() is of outputs that answer for themselves "
                "(binary_crossentropy, sigmoid), and with top_k=1 of one-hot rows "
                f"(categorical_crossentropy, softmax). Received: top_k={self.top_k} with the loss {loss.name}"
            )
        return {kind: "micro"}, f"micro_{kind}"


class Precision(_Counted):
    """Share of the answers "yes" that are right: of outputs above 0.5, or of the largest with ``top_k=1``."""


class Recall(_Counted):
    """Share of what is to be found that is: by outputs above 0.5, or the largest with ``top_k=1``."""


class F1Score(Metric):
    """Harmonic mean of precision and recall, averaged over the classes: ``micro`` or ``weighted``.

    Without a ``threshold`` the answer is the largest output; 0.5 is for outputs that answer for themselves.
    """

    _settings = ("average", "threshold")

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name or "f1_score", dtype)
        if average not in ("micro", "weighted"):
            raise ValueError(
                f"Expected average to be 'micro' or 'weighted'. Received: average={average!r}. "
                "sklearn.metrics.f1_score has the others, of what predict() gives"
            )
        if threshold not in (None, 0.5):
            raise ValueError(f"Expected threshold to be None or 0.5. Received: threshold={threshold}")
        self.average, self.threshold = average, threshold

    def _native(self, loss: Loss, units: int) -> tuple[Any, str]:
        if (self.threshold is None) == _independent(loss) or _sparse(loss):
            raise ValueError(
                "metrics.F1Score is of one-hot rows: with threshold=None for the largest output (softmax), "
                f"with threshold=0.5 for outputs that answer for themselves (sigmoid). Received: threshold="
                f"{self.threshold} with the loss {loss.name}"
            )
        return {"f1_score": self.average}, f"{self.average}_f1"


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[np.float32]:
    """1 for each sample whose largest output is that of its one-hot row, else 0."""
    return np.asarray(np.argmax(y_true, axis=-1) == np.argmax(y_pred, axis=-1), dtype=np.float32)


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[np.float32]:
    """1 for each sample whose largest output is that of its label, else 0."""
    answers = np.argmax(y_pred, axis=-1)
    return np.asarray(np.asarray(y_true).reshape(answers.shape) == answers, dtype=np.float32)


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> NDArray[np.float32]:
    """The share of right yes-or-no answers of each sample."""
    right = (np.asarray(y_pred) > threshold) == np.asarray(y_true)
    return np.asarray(right.mean(axis=-1), dtype=np.float32)


def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5
) -> NDArray[np.float32]:
    """1 for each sample whose label is among those of the ``k`` largest outputs, else 0."""
    p = np.asarray(y_pred)
    labels = np.asarray(y_true).reshape(p.shape[:-1]).astype(np.int64)
    own = np.take_along_axis(p, labels[..., None], axis=-1)
    return np.asarray((p > own).sum(axis=-1) < k, dtype=np.float32)


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> NDArray[np.float32]:
    """1 for each sample whose class is among those of the ``k`` largest outputs, else 0."""
    return sparse_top_k_categorical_accuracy(np.argmax(y_true, axis=-1), y_pred, k)


_CLASSES = {
    cls.__name__: cls
    for cls in (
        CategoricalAccuracy, SparseCategoricalAccuracy, BinaryAccuracy, TopKCategoricalAccuracy,
        SparseTopKCategoricalAccuracy, Precision, Recall, F1Score,
    )
}  # fmt: skip
_BY_NAME = _CLASSES | {
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "binary_accuracy": BinaryAccuracy,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "precision": Precision,
    "recall": Recall,
}


def get(identifier: Any) -> Metric:
    """The metric given as a name, a class, an object, one of the functions, or the form in which Keras
    writes it down."""
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    name, config = config_of(identifier) or (function_or_name(identifier), {})
    if name in ("accuracy", "acc"):
        return _Named(name)
    if name not in _BY_NAME:
        raise ValueError(
            f"Unknown metric: {identifier!r}. Supported are accuracy, "
            f"{listed(snake_case(cls) for cls in _CLASSES)}; functions of one's own are not"
        )
    return _BY_NAME[name].from_config(config)


def serialize(metric: Metric) -> str | dict[str, Any]:
    """The metric in the form in which Keras writes it down."""
    if isinstance(metric, _Named):
        return metric.name
    return {"class_name": type(metric).__name__, "config": metric.get_config()}


__getattr__ = absent(__name__, "metrics", _CLASSES)
