"""Penalties on the kernel of a layer.

>>> from slugline.keras import regularizers
>>> regularizers.l2(0.001)
<L2: l2=0.001>
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._common import absent, config_of, listed, snake_case

__all__ = ["L1", "L1L2", "L2", "Regularizer", "get", "l1", "l1_l2", "l2", "serialize"]


class Regularizer:
    """What all penalties have in common: ``l1·Σ|w| + l2·Σw²``, added to the loss."""

    l1 = 0.0
    l2 = 0.0

    def _set(self, **factors: float | None) -> None:
        for name, value in factors.items():
            value = 0.0 if value is None else float(value)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(
                    f"Expected {name} to be a finite number of at least 0. Received: {name}={value}"
                )
            setattr(self, name, value)

    def _native(self) -> dict[str, float]:
        return {"l1": self.l1, "l2": self.l2}

    def get_config(self) -> dict[str, float]:
        """The settings."""
        return dict(self.__dict__)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """The penalty with these settings."""
        return cls(**config)

    def __call__(self, x: ArrayLike) -> float:
        """The penalty for weights."""
        x = np.asarray(x, dtype=np.float64)
        return float(self.l1 * np.abs(x).sum() + self.l2 * np.square(x).sum())

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self.l1, self.l2))

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value}" for key, value in self.get_config().items())
        return f"<{type(self).__name__}: {settings}>"


class L1(Regularizer):
    """``l1·Σ|w|``."""

    def __init__(self, l1: float = 0.01) -> None:
        self._set(l1=l1)


class L2(Regularizer):
    """``l2·Σw²``."""

    def __init__(self, l2: float = 0.01) -> None:
        self._set(l2=l2)


class L1L2(Regularizer):
    """``l1·Σ|w| + l2·Σw²``.

    >>> from slugline.keras.regularizers import L1L2
    >>> L1L2(l1=1.0, l2=0.5)([1.0, -2.0])
    5.5
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self._set(l1=l1, l2=l2)


_CLASSES = {cls.__name__: cls for cls in (L1, L2, L1L2)}
_BY_NAME = _CLASSES | {"l1": L1, "l2": L2, "l1_l2": L1L2, snake_case("L1L2"): L1L2}


def get(identifier: Any) -> Regularizer | None:
    """The penalty given as a name, a class, an object or the form in which Keras writes it down."""
    if identifier is None or isinstance(identifier, Regularizer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Regularizer):
        return identifier()
    name, config = config_of(identifier) or (identifier, {})
    if not isinstance(name, str) or name not in _BY_NAME:
        raise ValueError(
            f"Unknown regularizer: {identifier!r}. Supported are {listed(_CLASSES)}; "
            "functions of one's own are not"
        )
    return _BY_NAME[name].from_config(config)


def serialize(regularizer: Regularizer | None) -> dict[str, Any] | None:
    """The penalty in the form in which Keras writes it down."""
    if regularizer is None:
        return None
    return {"class_name": type(regularizer).__name__, "config": regularizer.get_config()}


l1, l2, l1_l2 = L1, L2, L1L2

__getattr__ = absent(__name__, "regularizers", _CLASSES)
