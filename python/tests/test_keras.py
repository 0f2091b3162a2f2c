"""Networks with Keras's names."""

from __future__ import annotations

import copy
import csv
import importlib.util
import json
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slugline import keras
from slugline.keras import (
    activations,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
)
from slugline.keras.optimizers import schedules
from slugline.keras.utils import plot_model, set_random_seed, to_categorical

CLASSES, WIDTH, SAMPLES = 4, 30, 120


@pytest.fixture(scope="module")
def samples() -> tuple[np.ndarray, np.ndarray]:
    """Multi-hot rows of four topics, with some noise, and their labels."""
    random = np.random.default_rng(3)
    labels = random.integers(0, CLASSES, SAMPLES)
    x = (random.random((SAMPLES, WIDTH)) < 0.1).astype(np.float64)
    x[np.arange(SAMPLES), labels * 5 + random.integers(0, 5, SAMPLES)] = 1
    return x, labels


def network(*, units: int = CLASSES, last: str = "softmax", **input_of: Any) -> models.Sequential:
    model = models.Sequential()
    model.add(layers.Dense(8, activation="relu", **input_of))
    model.add(layers.Dense(units, activation=last))
    return model


def compiled(
    *,
    seed: int = 0,
    optimizer: Any = "rmsprop",
    loss: str = "sparse_categorical_crossentropy",
    scores: Any = ("acc",),
) -> models.Sequential:
    set_random_seed(seed)
    model = network(input_shape=(WIDTH,))
    model.compile(optimizer=optimizer, loss=loss, metrics=list(scores))
    return model


def same(a: models.Sequential, b: models.Sequential) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


# --- building


def test_the_published_network_has_the_published_counts() -> None:
    keras.backend.clear_session()
    model = models.Sequential()
    model.add(layers.Dense(64, activation="relu", input_shape=(10000,)))
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(46, activation="softmax"))
    assert [layer.count_params() for layer in model.layers] == [640_064, 4_160, 2_990]
    assert model.count_params() == 647_214
    told: list[str] = []
    model.summary(print_fn=told.append, line_length=76)
    # As Keras 3.15.1 draws it.
    assert told == [
        'Model: "sequential"\n'
        "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
        "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
        "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
        "│ dense (Dense)                   │ (None, 64)             │       640,064 │\n"
        "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
        "│ dense_1 (Dense)                 │ (None, 64)             │         4,160 │\n"
        "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
        "│ dense_2 (Dense)                 │ (None, 46)             │         2,990 │\n"
        "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
        " Total params: 647,214 (2.47 MB)\n"
        " Trainable params: 647,214 (2.47 MB)\n"
        " Non-trainable params: 0 (0.00 B)\n"
    ]


@pytest.mark.parametrize(
    "model",
    [
        lambda: network(input_shape=(WIDTH,)),
        lambda: network(input_dim=WIDTH),
        lambda: models.Sequential(
            [keras.Input(shape=(WIDTH,)), layers.Dense(8, activation="relu"), layers.Dense(4, "softmax")]
        ),
        lambda: models.Sequential(
            [
                layers.InputLayer(shape=(WIDTH,)),
                layers.Dense(8),
                layers.ReLU(),
                layers.Dense(4),
                layers.Softmax(),
            ]
        ),
        lambda: models.Sequential(
            [
                layers.Dense(8, input_shape=(WIDTH,)),
                layers.Activation("relu"),
                layers.Dense(4),
                layers.Activation(activations.softmax),
            ]
        ),
        lambda: network(),
    ],
)
def test_widths_and_activations_can_be_said_in_many_ways(model: Any, samples: Any) -> None:
    x, _ = samples
    set_random_seed(5)
    expected = network(input_shape=(WIDTH,)).predict(x, verbose=0)
    set_random_seed(5)
    assert np.array_equal(model().predict(x, verbose=0), expected)


def test_a_width_is_known_at_the_latest_with_the_data(samples: Any) -> None:
    x, labels = samples
    model = network()
    assert not model.built and model.get_weights() == []
    told: list[str] = []
    model.summary(print_fn=told.append)
    assert "0 (unbuilt)" in told[0] and " ? " in told[0] and "Total params: 0" in told[0]
    with pytest.raises(ValueError, match="isn't built"):
        model.count_params()
    with pytest.raises(ValueError, match="no weights yet"):
        model.layers[0].get_weights()
    model.compile("rmsprop", "sparse_categorical_crossentropy")
    model.fit(x, labels, verbose=0)
    assert model.built and model.layers[0].built
    assert model.input_shape == (None, WIDTH) and model.output_shape == (None, CLASSES)
    model = network()
    model.build((None, WIDTH))
    assert model.count_params() == WIDTH * 8 + 8 + 8 * CLASSES + CLASSES


def test_layers_can_be_taken_away_and_added_without_loss_of_weights(samples: Any) -> None:
    x, labels = samples
    model = compiled()
    model.fit(x, labels, epochs=2, verbose=0)
    kernel = model.layers[0].kernel
    gone = model.pop()
    assert gone.units == CLASSES and len(model.layers) == 1
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(CLASSES, activation="softmax"))
    assert np.array_equal(model.layers[0].kernel, kernel)
    model.fit(x, labels, epochs=1, verbose=0)
    assert not np.array_equal(model.layers[0].kernel, kernel)


def test_weights_come_and_go_as_lists() -> None:
    model, other = compiled(seed=1), compiled(seed=2)
    assert [w.shape for w in model.get_weights()] == [(WIDTH, 8), (8,), (8, CLASSES), (CLASSES,)]
    assert not same(model, other)
    other.set_weights(model.get_weights())
    assert same(model, other)
    kernel, bias = other.layers[1].get_weights()
    other.layers[1].set_weights([kernel + 1, bias])
    assert np.array_equal(other.layers[1].kernel, kernel + 1)
    with pytest.raises(ValueError, match="weight list of length 3"):
        other.set_weights(model.get_weights()[:3])
    with pytest.raises(ValueError, match=r"\(8, 30\)"):
        other.set_weights([w.T for w in model.get_weights()])
    bare = models.Sequential([keras.Input((3,)), layers.Dense(2, use_bias=False)])
    assert [w.shape for w in bare.get_weights()] == [(3, 2)] and bare.layers[0].bias is None
    bare.set_weights([np.ones((3, 2))])
    assert bare.predict(np.ones((1, 3)), verbose=0).tolist() == [[3, 3]]


