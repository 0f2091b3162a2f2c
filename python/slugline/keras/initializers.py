"""Starting weights of a kernel.

Which numbers are drawn follows from :func:`slugline.keras.utils.set_random_seed` for the whole network.

>>> from slugline.keras import initializers
>>> initializers.get("he_normal")
<HeNormal>
"""

from __future__ import annotations

from typing import Any

from ._common import absent, config_of, listed, snake_case

__all__ = [
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Initializer", "RandomUniform", "Zeros",
    "get", "serialize",
]  # fmt: skip


class Initializer:
    """What all initializers have in common."""

    def _native(self) -> Any:
        """The native part's form of it."""
        return snake_case(type(self).__name__)

    def get_config(self) -> dict[str, Any]:
        """The settings."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initializer with these settings."""
        # What Keras writes down for kernels of other shapes.
        unused = ("input_axes", "output_axes")
        return cls(**{key: value for key, value in config.items() if key not in unused})

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class _Random(Initializer):
    def __init__(self, seed: int | None = None) -> None:
        if seed is not None:
            raise ValueError(
                f"{type(self).__name__}: a seed of its own is not supported. Expected seed=None. "
                f"Received: seed={seed!r}. One seed draws all weights of a network: "
                "keras.utils.set_random_seed()"
            )

    def get_config(self) -> dict[str, Any]:
        return {"seed": None}


class GlorotUniform(_Random):
    """Even in ±√(6 / (inputs + units)); the default."""


class GlorotNormal(_Random):
    """Normal with variance 2 / (inputs + units), cut off at two standard deviations."""


class HeUniform(_Random):
    """Even in ±√(6 / inputs)."""


class HeNormal(_Random):
    """Normal with variance 2 / inputs, cut off at two standard deviations."""


class RandomUniform(_Random):
    """Even between two values, which have to be as far from zero.

    >>> from slugline.keras.initializers import RandomUniform
    >>> RandomUniform(-0.1, 0.1).get_config()
    {'minval': -0.1, 'maxval': 0.1, 'seed': None}
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        if not (minval == -maxval and maxval > 0):
            raise ValueError(
                "RandomUniform: only ranges around zero are supported. Expected minval = -maxval. "
                f"Received: minval={minval}, maxval={maxval}"
            )
        self.minval, self.maxval = float(minval), float(maxval)

    def _native(self) -> Any:
        return {"random_uniform": {"limit": self.maxval}}

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": None}


class Zeros(Initializer):
    """All zero."""


_CLASSES = {
    cls.__name__: cls for cls in (GlorotUniform, GlorotNormal, HeUniform, HeNormal, RandomUniform, Zeros)
}
_BY_NAME = _CLASSES | {snake_case(name): cls for name, cls in _CLASSES.items()} | {"uniform": RandomUniform}


def get(identifier: Any) -> Initializer:
    """The initializer given as a name, a class, an object or the form in which Keras writes it down."""
    if isinstance(identifier, Initializer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    name, config = config_of(identifier) or (identifier, {})
    if not isinstance(name, str) or name not in _BY_NAME:
        raise ValueError(f"Unknown initializer: {identifier!r}. Supported are {listed(_CLASSES)}")
    return _BY_NAME[name].from_config(config)


def serialize(initializer: Initializer) -> dict[str, Any]:
    """The initializer in the form in which Keras writes it down."""
    return {"class_name": type(initializer).__name__, "config": initializer.get_config()}


glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
random_uniform, zeros = RandomUniform, Zeros

__getattr__ = absent(__name__, "initializers", _CLASSES)
