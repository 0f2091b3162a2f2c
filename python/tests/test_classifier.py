"""The classifier: what it answers, how it is kept, and what it refuses."""

from __future__ import annotations

import copy
import json
import pickle
import pickletools

import numpy as np
import pytest

import slugline


def test_answers_are_right_and_add_up(model, data):
    texts, labels = data
    probabilities = model.predict_proba(texts)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (150, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    predicted = model.predict(texts)
    assert np.mean([p == y for p, y in zip(predicted, labels)]) > 0.98
    assert [model.classes[i] for i in probabilities.argmax(axis=1)] == predicted
    assert model.decision_function(texts).shape == (150, 3)
    assert model.embed(texts).shape[0] == 150
    top = model.predict_top(texts[:2], 2)
    assert [answer.label for answer in top] == predicted[:2]
    assert top[0].top[0][1] >= top[0].top[1][1]
    assert top[0].unknown_words == 0


def test_one_model_for_any_number_of_threads_and_from_run_to_run(data):
    models = [slugline.Classifier.train(*data, preset="text", hidden=[8], epochs=3, threads=n) for n in (1, 2, 3)]
    assert models[0] == models[1] == models[2]
    assert len({hash(model) for model in models}) == 1
    assert models[0] != slugline.Classifier.train(*data, preset="text", hidden=[8], epochs=3, seed=1)
    texts = data[0]
    np.testing.assert_array_equal(
        models[0].predict_proba(texts, threads=1), models[0].predict_proba(texts, threads=2)
    )


def test_a_model_comes_back_from_file_bytes_and_pickle(model, data, tmp_path):
    path = tmp_path / "news.slug"
    model.save(path)
    wanted = model.predict_proba(data[0])
    for other in (
        slugline.Classifier.load(path),
        slugline.Classifier.load(str(path)),
        slugline.Classifier.from_bytes(path.read_bytes()),
        slugline.Classifier.from_bytes(bytearray(model.to_bytes())),
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
    ):
        assert other == model
        np.testing.assert_array_equal(other.predict_proba(data[0]), wanted)


def test_a_pickle_calls_nothing_but_the_loader(model):
    names = [
        argument
        for opcode, argument, _ in pickletools.genops(pickle.dumps(model, protocol=2))
        if opcode.name == "GLOBAL"
    ]
    ours = [name for name in names if name.startswith("slugline")]
    assert ours and all(name.startswith("slugline._classifier Classifier") for name in ours)
    assert set(names) - set(ours) <= {"__builtin__ getattr", "builtins getattr", "_codecs encode"}


def test_damaged_and_missing_files_are_told(tmp_path, model):
    path = tmp_path / "news.slug"
    with pytest.raises(FileNotFoundError) as error:
        slugline.Classifier.load(path)
    assert error.value.filename == str(path)
    with pytest.raises(ValueError, match="found a folder"):
        slugline.Classifier.load(tmp_path)
    path.write_text("nothing")
    with pytest.raises(ValueError, match="expected a Slugline model file"):
        slugline.Classifier.load(path)
    content = bytearray(model.to_bytes())
    content[len(content) // 2] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        slugline.Classifier.from_bytes(content)
    with pytest.raises(ValueError, match="ends after"):
        slugline.Classifier.from_bytes(model.to_bytes()[:-10])
    with pytest.raises(FileNotFoundError):
        model.save(tmp_path / "no" / "folder")
    with pytest.raises(TypeError, match="Classifier.train"):
        slugline.Classifier()


def test_reasons_add_up_and_show_themselves(model):
    text = "Gold & silver <rose> today, wheat fell."
    why = model.explain(text)
    assert why.label == "metal" == why.answer
    total = why.baseline + sum(token.contribution for token in why.tokens)
    assert total == pytest.approx(why.logit, abs=1e-4)
    for span in [*why.spans, *why.tokens]:
        assert text[span.start : span.end] == span.text
    assert dict(why.top(20))["Gold"] > 0
    page = why._repr_html_()
    assert "&amp;" in page and "&lt;" in page and "Gold</span>" in page
    held = model.explain(text, label="grain", against="metal")
    assert (held.label, held.against) == ("grain", "metal")
    assert held.logit < 0
    batch = model.explain_batch([text] * 3, threads=2)
    assert batch == [why] * 3
    with pytest.raises(ValueError, match="no class 'grian'|no class \"grian\""):
        model.explain(text, label="grian")
    with pytest.raises(ValueError, match="against itself"):
        model.explain(text, label="grain", against="grain")


def test_scores_report_and_pictures(model, data, tmp_path):
    scores = model.evaluate(*data, name="wires")
    assert scores["accuracy"] > 0.98
    path = tmp_path / "report.html"
    page = model.report(*data, path, title="Wires & more")
    assert path.read_text(encoding="utf-8") == page
    assert "Wires &amp; more" in page or "Wires &#38; more" in page
    hidden = model.report(*data, show_texts=False)
    assert data[0][0] not in hidden
    for kind in ("curves", "architecture", "class-sizes"):
        assert model.plot(kind)._repr_svg_().startswith("<svg")
    for kind in ("confusion", "reliability"):
        file = tmp_path / f"{kind}.png"
        picture = model.plot(kind, file, data=data, theme="dark")
        assert file.read_bytes() == picture.data
        assert picture._repr_png_().startswith(b"\x89PNG")
        with pytest.raises(ValueError, match="of labelled documents"):
            model.plot(kind)
    with pytest.raises(ValueError, match="unknown picture"):
        model.plot("pie")
    with pytest.raises(ValueError, match="ends in .svg or .png"):
        model.plot("curves", tmp_path / "curves.gif")


def test_nearest_documents(model, data):
    indexed = model.with_index(*data)
    found = indexed.nearest(data[0][4], 2)
    assert found[0]["document"] == 4
    assert found[0]["labels"] == [data[1][4]]
    with pytest.raises(ValueError, match="index"):
        model.nearest("wheat")


def test_features_are_what_the_network_takes(model, data):
    x = model.vectorize(data[0])
    names = model.feature_names()
    assert x.shape == (150, len(names))
    assert x.has_canonical_format
    assert "wheat" in names


def test_any_number_of_labels(data):
    texts, labels = data
    both = [f"{a} {b}" for a, b in zip(texts, texts[1:])]
    lists = [sorted({a, b}) for a, b in zip(labels, labels[1:])]
    model = slugline.Classifier.train(both, lists)
    assert (model.label_kind, model.classes) == ("multi", ["grain", "metal", "ship"])
    right = np.mean([sorted(p) == y for p, y in zip(model.predict(both), lists)])
    assert right > 0.9
    matrix = np.array([[name in many for name in model.classes] for many in lists], dtype=int)
    assert slugline.Classifier.train(both, matrix, classes=model.classes) == model
    shares = matrix / matrix.sum(axis=1, keepdims=True)
    soft = slugline.Classifier.train(both, shares, classes=model.classes)
    assert soft.label_kind == "soft"


def test_weights_of_samples_count(data):
    texts, labels = data
    flipped = ["ship" if label == "grain" else label for label in labels]
    weight = np.r_[np.ones(150), np.zeros(150)]
    model = slugline.Classifier.train(texts + texts, labels + flipped, sample_weight=weight)
    assert model.evaluate(texts, labels)["accuracy"] > 0.95
    with pytest.raises(ValueError, match="weight"):
        slugline.Classifier.train(texts, labels, sample_weight=np.full(150, -1.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 3}, "unknown setting `epoch`"),
        ({"epochs": 0}, "epochs is 0: expected"),
        ({"dropout": 1.5}, "dropout is 1.5: expected"),
        ({"preset": "auto", "epochs": 3}, "epochs is chosen by preset auto"),
        ({"optimizer": "adma"}, "optimizer is .*adma.*: expected"),
        ({"rho": 0.9, "optimizer": "adam"}, "rho has no meaning for optimizer adam"),
        ({"class_weight": {"gold": 2}}, "gold"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_by_name(data, settings, message):
    with pytest.raises(ValueError, match=message):
        slugline.Classifier.train(*data, **settings)


def test_what_was_asked_for_stands_in_the_record(data):
    asked = {"hidden": [8, 4], "ngrams": 2, "epochs": 2, "class_weight": {"grain": 2.0}}
    model = slugline.Classifier.train(*data, **asked, name="wires")
    record = model.record
    assert record["corpus"]["name"] == "wires"
    assert record["options"]["hidden"] == [8, 4]
    assert record["options"]["vectorizer"]["word_ngrams"] == 2
    assert len(record["history"]["epochs"]) == 2
    assert json.dumps(record)
    assert "8-4-3" in repr(model)


def test_progress_is_shown_where_asked(data, capsys):
    slugline.Classifier.train(*data, preset="text", hidden=[4], epochs=2, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "epoch 2" in shown.err and "val_accuracy" in shown.err
    slugline.Classifier.train(*data, preset="text", hidden=[4], epochs=2)
    assert capsys.readouterr().err == ""
