"""A training that callbacks follow and steer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .callbacks import Callback, History, ProgbarLogger, TerminateOnNaN
from .callbacks._base import Scores

if TYPE_CHECKING:
    from ._sequential import Sequential


class Callbacks:
    """Callbacks that are told of everything in their order."""

    def __init__(
        self,
        callbacks: Any,
        model: Sequential,
        *,
        params: dict[str, Any] | None = None,
        fitting: bool = False,
    ) -> None:
        given = _flat(callbacks)
        for callback in given:
            if not isinstance(callback, Callback):
                raise ValueError(
                    f"Expected callbacks to be objects of slugline.keras.callbacks. Received: {callback!r}"
                )
        self.all: list[Callback] = given
        self.history = self._one_of(History, fitting)
        verbose = bool(params and params["verbose"])
        self.progress = self._one_of(ProgbarLogger, fitting and verbose)
        for callback in self.all:
            callback.set_model(model)
            if params is not None:
                callback.set_params(params)

    def _one_of(self, kind: type[Any], wanted: bool) -> Any:
        """The callback of a kind; one that is wanted and was not given comes last."""
        found = next((callback for callback in self.all if isinstance(callback, kind)), None)
        if found is None and wanted:
            found = kind()
            self.all.append(found)
        return found

    def tell(self, hook: str, *args: Any) -> None:
        """Calls a hook of all callbacks."""
        for callback in self.all:
            getattr(callback, hook)(*args)

    def diverged(self, error: FloatingPointError) -> bool:
        """Whether a callback takes care of it that the loss is no number any more."""
        found = next((callback for callback in self.all if isinstance(callback, TerminateOnNaN)), None)
        if found is not None:
            found._diverged(error)
        return found is not None


def _flat(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [callback for part in callbacks for callback in _flat(part)]
    return [callbacks]


class Training:
    """What the native part tells of epochs and batches, passed on, and the answers.

    The beginning of the next epoch is told at the end of the one before, while the model has its weights.
    """

    def __init__(
        self,
        model: Sequential,
        callbacks: Callbacks,
        *,
        first: int,
        epochs: int,
        steps: int,
        validation_freq: int | Sequence[int],
    ) -> None:
        self.model = model
        self.callbacks = callbacks
        self.history: History = callbacks.history
        #: The epoch that is trained, counted from 0.
        self.epoch = first
        self.epochs = epochs
        self.steps = steps
        self.validated = _validated(validation_freq)
        self.hears_batches = any(callback._hears_batches() for callback in callbacks.all)

    @property
    def left(self) -> int:
        """Epochs still to train."""
        return max(self.epochs - self.epoch, 0)

    def begin(self, _epoch: int) -> float | None:
        return self.model._new_rate()

    def batch(self, _epoch: int, step: int, _steps: int, _samples: int, loss: float) -> None:
        logs = Scores(loss=loss)
        if self.hears_batches:
            for callback in self.callbacks.all:
                callback.on_train_batch_begin(step - 1, Scores())
                callback.on_train_batch_end(step - 1, logs)
        if self.callbacks.progress is not None:
            self.callbacks.progress._show(step, logs)

    def end(self, _epoch: int, found: dict[str, float]) -> bool:
        model = self.model
        model.optimizer.iterations += self.steps
        logs = model._scores(found)
        if not self.validated(self.epoch + 1):
            logs = {key: value for key, value in logs.items() if not key.startswith("val_")}
        self.callbacks.tell("on_epoch_end", self.epoch, Scores(sorted(logs.items())))
        self.epoch += 1
        if model.stop_training or not self.left:
            return True
        self.callbacks.tell("on_epoch_begin", self.epoch, Scores())
        # Other weights are trained on from by a new start.
        return model._given_weights is not None


def _validated(freq: int | Sequence[int]) -> Callable[[int], bool]:
    """Whether an epoch, counted from 1, is validated."""
    if isinstance(freq, Iterable):
        chosen = set(freq)
        return lambda epoch: epoch in chosen
    if isinstance(freq, bool) or not isinstance(freq, int) or freq < 1:
        raise ValueError(
            f"Expected `validation_freq` to be a list or int of at least 1. Received: validation_freq={freq}"
        )
    return lambda epoch: epoch % freq == 0


class Quiet:
    """Tells the native part the learning rate, and nobody anything."""

    def __init__(self, model: Sequential) -> None:
        self.model = model

    def begin(self, _epoch: int) -> float | None:
        return self.model._new_rate()

    def batch(self, *_report: float) -> None:
        pass

    def end(self, _epoch: int, _logs: dict[str, float]) -> bool:
        return False
