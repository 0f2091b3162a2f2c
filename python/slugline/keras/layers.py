"""Layers with Keras's names, arguments and defaults.

>>> from slugline.keras import layers
>>> layer = layers.Dense(64, activation="relu", input_shape=(10000,), name="first")
>>> layer
<Dense name=first, built=False>
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from . import activations, initializers, regularizers
from ._common import (
    absent,
    automatic_name,
    config_of,
    listed,
    refuse_settings,
    refuse_unknown,
    snake_case,
    whole_number,
)

if TYPE_CHECKING:
    from ._stack import Model

__all__ = ["Activation", "Dense", "Dropout", "Input", "InputLayer", "Layer", "ReLU", "Softmax"]

_DTYPES = (None, "float32", np.float32)


def _check_dtype(what: str, dtype: Any) -> None:
    config = config_of(dtype)
    if config is not None:
        dtype = config[1].get("name")
    if dtype not in _DTYPES:
        raise ValueError(f"{what}: networks compute in float32. Received: dtype={dtype!r}")


def _width_of(what: str, shape: Any) -> int | None:
    """The number of features in a shape without the batch, or ``None`` for one still to be found."""
    if hasattr(shape, "__index__"):
        return whole_number("shape", shape)
    if not isinstance(shape, Sequence) or isinstance(shape, str) or len(shape) != 1:
        raise ValueError(
            f"{what}: samples are rows of features. Expected a shape with one number, such as (10000,). "
            f"Received: shape={shape!r}"
        )
    return None if shape[0] is None else whole_number("shape", shape[0])


class Layer:
    """What all layers have in common; made by the classes below."""

    def __init__(self, name: str | None, kwargs: dict[str, Any]) -> None:
        what = type(self).__name__
        self._input_width: int | None = None
        if "input_dim" in kwargs:
            self._input_width = _width_of(what, kwargs.pop("input_dim"))
        if "input_shape" in kwargs:
            self._input_width = _width_of(what, kwargs.pop("input_shape"))
        if "batch_input_shape" in kwargs:
            self._input_width = _width_of(what, tuple(kwargs.pop("batch_input_shape"))[1:])
        _check_dtype(what, kwargs.pop("dtype", None))
        if not kwargs.pop("trainable", True):
            _refuse_frozen()
        refuse_unknown(what, kwargs)
        self.name = name or automatic_name(snake_case(what))
        self._model: weakref.ref[Model] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            f"The functional API is not supported: layer {self.name!r} cannot be called on inputs. "
            "Expected: keras.Sequential([layers.Dense(...), ...])"
        )

    def _owner(self) -> Model | None:
        return self._model() if self._model is not None else None

    @property
    def built(self) -> bool:
        """Whether the width of the input is known."""
        model = self._owner()
        return model is not None and model.built

    @property
    def trainable(self) -> bool:
        """Always so: layers cannot be frozen."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not value:
            _refuse_frozen()

    @property
    def _units_out(self) -> int | None:
        """Number of outputs a sample; ``None`` while that of the inputs is not known."""
        model = self._owner()
        return model._units_after(self) if model is not None else None

    @property
    def output_shape(self) -> tuple[None, int | None]:
        """Shape of the outputs; ``None`` stands for the samples."""
        return (None, self._units_out)

    @property
    def weights(self) -> list[NDArray[np.float32]]:
        """As :meth:`get_weights`."""
        return self.get_weights() if self.built else []

    trainable_weights = weights

    def get_weights(self) -> list[NDArray[np.float32]]:
        """Copies of kernel and bias; nothing for a layer without."""
        return []

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Takes what :meth:`get_weights` gave."""
        if len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, but the layer was expecting 0 weights."
            )

    def count_params(self) -> int:
        """Number of weights and biases."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """The settings."""
        return {"name": self.name, "trainable": True, "dtype": "float32"}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """The layer with these settings."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _refuse_frozen() -> NoReturn:
    raise ValueError("Layers cannot be frozen. Expected: trainable=True")


