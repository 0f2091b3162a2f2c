"""The text classifier: texts in, labels, probabilities and reasons out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _labels, _progress
from ._rows import to_csr
from ._slugline import Classifier as _Native

#: The answer for a text that the model does not know enough of.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Prediction:
    """The answer for one text."""

    #: The answer: a class, or ``unknown``; of multi-label answers the most probable one, empty for none.
    label: str
    #: The answers of a multi-label model, the most probable first; ``None`` for any other.
    labels: list[str] | None
    #: The most probable classes with their probabilities, whatever the answer.
    top: list[tuple[str, float]]
    #: Number of words of the text.
    words: int
    #: How many of them the model does not know.
    unknown_words: int


@dataclass(frozen=True)
class Span:
    """A stretch of a text and what it contributes."""

    #: Where it begins, in characters from 0.
    start: int
    #: Where it ends: the character behind its last one.
    end: int
    #: What stands there.
    text: str
    #: What it adds to the logit.
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """Why a text has a class, or has not.

    The baseline and the contributions of all ``tokens`` (or of all ``spans``) make the logit.
    """

    #: The class that is explained.
    label: str
    #: Its calibrated probability.
    probability: float
    #: The answer for the text.
    answer: str | None
    #: What the network gives the class, before the last activation and before calibration.
    logit: float
    #: The same for the empty text.
    baseline: float
    #: What each word and n-gram contributes, by places; they overlap.
    spans: list[Span]
    #: The same by tokens, which do not overlap.
    tokens: list[Span]
    #: Number of words of the text.
    words: int
    #: How many of them the model does not know.
    unknown_words: int
    #: The class that it is held against; ``logit`` is the difference of the two then.
    against: str | None = None
    #: The text.
    text: str = field(default="", repr=False)

    def top(self, n: int = 10) -> list[tuple[str, float]]:
        """The words and n-grams with the largest contributions, for or against, added up over their places."""
        sums: dict[str, list[Any]] = {}
        for span in self.spans:
            entry = sums.setdefault(span.text.lower(), [span.text, 0.0])
            entry[1] += span.contribution
        return sorted(((t, c) for t, c in sums.values()), key=lambda pair: -abs(pair[1]))[:n]

    def _repr_html_(self) -> str:
        """The text with its words marked, for notebooks: green speaks for the class, red against it."""
        from html import escape

        largest = max((abs(token.contribution) for token in self.tokens), default=0.0) or 1.0
        parts, end = [], 0
        for token in self.tokens:
            parts.append(escape(self.text[end : token.start]))
            strength = abs(token.contribution) / largest
            hue = 140 if token.contribution > 0 else 0
            style = f"background:hsla({hue},70%,50%,{0.6 * strength:.2f})"
            title = f"{token.contribution:+.3f}"
            word = escape(self.text[token.start : token.end])
            parts.append(f'<span style="{style}" title="{title}">{word}</span>')
            end = token.end
        parts.append(escape(self.text[end:]))
        against = f" against {escape(self.against)}" if self.against else ""
        head = f"<b>{escape(self.label)}</b>{against}, probability {self.probability:.3f}"
        return f'<div>{head}</div><div style="white-space:pre-wrap">{"".join(parts)}</div>'


class Classifier:
    """A trained text classifier.

    Made by :meth:`train`, or by :meth:`load` from a model file of Slugline, whichever of its faces wrote
    it. It does not change any more, and can be shared by threads, and by processes after a fork.

    >>> from slugline import Classifier
    >>> texts = ["wheat and corn fell", "gold and silver rose", "corn prices fell", "silver at a high"] * 5
    >>> model = Classifier.train(texts, ["grain", "metal", "grain", "metal"] * 5)
    >>> model.classes
    ['grain', 'metal']
    >>> model.predict(["corn prices", "a silver coin"])
    ['grain', 'metal']
    >>> model.predict_proba(["corn prices"]).shape
    (1, 2)
    """

    __slots__ = ("_native",)

    def __init__(self) -> None:
        raise TypeError("a Classifier is made by Classifier.train(texts, labels) or Classifier.load(path)")

    @classmethod
    def _of(cls, native: _Native) -> Classifier:
        self = object.__new__(cls)
        self._native = native
        return self

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        labels: Any,
        *,
        sample_weight: Any = None,
        classes: Sequence[str] | None = None,
        name: str = "documents",
        progress: bool | None = None,
        **settings: Any,
    ) -> Classifier:
        """Trains on texts and their labels.

        Without settings the program chooses, as ``slugline train FILE`` does; settings have the names and
        defaults of that command's options (see :func:`slugline.settings`).

        :param texts: a list, a NumPy array, a pandas or polars series, an Arrow array of ``str``.
        :param labels: one class a text; or for any number of them a list of lists, or an indicator matrix
            of zeros and ones of shape (n_texts, n_classes); or an array of shares of every class.
        :param sample_weight: how much each text counts.
        :param classes: the names of the classes; by default those that occur, sorted. For a matrix one name
            a column.
        :param name: what the model remembers of the documents.
        :param progress: whether to show a progress bar; by default in a terminal or notebook.
        :raises ValueError: for texts, labels or settings that cannot be used.
        :raises KeyboardInterrupt: for Ctrl-C; nothing is left behind.
        """
        encoded = _labels.encode(labels, classes)
        weights = None if sample_weight is None else _labels.weights(sample_weight)
        with _progress.listener(progress) as listener:
            native = _Native.train(
                texts,
                encoded.codes,
                encoded.names,
                json.dumps(_labels.plain(settings)),
                name=name,
                sample_weight=weights,
                listener=listener,
            )
        return cls._of(native)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Classifier:
        """Loads a model file. It stays mapped: processes that load the same file share its memory.

        :raises FileNotFoundError: and other kinds of ``OSError``, for what the system refuses.
        :raises ValueError: for a file that is damaged, no model, or newer than this version.
        """
        return cls._of(_Native.load(path))

    @classmethod
    def from_bytes(cls, content: bytes) -> Classifier:
        """A classifier of the content of a model file. Nothing in it is executed."""
        return cls._of(_Native.from_bytes(bytes(content)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a model file, atomically: it is complete, or what stood there before is untouched."""
        self._native.save(path)

    def to_bytes(self) -> bytes:
        """The content of the model file."""
        return self._native.to_bytes()

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        to: str | None = None,
        input: str = "features",
        calibrated: bool = True,
    ) -> None:
        """Writes the model for another program, as ``slugline export`` does.

        :param path: the file; its ending (``.onnx``, ``.safetensors``, ``.keras``) says the form, if ``to``
            does not.
        :param to: ``onnx``, ``safetensors`` or ``keras``.
        :param input: what an ONNX graph takes: ``features``, the rows of :meth:`vectorize`, or ``text``,
            where standard operators can do the preprocessing exactly.
        :param calibrated: whether the probabilities are calibrated.
        :raises ValueError: for what the form cannot say, with the part that it cannot.
        """
        form = to or os.path.splitext(os.fspath(path))[1][1:].lower()
        content = self._native.export(form, input=input, calibrated=calibrated)
        with open(path, "wb") as file:
            file.write(content)

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of the columns of :meth:`predict_proba`."""
        return self._native.class_names

    @property
    def label_kind(self) -> str:
        """``single`` for one class a text, ``multi`` for any number, ``soft`` for shares."""
        return self._native.label_kind

    @property
    def record(self) -> dict[str, Any]:
        """How the model was made: settings, data and their fingerprint, history, what was tried."""
        return json.loads(self._native.record())

    @property
    def checksum(self) -> str:
        """The checksum of the model file: equal for equal models alone."""
        return self._native.checksum()

    def predict(self, texts: Iterable[str], *, threads: int = 0) -> list[Any]:
        """The answer for each text: a class or ``unknown``; of a multi-label model a list of classes."""
        names = self.classes
        if self.label_kind == "multi":
            lists = self._native.predict_lists(texts, threads=threads)
            return [[names[number] for number in numbers] for numbers in lists]
        # The last one is found by -1.
        names.append(UNKNOWN)
        return [names[number] for number in self._native.predict(texts, threads=threads).tolist()]

    def predict_proba(self, texts: Iterable[str], *, threads: int = 0) -> np.ndarray:
        """The calibrated probability of every class: ``float32`` of shape (n_texts, n_classes)."""
        return self._native.predict_proba(texts, threads=threads)

    def decision_function(self, texts: Iterable[str], *, threads: int = 0) -> np.ndarray:
        """What the network gives every class before its last activation and before calibration: ``float32``
        of shape (n_texts, n_classes)."""
        return self._native.logits(texts, threads=threads)

    def predict_top(
        self, texts: Iterable[str], k: int = 3, *, threads: int = 0
    ) -> list[Prediction]:
        """The ``k`` most probable classes for each text, its answer, and how many words are unknown."""
        found = json.loads(self._native.ranked(texts, top_k=k, threads=threads))
        return [Prediction(**answer | {"top": [tuple(t) for t in answer["top"]]}) for answer in found]

    def embed(self, texts: Iterable[str], *, threads: int = 0) -> np.ndarray:
        """The activations of the last hidden layer: texts that the network takes for similar lie near each
        other. ``float32`` of shape (n_texts, units)."""
        return self._native.embed(texts, threads=threads)

    def vectorize(self, texts: Iterable[str], *, threads: int = 0) -> Any:
        """The features of texts as ``scipy.sparse.csr_matrix``: what goes into the network."""
        return to_csr(self._native.vectorize(texts, threads=threads))

    def feature_names(self) -> list[str | None]:
        """What each feature stands for."""
        return self._native.feature_names()

    def explain(
        self, text: str, *, label: str | None = None, against: str | None = None
    ) -> Explanation:
        """Why a text has a class: by default the most probable one.

        >>> from slugline import Classifier
        >>> texts = ["wheat and corn fell", "gold and silver rose"] * 10
        >>> model = Classifier.train(texts, ["grain", "metal"] * 10)
        >>> why = model.explain("corn fell", label="grain")
        >>> round(why.baseline + sum(t.contribution for t in why.tokens) - why.logit, 5)
        0.0
        """
        return self.explain_batch([text], label=label, against=against)[0]

    def explain_batch(
        self,
        texts: Iterable[str],
        *,
        label: str | None = None,
        against: str | None = None,
        threads: int = 0,
    ) -> list[Explanation]:
        """:meth:`explain` for many texts, on all cores."""
        texts = list(texts)
        found = self._native.explain(texts, label=label, against=against, threads=threads)
        return [_explanation(text, each) for text, each in zip(texts, found)]

    def evaluate(
        self,
        texts: Iterable[str],
        labels: Any,
        *,
        name: str = "documents",
        intervals: bool = True,
        threads: int = 0,
    ) -> dict[str, Any]:
        """The scores on labelled texts, as ``slugline evaluate --format json`` gives them."""
        codes = _labels.encode(labels, self.classes).codes
        found = self._native.evaluate(texts, codes, name, intervals=intervals, threads=threads)
        return json.loads(found)

    def report(
        self,
        texts: Iterable[str],
        labels: Any,
        path: str | os.PathLike[str] | None = None,
        *,
        name: str = "documents",
        title: str | None = None,
        notes: str | None = None,
        show_texts: bool = True,
    ) -> str:
        """A page of HTML on what the model does with labelled texts; written to ``path``, if given."""
        codes = _labels.encode(labels, self.classes).codes
        page = self._native.report(
            texts, codes, name, title=title, notes=notes, show_texts=show_texts
        )
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(page)
        return page

    def plot(
        self,
        kind: str = "curves",
        path: str | os.PathLike[str] | None = None,
        *,
        data: tuple[Iterable[str], Any] | None = None,
        name: str = "",
        theme: str = "light",
        format: str | None = None,
    ) -> Any:
        """A picture: ``curves``, ``architecture`` or ``class-sizes`` of the model; with ``data`` (texts and
        labels) ``confusion`` or ``reliability``.

        :param path: a file to write, SVG or PNG by its ending. Without one the picture is shown by a
            notebook, and ``bytes`` of it are its attribute ``data``.
        """
        if data is not None:
            data = (data[0], _labels.encode(data[1], self.classes).codes)
        return _progress.draw(
            lambda format: self._native.plot(kind, data=data, name=name, format=format, theme=theme),
            path,
            format,
        )

    def with_index(self, texts: Iterable[str], labels: Any) -> Classifier:
        """The same model with an index of documents, which :meth:`nearest` finds."""
        return self._of(self._native.with_index(texts, _labels.encode(labels, self.classes).codes))

    def nearest(self, text: str, k: int = 5) -> list[dict[str, Any]]:
        """The indexed documents that are most like a text: ``document``, ``similarity``, ``labels``, ``text``."""
        return json.loads(self._native.nearest(text, k))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Classifier.from_bytes, (self.to_bytes(),))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Classifier) and self.checksum == other.checksum

    def __hash__(self) -> int:
        return hash(self.checksum)

    def __repr__(self) -> str:
        network = json.loads(self._native.summary())
        layers = "-".join(str(layer["units"]) for layer in network["layers"] if layer["parameters"])
        return f"<Classifier of {len(self.classes)} classes: {network['input_width']} features, {layers}>"


def _explanation(text: str, content: str) -> Explanation:
    found: Mapping[str, Any] = json.loads(content)
    spans = {part: [Span(**span) for span in found[part]] for part in ("spans", "tokens")}
    return Explanation(**{**found, **spans}, text=text)
