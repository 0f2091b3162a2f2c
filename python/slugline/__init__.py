"""A text classifier that is fast, exact and explains itself.

- :class:`Classifier`: texts and labels in, a model out that can be looked into, saved and shipped; loads
  the model files of the ``slugline`` command.
- :class:`SluglineClassifier`, :class:`SparseMLPClassifier` and :class:`TextVectorizer`: the same for
  scikit-learn's pipelines and searches. They need scikit-learn (``pip install 'slugline[sklearn]'``), which
  is imported when one of them is first asked for.
- :mod:`slugline.keras`: networks over sparse rows with Keras's names.

>>> import slugline
>>> texts = ["wheat and corn fell", "gold and silver rose", "corn prices fell", "silver at a high"] * 5
>>> model = slugline.Classifier.train(texts, ["grain", "metal", "grain", "metal"] * 5)
>>> model.predict(["corn rose"])
['grain']
"""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

from . import _slugline
from ._slugline import __version__

if TYPE_CHECKING:
    from . import keras as keras
    from ._classifier import Classifier, Explanation, Prediction
    from ._sparse_mlp import SparseMLPClassifier
    from ._text_classifier import SluglineClassifier
    from ._vectorizer import TextVectorizer

__all__ = [
    "Classifier",
    "Explanation",
    "Prediction",
    "SluglineClassifier",
    "SparseMLPClassifier",
    "TextVectorizer",
    "__version__",
    "keras",
    "settings",
]

#: Where each public name is, so that importing the package costs what is used of it.
_HOMES = {
    "Classifier": "._classifier",
    "Explanation": "._classifier",
    "Prediction": "._classifier",
    "SluglineClassifier": "._text_classifier",
    "SparseMLPClassifier": "._sparse_mlp",
    "TextVectorizer": "._vectorizer",
}


def settings(preset: str = "auto") -> dict[str, Any]:
    """Every setting of a preset (``auto``, ``text`` or ``notebook``) with its default.

    They have the names, the meaning and the defaults of the options of ``slugline train``. What ``auto``
    chooses by itself is left out.

    >>> import slugline
    >>> slugline.settings("notebook")["hidden"]
    [64, 64]
    >>> slugline.settings("text")["optimizer"]
    'adam'
    """
    return json.loads(_slugline.settings(preset))


def __getattr__(name: str) -> Any:
    if name == "keras":
        return importlib.import_module(".keras", __name__)
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(home, __name__)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sklearn":
            raise
        raise ModuleNotFoundError(
            f"slugline.{name} is a scikit-learn estimator, and scikit-learn is not installed; "
            "pip install 'slugline[sklearn]'",
            name="sklearn",
        ) from None
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
