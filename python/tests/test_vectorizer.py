"""The vectorizer beside scikit-learn's: the same vocabulary, order and values."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from slugline import TextVectorizer

from conftest import wires

TEXTS = [
    *wires(60)[0],
    "Don't stop: 3.14 isn't TWO_words, e.g. x y zz aa",
    "ÄRGER über Öl, naïve café Ｆｕｌｌ ﬁne",
    "",
    "東京 に 行く 東京 🙂 zz",
    "wheat wheat wheat wheat corn",
]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"ngram_range": (1, 2)},
        {"ngram_range": (1, 3), "min_df": 2},
        {"ngram_range": (2, 2)},
        {"ngram_range": (2, 4)},
        {"analyzer": "char_wb", "ngram_range": (2, 4)},
        {"analyzer": "char_wb", "ngram_range": (3, 3), "lowercase": False},
        {"min_df": 3},
        {"min_df": 0.05},
        {"max_df": 0.3},
        {"max_df": 10},
        {"min_df": 0.04, "max_df": 20},
        {"binary": True},
        {"norm": "l1"},
        {"norm": None},
        {"use_idf": False},
        {"smooth_idf": False},
        {"sublinear_tf": True},
        {"sublinear_tf": True, "norm": None, "use_idf": False},
        {"binary": True, "use_idf": False, "norm": None},
    ],
    ids=str,
)
def test_values_are_scikit_learn_s(parameters):
    theirs = TfidfVectorizer(**parameters)
    ours = TextVectorizer(**parameters)
    wanted, found = theirs.fit_transform(TEXTS), ours.fit_transform(TEXTS)
    np.testing.assert_array_equal(ours.get_feature_names_out(), theirs.get_feature_names_out())
    assert ours.vocabulary_ == theirs.vocabulary_
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.toarray(), wanted.toarray(), rtol=2e-6, atol=1e-7)
    if parameters.get("use_idf", True):
        np.testing.assert_allclose(ours.idf_, theirs.idf_, rtol=1e-6)
    unseen = ["wheat and gold zz", "nothing known", "", "ÖL über 東京 🙂"]
    np.testing.assert_allclose(
        ours.transform(unseen).toarray(), theirs.transform(unseen).toarray(), rtol=2e-6, atol=1e-7
    )
    # Python's names for the tokens of a text.
    if parameters.get("analyzer") != "char_wb" and "ngram_range" not in parameters:
        tokens = theirs.build_analyzer()
        assert [ours.build_analyzer()(text) for text in TEXTS] == [tokens(text) for text in TEXTS]


def test_the_most_frequent_features_are_kept():
    theirs = TfidfVectorizer(max_features=20, min_df=2)
    ours = TextVectorizer(max_features=20, min_df=2)
    ours.fit(TEXTS), theirs.fit(TEXTS)
    counts = TfidfVectorizer(use_idf=False, norm=None).fit(TEXTS)
    total = dict(zip(counts.get_feature_names_out(), counts.transform(TEXTS).sum(axis=0).A1))
    least = min(total[name] for name in theirs.get_feature_names_out())
    differing = set(ours.get_feature_names_out()) ^ set(theirs.get_feature_names_out())
    assert all(total[name] == least for name in differing)


def test_matrices_are_as_scikit_learn_wants_them():
    x = TextVectorizer().fit_transform(TEXTS)
    assert sparse.issparse(x) and x.format == "csr"
    assert (x.dtype, x.indices.dtype, x.indptr.dtype) == (np.float32, np.int32, np.int32)
    x.check_format(full_check=True)
    assert TextVectorizer(dtype=np.float64).fit_transform(TEXTS).dtype == np.float64
    same = TextVectorizer(threads=1).fit_transform(TEXTS)
    assert (same != TextVectorizer(threads=3).fit_transform(TEXTS)).nnz == 0


def test_hashed_features_need_no_fit():
    vectorizer = TextVectorizer(hashing=10, use_idf=False)
    x = vectorizer.transform(TEXTS)
    assert x.shape == (len(TEXTS), 1024)
    fitted = clone(vectorizer).fit_transform(TEXTS)
    assert (x != fitted).nnz == 0
    with pytest.raises(AttributeError, match="no vocabulary_"):
        vectorizer.vocabulary_
    assert len(vectorizer.get_feature_names_out()) == 1024
    with pytest.raises(NotFittedError):
        TextVectorizer(hashing=10).transform(TEXTS)


def test_it_comes_back_from_a_pickle():
    for parameters in ({}, {"ngram_range": (1, 3)}, {"analyzer": "char_wb", "ngram_range": (2, 3)}, {"hashing": 8}):
        vectorizer = TextVectorizer(**parameters)
        x = vectorizer.fit_transform(TEXTS)
        again = pickle.loads(pickle.dumps(vectorizer))
        assert (again.transform(TEXTS) != x).nnz == 0
        np.testing.assert_array_equal(
            again.get_feature_names_out(), vectorizer.get_feature_names_out()
        )


def test_it_stands_in_pipelines_and_searches():
    texts, labels = wires(90)
    pipe = make_pipeline(TextVectorizer(), LogisticRegression())
    grid = {"textvectorizer__ngram_range": [(1, 1), (1, 2)], "textvectorizer__min_df": [1, 2]}
    search = GridSearchCV(pipe, grid, cv=3, n_jobs=2).fit(texts, labels)
    assert search.best_score_ > 0.9
    import pandas

    assert search.predict(pandas.Series(texts)).tolist()[:3] == labels[:3]
    with pytest.raises(NotFittedError):
        TextVectorizer().transform(texts)
    assert "ngram_range=(1, 2)" in repr(TextVectorizer(ngram_range=(1, 2)))


def test_frames_are_refused_for_sparse_rows_as_scikit_learn_does():
    with pytest.raises(ValueError, match="sparse"):
        TextVectorizer().set_output(transform="pandas").fit_transform(TEXTS)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ngram_range": (2, 1)}, "ngram_range is"),
        ({"ngram_range": (3, 3)}, "begin with 1 or 2"),
        ({"analyzer": "char"}, "expected 'word' or 'char_wb'"),
        ({"norm": "max"}, "norm is 'max'"),
        ({"strip_accents": "ascii"}, "strip_accents is 'ascii'"),
        ({"token_rule": "sklearn"}, "token_rule is 'sklearn'"),
        ({"min_df": -1}, "min_df is -1"),
        ({"min_df": 1.5}, "min_df is 1.5"),
        ({"max_df": 0.0}, "max_df is 0.0"),
        ({"hashing": 40}, "hashing is 40"),
        ({"max_features": 0}, "max_features is 0"),
        ({"min_df": 1000}, "none of the 65 training texts has a feature that is kept"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        TextVectorizer(**parameters).fit(TEXTS)
    with pytest.raises(ValueError, match="a single text"):
        TextVectorizer().fit("wheat")
