"""Networks over sparse rows with Keras's names.

Programs that train a stack of ``Dense`` and ``Dropout`` layers on vectors run with their import lines
changed: ``from slugline.keras import layers, models`` in place of ``from keras import layers, models``. A
sample costs what its numbers that are not zero cost; results are the same on every run and machine. What
there is not (other layers, functions of one's own, the functional API) is refused with a sentence that
says what there is.

>>> import numpy as np
>>> from slugline import keras
>>> model = keras.Sequential([
...     keras.Input(shape=(4,)),
...     keras.layers.Dense(8, activation="relu"),
...     keras.layers.Dense(2, activation="softmax"),
... ])
>>> model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
>>> history = model.fit(np.eye(4), [0, 1, 0, 1], epochs=3, verbose=0)
>>> len(history.history["loss"])
3
"""

from __future__ import annotations

from .. import __version__
from . import (
    activations,
    backend,
    callbacks,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)
from .layers import Input, Layer
from .models import Model, Sequential, from_keras

__all__ = [
    "Input", "Layer", "Model", "Sequential", "__version__", "activations", "backend", "callbacks", "datasets",
    "from_keras", "initializers", "layers", "losses", "metrics", "models", "optimizers", "regularizers", "utils",
]  # fmt: skip
