"""Callbacks with Keras's names, arguments and defaults.

>>> from slugline.keras import callbacks
>>> stopping = callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
>>> stopping.patience
2
"""

from __future__ import annotations

from .._common import absent
from ._base import Callback, History, LambdaCallback, TerminateOnNaN
from ._logging import CSVLogger, ProgbarLogger, TensorBoard
from ._steering import EarlyStopping, LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau

__all__ = [
    "CSVLogger", "Callback", "EarlyStopping", "History", "LambdaCallback", "LearningRateScheduler",
    "ModelCheckpoint", "ProgbarLogger", "ReduceLROnPlateau", "TensorBoard", "TerminateOnNaN",
]  # fmt: skip

__getattr__ = absent(__name__, "callbacks", __all__)
