"""Labels, seeds and pictures.

>>> from slugline.keras.utils import to_categorical
>>> to_categorical([1, 0])
array([[0., 1.],
       [1., 0.]])
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._progress import Picture, draw, in_notebook
from .. import _common
from . import np_utils
from .np_utils import normalize, to_categorical

if TYPE_CHECKING:
    from ..models import Sequential

__all__ = ["clear_session", "normalize", "np_utils", "plot_model", "set_random_seed", "to_categorical"]


def set_random_seed(seed: int) -> None:
    """Settles all that is random in the models made from here on, and in ``random`` and NumPy.

    Each model that follows has other weights; after the same seed, the same ones. Without this function
    it is as if the seed were 0 at the start of the program.

    >>> from slugline import keras
    >>> keras.utils.set_random_seed(812)
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"Expected seed to be an integer from 0 to 2^32 - 1. Received: seed={seed!r}")
    random.seed(int(seed))
    np.random.seed(int(seed))
    _common.SEEDS.set(int(seed))


def clear_session(free_memory: bool = True) -> None:
    """Starts the numbering of layers and models without a name anew."""
    _common.forget_names()


def plot_model(
    model: Sequential,
    to_file: str | os.PathLike[str] | None = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    *,
    theme: str = "light",
    **kwargs: Any,
) -> Picture:
    """Draws the layers of a model, as SVG or PNG by the ending of ``to_file``; in a notebook it is shown.

    Nothing else needs to be installed. What to show and how is settled: units, activations and numbers of
    parameters; the arguments that say so in Keras are accepted. ``theme`` is ``"light"`` or ``"dark"``.
    """
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the "
            "model on a batch of data."
        )
    network = model._built_network()

    def picture(format: str) -> bytes:
        return network.plot(model.name, format=format, theme=theme)

    return draw(picture, to_file, "png" if to_file is None and in_notebook() else None)


__getattr__ = _common.absent(__name__, "utilities", __all__)
