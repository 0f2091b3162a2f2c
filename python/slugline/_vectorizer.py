"""Text to weighted features, as a scikit-learn transformer."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ._rows import to_csr
from ._slugline import Terms

#: Stands for "no document has it": features of a kind that is left out.
_NEVER = 2**32 - 1

#: The longest n-gram.
_LONGEST = 8

_NORMS = {None: "none", "l1": "l1", "l2": "l2"}
_NORMALIZATIONS = {None: "none", "nfc": "nfc", "nfkc": "nfkc", "unicode": "strip_accents"}
_RULES = {
    "scikit-learn": "scikit_learn",
    "words": "words",
    "unicode": "unicode",
    "keras": "keras",
    "whitespace": "whitespace",
}


class TextVectorizer(TransformerMixin, BaseEstimator):
    """Text to rows of weighted features: ``TfidfVectorizer`` and ``HashingVectorizer`` on all cores.

    With its defaults vocabulary, order and values are those of scikit-learn's ``TfidfVectorizer``, but in
    32 bits, and so with each parameter that has the same name. Python functions
    (``preprocessor``, ``tokenizer``), ``token_pattern`` and other encodings are not taken: what a token is
    says ``token_rule``.

    Parameters
    ----------
    analyzer : {"word", "char_wb"}, default="word"
        Whether features are words and n-grams of them, or n-grams of the characters of each word with a
        space before and behind it.
    token_rule : str, default="scikit-learn"
        What a token is: ``scikit-learn`` for runs of at least two letters, digits and underscores; ``words``
        for words by Unicode's rules, cut at punctuation, each ideograph by itself; ``unicode`` for the same,
        uncut; ``keras`` for what Keras's ``Tokenizer`` makes; ``whitespace``.
    lowercase : bool, default=True
        Whether upper and lower case are the same.
    strip_accents : {None, "unicode", "nfc", "nfkc"}, default=None
        ``unicode`` takes accents off; the others are Unicode's composed forms.
    ngram_range : (int, int), default=(1, 1)
        The shortest and the longest n-gram. Of words the shortest is 1 or 2, the longest at most 8.
    min_df, max_df : int or float, default=1 and 1.0
        Features of fewer, or more, documents are left out: a number of documents, or as a float a share.
    max_features : int or None, default=None
        Keep so many, those that occur most often. Which of equals are kept is not scikit-learn's choice.
    binary : bool, default=False
        Whether a feature counts once however often it occurs.
    norm : {"l1", "l2", None}, default="l2"
        What rows are divided by.
    use_idf, smooth_idf, sublinear_tf : bool, default=True, True and False
        As in scikit-learn's ``TfidfVectorizer``.
    hashing : int or None, default=None
        Features are ``2**hashing`` buckets into which names are hashed, and nothing need be learned. The
        buckets are not those of ``HashingVectorizer``, and there are no signs.
    dtype : dtype, default=numpy.float32
        Of the values, which have the precision of 32 bits whatever this says.
    threads : int, default=0
        Threads to work on, 0 for one a core; the result does not depend on it.

    Attributes
    ----------
    vocabulary_ : dict
        Column of each feature.
    idf_ : ndarray of shape (n_features,)
        Factor of each feature, where ``use_idf``.

    Examples
    --------
    >>> from slugline import TextVectorizer
    >>> vectorizer = TextVectorizer()
    >>> x = vectorizer.fit_transform(["wheat fell", "gold rose", "wheat rose"])
    >>> x.shape
    (3, 4)
    >>> vectorizer.get_feature_names_out()
    array(['fell', 'gold', 'rose', 'wheat'], dtype=object)
    """

    def __init__(
        self,
        *,
        analyzer: str = "word",
        token_rule: str = "scikit-learn",
        lowercase: bool = True,
        strip_accents: str | None = None,
        ngram_range: tuple[int, int] = (1, 1),
        min_df: int | float = 1,
        max_df: int | float = 1.0,
        max_features: int | None = None,
        binary: bool = False,
        norm: str | None = "l2",
        use_idf: bool = True,
        smooth_idf: bool = True,
        sublinear_tf: bool = False,
        hashing: int | None = None,
        dtype: Any = np.float32,
        threads: int = 0,
    ) -> None:
        self.analyzer = analyzer
        self.token_rule = token_rule
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.ngram_range = ngram_range
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.binary = binary
        self.norm = norm
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.sublinear_tf = sublinear_tf
        self.hashing = hashing
        self.dtype = dtype
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> TextVectorizer:
        """Learns the features of an iterable of texts."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Learns the features of an iterable of texts, and gives their rows as ``csr_matrix``."""
        X = _listed(X)
        settings = json.dumps(self._settings(len(X)))
        self._terms, rows = Terms.fit_transform(X, settings, threads=self.threads)
        self.__dict__.pop("_names", None)
        return to_csr(rows, self.dtype)

    def transform(self, X: Any) -> Any:
        """The rows of texts as ``csr_matrix`` of shape (n_documents, n_features)."""
        if self.hashing is not None and not hasattr(self, "_terms") and not self.use_idf:
            # Nothing has to be learned: any word will do.
            self._terms, _ = Terms.fit_transform(["word"], json.dumps(self._settings(1)))
        check_is_fitted(self, "_terms")
        return to_csr(self._terms.transform(_listed(X), threads=self.threads), self.dtype)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """What each column stands for."""
        check_is_fitted(self, "_terms")
        if self.hashing is not None:
            return np.array([f"textvectorizer{i}" for i in range(self._terms.width)], dtype=object)
        if "_names" not in self.__dict__:
            self._names = np.array(self._terms.names(), dtype=object)
        return self._names.copy()

    @property
    def vocabulary_(self) -> dict[str, int]:
        """The column of each feature."""
        check_is_fitted(self, "_terms")
        if self.hashing is not None:
            raise AttributeError("hashed features have no vocabulary_")
        return {name: column for column, name in enumerate(self.get_feature_names_out())}

    @property
    def idf_(self) -> np.ndarray:
        """The factor of each feature."""
        check_is_fitted(self, "_terms")
        if not self.use_idf:
            raise AttributeError("there is no idf_ where use_idf is False")
        return self._terms.factors().astype(self.dtype)

    def build_analyzer(self) -> Any:
        """A function that gives the tokens of a text (not the n-grams of them)."""
        settings = json.dumps(self._settings(1))
        return lambda text: Terms.tokens(text, settings)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_terms")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = self.hashing is None or self.use_idf
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("_names", None)
        terms = state.pop("_terms", None)
        if terms is not None:
            state["_terms_parts"] = terms.parts()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        parts = state.pop("_terms_parts", None)
        super().__setstate__(state)
        if parts is not None:
            self._terms = Terms.from_parts(parts)

    def _settings(self, documents: int) -> dict[str, Any]:
        """The library's settings for so many documents."""
        shortest, longest = self.ngram_range
        if not 1 <= shortest <= longest <= _LONGEST:
            raise ValueError(
                f"ngram_range is {self.ngram_range}: expected two numbers from 1 to {_LONGEST}, the smaller "
                "one first"
            )
        kept = {
            "min_df": _count("min_df", self.min_df, documents),
            "max_df": _share("max_df", self.max_df, documents),
        }
        none = {"min_df": _NEVER}
        settings: dict[str, Any] = {"words": kept, "ngrams": kept, "chars": kept}
        rule = _choice("token_rule", self.token_rule, _RULES)
        if self.analyzer == "char_wb":
            # Cut at white space, as scikit-learn's analyzer of this name does.
            rule = "whitespace"
            settings |= {"char_ngrams": [shortest, longest], "words": none}
        elif self.analyzer != "word":
            raise ValueError(f"analyzer is {self.analyzer!r}: expected 'word' or 'char_wb'")
        elif shortest > 2:
            raise ValueError(
                f"ngram_range is {self.ngram_range}: n-grams of words begin with 1 or 2; "
                "scikit-learn's TfidfVectorizer takes any"
            )
        else:
            settings["word_ngrams"] = longest
            if shortest == 2:
                settings["words"] = none
        tf = "binary" if self.binary else "log" if self.sublinear_tf else "count"
        idf = "none" if not self.use_idf else "smooth" if self.smooth_idf else "plain"
        return settings | {
            "analyzer": {
                "tokens": rule,
                "lowercase": bool(self.lowercase),
                "normalization": _choice("strip_accents", self.strip_accents, _NORMALIZATIONS),
            },
            "max_features": self.max_features,
            "hashing": self.hashing,
            "order": "alphabet",
            "tf": tf,
            "idf": idf,
            "norm": _choice("norm", self.norm, _NORMS),
        }


