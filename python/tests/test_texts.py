"""Texts of every form, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas
import polars
import pyarrow
import pytest

import slugline

FORMS = {
    "list": list,
    "tuple": tuple,
    "generator": iter,
    "numpy object": lambda texts: np.array(texts, dtype=object),
    "numpy str": np.array,
    "pandas": pandas.Series,
    "pandas object": lambda texts: pandas.Series(texts, dtype=object),
    "pandas category": lambda texts: pandas.Series(texts, dtype="category"),
    "pandas arrow": lambda texts: pandas.Series(texts, dtype="string[pyarrow]"),
    "pandas index": lambda texts: pandas.Series(texts, index=range(5, 5 + len(texts))),
    "polars": polars.Series,
    "polars categorical": lambda texts: polars.Series(texts, dtype=polars.Categorical),
    "arrow": pyarrow.array,
    "arrow large": lambda texts: pyarrow.array(texts, type=pyarrow.large_string()),
    "arrow view": lambda texts: pyarrow.array(texts, type=pyarrow.string_view()),
    "arrow dictionary": lambda texts: pyarrow.array(texts).dictionary_encode(),
    "arrow chunks": lambda texts: pyarrow.chunked_array([texts[:2], [], texts[2:]]),
    "arrow slice": lambda texts: pyarrow.array(["x", *texts])[1:],
}
if hasattr(np.dtypes, "StringDType"):
    FORMS["numpy strings"] = lambda texts: np.array(texts, dtype=np.dtypes.StringDType())


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_texts_gives_the_same_answers(model, data, form):
    texts = [*data[0][:7], "", "Öl 東京 🙂 e\u0301"]
    wanted = model.predict_proba(texts)
    given = FORMS[form](texts)
    np.testing.assert_array_equal(model.predict_proba(given), wanted)


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ("wheat", ValueError, "a single str; put it in a list"),
        (b"wheat", ValueError, "a single bytes; put it in a list"),
        (["wheat", None], ValueError, "document 1 is None: expected a str"),
        (["wheat", float("nan")], ValueError, "document 1 is NaN: expected a str"),
        (["wheat", 5], TypeError, "document 1 is of type int: expected a str"),
        (["wheat", b"corn"], TypeError, "document 1 is bytes: expected a str; decode it first"),
        (["wheat", "\ud800"], ValueError, "document 1 holds a lone surrogate"),
        (5, TypeError, "expected an iterable of texts, got int"),
        (np.array([["a", "b"]]), ValueError, r"1-dimensional array of texts, got one of shape \(1, 2\)"),
        (pyarrow.array(["a", None]), ValueError, "document 1 is missing: expected a str"),
        (pyarrow.array([1, 2]), TypeError, "document 0 is of type int|expected a column of texts"),
        (polars.Series(["a", None]), ValueError, "document 1 is "),
        (pandas.Series(["a", None]), ValueError, "document 1 is "),
        (pandas.Series([1.5]), TypeError, "expected a str|expected a column of texts"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(model, texts, error, message):
    with pytest.raises(error, match=message):
        model.predict(texts)


def test_a_table_is_refused_with_its_columns(model):
    table = polars.DataFrame({"title": ["a"], "text": ["b"]})
    with pytest.raises((TypeError, ValueError), match="title, text|1-dimensional"):
        model.predict(table)


def test_no_text_gives_no_answer(model):
    assert model.predict([]) == []
    assert model.predict_proba([]).shape == (0, 3)
    assert model.predict_proba(pyarrow.array([], type=pyarrow.string())).shape == (0, 3)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 3, "150 documents and labels for 3"),
        (["a"] * 150, "are too few to learn from"),
        ([None] + ["a"] * 149, "label 0 is missing"),
        (np.linspace(0, 1, 150), "numbers with fractions"),
        (np.zeros((150, 2, 2)), r"got an array of shape \(150, 2, 2\)"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(data, labels, message):
    with pytest.raises(ValueError, match=message):
        slugline.Classifier.train(data[0], labels)


def test_labels_of_every_form_train_the_same_model(data):
    texts, labels = data
    wanted = slugline.Classifier.train(texts, labels)
    for form in (np.array, pandas.Series, polars.Series, lambda y: pandas.Series(y, dtype="category")):
        assert slugline.Classifier.train(texts, form(labels)) == wanted
    numbers = [wanted.classes.index(label) for label in labels]
    for form in (np.array, lambda y: np.array(y, dtype=float), lambda y: pandas.Series(y, dtype="int8")):
        model = slugline.Classifier.train(texts, form(numbers))
        assert model.classes == ["0", "1", "2"]
        np.testing.assert_array_equal(model.predict_proba(texts), wanted.predict_proba(texts))
