"""Models for other programs, run by them."""

from __future__ import annotations

import gzip
import json
import os

import numpy as np
import pytest

import slugline

os.environ.setdefault("KERAS_BACKEND", "jax")


@pytest.fixture(scope="module")
def documents(request):
    """A thousand real documents, or made-up ones where there are none."""
    folder = os.environ.get("SLUGLINE_DATA_DIR")
    if not folder:
        from conftest import wires

        return wires(1000)
    texts, labels = [], []
    with gzip.open(os.path.join(folder, "20news-bydate.jsonl.gz"), "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            texts.append(row["text"])
            labels.append(row["label"])
    # Some of every class, which lie together.
    return texts[::18][:1000], labels[::18][:1000]


@pytest.fixture(scope="module")
def real(documents):
    texts, labels = documents
    return slugline.Classifier.train(texts, labels, preset="text", epochs=3, max_features=20000)


def answers(path, name, value):
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], {name: value})[0]


def test_onnx_over_features_gives_the_same_probabilities(real, documents, tmp_path):
    path = tmp_path / "model.onnx"
    real.export(path)
    texts = documents[0]
    found = answers(path, "features", real.vectorize(texts).toarray())
    assert np.abs(found - real.predict_proba(texts)).max() < 1e-5


def test_onnx_over_text_gives_the_same_probabilities_or_says_what_it_cannot(real, documents, tmp_path):
    texts, labels = documents
    with pytest.raises(ValueError, match="token rule"):
        real.export(tmp_path / "model.onnx", input="text")
    model = slugline.Classifier.train(
        texts, labels, token_rule="whitespace", normalization="none", ngrams=2, epochs=2
    )
    path = tmp_path / "text.onnx"
    model.export(path, input="text")
    found = answers(path, "text", np.array(texts[:200], dtype=object))
    assert np.abs(found - model.predict_proba(texts[:200])).max() < 1e-5


def test_safetensors_has_weights_under_standard_names(real, tmp_path):
    safetensors = pytest.importorskip("safetensors")
    path = tmp_path / "model.safetensors"
    real.export(path)
    with safetensors.safe_open(path, "numpy") as file:
        about = json.loads(file.metadata()["slugline"])
        assert about["labels"] == real.classes
        kernel = file.get_tensor("layers.0.kernel")
    assert kernel.shape == (len(real.feature_names()), 64)


def test_keras_gives_the_same_answers_and_its_networks_come_back(real, documents, tmp_path):
    keras = pytest.importorskip("keras")
    texts = documents[0]
    x = real.vectorize(texts).toarray()
    path = tmp_path / "model.keras"
    try:
        real.export(path)
        wanted = real.predict_proba(texts)
    except ValueError as error:
        assert "calibration" in str(error)
        real.export(path, calibrated=False)
        wanted = slugline.keras.from_keras(path).predict(x, verbose=0)
    theirs = keras.models.load_model(path)
    assert np.abs(theirs.predict(x, verbose=0) - wanted).max() < 1e-5
    for source in (path, theirs):
        ours = slugline.keras.from_keras(source)
        assert np.abs(ours.predict(x, verbose=0) - wanted).max() < 1e-5
    ours.save(tmp_path / "again.keras")
    again = keras.models.load_model(tmp_path / "again.keras")
    for mine, other in zip(again.get_weights(), theirs.get_weights()):
        np.testing.assert_array_equal(mine, other)


def test_forms_and_files_that_cannot_be_are_told(real, tmp_path):
    with pytest.raises(ValueError, match="unknown form 'pkl'|unknown form \"pkl\""):
        real.export(tmp_path / "model.pkl")
    with pytest.raises(ValueError, match="expected features or text"):
        real.export(tmp_path / "model.onnx", input="words")
    with pytest.raises(FileNotFoundError):
        real.export(tmp_path / "no" / "model.onnx")
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"PK nothing")
    with pytest.raises(ValueError):
        slugline.keras.from_keras(broken)
