"""The model that is compiled, trained, evaluated and saved."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._slugline import Network, Rows
from . import _archive, _data, _saving, losses, optimizers
from . import metrics as metrics_module
from ._common import refuse_settings, whole_number
from ._stack import Model
from ._training import Callbacks, Quiet, Training
from .callbacks import History
from .callbacks._base import Scores
from .callbacks._logging import Progress
from .losses import Loss
from .metrics import Metric

#: Samples a step where nothing is said.
_BATCH = 32


class Sequential(Model):
    """A stack of ``Dense`` and ``Dropout`` layers over sparse (or dense) rows.

    What a step costs follows the numbers that are not zero: dense arrays are made sparse on entry. The
    result is the same, to the last bit, on any number of cores.

    >>> import numpy as np
    >>> from slugline import keras
    >>> model = keras.Sequential([
    ...     keras.layers.Dense(8, activation="relu"),
    ...     keras.layers.Dense(2, activation="softmax"),
    ... ])
    >>> model.compile("rmsprop", "categorical_crossentropy", ["accuracy"])
    >>> x, y = np.eye(4), keras.utils.to_categorical([0, 1, 0, 1])
    >>> history = model.fit(x, y, epochs=2, verbose=0)
    >>> history.epoch
    [0, 1]
    """

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        self._begin(layers, name)
        self.trainable = trainable
        self.optimizer: Any = None
        #: Whether the training is to end with the epoch; callbacks set it.
        self.stop_training = False
        #: What the last ``fit`` returned.
        self.history: History | None = None
        self._loss: Loss | None = None
        self._metrics: list[Metric] = []
        #: What the native part was told of optimizer, loss and metrics, without a constant rate.
        self._told: tuple[Network, str, str, str] | None = None
        self._told_rate: float | None = None
        #: The native part's name of each metric.
        self._keys: dict[str, str] = {}
        #: An optimizer's memory that was read from a file.
        self._progress: tuple[int, int, list[Any]] | None = None
        self._training = False
        self._given_weights: list[Any] | None = None

    # --- compile

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Settles how to train and what to report; an earlier optimizer's memory is forgotten.

        >>> from slugline import keras
        >>> model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
        >>> model.compile(keras.optimizers.RMSprop(lr=0.001), "binary_crossentropy", ["accuracy"])
        >>> model.optimizer.learning_rate
        0.001
        """
        if self._training:
            raise RuntimeError("compile() cannot be called while the model is trained")
        if metrics is None and loss_weights and not isinstance(loss_weights, (int, float, dict)):
            # Their place in the order of arguments of Keras 2; a single output has no use for weights.
            metrics, loss_weights = loss_weights, None
        refused = {"loss_weights": loss_weights, "weighted_metrics": weighted_metrics}
        refuse_settings("compile", refused, dict.fromkeys(refused))
        self._metrics = _metrics_of(metrics)
        self._loss = losses.get(loss)
        self.optimizer = optimizers.get(optimizer)
        self._told = None
        self._progress = None

    @property
    def compiled(self) -> bool:
        """Whether :meth:`compile` was called."""
        return self.optimizer is not None

    @property
    def loss(self) -> Loss | None:
        """The loss of :meth:`compile`."""
        return self._loss

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of :meth:`compile`."""
        return list(self._metrics)

    @property
    def metrics_names(self) -> list[str]:
        """Names of what :meth:`evaluate` returns."""
        return ["loss", *(metric.name for metric in self._metrics)]

    def _checked_loss(self, before: str) -> Loss:
        if self.optimizer is None:
            raise ValueError(f"You must call `compile()` before calling `{before}()`.")
        if self._loss is None:
            raise ValueError("No loss to compute. Provide a `loss` argument in `compile()`.")
        return self._loss

    def _ready(self, before: str) -> Network:
        """The network, told what :meth:`compile` settled."""
        loss = self._checked_loss(before)
        network = self._built_network()
        units = self._dense[-1].units
        native = [metric._native(loss, units) for metric in self._metrics]
        self._keys = {m.name: key for m, (_, key) in zip(self._metrics, native, strict=True)}
        forms = {key: form for form, key in native}
        optimizer = self.optimizer._native()
        rate = optimizer["learning_rate"].get("constant")
        steady = dict(optimizer, learning_rate={}) if rate is not None else optimizer
        settings = [json.dumps(part) for part in (loss._native(), list(forms.values()))]
        told = (network, json.dumps(steady), settings[0], settings[1])
        if self._told != told and not self._training:
            # The optimizer goes on where it stood unless compile() was called, or it is another.
            progress, kind = self._progress, f'"name": "{optimizer["name"]}"'
            if self._told is not None and self._told[0] is network and kind in self._told[1]:
                progress = network.progress()
            try:
                network.compile(json.dumps(optimizer), *settings)
            except ValueError:
                self._told = None
                raise
            if progress is not None:
                network.set_progress(*progress)
            self._progress = None
            self._told, self._told_rate = told, rate
        return network

    def _new_rate(self) -> float | None:
        """A learning rate that the native part has not been told yet."""
        rate = self.optimizer._learning_rate
        if not isinstance(rate, float) or rate == self._told_rate:
            return None
        self._told_rate = rate
        return rate

    def _scores(self, found: dict[str, float]) -> dict[str, float]:
        """The native part's scores under the names that ``compile`` was given."""
        scores = {}
        for prefix in ("", "val_"):
            if f"{prefix}loss" in found:
                scores[f"{prefix}loss"] = found[f"{prefix}loss"]
                for name, key in self._keys.items():
                    scores[prefix + name] = found[prefix + key]
        return scores

    # --- data

    def _rows(self, x: Any) -> Rows:
        first = self._layers[0].name if self._layers else self.name
        rows = _data.rows_of(x, first, self._width)
        self._set_width(rows.shape[1])
        return rows

    def _data(self, x: Any, y: Any, before: str) -> tuple[Rows, NDArray[Any]]:
        loss = self._checked_loss(before)
        if x is None:
            raise ValueError(f"Expected x to be the samples of {before}(). Received: x=None")
        if not self._dense:
            raise ValueError("The model has no layers. Expected at least one Dense layer")
        rows = self._rows(x)
        return rows, _data.targets_of(y, loss, self._dense[-1].units, len(rows))

    # --- training

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: None = None,
        validation_steps: None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Trains; a second call goes on where the first one ended.

        ``x`` is an array of any numbers, a SciPy sparse matrix, a data frame or a list of rows; ``y`` one-hot
        rows or integers, as the loss takes them. Where the loss is no number any more,
        ``FloatingPointError`` says what to do, and the model has the weights of the last good epoch.
        """
        if self._training:
            raise RuntimeError("fit() cannot be called while the model is trained")
        refused = {"steps_per_epoch": steps_per_epoch, "validation_steps": validation_steps}
        refuse_settings("fit", refused, dict.fromkeys(refused), "All samples are used in each epoch.")
        rows, targets = self._data(x, y, "fit")
        size = whole_number("batch_size", _BATCH if batch_size is None else batch_size)
        epochs = whole_number("epochs", epochs, 0)
        network = self._ready("fit")
        loss, units = self._checked_loss("fit"), self._dense[-1].units
        trained = len(rows)
        options: dict[str, Any] = {}
        if validation_data is not None:
            name = self._layers[0].name
            options["validation"] = _data.validation_of(
                validation_data, loss, name, int(self._width or 0), units
            )
        elif validation_split:
            trained = int(len(rows) * (1.0 - validation_split))
            options["validation_split"] = float(validation_split)
        options["sample_weight"] = _data.weights_of(sample_weight, class_weight, targets, trained)
        steps = -(-trained // size)
        params = {"verbose": _verbosity(verbose), "epochs": epochs, "steps": steps}
        told = Callbacks(callbacks, self, params=params, fitting=True)
        training = Training(
            self, told, first=initial_epoch, epochs=epochs, steps=steps, validation_freq=validation_freq
        )
        self.stop_training = False
        self.history = training.history
        told.tell("on_train_begin", Scores())
        if training.left:
            told.tell("on_epoch_begin", training.epoch, Scores())
        while training.left and not self.stop_training:
            self._run(network, rows, targets, training, size, bool(shuffle), options)
        told.tell("on_train_end", Scores())
        return training.history

    def _run(
        self,
        network: Network,
        rows: Rows,
        targets: NDArray[Any],
        training: Training,
        size: int,
        shuffle: bool,
        options: dict[str, Any],
    ) -> None:
        """Trains until the last epoch, or until a callback stops it or sets other weights."""
        self._training, self._given_weights = True, None
        try:
            network.fit(
                rows,
                targets,
                epochs=training.left,
                batch_size=size,
                shuffle=shuffle,
                listener=training,
                every_batch=training.hears_batches,
                **options,
            )
        except FloatingPointError as error:
            if not training.callbacks.diverged(error):
                raise
            self.stop_training = True
        except BaseException:
            # The native part is where it was before this start.
            self._told_rate = None
            raise
        finally:
            self._training = False
            if self._given_weights is not None:
                network.set_weights(self._pairs(self._given_weights))
                self._given_weights = None

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Takes what :meth:`get_weights` gave; what the optimizer remembers stays. In a callback at the end
        of an epoch, the training goes on from them."""
        super().set_weights(weights)
        if self._training:
            self._given_weights = list(weights)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Makes one step on all samples given, and returns their scores before it."""
        if self._training:
            raise RuntimeError("train_on_batch() cannot be called while the model is trained")
        rows, targets = self._data(x, y, "train_on_batch")
        network = self._ready("train_on_batch")
        weights = _data.weights_of(sample_weight, class_weight, targets, len(rows))
        found = network.fit(
            rows,
            targets,
            epochs=1,
            batch_size=max(len(rows), 1),
            shuffle=False,
            sample_weight=weights,
            listener=Quiet(self),
        )
        self.optimizer.iterations += 1
        last = {key: values[-1] for key, values in found["history"].items()}
        return _returned(self._scores(last), return_dict)

    # --- scores and answers

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on other data: a list in the order of :attr:`metrics_names`, a number
        where there are no metrics, or a dict."""
        refused = {"sample_weight": sample_weight, "steps": steps}
        refuse_settings("evaluate", refused, dict.fromkeys(refused))
        rows, targets = self._data(x, y, "evaluate")
        network = self._ready("evaluate")
        told = Callbacks(callbacks, self)
        told.tell("on_test_begin", Scores())
        progress = Progress(-(-len(rows) // (batch_size or _BATCH)), _verbosity(verbose))
        scores = self._scores(network.evaluate(rows, targets))
        progress.show(progress.target, dict(sorted(scores.items())), final=True)
        told.tell("on_test_end", Scores(sorted(scores.items())))
        return _returned(scores, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """As :meth:`evaluate`, silently."""
        return self.evaluate(x, y, verbose=0, sample_weight=sample_weight, return_dict=return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: None = None,
        callbacks: Any = None,
    ) -> NDArray[np.float32]:
        """The outputs for every sample: an array of shape ``(samples, units)``."""
        refuse_settings("predict", {"steps": steps}, {"steps": None})
        rows = self._rows(x)
        network = self._built_network()
        told = Callbacks(callbacks, self)
        told.tell("on_predict_begin", Scores())
        progress = Progress(-(-len(rows) // (batch_size or _BATCH)), _verbosity(verbose))
        outputs = network.predict(rows)
        progress.show(progress.target, {}, final=True)
        told.tell("on_predict_end", Scores())
        return outputs

    def predict_on_batch(self, x: Any) -> NDArray[np.float32]:
        """As :meth:`predict`, silently."""
        return self.predict(x, verbose=0)

    def __call__(self, inputs: Any, training: bool | None = None) -> NDArray[np.float32]:
        """As :meth:`predict`, silently."""
        if training:
            raise ValueError("Outputs with dropout are not supported. Expected training=False")
        return self.predict(inputs, verbose=0)

    # --- files

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        include_optimizer: bool = True,
    ) -> None:
        """Writes layers, weights, and what ``compile`` settled, to one file, from which
        :func:`slugline.keras.models.load_model` makes the model that goes on where this one stood.

        The file is a zip archive of arrays and JSON, which NumPy can read without pickle. While the model is
        trained, it is written without the optimizer's memory. Where the name ends in ``.keras``, what is
        written is Keras's own form, which Keras loads: it never has the optimizer's memory.
        """
        path = _saving.check_path(filepath)
        if _saving.is_archive(path):
            content = _archive.to_bytes(self)
            _saving.replace(path, lambda file: file.write(content), overwrite)
        else:
            _saving.write(path, self._state(include_optimizer), overwrite)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes the weights alone."""
        self._built_network()
        path = _saving.check_path(filepath, weights_only=True)
        _saving.write(path, ({"kind": "weights"}, self._weight_arrays()), overwrite)

    def load_weights(
        self, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any
    ) -> None:
        """Takes the weights in a file of :meth:`save_weights` or :meth:`save`."""
        refused = {"skip_mismatch": skip_mismatch} | kwargs
        refuse_settings("load_weights", refused, dict.fromkeys(refused, False))
        self._take(_saving.read(filepath)[1])

    def _weight_arrays(self) -> dict[str, NDArray[Any]]:
        return {f"weights.{number}": array for number, array in enumerate(self.get_weights())}

    def _take(self, arrays: dict[str, NDArray[Any]]) -> None:
        count = sum(name.startswith("weights.") for name in arrays)
        self.set_weights([arrays[f"weights.{number}"] for number in range(count)])

    def _state(self, include_optimizer: bool = True) -> _saving.State:
        """Everything of the model but the course of its training."""
        header: dict[str, Any] = {
            "kind": "model",
            "config": self.get_config(),
            "seed": self._seed,
            "compile": None,
            "progress": None,
        }
        arrays = self._weight_arrays()
        if self.optimizer is not None:
            header["compile"] = {
                "optimizer": optimizers.serialize(self.optimizer),
                "loss": losses.serialize(self._loss),
                "metrics": [metrics_module.serialize(metric) for metric in self._metrics],
            }
            told = self._told is not None and self._told[0] is self._network
            if include_optimizer and not self._training and (told or self._progress):
                progress = self._network.progress() if told and self._network else self._progress
                if progress is not None:
                    header["progress"], memory = _saving.pack_progress(progress)
                    header["progress"]["iterations"] = self.optimizer.iterations
                    arrays |= memory
        return header, arrays

    @classmethod
    def _of_state(cls, state: _saving.State) -> Any:
        """The model that :meth:`_state` described."""
        header, arrays = state
        model = cls.from_config(header["config"])
        model._seed = header["seed"]
        if model.built:
            model._take(arrays)
        settings = header["compile"]
        if settings is not None:
            model.compile(**settings)
        if header["progress"] is not None:
            model._progress = _saving.unpack_progress(header["progress"], arrays)
            model.optimizer.iterations = int(header["progress"]["iterations"])
        return model

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._of_state, (self._state(),)


def _metrics_of(metrics: Any) -> list[Metric]:
    if metrics is None:
        return []
    if isinstance(metrics, dict) or not isinstance(metrics, (list, tuple)):
        raise ValueError(
            "Expected `metrics` argument to be a list or tuple. Received instead: "
            f"metrics={metrics!r} of type {type(metrics)}"
        )
    if len(metrics) == 1 and isinstance(metrics[0], (list, tuple)):
        # One list an output, of which there is one.
        metrics = metrics[0]
    return [metrics_module.get(metric) for metric in metrics]


def _verbosity(verbose: str | int) -> int:
    if verbose == "auto":
        return 1
    if verbose not in (0, 1, 2):
        raise ValueError(f"Expected verbose to be 'auto', 0, 1 or 2. Received: verbose={verbose!r}")
    return int(verbose)


def _returned(scores: dict[str, float], as_dict: bool) -> Any:
    if as_dict:
        return scores
    values = list(scores.values())
    return values if len(values) > 1 else values[0]