def test_seeds_settle_the_weights() -> None:
    set_random_seed(9)
    first, second = network(input_dim=3), network(input_dim=3)
    assert not same(first, second)
    set_random_seed(9)
    assert same(network(input_dim=3), first) and same(network(input_dim=3), second)


def test_configs_round_trip() -> None:
    model = models.Sequential(
        [
            keras.Input(shape=(7,)),
            layers.Dense(
                5, "relu", kernel_initializer="he_normal", kernel_regularizer=regularizers.l1_l2(0.1, 0.2)
            ),
            layers.Dropout(0.25),
            layers.Dense(3, use_bias=False, kernel_initializer=initializers.RandomUniform(-0.2, 0.2)),
            layers.Activation("softmax"),
        ],
        name="mine",
    )
    again = models.model_from_json(model.to_json())
    assert again.get_config() == model.get_config() and again.name == "mine"
    assert models.clone_model(model).get_config() == model.get_config()
    config = json.loads(again.to_json())["config"]["layers"]
    assert [c["class_name"] for c in config] == ["InputLayer", "Dense", "Dropout", "Dense", "Activation"]


def test_what_keras_itself_wrote_down_can_be_read() -> None:
    dtype = {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": "float32"},
        "registered_name": None,
    }
    dense = {
        "name": "dense_6",
        "trainable": True,
        "dtype": dtype,
        "units": 64,
        "activation": "linear",
        "use_bias": True,
        "kernel_initializer": {
            "module": "keras.initializers",
            "class_name": "GlorotUniform",
            "config": {"seed": None, "input_axes": None, "output_axes": None},
            "registered_name": None,
        },
        "bias_initializer": {
            "module": "keras.initializers",
            "class_name": "Zeros",
            "config": {},
            "registered_name": None,
        },
        "kernel_regularizer": None,
        "bias_regularizer": None,
        "kernel_constraint": None,
        "bias_constraint": None,
        "quantization_config": None,
    }
    entry = {
        "batch_shape": [None, 7],
        "dtype": "float32",
        "sparse": False,
        "ragged": False,
        "name": "input_layer",
        "optional": False,
    }
    activation = {"name": "activation", "trainable": True, "dtype": dtype, "activation": "relu"}
    stack = [("InputLayer", entry), ("Dense", dense), ("Activation", activation)]
    config = {
        "name": "sequential_2",
        "trainable": True,
        "dtype": dtype,
        "layers": [{"module": "keras.layers", "class_name": name, "config": c} for name, c in stack],
        "build_input_shape": [None, 7],
    }
    model = models.model_from_json(json.dumps({"class_name": "Sequential", "config": config}))
    assert model.count_params() == 512 and [layer.name for layer in model.layers] == ["dense_6", "activation"]
    written = {
        "name": "rm_sprop",
        "learning_rate": 0.01,
        "weight_decay": None,
        "clipnorm": None,
        "rho": 0.9,
        "momentum": 0.0,
        "epsilon": 1e-07,
        "centered": False,
        "use_ema": False,
        "ema_momentum": 0.99,
    }
    assert optimizers.get({"class_name": "RMSprop", "config": written}).learning_rate == 0.01


# --- training


def test_both_encodings_of_labels_give_the_same_weights_to_the_bit(samples: Any) -> None:
    x, labels = samples
    sparse = compiled()
    one_hot = compiled(loss="categorical_crossentropy")
    sparse_history = sparse.fit(x, labels, epochs=5, batch_size=16, verbose=0)
    history = one_hot.fit(x, to_categorical(labels), epochs=5, batch_size=16, verbose=0)
    assert same(sparse, one_hot)
    assert sparse_history.history == history.history


def forms(x: np.ndarray) -> dict[str, Any]:
    import pandas
    import scipy.sparse

    from slugline._rows import to_rows

    found = {str(np.dtype(kind)): x.astype(kind) for kind in "f2 f4 f8 ? i1 i4 i8 u1 u2 u8".split()}
    found |= {
        "fortran": np.asfortranarray(x),
        "strided": np.repeat(x, 2, axis=0)[::2],
        "big-endian": x.astype(">f8"),
        "object": x.astype(object),
        "lists": x.tolist(),
        "csr": scipy.sparse.csr_matrix(x),
        "csc": scipy.sparse.csc_array(x),
        "coo": scipy.sparse.coo_matrix(x.astype(int)),
        "pandas": pandas.DataFrame(x),
        "rows": to_rows(x),
        "one input in a list": [x],
    }
    return found


def test_samples_may_have_any_form(samples: Any) -> None:
    x, labels = samples
    expected = compiled()
    expected.fit(x, labels, epochs=2, verbose=0)
    for name, form in forms(x).items():
        model = compiled()
        model.fit(form, labels, epochs=2, verbose=0)
        assert same(model, expected), name
        assert np.array_equal(model.predict(form, verbose=0), expected.predict(x, verbose=0)), name


def test_polars_frames_are_samples(samples: Any) -> None:
    polars = pytest.importorskip("polars")
    x, _ = samples
    model = compiled()
    assert np.array_equal(model.predict(polars.DataFrame(x), verbose=0), model.predict(x, verbose=0))


def test_labels_may_have_any_form(samples: Any) -> None:
    import pandas
    import scipy.sparse

    x, labels = samples
    expected = compiled()
    expected.fit(x, labels, verbose=0)
    for form in (
        labels.tolist(),
        labels[:, None],
        labels.astype(np.uint8),
        labels.astype(np.float32),
        pandas.Series(labels),
    ):
        model = compiled()
        model.fit(x, form, verbose=0)
        assert same(model, expected)
    rows = to_categorical(labels)
    for form in (rows.tolist(), rows.astype(int), rows.astype(bool), scipy.sparse.csr_matrix(rows)):
        model = compiled(loss="categorical_crossentropy")
        model.fit(x, form, verbose=0)
        assert same(model, expected)


