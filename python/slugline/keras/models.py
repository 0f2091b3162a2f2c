"""Networks over sparse rows with Keras's names.

>>> import numpy as np
>>> from slugline.keras import layers, models
>>> model = models.Sequential([layers.Dense(8, activation="relu"), layers.Dense(2, activation="softmax")])
>>> model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["acc"])
>>> history = model.fit(np.eye(4), [0, 1, 0, 1], epochs=3, verbose=0)
>>> sorted(history.history)
['acc', 'loss']
>>> model.predict(np.eye(4), verbose=0).shape
(4, 2)
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from typing import Any

from . import _archive, _saving
from ._sequential import Sequential
from ._stack import Model

__all__ = [
    "Model", "Sequential", "clone_model", "from_keras", "load_model", "model_from_json", "save_model",
]  # fmt: skip


def save_model(model: Sequential, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """As :meth:`Sequential.save`."""
    model.save(filepath, overwrite=overwrite)


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Sequential:
    """The model that :meth:`Sequential.save` wrote, or Keras to a ``.keras`` archive.

    Without ``compile`` it has to be compiled to go on, and so it has, with a warning, where an archive of
    Keras's names an optimizer, loss or metric that is not supported.

    Nothing in a file is executed, whatever ``safe_mode`` says.
    """
    if custom_objects:
        raise ValueError("Objects of one's own are not supported. Expected custom_objects=None")
    if _saving.is_archive(filepath):
        with open(filepath, "rb") as file:
            return _archive.from_bytes(file.read(), compile, Sequential)
    header, arrays = _saving.read(filepath)
    if header.get("kind") != "model":
        raise ValueError(f"{os.fspath(filepath)}: has weights alone. Expected: model.load_weights()")
    if not compile:
        header = header | {"compile": None, "progress": None}
    try:
        model: Sequential = Sequential._of_state((header, arrays))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{os.fspath(filepath)}: is not complete: {error}") from None
    return model


def from_keras(source: Any, compile: bool = True) -> Sequential:
    """The same network as a model of Keras: a live one, or the ``.keras`` archive that it was saved to.

    The way back is :meth:`Sequential.save` to a name that ends in ``.keras``.

    >>> import os, tempfile
    >>> from slugline.keras import layers, models
    >>> path = os.path.join(tempfile.mkdtemp(), "small.keras")
    >>> models.Sequential([layers.Input((4,)), layers.Dense(3)]).save(path)
    >>> models.from_keras(path).layers[0].units
    3
    """
    if isinstance(source, (str, os.PathLike)):
        return load_model(source, compile=compile)
    if not hasattr(source, "save"):
        raise TypeError(f"Expected a model of Keras or the name of a file. Received: {type(source).__name__}")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        source.save(path)
        return load_model(path, compile=compile)


def model_from_json(json_string: str, custom_objects: None = None) -> Sequential:
    """The model, with new weights, that ``to_json`` of this library or of Keras described.

    >>> from slugline.keras import layers, models
    >>> model = models.Sequential([layers.Dense(3)], name="small")
    >>> models.model_from_json(model.to_json()).layers[0].units
    3
    """
    if custom_objects:
        raise ValueError("Objects of one's own are not supported. Expected custom_objects=None")
    described = json.loads(json_string)
    if not isinstance(described, dict) or described.get("class_name") != "Sequential":
        name = described.get("class_name") if isinstance(described, dict) else described
        raise ValueError(f"Expected the JSON of a Sequential model. Received: class_name={name!r}")
    model: Sequential = Sequential.from_config(described["config"])
    return model


def clone_model(
    model: Sequential,
    input_tensors: None = None,
    clone_function: Callable[..., Any] | None = None,
) -> Sequential:
    """A model of the same layers with new weights, not compiled.

    >>> from slugline.keras import layers, models
    >>> model = models.Sequential([layers.Dense(3)])
    >>> models.clone_model(model).layers[0].units
    3
    """
    if input_tensors is not None or clone_function is not None:
        raise ValueError("Expected input_tensors=None and clone_function=None: layers are copied as they are")
    copy: Sequential = type(model).from_config(model.get_config())
    return copy
