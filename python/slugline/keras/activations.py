"""Activations: the functions, and what a layer takes for one.

>>> from slugline.keras import activations
>>> activations.relu([-1.0, 2.0])
array([0., 2.], dtype=float32)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import absent, function_or_name, listed

__all__ = ["gelu", "get", "linear", "relu", "serialize", "sigmoid", "softmax", "tanh"]

#: The names of all activations.
NAMES = ("linear", "relu", "tanh", "sigmoid", "softmax", "gelu")

_erf = np.frompyfunc(math.erf, 1, 1)


def linear(x: ArrayLike) -> NDArray[np.float32]:
    """The argument itself."""
    return np.asarray(x, dtype=np.float32)


def relu(x: ArrayLike) -> NDArray[np.float32]:
    """``max(x, 0)``."""
    return np.maximum(linear(x), 0)


def tanh(x: ArrayLike) -> NDArray[np.float32]:
    """The hyperbolic tangent."""
    return np.tanh(linear(x))


def sigmoid(x: ArrayLike) -> NDArray[np.float32]:
    """``1 / (1 + exp(-x))``."""
    return (0.5 * (1 + np.tanh(0.5 * linear(x).astype(np.float64)))).astype(np.float32)


def softmax(x: ArrayLike, axis: int = -1) -> NDArray[np.float32]:
    """``exp(x)`` as shares of their sum along an axis.

    >>> from slugline.keras.activations import softmax
    >>> softmax([0.0, 0.0])
    array([0.5, 0.5], dtype=float32)
    """
    x = linear(x)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def gelu(x: ArrayLike, approximate: bool = False) -> NDArray[np.float32]:
    """``x`` times the normal distribution function of ``x``, in the exact form."""
    if approximate:
        raise ValueError("The approximate form of gelu is not supported. Expected: approximate=False")
    x = linear(x)
    erf = np.asarray(_erf(x.astype(np.float64) / math.sqrt(2)), dtype=np.float64)
    return np.asarray(x * 0.5 * (1 + erf), dtype=np.float32)


def get(identifier: Any) -> str:
    """The name of an activation given as ``None``, a name or one of the functions.

    >>> from slugline.keras import activations
    >>> activations.get(activations.relu)
    'relu'
    """
    if identifier is None:
        return "linear"
    name = function_or_name(identifier)
    if name not in NAMES:
        raise ValueError(
            f"Unknown activation: {identifier!r}. Supported are {listed(NAMES)}; "
            "functions of one's own are not"
        )
    return name


def serialize(activation: Any) -> str:
    """The name of an activation."""
    return get(activation)


__getattr__ = absent(__name__, "activations", NAMES)