def test_yes_or_no_is_one_output(samples: Any) -> None:
    x, labels = samples
    model = network(units=1, last="sigmoid")
    model.compile(
        "adam", "binary_crossentropy", ["accuracy", "binary_accuracy", metrics.Precision(), "recall"]
    )
    history = model.fit(x, labels > 1, epochs=30, verbose=0)
    assert list(history.history) == ["accuracy", "binary_accuracy", "loss", "precision", "recall"]
    answers = model.predict(x, verbose=0)[:, 0] > 0.5
    scores = model.evaluate(x, labels > 1, verbose=0, return_dict=True)
    assert scores["accuracy"] == scores["binary_accuracy"] == np.mean(answers == (labels > 1))
    right = np.sum(answers & (labels > 1))
    assert scores["precision"] == pytest.approx(right / answers.sum())
    assert scores["recall"] == pytest.approx(right / (labels > 1).sum())


def test_a_history_answers_to_acc_and_to_accuracy(samples: Any) -> None:
    x, labels = samples
    for asked, other in (("acc", "accuracy"), ("accuracy", "acc")):
        model = compiled(scores=[asked])
        history = model.fit(x, labels, epochs=3, batch_size=50, validation_split=0.25, verbose=0)
        assert list(history.history) == [asked, "loss", f"val_{asked}", "val_loss"]
        assert history.history[other] == history.history[asked]
        assert history.history[f"val_{other}"] == history.history.get(f"val_{asked}")
        assert len(history.history["val_loss"]) == 3
        with pytest.raises(KeyError):
            history.history["auc"]
        assert history.epoch == [0, 1, 2]
        assert history.params == {"verbose": 0, "epochs": 3, "steps": 2}
        assert history.model is model and model.history is history


def test_scores_have_the_names_asked_for(samples: Any) -> None:
    x, labels = samples
    rows = to_categorical(labels)
    model = network()
    scores = [
        metrics.categorical_accuracy,
        metrics.TopKCategoricalAccuracy(k=2),
        metrics.CategoricalAccuracy(name="mine"),
        metrics.Precision(top_k=1),
        metrics.F1Score("weighted"),
    ]
    model.compile("rmsprop", losses.categorical_crossentropy, scores)
    model.fit(x, rows, epochs=10, verbose=0)
    found = model.evaluate(x, rows, verbose=0)
    names = ["loss", "categorical_accuracy", "top_k_categorical_accuracy", "mine", "precision", "f1_score"]
    assert model.metrics_names == names
    as_dict = model.evaluate(x, rows, verbose=0, return_dict=True)
    assert list(as_dict) == names and list(as_dict.values()) == found
    p = model.predict(x, verbose=0)
    assert found[0] == pytest.approx(losses.categorical_crossentropy(rows, p).mean(), rel=1e-5)
    assert found[1] == found[3] == found[4] == pytest.approx(metrics.categorical_accuracy(rows, p).mean())
    assert found[2] == pytest.approx(metrics.top_k_categorical_accuracy(rows, p, k=2).mean())
    from sklearn.metrics import f1_score

    assert found[5] == pytest.approx(f1_score(labels, p.argmax(axis=1), average="weighted"))
    model.compile("rmsprop", "mse")
    assert isinstance(model.evaluate(x, rows, verbose=0), float)


def test_validation_is_that_of_the_data_given(samples: Any) -> None:
    x, labels = samples
    split, given = compiled(), compiled()
    a = split.fit(x, labels, epochs=3, validation_split=0.25, verbose=0)
    b = given.fit(x[:90], labels[:90], epochs=3, validation_data=(x[90:], labels[90:]), verbose=0)
    assert same(split, given) and a.history == b.history
    loss, accuracy = given.evaluate(x[90:], labels[90:], verbose=0)
    assert (loss, accuracy) == pytest.approx((b.history["val_loss"][-1], b.history["val_acc"][-1]))
    some = compiled().fit(x, labels, epochs=4, validation_split=0.25, validation_freq=2, verbose=0)
    assert [len(some.history[key]) for key in ("loss", "val_loss")] == [4, 2]


def test_weights_of_classes_count_in_training_alone(samples: Any) -> None:
    x, labels = samples
    by_class, by_sample = compiled(), compiled()
    a = by_class.fit(x, labels, epochs=3, validation_split=0.25, class_weight={0: 3.0, 2: 0.5}, verbose=0)
    weights = np.ones(SAMPLES)
    weights[labels == 0], weights[labels == 2] = 3, 0.5
    b = by_sample.fit(
        x[:90],
        labels[:90],
        epochs=3,
        sample_weight=weights[:90],
        validation_data=(x[90:], labels[90:]),
        verbose=0,
    )
    assert same(by_class, by_sample)
    assert a.history["val_loss"] == pytest.approx(b.history["val_loss"])


def test_a_training_in_parts_is_the_training_as_a_whole(samples: Any) -> None:
    x, labels = samples
    for optimizer in ("rmsprop", "adam", "adagrad", optimizers.SGD(momentum=0.9)):
        whole = compiled(optimizer=copy.deepcopy(optimizer))
        parts = compiled(optimizer=copy.deepcopy(optimizer))
        whole_history = whole.fit(x, labels, epochs=4, batch_size=32, verbose=0)
        first = parts.fit(x, labels, epochs=1, batch_size=32, verbose=0)
        rest = parts.fit(x, labels, epochs=4, initial_epoch=1, batch_size=32, verbose=0)
        assert rest.epoch == [1, 2, 3]
        assert first.history["loss"] + rest.history["loss"] == whole_history.history["loss"]
        assert same(whole, parts)
        assert whole.optimizer.iterations == parts.optimizer.iterations == 16


def test_batches_can_be_trained_one_by_one(samples: Any) -> None:
    x, labels = samples
    model = compiled()
    before = model.evaluate(x, labels, verbose=0)
    assert model.train_on_batch(x, labels) == pytest.approx(before, rel=1e-5)
    assert model.optimizer.iterations == 1
    after = model.test_on_batch(x, labels, return_dict=True)
    assert after["loss"] < before[0]
    assert np.array_equal(model.predict_on_batch(x), model(x))


def test_epochs_without_any_are_none(samples: Any) -> None:
    x, labels = samples
    assert compiled().fit(x, labels, epochs=2, initial_epoch=2, verbose=0).epoch == []


# --- what is printed


