"""The text classifier as a scikit-learn estimator: raw texts in."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d

from . import _progress
from ._classifier import UNKNOWN, Classifier, Explanation
from ._labels import plain, weights
from ._slugline import Classifier as _Native
from ._sparse_mlp import seed_of


class SluglineClassifier(ClassifierMixin, BaseEstimator):
    """Texts to classes: features, network, calibration and thresholds in one estimator.

    ``X`` is an iterable of ``str``: a list, a NumPy array, a pandas or polars series, an Arrow array. Every
    setting is ``None`` for that of the preset, and has the name, meaning and default of the option of
    ``slugline train``; :func:`slugline.settings` lists the defaults.

    Parameters
    ----------
    preset : str, default=None
        Where the settings that are left out come from: ``auto`` chooses by itself, ``text`` is a network over
        weighted words and pairs of words, ``notebook`` the published Keras example. By default ``text`` if a text
        feature is given, ``notebook`` if another setting is, else ``auto``.
    max_features : int | str, default=None
        Number of features kept; ``"none"`` for all.
    ngrams : int, default=None
        Tokens of the longest n-gram of neighbouring words, from 1, for words alone, to 8.
    char_ngrams : tuple[int, int] | str, default=None
        Characters of the shortest and the longest part of words that are features too; or ``"none"``.
    prefixes : list[int], default=None
        Characters of the beginnings of words that are features too; ``[]`` for none.
    min_df : int, default=None
        Features of fewer documents are left out.
    max_df : float, default=None
        Features of a larger share of the documents are left out.
    tf : str, default=None
        What repetition counts: binary, count, log, bm25.
    idf : str, default=None
        What rarity counts: none, smooth, sqrt, plain, keras, bm25.
    norm : str, default=None
        What a document's values are divided by: none, l1, l2.
    class_spread : float | str, default=None
        Features count by how unevenly they are spread over the classes, and by this at least; or ``"none"``.
    hashing : int | str, default=None
        Features are so many bits of buckets that names are hashed into; ``"none"`` for a vocabulary.
    token_rule : str, default=None
        What a token is: words, unicode, keras, scikit-learn, whitespace.
    normalization : str, default=None
        Unicode's normal form: none, nfc, nfkc, strip-accents.
    lowercase : bool, default=None
        Whether upper and lower case are the same.
    punctuation : bool, default=None
        Whether punctuation makes tokens too.
    mask_digits : bool, default=None
        Whether numbers of as many digits are the same word.
    hidden : Sequence[int], default=None
        Units of each hidden layer; ``[]`` for a linear model.
    activation : str, default=None
        Activation of the hidden layers.
    dropout : float, default=None
        Share of each hidden layer's outputs dropped while training.
    l1 : float, default=None
        Factor of the sum of absolute weights added to the loss.
    l2 : float, default=None
        Factor of the sum of squared weights added to the loss.
    loss : str, default=None
        What is made small; by default the form that goes with the labels.
    label_smoothing : float, default=None
        Share of each target spread over the classes.
    gamma : float, default=None
        How much less samples count that are answered well (focal losses).
    alpha : float, default=None
        Factor of the categorical focal loss, or weight of yes beside no of the binary one.
    apply_class_balancing : bool, default=None
        Whether yes weighs ``alpha`` and no ``1 - alpha`` (binary focal loss).
    optimizer : str, default=None
        How weights follow the gradient: sgd, rmsprop, adagrad, adam, adamw.
    learning_rate : float, default=None
        Learning rate of the first step.
    schedule : str, default=None
        How the learning rate changes over the run: constant, linear, cosine.
    momentum : float, default=None
        Share of the last step that goes on (sgd).
    nesterov : bool, default=None
        Nesterov's form of momentum (sgd).
    rho : float, default=None
        How slowly the mean of squared gradients forgets (rmsprop).
    initial_accumulator : float, default=None
        Starting value of the sum of squared gradients (adagrad).
    beta_1 : float, default=None
        How slowly the mean of gradients forgets (adam, adamw).
    beta_2 : float, default=None
        How slowly the mean of squared gradients forgets (adam, adamw).
    epsilon : float, default=None
        What keeps the division from zero.
    epsilon_placement : str, default=None
        Where epsilon is added: inside the root or outside (rmsprop).
    weight_decay : float, default=None
        Share of each weight taken off at each step, times the learning rate (adamw).
    sparse_rule : str, default=None
        What is done with features that a batch does not contain: dense or lazy.
    epochs : int, default=None
        Passes over the training samples.
    batch_size : int, default=None
        Samples a step.
    validation : float | int | str, default=None
        What is held out of every class, to validate on and to calibrate by: a number of documents, a share,
        or ``"none"``.
    patience : int | str, default=None
        Stop after so many epochs without a lower validation loss, and go back to the best one; or
        ``"none"``.
    class_weight : dict | str, default=None
        Factor of each class; ``"balanced"`` gives every class the same say, ``"sqrt"`` half of the way
        there.
    threshold : float | str, default=None
        Thresholds of the classes, fitted on what is held out: ``f1``, ``precision=P`` or ``recall=R``; or a
        number for all.
    min_confidence : float, default=None
        Answer ``unknown`` where the largest probability is below this.
    max_unknown_words : float, default=None
        Answer ``unknown`` where the share of unknown words is above this.
    average : int, default=None
        Epochs, the last ones, whose weights are averaged.
    ensemble : int, default=None
        Networks of different seeds that are put together as one.
    random_state : int | RandomState, default=None
        Settles starting weights, order, splits and dropout; ``None`` stands for 0, so that results are the
        same each time. The command's ``--seed``.
    threads : int, default=None
        Threads to work on, 0 for one a core; the model does not depend on it.
    verbose : int, default=0
        1 for a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes; for multi-label targets the columns, from 0 on.
    classifier_ : slugline.Classifier
        The model: saves itself as a model file, explains, draws.
    loss_curve_ : list of float
        Training loss after each epoch.
    validation_scores_ : list of float or None
        Accuracy on what was held out after each epoch, if anything was; of multi-label targets the share of
        right single answers.
    n_iter_ : int
        Epochs trained.

    Examples
    --------
    >>> from slugline import SluglineClassifier
    >>> texts = ["wheat and corn fell", "gold and silver rose"] * 10
    >>> model = SluglineClassifier().fit(texts, ["grain", "metal"] * 10)
    >>> model.predict(["silver coins"])
    array(['metal'], dtype='<U5')
    >>> model.explain("corn fell").label
    'grain'
    """

    def __init__(
        self,
        *,
        preset: str | None = None,
        max_features: int | str | None = None,
        ngrams: int | None = None,
        char_ngrams: tuple[int, int] | str | None = None,
        prefixes: list[int] | None = None,
        min_df: int | None = None,
        max_df: float | None = None,
        tf: str | None = None,
        idf: str | None = None,
        norm: str | None = None,
        class_spread: float | str | None = None,
        hashing: int | str | None = None,
        token_rule: str | None = None,
        normalization: str | None = None,
        lowercase: bool | None = None,
        punctuation: bool | None = None,
        mask_digits: bool | None = None,
        hidden: Sequence[int] | None = None,
        activation: str | None = None,
        dropout: float | None = None,
        l1: float | None = None,
        l2: float | None = None,
        loss: str | None = None,
        label_smoothing: float | None = None,
        gamma: float | None = None,
        alpha: float | None = None,
        apply_class_balancing: bool | None = None,
        optimizer: str | None = None,
        learning_rate: float | None = None,
        schedule: str | None = None,
        momentum: float | None = None,
        nesterov: bool | None = None,
        rho: float | None = None,
        initial_accumulator: float | None = None,
        beta_1: float | None = None,
        beta_2: float | None = None,
        epsilon: float | None = None,
        epsilon_placement: str | None = None,
        weight_decay: float | None = None,
        sparse_rule: str | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        validation: float | int | str | None = None,
        patience: int | str | None = None,
        class_weight: dict[Any, float] | str | None = None,
        threshold: float | str | None = None,
        min_confidence: float | None = None,
        max_unknown_words: float | None = None,
        average: int | None = None,
        ensemble: int | None = None,
        random_state: Any = None,
        threads: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.preset = preset
        self.max_features = max_features
        self.ngrams = ngrams
        self.char_ngrams = char_ngrams
        self.prefixes = prefixes
        self.min_df = min_df
        self.max_df = max_df
        self.tf = tf
        self.idf = idf
        self.norm = norm
        self.class_spread = class_spread
        self.hashing = hashing
        self.token_rule = token_rule
        self.normalization = normalization
        self.lowercase = lowercase
        self.punctuation = punctuation
        self.mask_digits = mask_digits
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.gamma = gamma
        self.alpha = alpha
        self.apply_class_balancing = apply_class_balancing
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.momentum = momentum
        self.nesterov = nesterov
        self.rho = rho
        self.initial_accumulator = initial_accumulator
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.epsilon_placement = epsilon_placement
        self.weight_decay = weight_decay
        self.sparse_rule = sparse_rule
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation = validation
        self.patience = patience
        self.class_weight = class_weight
        self.threshold = threshold
        self.min_confidence = min_confidence
        self.max_unknown_words = max_unknown_words
        self.average = average
        self.ensemble = ensemble
        self.random_state = random_state
        self.threads = threads
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SluglineClassifier:
        """Trains on texts ``X`` and their classes ``y``.

        ``y`` of shape (n_samples, n_classes) with zeros and ones stands for any number of labels a text.
        """
        X = _texts(X)
        y, self.classes_ = _classes_of(y)
        self._train(X, y, sample_weight, self._settings())
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> SluglineClassifier:
        """Goes on training with more texts: one pass over them, or ``epochs`` of them if that is given.

        The first call learns the features of its texts by the preset ``text``, unless settings say
        otherwise, and the ``classes``, if they are given; later ones add new words and new classes. A model
        forgets what it is no longer shown, so mix old texts in. One class a text only.
        """
        X = _texts(X)
        y, given = _classes_of(y)
        if y.ndim != 1:
            raise ValueError("partial_fit takes one class a text, and y is multi-label")
        if not hasattr(self, "classifier_"):
            self.classes_ = given if classes is None else unique_labels(classes)
            _check_known(given, self.classes_)
            settings = {"preset": "text", "epochs": 1, "validation": "none", "min_df": 1}
            self._train(X, y, sample_weight, settings | self._settings())
            return self
        if classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise ValueError(f"classes are {classes}, and those known {self.classes_}")
        names = [str(label) for label in given.tolist()]
        native = self.classifier_._native.train_from(
            X,
            np.searchsorted(given, y).astype(np.uint32),
            names,
            epochs=self.epochs or 1,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            validation=0.0,
            seed=seed_of(self.random_state),
            sample_weight=None if sample_weight is None else weights(sample_weight),
            threads=self.threads or 0,
        )
        # New classes stand behind the known ones, sorted, in the model as here.
        fresh = np.setdiff1d(given, self.classes_)
        self.classes_ = np.concatenate([self.classes_, fresh]) if fresh.size else self.classes_
        self._take(Classifier._of(native), go_on=True)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The answer for each text: a class; ``unknown`` (for classes that are numbers, -1) where thresholds
        or the like leave it open. For multi-label targets an indicator matrix."""
        native = self._model()._native
        threads = self.threads or 0
        if native.label_kind == "multi":
            answers = native.predict_lists(_texts(X), threads=threads)
            out = np.zeros((len(answers), len(self.classes_)), dtype=int)
            for row, classes in zip(out, answers):
                row[classes] = 1
            return out
        numbers = native.predict(_texts(X), threads=threads)
        open_ = numbers < 0
        if not open_.any():
            return self.classes_[numbers]
        numeric = np.issubdtype(self.classes_.dtype, np.number)
        unknown = np.asarray([-1 if numeric else UNKNOWN])
        return np.concatenate([self.classes_, unknown])[numbers]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The calibrated probability of every class: shape (n_samples, n_classes)."""
        return self._model().predict_proba(_texts(X), threads=self.threads or 0)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of ``predict_proba``."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """What the network gives every class before its last activation and before calibration: shape
        (n_samples, n_classes); of two classes how far the second lies above the first, shape (n_samples,)."""
        model = self._model()
        logits = model.decision_function(_texts(X), threads=self.threads or 0)
        if len(self.classes_) == 2 and model.label_kind == "single":
            return logits[:, 1] - logits[:, 0]
        return logits

    def explain(self, text: str, *, label: Any = None, against: Any = None) -> Explanation:
        """Why a text has a class: by default the most probable one."""
        name = [None if each is None else str(each) for each in (label, against)]
        return self._model().explain(text, label=name[0], against=name[1])

    def report(
        self, X: Any, y: Any, path: str | os.PathLike[str] | None = None, **options: Any
    ) -> str:
        """A page of HTML on what the model does with labelled texts: see :meth:`slugline.Classifier.report`."""
        return self._model().report(_texts(X), _named(y), path, **options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a model file, which the ``slugline`` command and :meth:`slugline.Classifier.load` read."""
        self._model().save(path)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classifier_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_label = True
        return tags

    def _model(self) -> Classifier:
        if not hasattr(self, "classifier_"):
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments "
                "before using this estimator."
            )
        return self.classifier_

    def _settings(self) -> dict[str, Any]:
        """The settings that are given, under the library's names."""
        given = self.get_params(deep=False)
        given.pop("verbose")
        random_state = given.pop("random_state")
        settings = plain(given)
        if random_state is not None:
            settings["seed"] = seed_of(random_state)
        return settings

    def _train(
        self, X: Any, y: np.ndarray, sample_weight: Any, settings: dict[str, Any]
    ) -> None:
        names = [str(label) for label in self.classes_.tolist()]
        if len(set(names)) < len(names):
            raise ValueError(f"two classes are written alike: {names}")
        if y.ndim == 1:
            codes: Any = np.searchsorted(self.classes_, y).astype(np.uint32)
        else:
            codes = [np.flatnonzero(row).tolist() for row in y]
        with _progress.listener(bool(self.verbose)) as listener:
            native = _Native.train(
                X,
                codes,
                names,
                json.dumps(settings),
                sample_weight=None if sample_weight is None else weights(sample_weight),
                listener=listener,
            )
        self._take(Classifier._of(native), go_on=False)

    def _take(self, classifier: Classifier, *, go_on: bool) -> None:
        self.classifier_ = classifier
        epochs = classifier.record["history"]["epochs"]
        curve = [epoch["train"]["loss"] for epoch in epochs]
        held_out = [dict(epoch["validation"]["metrics"]) for epoch in epochs if epoch["validation"]]
        scores = [next(iter(metrics.values())) for metrics in held_out if metrics]
        self.loss_curve_ = (self.loss_curve_ if go_on else []) + curve
        self.validation_scores_ = scores or None
        self.n_iter_ = len(epochs)


