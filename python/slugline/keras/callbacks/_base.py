"""The base class of callbacks, and small callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._stack import Model

Logs = dict[str, Any]

#: Hooks of which a callback that has them has to hear at every batch.
BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


class Callback:
    """What hears of a training, and may steer it; the base of callbacks of one's own.

    At the end of an epoch ``self.model`` has its weights: ``evaluate``, ``predict``, ``get_weights``,
    ``set_weights`` and ``save`` do what they say, ``self.model.stop_training = True`` ends the training,
    and a new ``self.model.optimizer.learning_rate`` holds from the next epoch on. While an epoch runs, the
    model has the weights of the one before, a batch is told of after its step (with the mean loss so far),
    and ``stop_training`` takes effect at the epoch's end.

    >>> from slugline.keras.callbacks import Callback
    >>> class Count(Callback):
    ...     epochs = 0
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         self.epochs += 1
    """

    params: dict[str, Any]

    def __init__(self) -> None:
        self.params = {}
        self._model: Model | None = None

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return getattr(self, "_model", None)

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes ``verbose``, ``epochs`` and ``steps`` of the training."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Takes the model."""
        self._model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch, counted from 0, its validation included."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of :meth:`on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of :meth:`on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Told, with :meth:`on_train_batch_end`, of every step, counted from 0."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After every step, counted from 0."""
        self.on_batch_end(batch, logs=logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before ``evaluate``."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After ``evaluate``."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Never called: ``evaluate`` has no batches here."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Never called: ``evaluate`` has no batches here."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before ``predict``."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After ``predict``."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Never called: ``predict`` has no batches here."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Never called: ``predict`` has no batches here."""

    def _hears_batches(self) -> bool:
        own = vars(self)
        return any(
            name in own or getattr(type(self), name) is not getattr(Callback, name) for name in BATCH_HOOKS
        )


class LambdaCallback(Callback):
    """A callback of functions, each under the name of the hook that it is.

    >>> from slugline.keras.callbacks import LambdaCallback
    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch))
    >>> callback.on_epoch_end(0, {})
    0
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Callable[..., Any],
    ) -> None:
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        } | kwargs
        for name, hook in hooks.items():
            if not (name.startswith("on_") and hasattr(Callback, name)):
                raise ValueError(f"LambdaCallback: {name} is no hook of a callback")
            if hook is not None:
                setattr(self, name, hook)


def other_name(key: str) -> str:
    """The other name of a score: ``acc`` is ``accuracy``, ``lr`` is ``learning_rate``."""
    prefix = "val_" if key.startswith("val_") else ""
    others = {"acc": "accuracy", "accuracy": "acc", "lr": "learning_rate"}
    return prefix + others.get(key[len(prefix) :], "")


class Scores(dict[str, Any]):
    """Scores by name, that also answer to the other name of ``acc`` and ``accuracy``.

    >>> from slugline.keras.callbacks._base import Scores
    >>> scores = Scores(val_accuracy=0.5)
    >>> scores["val_acc"], scores.get("val_acc"), list(scores)
    (0.5, 0.5, ['val_accuracy'])
    """

    def __missing__(self, key: str) -> Any:
        other = other_name(key)
        if dict.__contains__(self, other):
            return dict.__getitem__(self, other)
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default


class History(Callback):
    """What ``fit`` gives back: ``history`` with a list for each score, one value an epoch, and the epochs.

    ``history`` answers to ``acc`` and to ``accuracy``, whichever ``compile`` was given.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = Scores()
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)


class TerminateOnNaN(Callback):
    """Ends the training quietly where the loss is no number any more, with the weights of the last good
    epoch; without it, ``fit`` raises ``FloatingPointError``. With ``raise_error`` a ``RuntimeError`` is
    raised."""

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def _diverged(self, error: FloatingPointError) -> None:
        if self.raise_error:
            raise RuntimeError(f"NaN or Inf loss encountered. {error}") from error
        print(f"Invalid loss, terminating training: {error}")
        self.model.stop_training = True