def _listed(X: Any) -> Any:
    """Texts that can be counted."""
    if isinstance(X, (str, bytes)):
        raise ValueError("expected an iterable of texts, got a single text; put it in a list")
    return X if hasattr(X, "__len__") else list(X)


def _choice(name: str, value: Any, known: dict[Any, str]) -> str:
    try:
        return known[value]
    except (KeyError, TypeError):
        expected = ", ".join(map(repr, known))
        raise ValueError(f"{name} is {value!r}: expected one of {expected}") from None


def _count(name: str, value: Any, documents: int) -> int:
    """A least number of documents."""
    if isinstance(value, (int, np.integer)) and value >= 0:
        return int(value)
    if isinstance(value, (float, np.floating)) and 0.0 <= value <= 1.0:
        return int(np.ceil(value * documents))
    raise ValueError(f"{name} is {value!r}: expected a number of documents, or a share from 0.0 to 1.0")


def _share(name: str, value: Any, documents: int) -> float:
    """A largest share of the documents."""
    if isinstance(value, (int, np.integer)) and value >= 1:
        # Half a document more, so that no rounding takes one away.
        return min(1.0, (value + 0.5) / max(documents, 1))
    if isinstance(value, (float, np.floating)) and 0.0 < value <= 1.0:
        return float(value)
    raise ValueError(f"{name} is {value!r}: expected a number of documents, or a share up to 1.0")