def test_progress_is_shown_as_keras_shows_it(samples: Any, capsys: Any) -> None:
    x, labels = samples
    model = compiled()
    model.fit(x, labels, epochs=2, batch_size=50, validation_split=0.25)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and len(lines) == 4
    assert lines[1].startswith("2/2 ━━━━━━━━━━━━━━━━━━━━ 0s ") and "s/step - acc: 0." in lines[1]
    for key in (" - loss: ", " - val_acc: ", " - val_loss: "):
        assert key in lines[3]
    model.fit(x, labels, epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("4/4 - 0s - ") and "━" not in lines[1]
    model.fit(x, labels, epochs=2, verbose=0)
    assert capsys.readouterr().out == ""
    model.evaluate(x, labels)
    model.predict(x)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("4/4 ━") and " - loss: " in lines[0] and lines[1].startswith("4/4 ━")


# --- callbacks


class Course(callbacks.Callback):
    """Writes down what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.heard.append("begin")

    def on_train_end(self, logs: Any = None) -> None:
        self.heard.append("end")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.heard.append(f"epoch {epoch}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.heard.append(sorted(logs))


class Batches(callbacks.Callback):
    """Counts batches."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []
        self.losses: list[float] = []

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append(batch)
        self.losses.append(logs["loss"])


def test_callbacks_hear_of_everything_in_order(samples: Any) -> None:
    x, labels = samples
    course, batches = Course(), Batches()
    assert batches._hears_batches() and not course._hears_batches()
    history = compiled().fit(x, labels, epochs=2, batch_size=50, verbose=0, callbacks=[course, batches])
    assert course.heard == ["begin", "epoch 0", ["acc", "loss"], "epoch 1", ["acc", "loss"], "end"]
    assert course.params == history.params
    assert batches.seen == [0, 1, 2, 0, 1, 2]
    assert batches.losses[5] == pytest.approx(history.history["loss"][1])
    told = []
    compiled().fit(
        x,
        labels,
        epochs=2,
        verbose=0,
        callbacks=callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: told.append((epoch, logs["accuracy"]))
        ),
    )
    assert [epoch for epoch, _ in told] == [0, 1]
    with pytest.raises(ValueError, match="no hook"):
        callbacks.LambdaCallback(on_epoch=print)