def _texts(X: Any) -> Any:
    """Texts as the native part takes them; a column of a table as well."""
    if isinstance(X, (str, bytes)):
        raise ValueError("expected an iterable of texts, got a single text; put it in a list")
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) == 2 and shape[1] == 1:
        return X.iloc[:, 0] if hasattr(X, "iloc") else np.asarray(X)[:, 0]
    return X


def _named(y: Any) -> Any:
    """Labels as the model names them."""
    y, _ = _classes_of(y)
    return [str(label) for label in y.tolist()] if y.ndim == 1 else y


def _classes_of(y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Labels as an array, and the classes that they have."""
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    if hasattr(y, "toarray"):
        y = y.toarray()
    y = np.asarray(y)
    if y.dtype == object:
        missing = [row for row, label in enumerate(y.ravel()) if label is None or label != label]
        if missing:
            raise ValueError(f"Input y contains NaN or None, first in row {missing[0]}")
    elif np.issubdtype(y.dtype, np.floating) and not np.isfinite(y).all():
        raise ValueError("Input y contains NaN or infinity")
    check_classification_targets(y)
    if type_of_target(y) == "multilabel-indicator":
        return y, np.arange(y.shape[1])
    y = column_or_1d(y, warn=True)
    return y, np.unique(y)


def _check_known(given: np.ndarray, classes: np.ndarray) -> None:
    unknown = np.setdiff1d(given, classes)
    if unknown.size:
        raise ValueError(f"y has the classes {unknown}, which are none of classes: {classes}")
