"""A stack of layers with their weights: what a model is before it is trained."""

from __future__ import annotations

import json
import sys
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._slugline import Network
from . import _summary
from ._common import SEEDS, automatic_name, listed, refuse_settings, snake_case
from .layers import Activation, Dense, Dropout, InputLayer, Layer, deserialize, serialize

#: Methods of earlier versions, and what does the same.
_GONE = {
    "predict_classes": "np.argmax(model.predict(x), axis=-1)",
    "predict_proba": "model.predict(x)",
    "fit_generator": "model.fit(x, y)",
    "evaluate_generator": "model.evaluate(x, y)",
    "predict_generator": "model.predict(x)",
}

#: Kernel and bias of a layer; a bias may be empty.
Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


class Model:
    """What models have in common. Only :class:`Sequential` ones can be made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError(
            "The functional API and models of one's own are not supported. "
            "Expected: keras.Sequential([layers.Dense(...), ...])"
        )

    def _begin(self, layers: Sequence[Any] | None, name: str | None) -> None:
        """Sets up a stack of layers."""
        self.name = name or automatic_name(snake_case(type(self).__name__))
        self._layers: list[Layer] = []
        self._input: InputLayer | None = None
        self._width: int | None = None
        self._seed = SEEDS.next()
        self._network: Network | None = None
        #: Weights that layers had before others were added or taken away.
        self._earlier: dict[Layer, Pair] = {}
        for layer in layers or ():
            self.add(layer)

    def __getattr__(self, name: str) -> Any:
        hint = f". Use {_GONE[name]}" if name in _GONE else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")

    @property
    def layers(self) -> list[Layer]:
        """The layers, without that of the input."""
        return list(self._layers)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of a name, or at a place."""
        if (name is None) == (index is None):
            raise ValueError("Provide either a layer name or layer index at `get_layer`.")
        if index is not None:
            if not -len(self._layers) <= index < len(self._layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has "
                    f"{len(self._layers)} layers."
                )
            return self._layers[index]
        for layer in self._layers:
            if layer.name == name:
                return layer
        known = listed(layer.name for layer in self._layers) if self._layers else "none"
        raise ValueError(f"No such layer: {name}. Existing layers are: {known}.")

    def add(self, layer: Any) -> None:
        """Puts a layer on top.

        >>> from slugline import keras
        >>> model = keras.Sequential()
        >>> model.add(keras.layers.Dense(64, activation="relu", input_shape=(10000,)))
        >>> model.add(keras.layers.Dense(46, activation="softmax"))
        >>> model.count_params()
        643054
        """
        if not isinstance(layer, Layer):
            raise ValueError(
                "Only layers of slugline.keras.layers can be added to a Sequential model. Received: "
                f"{layer!r} (of type {type(layer)})"
            )
        if isinstance(layer, InputLayer):
            if self._layers or self._input is not None:
                raise ValueError("The input is the first of a model. Received: a second one, or one on top")
            self._input = layer
            self._width = layer._input_width
            return
        if layer._owner() is not None:
            raise ValueError(
                f"Layer {layer.name!r} is part of a model already, and layers cannot be shared: make another"
            )
        if any(other.name == layer.name for other in self._layers):
            raise ValueError(
                f"All layers added to a Sequential model should have unique names. Name {layer.name!r} is "
                "already the name of a layer in this model."
            )
        self._keep_weights()
        self._layers.append(layer)
        try:
            self._native_layers()
        except ValueError:
            self._layers.pop()
            raise
        if len(self._layers) == 1 and self._width is None:
            self._width = layer._input_width
        layer._model = weakref.ref(self)

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer away and returns it."""
        if not self._layers:
            raise ValueError("There are no layers in the model to take away.")
        self._keep_weights()
        layer = self._layers.pop()
        self._earlier.pop(layer, None)
        layer._model = None
        return layer

    def _keep_weights(self) -> None:
        """Lets the network go, which other layers are to make another one of."""
        if self._network is not None:
            self._earlier = dict(zip(self._dense, self._network.weights(), strict=True))
            self._network = None

    @property
    def _dense(self) -> list[Dense]:
        return [layer for layer in self._layers if isinstance(layer, Dense)]

    def _native_layers(self) -> list[dict[str, Any]]:
        """The layers as the native part knows them, where an activation belongs to its dense layer."""
        native: list[dict[str, Any]] = []
        for layer in self._layers:
            if isinstance(layer, Dense):
                native.append(layer._native(layer.activation))
            elif isinstance(layer, Dropout):
                native.append(layer._native())
            elif isinstance(layer, Activation) and layer.activation != "linear":
                last = native[-1]["config"] if native else {}
                if last.get("activation") != "linear":
                    raise ValueError(
                        f"Layer {layer.name!r}: an activation has to follow a Dense layer without one. "
                        "Expected: Dense(…), Activation(…)"
                    )
                last["activation"] = layer.activation
        return native

    @property
    def built(self) -> bool:
        """Whether the number of inputs is known."""
        return self._width is not None and bool(self._dense)

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights for samples of a width: ``build((None, 10000))``."""
        if input_shape is not None:
            if not isinstance(input_shape, Sequence) or len(input_shape) not in (1, 2):
                raise ValueError(
                    f"Expected input_shape to be (samples, features). Received: input_shape={input_shape!r}"
                )
            self._set_width(int(input_shape[-1]))
        self._built_network()

    def _set_width(self, width: int) -> None:
        if self._width is None:
            self._width = width
        elif self._width != width:
            raise ValueError(
                f"The model expects samples of {self._width} features. Received: {width} features"
            )

    def _built_network(self) -> Network:
        """The network, which is made when it is first needed."""
        if self._network is None:
            if self._width is None or not self._dense:
                raise ValueError(
                    "This model has not yet been built. Build the model first by calling `build()` or by "
                    "calling the model on a batch of data"
                    + ("" if self._layers else "; it has no layers")
                    + "."
                )
            network = Network(self._width, json.dumps(self._native_layers()), seed=self._seed)
            if self._earlier:
                weights = network.weights()
                for number, layer in enumerate(self._dense):
                    kernel, bias = self._earlier.get(layer, weights[number])
                    if kernel.shape == weights[number][0].shape:
                        weights[number] = (kernel, bias)
                network.set_weights(weights)
                self._earlier = {}
            self._network = network
        return self._network

    def _units_after(self, layer: Layer) -> int | None:
        units = self._width
        for other in self._layers:
            if isinstance(other, Dense):
                units = other.units
            if other is layer:
                break
        return units

    def _units_before(self, layer: Layer) -> int:
        units = self._width or 0
        for other in self._layers:
            if other is layer:
                break
            if isinstance(other, Dense):
                units = other.units
        return units

    def _pair_of(self, layer: Dense) -> Pair:
        return self._built_network().weights()[self._dense.index(layer)]

    @property
    def input_shape(self) -> tuple[None, int | None]:
        """Shape of the samples; ``None`` stands for their number."""
        return (None, self._width)

    @property
    def output_shape(self) -> tuple[None, int | None]:
        """Shape of the outputs; ``None`` stands for the number of samples."""
        return (None, self._dense[-1].units if self._dense else self._width)

    @property
    def trainable(self) -> bool:
        """Always so: models cannot be frozen."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not value:
            raise ValueError("Models cannot be frozen. Expected: trainable=True")

    def count_params(self) -> int:
        """Number of weights and biases."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. You "
                "can build it manually via: `layer.build(input_shape)`."
            )
        return sum(layer.count_params() for layer in self._layers)

    @property
    def weights(self) -> list[NDArray[np.float32]]:
        """As :meth:`get_weights`."""
        return self.get_weights() if self.built else []

    trainable_weights = weights

    def get_weights(self) -> list[NDArray[np.float32]]:
        """Copies of all weights: kernel, bias, kernel, bias, …

        >>> from slugline import keras
        >>> model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
        >>> [array.shape for array in model.get_weights()]
        [(5, 2), (2,)]
        """
        if not self.built:
            return []
        flat = []
        for layer, (kernel, bias) in zip(self._dense, self._built_network().weights(), strict=True):
            flat.extend([kernel, bias] if layer.use_bias else [kernel])
        return flat

    def _pairs(self, weights: Sequence[Any]) -> list[Pair]:
        """A flat list of weights as kernels and biases, each of the shape that it has to have."""
        network = self._built_network()
        expected = sum(1 + layer.use_bias for layer in self._dense)
        if len(weights) != expected:
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, but the layer was expecting {expected} weights."
            )
        given = iter(weights)
        pairs = []
        for layer, (kernel, bias) in zip(self._dense, network.weights(), strict=True):
            new_kernel = _like(layer, next(given), kernel)
            pairs.append((new_kernel, _like(layer, next(given), bias) if layer.use_bias else bias))
        return pairs

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Takes what :meth:`get_weights` gave; what the optimizer remembers stays."""
        self._built_network().set_weights(self._pairs(weights))

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: None = None,
    ) -> None:
        """Prints a table of the layers; ``print_fn`` takes it as one text.

        >>> from slugline import keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="d")], name="m")
        >>> model.summary(line_length=50)
        Model: "m"
        ┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━┓
        ┃ Layer (type)        ┃ Output Shape   ┃ Param # ┃
        ┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━┩
        │ d (Dense)           │ (None, 2)      │      10 │
        └─────────────────────┴────────────────┴─────────┘
         Total params: 10 (40.00 B)
         Trainable params: 10 (40.00 B)
         Non-trainable params: 0 (0.00 B)
        """
        refuse_settings("summary", {"layer_range": layer_range}, {"layer_range": None})
        text = _summary.table(self, line_length, positions, show_trainable)
        (print_fn or sys.stdout.write)(text)

    def get_config(self) -> dict[str, Any]:
        """Name and layers."""
        layers: list[Layer] = list(self._layers)
        if self._width is not None:
            first = self._input or InputLayer((self._width,), name="input_layer")
            first._input_width = self._width
            layers.insert(0, first)
        return {"name": self.name, "layers": [serialize(layer) for layer in layers]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: None = None) -> Any:
        """A model, with new weights, of these layers; also of what Keras itself wrote down.

        >>> from slugline import keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="m")
        >>> keras.Sequential.from_config(model.get_config()).name
        'm'
        """
        if custom_objects:
            raise ValueError("Objects of one's own are not supported. Expected custom_objects=None")
        model = cls([deserialize(layer) for layer in config["layers"]], name=config.get("name"))
        shape = config.get("build_input_shape")
        if shape and model._width is None:
            model._set_width(int(shape[-1]))
        return model

    def to_json(self, **kwargs: Any) -> str:
        """Name and layers as JSON; the arguments are those of ``json.dumps``."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _like(layer: Layer, given: Any, own: NDArray[np.float32]) -> NDArray[np.float32]:
    array = np.ascontiguousarray(given, dtype=np.float32)
    if array.shape != own.shape:
        raise ValueError(
            f"Layer {layer.name} weight shape {own.shape} is not compatible with provided weight shape "
            f"{array.shape}."
        )
    return array
