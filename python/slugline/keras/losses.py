"""Losses with Keras's names and defaults.

>>> from slugline.keras import losses
>>> losses.get("categorical_crossentropy")
<CategoricalCrossentropy>
>>> float(losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0].round(4))
0.6931
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import absent, config_of, function_or_name, listed, refuse_settings, snake_case

__all__ = [
    "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy", "Loss", "MeanSquaredError", "SparseCategoricalCrossentropy",
    "binary_crossentropy", "categorical_crossentropy", "get", "mean_squared_error", "serialize",
    "sparse_categorical_crossentropy",
]  # fmt: skip

#: What probabilities are kept away from 0 and 1 by, as in Keras.
_EPSILON = 1e-7
_WITHOUT = {
    "from_logits": False, "axis": -1, "reduction": "sum_over_batch_size", "dtype": None, "ignore_class": None,
}  # fmt: skip


class Loss:
    """What all losses have in common; made by the classes below.

    A loss of probabilities needs a last layer that makes them (softmax or sigmoid): ``from_logits=True``
    is not supported, nor another ``reduction`` than the mean over the samples.
    """

    #: Settings that the native part has.
    _settings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str | None, kwargs: dict[str, Any]) -> None:
        what = type(self).__name__
        unknown = set(kwargs) - set(_WITHOUT)
        if unknown:
            raise ValueError(f"{what}: argument(s) not recognized: {listed(sorted(unknown))}")
        refuse_settings(what, kwargs, _WITHOUT, "The last layer has the activation, softmax or sigmoid.")
        self.name = name or self._native_name()

    @classmethod
    def _native_name(cls) -> str:
        return snake_case(cls.__name__)

    def _native(self) -> dict[str, Any]:
        return {"name": self._native_name()} | {key: getattr(self, key) for key in self._settings}

    def get_config(self) -> dict[str, Any]:
        """The settings."""
        return {"name": self.name} | {key: getattr(self, key) for key in self._settings}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """The loss with these settings."""
        return cls(**{key: value for key, value in config.items() if key != "dtype"})

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class CategoricalCrossentropy(Loss):
    """``−Σ y·ln p`` for one-hot rows; needs a softmax."""

    _settings = ("label_smoothing",)

    def __init__(self, *, label_smoothing: float = 0.0, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, kwargs)
        self.label_smoothing = float(label_smoothing)


class SparseCategoricalCrossentropy(Loss):
    """``−ln p[label]`` for integer labels; needs a softmax."""

    def __init__(self, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, kwargs)


class BinaryCrossentropy(Loss):
    """``−mean(y·ln p + (1−y)·ln(1−p))`` for independent yes-or-no answers; needs a sigmoid."""

    _settings = ("label_smoothing",)

    def __init__(self, *, label_smoothing: float = 0.0, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, kwargs)
        self.label_smoothing = float(label_smoothing)


class CategoricalFocalCrossentropy(Loss):
    """Categorical cross-entropy in which samples that are answered well count little."""

    _settings = ("alpha", "gamma", "label_smoothing")

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        *,
        label_smoothing: float = 0.0,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, kwargs)
        self.alpha, self.gamma = float(alpha), float(gamma)
        self.label_smoothing = float(label_smoothing)


class BinaryFocalCrossentropy(Loss):
    """Binary cross-entropy in which answers that are right anyway count little."""

    _settings = ("apply_class_balancing", "alpha", "gamma", "label_smoothing")

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        *,
        label_smoothing: float = 0.0,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, kwargs)
        self.apply_class_balancing = bool(apply_class_balancing)
        self.alpha, self.gamma = float(alpha), float(gamma)
        self.label_smoothing = float(label_smoothing)


class MeanSquaredError(Loss):
    """``mean((p − y)²)``; takes any last layer."""

    def __init__(self, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, kwargs)


def _probabilities(y_pred: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(y_pred, dtype=np.float64)


def categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, *, label_smoothing: float = 0.0
) -> NDArray[np.float64]:
    """The loss of each sample."""
    y, p = np.asarray(y_true, dtype=np.float64), _probabilities(y_pred)
    y = y * (1 - label_smoothing) + label_smoothing / y.shape[-1]
    p = p / p.sum(axis=-1, keepdims=True)
    return np.asarray(-(y * np.log(np.clip(p, _EPSILON, 1 - _EPSILON))).sum(axis=-1))


def sparse_categorical_crossentropy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[np.float64]:
    """The loss of each sample."""
    p = _probabilities(y_pred)
    labels = np.asarray(y_true).reshape(p.shape[:-1]).astype(np.int64)
    p = np.take_along_axis(p, labels[..., None], axis=-1)[..., 0] / p.sum(axis=-1)
    return np.asarray(-np.log(np.clip(p, _EPSILON, 1 - _EPSILON)))


def binary_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, *, label_smoothing: float = 0.0
) -> NDArray[np.float64]:
    """The loss of each sample."""
    y, p = np.asarray(y_true, dtype=np.float64), np.clip(_probabilities(y_pred), _EPSILON, 1 - _EPSILON)
    y = y * (1 - label_smoothing) + label_smoothing / 2
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log1p(-p)).mean(axis=-1))


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[np.float64]:
    """The loss of each sample."""
    return np.asarray(np.square(_probabilities(y_pred) - np.asarray(y_true, dtype=np.float64)).mean(axis=-1))


_CLASSES = {
    cls.__name__: cls
    for cls in (
        CategoricalCrossentropy, SparseCategoricalCrossentropy, BinaryCrossentropy,
        CategoricalFocalCrossentropy, BinaryFocalCrossentropy, MeanSquaredError,
    )
}  # fmt: skip
_BY_NAME = _CLASSES | {cls._native_name(): cls for cls in _CLASSES.values()}
_BY_NAME |= {"mse": MeanSquaredError, "MSE": MeanSquaredError}


def get(identifier: Any) -> Loss | None:
    """The loss given as a name, a class, an object, one of the functions, or the form in which Keras
    writes it down."""
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, type):
        identifier = identifier.__name__
    name, config = config_of(identifier) or (function_or_name(identifier), {})
    if name not in _BY_NAME:
        raise ValueError(
            f"Unknown loss: {identifier!r}. Supported are "
            f"{listed(cls._native_name() for cls in _CLASSES.values())}; functions of one's own are not"
        )
    return _BY_NAME[name].from_config(config)


def serialize(loss: Loss | None) -> dict[str, Any] | None:
    """The loss in the form in which Keras writes it down."""
    return None if loss is None else {"class_name": type(loss).__name__, "config": loss.get_config()}


mse = mean_squared_error

__getattr__ = absent(__name__, "losses", _CLASSES)