def test_a_callback_sees_the_model_of_the_epochs_end(samples: Any) -> None:
    x, labels = samples

    class Look(callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.losses: list[float] = []
            self.weights: list[Any] = []

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.losses.append(self.model.evaluate(x[90:], labels[90:], verbose=0)[0])
            self.weights = self.model.get_weights()

    look, model = Look(), compiled()
    plain = compiled()
    history = model.fit(x, labels, epochs=3, validation_split=0.25, verbose=0, callbacks=[look])
    plain.fit(x, labels, epochs=3, validation_split=0.25, verbose=0)
    assert look.losses == pytest.approx(history.history["val_loss"])
    assert all(np.array_equal(a, b) for a, b in zip(look.weights, model.get_weights(), strict=True))
    assert same(plain, model)


def test_a_callback_can_stop(samples: Any) -> None:
    x, labels = samples

    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    assert compiled().fit(x, labels, epochs=9, verbose=0, callbacks=[Stop()]).epoch == [0, 1]


def test_weights_that_a_callback_sets_are_trained_on_from(samples: Any) -> None:
    x, labels = samples

    class Halve(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                self.model.set_weights([w * 0.5 for w in self.model.get_weights()])

    model, parts = compiled(), compiled()
    history = model.fit(x, labels, epochs=4, batch_size=32, verbose=0, callbacks=[Halve()])
    parts.fit(x, labels, epochs=2, batch_size=32, verbose=0)
    parts.set_weights([w * 0.5 for w in parts.get_weights()])
    rest = parts.fit(x, labels, epochs=2, batch_size=32, verbose=0)
    assert history.epoch == [0, 1, 2, 3]
    assert history.history["loss"][2:] == rest.history["loss"]
    assert same(model, parts)


def test_an_error_in_a_callback_ends_the_training_and_is_seen(samples: Any) -> None:
    x, labels = samples

    class Fail(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise LookupError("mine")

    model = compiled()
    with pytest.raises(LookupError, match="mine"):
        model.fit(x, labels, epochs=5, verbose=0, callbacks=[Fail()])
    model.fit(x, labels, epochs=1, verbose=0)

    class Again(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.fit(x, labels)

    with pytest.raises(RuntimeError, match="while the model is trained"):
        model.fit(x, labels, verbose=0, callbacks=[Again()])


class Script(callbacks.Callback):
    """Puts scores in place of the real ones, for the callbacks after it."""

    def __init__(self, key: str, values: list[float]) -> None:
        super().__init__()
        self.key, self.values = key, values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs[self.key] = self.values[epoch]


#: Values, settings and the epochs that Keras 3.15.1's callback trains with them.
STOPPING = [
    ([5, 4, 3, 3, 3, 3, 3], {"patience": 2}, 5),
    ([5, 4, 3, 3, 3, 3, 3], {"patience": 0}, 4),
    ([5, 6, 7, 8], {}, 2),
    ([5, 4.95, 4.9, 4.85, 4.8], {"patience": 2, "min_delta": 0.2}, 3),
    ([5, 4, 3, 2], {"patience": 2, "baseline": 1.0}, 4),
    ([5, 4, 3, 3, 2], {"patience": 2, "baseline": 1.0}, 4),
    ([5, 6, 7, 8, 9], {"patience": 1, "start_from_epoch": 3}, 5),
    ([1, 2, 3, 3, 3], {"patience": 1, "mode": "max"}, 4),
    ([1, 2, 1, 2, 3], {"patience": 2, "monitor": "val_acc"}, 4),
]


@pytest.mark.parametrize(("values", "settings", "epochs"), STOPPING)
def test_early_stopping_stops_where_keras_does(
    values: list[float], settings: dict[str, Any], epochs: int, samples: Any
) -> None:
    x, labels = samples
    script = Script(settings.get("monitor", "val_loss"), values)
    stopping = callbacks.EarlyStopping(**settings)
    history = compiled(scores=["accuracy" if "monitor" in settings else "acc"]).fit(
        x, labels, epochs=len(values), verbose=0, callbacks=[script, stopping]
    )
    assert len(history.epoch) == epochs


def test_the_best_weights_come_back(samples: Any, capsys: Any) -> None:
    x, labels = samples
    kept: list[Any] = []

    class Keep(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            kept.append(self.model.get_weights())

    stopping = callbacks.EarlyStopping(patience=2, restore_best_weights=True, verbose=1)
    model = compiled()
    script = Script("val_loss", [3, 1, 2, 2, 2])
    history = model.fit(x, labels, epochs=5, verbose=0, callbacks=[script, Keep(), stopping])
    assert history.epoch == [0, 1, 2, 3] and stopping.best_epoch == 1 and stopping.stopped_epoch == 3
    assert all(np.array_equal(a, b) for a, b in zip(kept[1], model.get_weights(), strict=True))
    assert "Epoch 4: early stopping" in capsys.readouterr().out


def test_a_score_that_is_not_there_is_said(samples: Any) -> None:
    x, labels = samples
    with pytest.warns(UserWarning, match="val_loss.*not available"):
        compiled().fit(x, labels, verbose=0, callbacks=[callbacks.EarlyStopping()])
    with pytest.raises(ValueError, match="mode='max'"):
        compiled().fit(x, labels, verbose=0, callbacks=[callbacks.EarlyStopping(monitor="auc")])


def test_checkpoints_are_written(samples: Any, tmp_path: Path) -> None:
    x, labels = samples
    every = callbacks.ModelCheckpoint(tmp_path / "all" / "{epoch:02d}-{val_accuracy:.2f}.npz")
    best = callbacks.ModelCheckpoint(tmp_path / "best.npz", save_best_only=True)
    weights = callbacks.ModelCheckpoint(str(tmp_path / "w.npz"), save_weights_only=True)
    script = Script("val_loss", [3, 1, 2])
    model = compiled()
    history = model.fit(
        x, labels, epochs=3, validation_split=0.25, verbose=0, callbacks=[script, every, best, weights]
    )
    accuracies = history.history["val_acc"]
    names = [f"{i + 1:02d}-{accuracy:.2f}.npz" for i, accuracy in enumerate(accuracies)]
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == sorted(names)
    assert same(models.load_model(tmp_path / "best.npz"), models.load_model(tmp_path / "all" / names[1]))
    other = compiled(seed=4)
    other.load_weights(tmp_path / "w.npz")
    assert same(other, model)
    with pytest.raises(ValueError, match=r"model\.npz"):
        callbacks.ModelCheckpoint("best.h5")
    with pytest.raises(ValueError, match="save_freq"):
        callbacks.ModelCheckpoint("best.npz", save_freq=100)


def test_learning_rates_follow_callbacks(samples: Any) -> None:
    x, labels = samples
    model = compiled(optimizer=optimizers.SGD(learning_rate=0.5))
    scheduler = callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5 if epoch else rate)
    history = model.fit(x, labels, epochs=3, batch_size=32, verbose=0, callbacks=[scheduler])
    assert history.history["learning_rate"] == history.history["lr"] == [0.5, 0.25, 0.125]
    assert model.optimizer.learning_rate == model.optimizer.lr == 0.125
    by_hand = compiled(optimizer=optimizers.SGD(learning_rate=0.5))
    for rate in (0.5, 0.25, 0.125):
        by_hand.optimizer.learning_rate = rate
        by_hand.fit(x, labels, batch_size=32, verbose=0)
    assert same(model, by_hand)
    plain = compiled(optimizer=optimizers.SGD(learning_rate=0.5))
    plain.fit(x, labels, epochs=3, batch_size=32, verbose=0)
    assert not same(model, plain)

    model = compiled(optimizer=optimizers.SGD(learning_rate=1.0))
    plateau = callbacks.ReduceLROnPlateau(patience=2, factor=0.1, cooldown=1, min_lr=0.05)
    script = Script("val_loss", [3.0, 3, 3, 3, 3, 3, 3])
    history = model.fit(x, labels, epochs=7, verbose=0, callbacks=[script, plateau])
    # As Keras 3.15.1 has them.
    assert history.history["learning_rate"] == pytest.approx([1, 1, 1, 0.1, 0.1, 0.05, 0.05])


def test_scores_are_written_down(samples: Any, tmp_path: Path) -> None:
    x, labels = samples
    log, board = callbacks.CSVLogger(tmp_path / "log.csv"), callbacks.TensorBoard(tmp_path / "board")
    history = compiled().fit(x, labels, epochs=2, validation_split=0.25, verbose=0, callbacks=[log, board])
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "acc", "loss", "val_acc", "val_loss"]
    assert [float(row["val_loss"]) for row in rows] == history.history["val_loss"]
    more = callbacks.CSVLogger(tmp_path / "log.csv", append=True)
    compiled().fit(x, labels, epochs=1, validation_split=0.25, verbose=0, callbacks=[more])
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4
    for part, keys in (("train", 3), ("validation", 2)):
        (path,) = (tmp_path / "board" / part).iterdir()
        data, records = path.read_bytes(), []
        while data:
            (length,) = struct.unpack_from("<Q", data)
            records.append(data[12 : 12 + length])
            data = data[16 + length :]
        assert b"brain.Event:2" in records[0] and len(records) == 1 + 2 * keys
        assert any(b"epoch_loss" in record for record in records)
    with pytest.raises(ValueError, match="histogram_freq"):
        callbacks.TensorBoard(histogram_freq=1)


def test_a_training_that_diverges_is_said_or_ends_quietly(samples: Any, capsys: Any) -> None:
    x, labels = samples
    rows = to_categorical(labels)

    def wild() -> models.Sequential:
        model = network(last="linear")
        model.compile(optimizers.SGD(10.0), "mse")
        return model

    with pytest.raises(FloatingPointError, match="Lower the learning rate"):
        wild().fit(x, rows, epochs=99, verbose=0)
    model = wild()
    course = Course()
    history = model.fit(x, rows, epochs=99, verbose=0, callbacks=[callbacks.TerminateOnNaN(), course])
    assert len(history.epoch) < 99 and course.heard[-1] == "end"
    assert "terminating training" in capsys.readouterr().out
    assert all(np.isfinite(w).all() for w in model.get_weights())
    with pytest.raises(RuntimeError, match="NaN or Inf"):
        wild().fit(x, rows, epochs=99, verbose=0, callbacks=[callbacks.TerminateOnNaN(raise_error=True)])


# --- optimizers


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adagrad", "adam", "adamw", "RMSprop", "SGD", "AdamW"])
def test_optimizers_have_names(name: str, samples: Any) -> None:
    x, labels = samples
    model = compiled(optimizer=name)
    assert model.fit(x, labels, epochs=2, verbose=0).history["loss"][1] > 0
    again = optimizers.deserialize(optimizers.serialize(model.optimizer))
    assert again.get_config() == model.optimizer.get_config()


def test_epsilon_can_be_where_keras_2_had_it(samples: Any) -> None:
    x, labels = samples
    inside = compiled(optimizer=optimizers.RMSprop(lr=0.001, epsilon=1e-2))
    outside = compiled(optimizer=optimizers.RMSprop(lr=0.001, epsilon=1e-2, epsilon_placement="outside"))
    inside.fit(x, labels, verbose=0)
    outside.fit(x, labels, verbose=0)
    assert not same(inside, outside)
    with pytest.raises(ValueError, match="'inside' or 'outside'"):
        optimizers.RMSprop(epsilon_placement="above")


#: Schedules, and Keras 3.15.1's rates at steps 0, 5, 10 and 25.
SCHEDULES = [
    (schedules.ExponentialDecay(0.1, 10, 0.5), [0.1, 0.0707107, 0.05, 0.0176777]),
    (schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True), [0.1, 0.1, 0.05, 0.025]),
    (schedules.InverseTimeDecay(0.1, 10, 0.5), [0.1, 0.08, 0.0666667, 0.0444444]),
    (schedules.PolynomialDecay(0.1, 20, 0.01, power=2.0), [0.1, 0.060625, 0.0325, 0.01]),
    (schedules.CosineDecay(0.1, 20, alpha=0.1), [0.1, 0.0868198, 0.055, 0.01]),
    (
        schedules.CosineDecay(0.0, 20, warmup_target=0.1, warmup_steps=10),
        [0.0, 0.05, 0.1, 0.0146447],
    ),
    (schedules.PiecewiseConstantDecay([5, 10], [0.1, 0.05, 0.01]), [0.1, 0.1, 0.05, 0.01]),
]


@pytest.mark.parametrize(("schedule", "rates"), SCHEDULES)
def test_schedules_are_keras_schedules(schedule: Any, rates: list[float], samples: Any) -> None:
    x, labels = samples
    assert [schedule(step) for step in (0, 5, 10, 25)] == pytest.approx(rates, rel=1e-4)
    assert schedules.deserialize(schedules.serialize(schedule)).get_config() == schedule.get_config()
    scheduled, by_hand = compiled(optimizer=optimizers.SGD(schedule)), compiled(optimizer=optimizers.SGD(0.1))
    # One step an epoch, so that the rate of each can be set by hand.
    scheduled.fit(x, labels, epochs=12, batch_size=SAMPLES, verbose=0)
    for step in range(12):
        by_hand.optimizer.learning_rate = schedule(step)
        by_hand.fit(x, labels, batch_size=SAMPLES, verbose=0)
    for a, b in zip(scheduled.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    assert scheduled.optimizer.learning_rate == pytest.approx(schedule(12))
    with pytest.raises(TypeError, match="not settable"):
        scheduled.optimizer.learning_rate = 0.1


# --- files


def test_a_saved_model_goes_on_where_it_stood(samples: Any, tmp_path: Path) -> None:
    x, labels = samples
    model = compiled(optimizer=optimizers.Adam(schedules.ExponentialDecay(0.01, 10, 0.5)))
    model.fit(x, labels, epochs=2, batch_size=32, verbose=0)
    model.save(tmp_path / "model.npz")
    again = models.load_model(tmp_path / "model.npz")
    assert same(again, model) and again.get_config() == model.get_config()
    assert again.evaluate(x, labels, verbose=0) == model.evaluate(x, labels, verbose=0)
    pickled, copied = pickle.loads(pickle.dumps(model)), copy.deepcopy(model)
    model.fit(x, labels, epochs=2, batch_size=32, verbose=0)
    for other in (again, pickled, copied):
        other.fit(x, labels, epochs=2, batch_size=32, verbose=0)
        assert same(other, model) and other.optimizer.iterations == model.optimizer.iterations
    bare = models.load_model(tmp_path / "model.npz", compile=False)
    with pytest.raises(ValueError, match="You must call `compile"):
        bare.evaluate(x, labels)
    unbuilt = network()
    unbuilt.save(tmp_path / "unbuilt.npz")
    assert not models.load_model(tmp_path / "unbuilt.npz").built


def test_files_are_checked(samples: Any, tmp_path: Path) -> None:
    model = compiled()
    for name in ("m.h5", "m.weights.h5"):
        with pytest.raises(ValueError, match="Expected a name such as model"):
            model.save(tmp_path / name)
    for name in ("m.keras", "m.weights.h5"):
        with pytest.raises(ValueError, match="Expected a name such as weights"):
            model.save_weights(tmp_path / name)
    path = tmp_path / "m.npz"
    model.save(path)
    with pytest.raises(FileExistsError):
        model.save(path, overwrite=False)
    with pytest.raises(FileNotFoundError):
        models.load_model(tmp_path / "none.npz")
    data = path.read_bytes()
    (tmp_path / "short.npz").write_bytes(data[: len(data) // 2])
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    (tmp_path / "flipped.npz").write_bytes(bytes(flipped))
    (tmp_path / "text.npz").write_bytes(b"not a model")
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    np.savez_compressed(tmp_path / "packed.npz", a=np.ones(3))
    np.savez(tmp_path / "pickled.npz", header=np.array([{}], dtype=object))
    for name in ("short", "flipped", "text", "other", "packed", "pickled"):
        with pytest.raises(ValueError, match=r"expected a file|allow_pickle"):
            models.load_model(tmp_path / f"{name}.npz")
    model.save_weights(tmp_path / "w.npz")
    with pytest.raises(ValueError, match="load_weights"):
        models.load_model(tmp_path / "w.npz")
    other = models.Sequential([keras.Input((3,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="expecting 2 weights"):
        other.load_weights(tmp_path / "w.npz")
    assert zipfile.is_zipfile(path) and not list(tmp_path.glob(".slugline-*"))


def test_a_keras_archive_is_read_back(samples: Any, tmp_path: Path) -> None:
    x, labels = samples
    penalty = regularizers.L1(0.001)
    model = models.Sequential(
        [
            keras.Input((WIDTH,)),
            layers.Dense(8, kernel_regularizer=penalty, name="first"),
            layers.Activation("tanh"),
            layers.Dropout(0.25),
            layers.Dense(CLASSES, "softmax", use_bias=False),
        ],
        name="mine",
    )
    rate = schedules.ExponentialDecay(0.1, 10, 0.5)
    scores = ["acc", metrics.SparseTopKCategoricalAccuracy(k=2)]
    model.compile(optimizers.RMSprop(rate, rho=0.8), "sparse_categorical_crossentropy", scores)
    model.fit(x, labels, verbose=0)
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras")
    assert same(again, model) and again.name == "mine" and again.layers[0].name == "first"
    assert again.evaluate(x, labels, verbose=0) == pytest.approx(model.evaluate(x, labels, verbose=0))
    assert again.metrics_names == ["loss", "acc", "sparse_top_k_categorical_accuracy"]
    assert again.optimizer.get_config() == model.optimizer.get_config()
    assert not models.load_model(tmp_path / "m.keras", compile=False).compiled
    (tmp_path / "bad.keras").write_bytes(b"no archive")
    with pytest.raises(ValueError):
        models.load_model(tmp_path / "bad.keras")


#: Real Keras, in a process of its own: loads what is given, trains it on, and saves it again.
ROUND_TRIP = """
import os, sys
os.environ["KERAS_BACKEND"] = "jax"
import keras, numpy as np
model = keras.models.load_model(sys.argv[1] + "/m.keras")
data = np.load(sys.argv[1] + "/data.npz")
before = model.evaluate(data["x"], data["y"], verbose=0)
model.fit(data["x"], data["y"], epochs=2, shuffle=False, verbose=0)
np.savez(sys.argv[1] + "/out.npz", before=before, after=model.evaluate(data["x"], data["y"], verbose=0))
model.save(sys.argv[1] + "/again.keras")
"""


def test_models_go_to_keras_and_come_back(samples: Any, tmp_path: Path) -> None:
    if not all(importlib.util.find_spec(name) for name in ("keras", "jax")):
        pytest.skip("Keras and JAX are not installed")
    x, labels = samples
    model = compiled()
    model.fit(x, labels, epochs=2, verbose=0)
    # The memory of the optimizer does not go along.
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["acc"])
    model.save(tmp_path / "m.keras")
    np.savez(tmp_path / "data.npz", x=x, y=labels)
    subprocess.run([sys.executable, "-c", ROUND_TRIP, tmp_path], check=True)
    found = np.load(tmp_path / "out.npz")
    np.testing.assert_allclose(model.evaluate(x, labels, verbose=0), found["before"], rtol=1e-5)
    model.fit(x, labels, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.evaluate(x, labels, verbose=0), found["after"], rtol=1e-4)
    again = models.load_model(tmp_path / "again.keras")
    np.testing.assert_allclose(again.evaluate(x, labels, verbose=0), found["after"], rtol=1e-5)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_model_is_drawn(tmp_path: Path) -> None:
    model = network(input_dim=5)
    assert plot_model(model, to_file=tmp_path / "m.png", show_shapes=True).format == "png"
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in plot_model(model, to_file=None)._repr_svg_()
    with pytest.raises(ValueError, match="not yet been built"):
        plot_model(network())


# --- what is refused


def refusals() -> list[tuple[Any, str]]:
    x, y = np.ones((4, 3)), [0, 1, 0, 1]
    model = network()
    model.compile("sgd", "sparse_categorical_crossentropy")
    rows = network()
    rows.compile("sgd", "categorical_crossentropy")
    return [
        (lambda: layers.LSTM(3), "layers Dense, Dropout"),
        (lambda: optimizers.Nadam(), "optimizers SGD, RMSprop"),
        (lambda: losses.Hinge(), "losses CategoricalCrossentropy"),
        (lambda: metrics.AUC(), "metrics CategoricalAccuracy"),
        (lambda: layers.Dense(0), "units=0"),
        (lambda: layers.Dense(2.5), "units=2.5"),
        (lambda: layers.Dense(3, "selu"), "Supported are linear, relu"),
        (lambda: layers.Dense(3, lambda x: x), "one's own"),
        (lambda: layers.Dense(3, kernel_initializer="orthogonal"), "Supported are GlorotUniform"),
        (lambda: layers.Dense(3, kernel_initializer=initializers.HeNormal(seed=3)), "seed=3"),
        (lambda: layers.Dense(3, bias_initializer="he_normal"), "start at zero"),
        (lambda: layers.Dense(3, bias_regularizer="l2"), "bias_regularizer"),
        (lambda: layers.Dense(3, kernel_regularizer=lambda w: w), "Supported are L1, L2"),
        (lambda: layers.Dense(3, input_shape=(28, 28)), "one number"),
        (lambda: layers.Dense(3, sort=1), "not recognized: sort"),
        (lambda: layers.Dense(3, dtype="float16"), "float32"),
        (lambda: layers.Dense(3, trainable=False), "frozen"),
        (lambda: layers.Dropout(1.0), "rate=1.0"),
        (lambda: layers.Dense(3)(keras.Input((3,))), "functional API"),
        (lambda: keras.Model(inputs=1, outputs=2), "functional API"),
        (lambda: models.Sequential([layers.Activation("relu")]), "follow a Dense"),
        (lambda: models.Sequential([layers.Dense(3, "relu"), layers.Activation("tanh")]), "follow a Dense"),
        (lambda: models.Sequential([3]), "Only layers"),
        (lambda: models.Sequential([layers.Dense(3), layers.Dropout(0.5)]).build((None, 3)), "last layer"),
        (lambda: models.Sequential().build((None, 3)), "no layers"),
        (lambda: models.Sequential(model.layers), "cannot be shared"),
        (lambda: model.add(keras.Input((3,))), "the first of a model"),
        (lambda: model.get_layer("none"), "No such layer: none"),
        (lambda: model.predict_classes(x), "np.argmax"),
        (lambda: model.fit_generator(x), r"model\.fit"),
        (lambda: network().fit(x, y), "You must call `compile"),
        (lambda: network().compile("nadam", "mse"), "Supported are SGD"),
        (lambda: network().compile("sgd", "hinge"), "Supported are categorical_crossentropy"),
        (lambda: network().compile("sgd", lambda y, p: 0), "one's own"),
        (lambda: network().compile("sgd", "mse", ["auc"]), "Supported are accuracy"),
        (lambda: network().compile("sgd", "mse", "accuracy"), "to be a list"),
        (lambda: network().compile("sgd", "mse", loss_weights={"a": 1.0}), "loss_weights"),
        (lambda: losses.CategoricalCrossentropy(from_logits=True), "from_logits"),
        (lambda: metrics.Accuracy(), "CategoricalAccuracy"),
        (lambda: metrics.F1Score(), "'micro' or 'weighted'"),
        (lambda: metrics.Precision(thresholds=0.3), "thresholds"),
        (lambda: optimizers.Adam(clipnorm=1.0), "clipnorm"),
        (lambda: optimizers.RMSprop(momentum=0.9), "momentum"),
        (lambda: optimizers.SGD(decay=1e-6), "decay"),
        (lambda: optimizers.SGD(-1), "learning_rate"),
        (lambda: optimizers.SGD(speed=1), "not recognized: speed"),
        (lambda: model.fit(x), "y=None"),
        (lambda: model.fit(x, y[:3]), "'x' sizes: 4. 'y' sizes: 3"),
        (lambda: model.fit(x, [0, 1, 2, 9]), r"label value of 9 .* \[0, 4\)"),
        (lambda: model.fit(x, [0, 1, 2, -1]), "label value of -1"),
        (lambda: model.fit(x, ["a", "b", "a", "b"]), "LabelEncoder"),
        (lambda: model.fit(x, to_categorical(y)), "np.argmax"),
        (lambda: rows.fit(x, y), "to_categorical"),
        (lambda: rows.fit(x, np.ones((4, 3))), r"\(4, 3\).*\(4, 4\)"),
        (lambda: model.fit(iter([1]), y), "Generators"),
        (lambda: model.fit([[1, 2], [1]], [0, 1]), "different lengths"),
        (lambda: model.fit(np.ones(4), y), "found ndim=1"),
        (lambda: model.fit(x, y, batch_size=0), "batch_size"),
        (lambda: model.fit(x, y, verbose=3), "verbose"),
        (lambda: model.fit(x, y, steps_per_epoch=3), "steps_per_epoch"),
        (lambda: model.fit(x, y, validation_data=x), "tuple"),
        (lambda: model.fit(x, y, validation_split=1.0), "validation split"),
        (lambda: model.fit(x, y, sample_weight=[1, 2]), "sample_weight"),
        (lambda: model.fit(x, y, class_weight="balanced"), "class_weight"),
        (lambda: model.fit(x, y, callbacks=[print]), "slugline.keras.callbacks"),
        (lambda: model.evaluate(x, y, sample_weight=[1] * 4), "sample_weight"),
        (lambda: network(input_dim=7).predict(x), "axis -1 of input shape to have value 7"),
        (lambda: to_categorical([0, 5], num_classes=3), "labels from 0 to 5"),
        (lambda: set_random_seed(-1), "seed=-1"),
    ]


def test_what_is_not_supported_is_refused_with_a_hint() -> None:
    for number, (call, hint) in enumerate(refusals()):
        with pytest.raises((ValueError, TypeError, AttributeError), match=f"(?s){hint}"):
            call()
            pytest.fail(f"refusal {number}: {hint}")


# --- utilities


def test_to_categorical_is_that_of_keras() -> None:
    assert to_categorical([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert to_categorical([0, 2]).dtype == np.float64
    assert to_categorical([[1], [0]]).shape == (2, 2)
    assert to_categorical([[1, 0], [0, 1]], num_classes=3).shape == (2, 2, 3)
    assert to_categorical(1, num_classes=3).tolist() == [0, 1, 0]
    assert to_categorical([], num_classes=3).shape == (0, 3)
    assert keras.utils.np_utils.to_categorical is to_categorical


def test_imports_of_old_and_new_examples_work() -> None:
    program = """
from slugline.keras.datasets import reuters
from slugline.keras import models, layers, optimizers, losses, metrics, regularizers, initializers, callbacks
from slugline.keras.utils.np_utils import to_categorical
from slugline.keras.utils import to_categorical, plot_model, np_utils
from slugline.keras.models import Sequential, load_model
from slugline.keras.layers import Dense, Dropout, Activation, Input
from slugline.keras.callbacks import EarlyStopping, ModelCheckpoint
from slugline.keras.optimizers import RMSprop
from slugline.keras.optimizers.schedules import ExponentialDecay
from slugline.keras import backend as K
import slugline.keras as keras
assert keras.Sequential is Sequential and keras.__version__
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_package_itself_does_not_import_it() -> None:
    program = "import sys, slugline; assert not [m for m in sys.modules if m.startswith('slugline.keras')]"
    subprocess.run([sys.executable, "-c", program], check=True)


# --- Reuters


def test_reuters_is_that_of_keras(reuters_folder: Path, monkeypatch: Any) -> None:
    from slugline.keras.datasets import reuters

    (x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=10000)
    assert (len(x_train), len(x_test)) == (8982, 2246)
    assert x_train.dtype == object and type(x_train[0]) is list and type(x_train[0][0]) is int
    assert y_train.dtype == np.int64 and y_test[0] == 3
    assert [len(x_train[i]) for i in range(0, 9000, 1000)] == [87, 626, 34, 17, 187, 243, 65, 41, 267]
    assert max(map(max, x_train)) == 9999 and max(y_train) == 45
    words = {rank: word for word, rank in reuters.get_word_index().items()}
    assert " ".join(words.get(i - 3, "?") for i in x_train[25]).startswith(
        "? there were 106 200 tonnes of u s corn"
    )
    names = reuters.get_label_names()
    assert len(names) == 46 and names[3] == "earn" and names[45] == "lead"
    (bare, _), _ = reuters.load_data(num_words=np.int64(10000), start_char=None, index_from=0, oov_char=None)
    assert len(bare) == 8982 and min(map(min, (d for d in bare if d))) == 1
    (_, few), (_, rest) = reuters.load_data(test_split=0.5, maxlen=50, seed=1)
    assert abs(len(few) - len(rest)) <= 1 and len(few) + len(rest) < 11228
    with pytest.raises(FileNotFoundError):
        reuters.load_data(path="/nonexistent/reuters.npz")
    with pytest.raises(ValueError):
        reuters.load_data(test_split=2.0)