class Dense(Layer):
    """A fully connected layer: ``activation(x · kernel + bias)``.

    Of Keras's arguments, biases start at zero and have no penalty, and constraints and activity penalties
    are refused.
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: int | None = None,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("quantization_config", None)
        super().__init__(name, kwargs)
        self.units = whole_number("units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        if initializers.get(bias_initializer) != initializers.Zeros():
            raise ValueError(f"Biases start at zero. Received: bias_initializer={bias_initializer!r}")
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        refused = {
            "bias_regularizer": bias_regularizer,
            "activity_regularizer": activity_regularizer,
            "kernel_constraint": kernel_constraint,
            "bias_constraint": bias_constraint,
            "lora_rank": lora_rank,
            "lora_alpha": lora_alpha,
        }
        refuse_settings("Dense", refused, dict.fromkeys(refused), "There is kernel_regularizer.")

    def _native(self, activation: str) -> dict[str, Any]:
        config: dict[str, Any] = {
            "units": self.units,
            "activation": activation,
            "use_bias": self.use_bias,
            "kernel_initializer": self.kernel_initializer._native(),
        }
        if self.kernel_regularizer is not None:
            config["kernel_regularizer"] = self.kernel_regularizer._native()
        return {"class_name": "Dense", "config": config}

    def _built_model(self) -> Model:
        model = self._owner()
        if model is None or not model.built:
            raise ValueError(
                f"Layer '{self.name}' has no weights yet: the number of inputs is not known. Give it with "
                "keras.Input(shape=(…,)), or build(), fit() or predict() first"
            )
        return model

    @property
    def kernel(self) -> NDArray[np.float32]:
        """A copy of the weights, of shape ``(inputs, units)``."""
        return self._built_model()._pair_of(self)[0]

    @property
    def bias(self) -> NDArray[np.float32] | None:
        """A copy of the biases, of shape ``(units,)``."""
        return self._built_model()._pair_of(self)[1] if self.use_bias else None

    def get_weights(self) -> list[NDArray[np.float32]]:
        kernel, bias = self._built_model()._pair_of(self)
        return [kernel, bias] if self.use_bias else [kernel]

    def set_weights(self, weights: Sequence[Any]) -> None:
        model = self._built_model()
        all_of_them: list[Any] = []
        for layer in model.layers:
            all_of_them.extend(weights if layer is self else layer.get_weights())
        expected = 2 if self.use_bias else 1
        if len(weights) != expected:
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, but the layer was expecting {expected} weights."
            )
        model.set_weights(all_of_them)

    def count_params(self) -> int:
        model = self._built_model()
        inputs = model._units_before(self)
        return (inputs + self.use_bias) * self.units

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "units": self.units,
            "activation": self.activation,
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(initializers.Zeros()),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": None,
            "kernel_constraint": None,
            "bias_constraint": None,
        }


class Dropout(Layer):
    """Sets a share of its inputs to zero while training; stands before a ``Dense``."""

    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, kwargs)
        if not 0 <= rate < 1:
            raise ValueError(
                "Invalid value received for argument `rate`. Expected a float from 0 up to but not "
                f"including 1. Received: rate={rate}"
            )
        refuse_settings(
            "Dropout",
            {"noise_shape": noise_shape, "seed": seed},
            {"noise_shape": None, "seed": None},
            "One seed settles all: keras.utils.set_random_seed().",
        )
        self.rate = float(rate)

    def _native(self) -> dict[str, Any]:
        return {"class_name": "Dropout", "config": {"rate": self.rate}}

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"rate": self.rate, "seed": None, "noise_shape": None}


class Activation(Layer):
    """The activation of the ``Dense`` that it follows, as a layer of its own."""

    def __init__(self, activation: Any, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, kwargs)
        self.activation = activations.get(activation)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"activation": self.activation}


class ReLU(Activation):
    """The activation relu as a layer of its own."""

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__("relu", name=name or automatic_name("re_lu"), **kwargs)
        given = {"max_value": max_value, "negative_slope": negative_slope, "threshold": threshold}
        refuse_settings("ReLU", given, {"max_value": None, "negative_slope": 0.0, "threshold": 0.0})

    def get_config(self) -> dict[str, Any]:
        return Layer.get_config(self)


class Softmax(Activation):
    """The activation softmax as a layer of its own."""

    def __init__(self, axis: int = -1, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__("softmax", name=name, **kwargs)
        refuse_settings("Softmax", {"axis": axis}, {"axis": -1})

    def get_config(self) -> dict[str, Any]:
        return Layer.get_config(self)


class InputLayer(Layer):
    """Says how many features a sample has; stands first, if at all."""

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("optional", None)
        # Samples may be of any type of number, sparse or dense.
        super().__init__(
            name or automatic_name("input_layer"), {k: v for k, v in kwargs.items() if v is not None}
        )
        if batch_shape is not None:
            shape = tuple(batch_shape)[1:]
        if shape is not None:
            self._input_width = _width_of("Input", shape)
        if ragged:
            raise ValueError("Ragged samples are not supported. Expected rows of the same width")

    @property
    def shape(self) -> tuple[None, int | None]:
        """Shape of the samples; ``None`` stands for their number."""
        return (None, self._input_width)

    def get_config(self) -> dict[str, Any]:
        return {"batch_shape": [None, self._input_width], "dtype": "float32", "name": self.name}


def Input(  # noqa: N802
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    *,
    name: str | None = None,
    **kwargs: Any,
) -> InputLayer:
    """The input of a ``Sequential``.

    >>> from slugline import keras
    >>> keras.Input(shape=(10000,)).shape
    (None, 10000)
    """
    return InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, name=name, **kwargs)


_CLASSES = {cls.__name__: cls for cls in (Dense, Dropout, Activation, ReLU, Softmax, InputLayer)}


def serialize(layer: Layer) -> dict[str, Any]:
    """The layer in the form in which Keras writes it down."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def deserialize(config: dict[str, Any]) -> Layer:
    """The layer that :func:`serialize`, or Keras, wrote down."""
    name, settings = config_of(config) or (None, {})
    if name not in _CLASSES:
        raise ValueError(f"Unknown layer: {name!r}. Supported are {listed(_CLASSES)}")
    return _CLASSES[name].from_config(settings)


__getattr__ = absent(__name__, "layers", _CLASSES)
