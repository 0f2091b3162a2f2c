"""A neural network over sparse rows, as a scikit-learn classifier."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from ._rows import to_rows
from ._slugline import Network

#: Seeds are drawn below this number.
_SEEDS = 2**32


def seed_of(random_state: Any) -> int:
    """The seed that a ``random_state`` stands for; 0 for ``None``, so that results are the same each time."""
    if random_state is None:
        return 0
    if isinstance(random_state, (int, np.integer)):
        if not 0 <= random_state < 2**64:
            raise ValueError(f"random_state is {random_state}: expected from 0 to 2^64 - 1")
        return int(random_state)
    return int(check_random_state(random_state).randint(_SEEDS, dtype=np.int64))


class _Watch:
    """Follows the loss, and stops where it no longer falls."""

    def __init__(self, monitor: str, patience: int | None, tol: float, verbose: int) -> None:
        self.monitor = monitor
        self.patience = patience
        self.tol = tol
        self.verbose = verbose
        self.best = np.inf
        self.best_epoch = 0

    def begin(self, epoch: int) -> None:
        return None

    def batch(self, *report: float) -> None:
        pass

    def end(self, epoch: int, logs: dict[str, float]) -> bool:
        if self.verbose:
            values = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
            print(f"epoch {epoch}: {values}")
        loss = logs[self.monitor]
        if loss < self.best - self.tol:
            self.best, self.best_epoch = loss, epoch
        return self.patience is not None and epoch - self.best_epoch >= self.patience


class SparseMLPClassifier(ClassifierMixin, BaseEstimator):
    """A feed-forward network over sparse (or dense) rows.

    What a step costs follows the numbers that are not zero: a dense array is made sparse on entry, and a
    sparse one never dense. The result is the same, to the last bit, for any number of ``threads``.

    Parameters
    ----------
    hidden : tuple of int, default=(64,)
        Units of each hidden layer, first to last; ``()`` for a linear model.
    activation : str, default="relu"
        Activation of the hidden layers: relu, tanh, sigmoid, gelu, linear.
    dropout : float, default=0.0
        Share of each hidden layer's outputs dropped while training.
    l1, l2 : float, default=0.0
        Factor of the sum of absolute (squared) weights added to the loss.
    optimizer : str or dict, default="adam"
        sgd, rmsprop, adagrad, adam or adamw; as a dict with ``name`` and any of its settings.
    learning_rate : float, default=None
        ``None`` for the optimizer's own default.
    batch_size : int, default=200
        Samples a step; all samples where there are fewer.
    epochs : int, default=200
        Most passes over the samples.
    validation_fraction : float, default=0.0
        Share of every class that is held out; its loss is then watched in place of the training loss, and
        the weights of the epoch where it was lowest come back.
    patience : int or None, default=10
        Stop after this many epochs in which the watched loss did not fall by ``tol``; ``None`` for never.
    tol : float, default=1e-4
        Smallest fall of the loss that counts.
    class_weight : dict, "balanced" or None, default=None
        Factor of the loss of each class.
    random_state : int, RandomState or None, default=None
        Settles starting weights, order, dropout and what is held out. ``None`` stands for 0: results do not
        change from run to run.
    threads : int, default=0
        Threads to work on, 0 for one a core.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the weights of an earlier ``fit``.
    verbose : int, default=0
        1 for a line an epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes; for multi-label targets the columns, from 0 on.
    n_features_in_ : int
        Number of columns.
    n_iter_ : int
        Epochs trained by the last ``fit``.
    loss_curve_ : list of float
        Training loss after each epoch.
    validation_scores_ : list of float or None
        Accuracy on what is held out after each epoch, if anything is.
    best_epoch_ : int
        The epoch, counted from 1, where the watched loss was lowest.

    Examples
    --------
    >>> from scipy.sparse import csr_matrix
    >>> from slugline import SparseMLPClassifier
    >>> x = csr_matrix([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]])
    >>> model = SparseMLPClassifier(random_state=0).fit(x, ["a", "b", "a", "b"])
    >>> model.predict([[2, 0, 0]])
    array(['a'], dtype='<U1')
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (64,),
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        optimizer: str | dict[str, Any] = "adam",
        learning_rate: float | None = None,
        batch_size: int = 200,
        epochs: int = 200,
        validation_fraction: float = 0.0,
        patience: int | None = 10,
        tol: float = 1e-4,
        class_weight: Any = None,
        random_state: Any = None,
        threads: int = 0,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.tol = tol
        self.class_weight = class_weight
        self.random_state = random_state
        self.threads = threads
        self.warm_start = warm_start
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SparseMLPClassifier:
        """Trains on rows ``X`` of shape (n_samples, n_features) and their classes ``y``.

        ``y`` of shape (n_samples, n_classes) with zeros and ones stands for any number of labels a sample.
        A sample of weight 2 counts as if it stood there twice, one of weight 0 as if it did not, to the last
        bit: equal samples are made one. The order of the samples makes no difference.
        """
        X, y = validate_data(self, X, y, accept_sparse="csr", multi_output=True)
        classes, multi_label = self._classes_of(y)
        y = self._column(y, multi_label)
        go_on = self.warm_start and hasattr(self, "_network")
        if go_on and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start goes on with the classes {self.classes_}, and y has {classes}"
            )
        self.classes_, self._multi_label = classes, multi_label
        if not go_on:
            self._network = self._new_network(X.shape[1])
            self.loss_curve_, self.validation_scores_ = [], None
        self._train(X, y, sample_weight, epochs=self.epochs)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> SparseMLPClassifier:
        """Makes one more pass over rows, of which the network knows the ``classes`` from the first call on.

        The optimizer goes on where the last call left it, also in a pickled and loaded model.
        """
        first = not hasattr(self, "_network")
        X, y = validate_data(self, X, y, accept_sparse="csr", multi_output=True, reset=first)
        given, multi_label = self._classes_of(y)
        y = self._column(y, multi_label)
        if first:
            if classes is None and not multi_label:
                raise ValueError("classes must be given in the first call of partial_fit")
            self.classes_ = given if classes is None else unique_labels(classes)
            self._multi_label = multi_label
            self._network = self._new_network(X.shape[1])
            self.loss_curve_, self.validation_scores_ = [], None
        elif classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise ValueError(f"classes are {classes}, and those of the first call {self.classes_}")
        unknown = np.setdiff1d(given, self.classes_)
        if unknown.size:
            raise ValueError(f"y has the classes {unknown}, and those of the first call are {self.classes_}")
        self._train(X, y, sample_weight, epochs=1)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row; for multi-label targets an indicator matrix."""
        check_is_fitted(self)
        if self._multi_label:
            return (self.predict_proba(X) > 0.5).astype(int)
        return self.classes_[np.argmax(self._logits(X), axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of every class for each row: shape (n_samples, n_classes)."""
        return self._network_of().predict(self._rows(X), threads=self.threads)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of ``predict_proba``."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """The sums before the last activation: shape (n_samples, n_classes); of two classes how far the
        second lies above the first, shape (n_samples,)."""
        check_is_fitted(self)
        logits = self._logits(X)
        if len(self.classes_) == 2 and not self._multi_label:
            return logits[:, 1] - logits[:, 0]
        return logits

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_network")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        network = state.pop("_network", None)
        if network is not None:
            state["_network_state"] = network_state(network)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        network = state.pop("_network_state", None)
        super().__setstate__(state)
        if network is not None:
            self._network = network_of_state(network)

    def _classes_of(self, y: np.ndarray) -> tuple[np.ndarray, bool]:
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multilabel-indicator":
            return np.arange(y.shape[1]), True
        if kind not in ("binary", "multiclass"):
            raise ValueError(f"y is {kind}: expected one class a sample, or an indicator matrix")
        return np.unique(y), False

    @staticmethod
    def _column(y: np.ndarray, multi_label: bool) -> np.ndarray:
        return y if multi_label else column_or_1d(y, warn=True)

    def _network_of(self) -> Network:
        check_is_fitted(self)
        return self._network

    def _new_network(self, width: int) -> Network:
        penalty = {"l1": float(self.l1), "l2": float(self.l2)}
        units = len(self.classes_)
        layers: list[dict[str, Any]] = []

        def dense(units: int, activation: str) -> None:
            config = {"units": int(units), "activation": activation, "kernel_regularizer": penalty}
            layers.append({"class_name": "Dense", "config": config})

        for size in np.atleast_1d(np.asarray(self.hidden, dtype=int)):
            dense(size, self.activation)
            if self.dropout:
                layers.append({"class_name": "Dropout", "config": {"rate": float(self.dropout)}})
        dense(units, "sigmoid" if self._multi_label else "softmax")
        network = Network(width, json.dumps(layers), seed=seed_of(self.random_state))
        optimizer = self.optimizer
        optimizer = {"name": optimizer} if isinstance(optimizer, str) else dict(optimizer)
        if self.learning_rate is not None:
            optimizer["learning_rate"] = {"constant": float(self.learning_rate)}
        loss = "binary_crossentropy" if self._multi_label else "sparse_categorical_crossentropy"
        network.compile(json.dumps(optimizer), json.dumps({"name": loss}), '["accuracy"]')
        return network

    def _rows(self, X: Any) -> Any:
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        return to_rows(X, threads=self.threads)

    def _logits(self, X: Any) -> np.ndarray:
        return self._network.logits(self._rows(X), threads=self.threads)

    def _targets(self, y: np.ndarray) -> np.ndarray:
        if self._multi_label:
            dense = y.toarray() if hasattr(y, "toarray") else y
            return np.ascontiguousarray(dense, dtype=np.float32)
        return np.searchsorted(self.classes_, y).astype(np.uint32)

    def _weights(self, y: np.ndarray, sample_weight: Any, X: Any) -> np.ndarray | None:
        """What each sample counts, or ``None`` where all are alike."""
        if sample_weight is None and self.class_weight is None:
            return None
        weights = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        ).copy()
        if self.class_weight is not None:
            if self._multi_label:
                raise ValueError("class_weight is for one class a sample, and y is multi-label")
            factors = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            weights *= factors[np.searchsorted(self.classes_, y)]
        return weights

    def _train(self, X: Any, y: np.ndarray, sample_weight: Any, *, epochs: int) -> None:
        x, targets, weights = to_rows(X, threads=self.threads).distinct(
            self._targets(y), self._weights(y, sample_weight, X), threads=self.threads
        )
        validation = None
        if self.validation_fraction:
            train, held_out = self._split(targets)
            validation = (x.select(held_out), targets[held_out])
            x, targets, weights = x.select(train), targets[train], weights[train]
        # The loss is a mean over samples: their weights are 1 on average.
        weights *= len(weights) / weights.sum()
        watch = _Watch(
            "loss" if validation is None else "val_loss", self.patience, self.tol, self.verbose
        )
        best = _Best(self._network) if validation is not None else None
        found = self._network.fit(
            x,
            targets,
            epochs=epochs,
            batch_size=self.batch_size,
            validation=validation,
            sample_weight=None if (weights == 1).all() else weights.astype(np.float32),
            threads=self.threads,
            listener=watch if best is None else _Both(watch, best),
        )
        history = found["history"]
        self.loss_curve_ = self.loss_curve_ + history["loss"]
        if best is not None:
            self.validation_scores_ = (self.validation_scores_ or []) + history["val_accuracy"]
            self._network.set_weights(best.weights)
        self.n_iter_ = len(found["epochs"])
        self.best_epoch_ = watch.best_epoch

    def _split(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.model_selection import train_test_split

        stratify = None if self._multi_label else targets
        train, held_out = train_test_split(
            np.arange(len(targets)),
            test_size=self.validation_fraction,
            random_state=seed_of(self.random_state) % _SEEDS,
            stratify=stratify,
        )
        return np.sort(train), np.sort(held_out)


class _Best:
    """Keeps the weights of the epoch with the lowest validation loss."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.loss = np.inf
        self.weights = network.weights()

    def end(self, logs: dict[str, float]) -> None:
        if logs["val_loss"] < self.loss:
            self.loss, self.weights = logs["val_loss"], self.network.weights()


class _Both(_Watch):
    """A watch that also keeps the best weights."""

    def __init__(self, watch: _Watch, best: _Best) -> None:
        self.watch = watch
        self.keep = best

    def end(self, epoch: int, logs: dict[str, float]) -> bool:
        self.keep.end(logs)
        return self.watch.end(epoch, logs)


def network_state(network: Network) -> dict[str, Any]:
    """Everything of a network in texts, numbers and arrays."""
    return {
        "config": network.config(),
        "weights": network.weights(),
        "progress": network.progress(),
    }


def network_of_state(state: dict[str, Any]) -> Network:
    """The network that :func:`network_state` described."""
    config = json.loads(state["config"])
    network = Network(config["input_width"], json.dumps(config["layers"]), seed=config["seed"])
    network.set_weights(state["weights"])
    if state["progress"] is not None:
        network.compile(*(json.dumps(config[part]) for part in ("optimizer", "loss", "metrics")))
        network.set_progress(*state["progress"])
    return network
