"""Golden figures of small networks: every optimizer, loss and option once."""

import keras
import numpy as np

import numpy_reference
from golden_json import exact

INPUTS, HIDDEN, CLASSES = 12, (7, 6), 5
BATCH, BATCHES, STEPS = 8, 4, 12
NEVER, ONLY_IN = 9, {10: 2, 11: 0}  # feature without any value; feature -> its one batch

LOSS_OUTPUT = {
    "categorical_crossentropy": ("softmax", "one_hot"),
    "sparse_categorical_crossentropy": ("softmax", "labels"),
    "binary_crossentropy": ("sigmoid", "multi_hot"),
    "mean_squared_error": ("linear", "values"),
    "categorical_focal_crossentropy": ("softmax", "one_hot"),
    "binary_focal_crossentropy": ("sigmoid", "multi_hot"),
}
FOCAL = {
    "categorical_focal_crossentropy": {"alpha": 0.25, "gamma": 2.0},
    "binary_focal_crossentropy": {"alpha": 0.25, "gamma": 2.0, "apply_class_balancing": False},
}
# The losses that every optimizer is run with.
PLAIN = [name for name in LOSS_OUTPUT if name not in FOCAL]

SGD = {"name": "sgd", "learning_rate": 0.05, "schedule": None, "momentum": 0.0, "nesterov": False}
RMSPROP = {"name": "rmsprop", "learning_rate": 0.01, "schedule": None, "rho": 0.9, "epsilon": 1e-7}
ADAM = {
    "name": "adam",
    "learning_rate": 0.01,
    "schedule": None,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-7,
}
OPTIMIZERS = {
    "sgd": SGD,
    "sgd_momentum": {**SGD, "momentum": 0.9},
    "sgd_nesterov": {**SGD, "momentum": 0.9, "nesterov": True},
    "rmsprop": RMSPROP,
    "rmsprop_keras_2_2_4": {**RMSPROP, "name": "rmsprop_keras_2_2_4"},
    "adagrad": {
        "name": "adagrad",
        "learning_rate": 0.05,
        "schedule": None,
        "initial_accumulator_value": 0.1,
        "epsilon": 1e-7,
    },
    "adam": ADAM,
    "adamw": {**ADAM, "name": "adamw", "weight_decay": 0.004},
    "adamw_strong_decay": {**ADAM, "name": "adamw", "weight_decay": 0.05},
}

SCHEDULES = {
    "exponential_decay": {
        "name": "exponential_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": 5,
        "decay_rate": 0.5,
        "staircase": False,
    },
    "exponential_decay_staircase": {
        "name": "exponential_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": 5,
        "decay_rate": 0.5,
        "staircase": True,
    },
    "polynomial_decay": {
        "name": "polynomial_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": 10,
        "end_learning_rate": 0.01,
        "power": 1.0,
        "cycle": False,
    },
    "polynomial_decay_power_2": {
        "name": "polynomial_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": 10,
        "end_learning_rate": 0.01,
        "power": 2.0,
        "cycle": False,
    },
    "polynomial_decay_cycle": {
        "name": "polynomial_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": 8,
        "end_learning_rate": 0.01,
        "power": 1.0,
        "cycle": True,
    },
    "inverse_time_decay": {
        "name": "inverse_time_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": 4,
        "decay_rate": 0.5,
        "staircase": False,
    },
    "inverse_time_decay_staircase": {
        "name": "inverse_time_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": 4,
        "decay_rate": 0.5,
        "staircase": True,
    },
    "cosine_decay": {
        "name": "cosine_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": 10,
        "alpha": 0.0,
        "warmup_target": None,
        "warmup_steps": 0,
    },
    "cosine_decay_warmup": {
        "name": "cosine_decay",
        "initial_learning_rate": 0.01,
        "decay_steps": 10,
        "alpha": 0.1,
        "warmup_target": 0.1,
        "warmup_steps": 4,
    },
    "piecewise_constant_decay": {
        "name": "piecewise_constant_decay",
        "boundaries": [3, 8],
        "values": [0.1, 0.05, 0.01],
    },
}


class RmsPropKeras224(keras.optimizers.RMSprop):
    """RMSprop as Keras 2.2.4 had it: epsilon is added to the square root.

    `a = rho*a + (1 - rho)*g**2; w -= lr*g / (sqrt(a) + epsilon)`. It exists to
    check the NumPy figures of that form against TensorFlow's own gradients.
    """

    def update_step(self, gradient, variable, learning_rate):
        rate = keras.ops.cast(learning_rate, variable.dtype)
        a = self._velocities[self._get_variable_index(variable)]
        self.assign(a, self.rho * a + (1 - self.rho) * keras.ops.square(gradient))
        self.assign_sub(variable, rate * gradient / (keras.ops.sqrt(a) + self.epsilon))


def _batches(rng):
    """Four batches; inputs are multiples of 1/8, so exact in float32."""
    allowed = np.ones((BATCHES, INPUTS), dtype=bool)
    for batch in range(BATCHES):
        allowed[batch, batch] = False  # features 0..3 are missing from one batch each
        allowed[batch, NEVER] = False
        for feature, only in ONLY_IN.items():
            allowed[batch, feature] = batch == only
    batches = []
    for batch in range(BATCHES):
        filled = (rng.random((BATCH, INPUTS)) < 0.4) & allowed[batch]
        for feature in np.flatnonzero(allowed[batch] & ~filled.any(axis=0)):
            filled[rng.integers(BATCH), feature] = True
        if batch == 1:
            filled[5] = False  # a sample without any feature
        x = filled * rng.integers(1, 17, (BATCH, INPUTS)) / 8.0
        labels = rng.integers(0, CLASSES, BATCH)
        batches.append(
            {
                "x": x.astype(np.float32),
                "labels": labels,
                "one_hot": np.eye(CLASSES, dtype=np.float32)[labels],
                "multi_hot": (rng.random((BATCH, CLASSES)) < 0.4).astype(np.float32),
                "values": (rng.integers(-16, 17, (BATCH, CLASSES)) / 8.0).astype(np.float32),
                "sample_weight": (rng.integers(0, 9, BATCH) / 4.0).astype(np.float32),
            }
        )
    return batches


def _starts(rng):
    """Named starting weights. Kernels are [in, out], as in Keras."""
    widths = (INPUTS, *HIDDEN, CLASSES)
    standard = []
    for rows, columns in zip(widths, widths[1:]):
        limit = np.sqrt(6.0 / (rows + columns))
        standard.append(
            {
                "kernel": rng.uniform(-limit, limit, (rows, columns)).astype(np.float32),
                "bias": rng.uniform(-0.1, 0.1, columns).astype(np.float32),
            }
        )
    no_bias = [{"kernel": layer["kernel"], "bias": None} for layer in standard]
    # Output weights so large that some true classes get a probability far below 1e-7.
    last = standard[-1]
    saturated = standard[:-1] + [{"kernel": last["kernel"] * np.float32(64), "bias": last["bias"]}]
    return {"standard": standard, "no_bias": no_bias, "saturated": saturated}


def _case(name, optimizer, loss_name="categorical_crossentropy", **options):
    """A case as it is stored, still without its results."""
    output, target = LOSS_OUTPUT[loss_name]
    activations = (*options.get("hidden", ("relu", "tanh")), output)
    penalties = (options.get("penalty"), options.get("penalty"), None)
    use_bias = options.get("use_bias", True)
    return {
        "name": name,
        "origin": "keras",
        "start": options.get("start", "standard"),
        "layers": [
            {
                "units": units,
                "activation": activation,
                "use_bias": use_bias,
                "kernel_regularizer": penalty,
            }
            for units, activation, penalty in zip((*HIDDEN, CLASSES), activations, penalties)
        ],
        "loss": {
            "name": loss_name,
            "label_smoothing": options.get("smoothing", 0.0),
            **FOCAL.get(loss_name, {}),
            **options.get("focal", {}),
        },
        "target": target,
        "optimizer": optimizer,
        "class_weight": options.get("class_weight"),
        "use_sample_weight": options.get("use_sample_weight", False),
        "batch_order": [step % BATCHES for step in range(STEPS)],
    }


def _cases():
    cases = []
    for optimizer_name, optimizer in OPTIMIZERS.items():
        for loss_name in PLAIN:
            cases.append(_case(f"{optimizer_name}/{loss_name}", optimizer, loss_name))
            if optimizer_name == "rmsprop_keras_2_2_4":
                cases[-1]["origin"] = "numpy float64"
    for loss_name in ("categorical_crossentropy", "binary_crossentropy"):
        cases.append(_case(f"label_smoothing/{loss_name}", ADAM, loss_name, smoothing=0.1))
    penalties = {
        "l1": {"l1": 0.01, "l2": 0.0},
        "l2": {"l1": 0.0, "l2": 0.02},
        "l1_l2": {"l1": 0.005, "l2": 0.01},
    }
    for penalty_name, penalty in penalties.items():
        for optimizer_name in ("sgd", "sgd_momentum", "rmsprop", "adagrad", "adam"):
            optimizer = OPTIMIZERS[optimizer_name]
            cases.append(_case(f"{penalty_name}/{optimizer_name}", optimizer, penalty=penalty))
    class_weight = [1.0, 0.5, 2.0, 0.25, 3.0]
    for loss_name in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        cases.append(_case(f"class_weight/{loss_name}", SGD, loss_name, class_weight=class_weight))
    for loss_name in PLAIN:
        cases.append(_case(f"sample_weight/{loss_name}", ADAM, loss_name, use_sample_weight=True))
    for schedule_name, schedule in SCHEDULES.items():
        optimizer = {**SGD, "learning_rate": None, "schedule": schedule}
        cases.append(_case(f"schedule/{schedule_name}", optimizer))
    for activation in ("gelu", "sigmoid", "linear"):
        cases.append(_case(f"activation/{activation}", SGD, hidden=(activation, activation)))
    cases.append(_case("activation/tanh_relu", SGD, hidden=("tanh", "relu")))
    cases.append(_case("no_bias/adam", ADAM, start="no_bias", use_bias=False))
    for loss_name in PLAIN:
        if loss_name != "mean_squared_error":
            slow = {**SGD, "learning_rate": 0.001}
            cases.append(_case(f"saturated/{loss_name}", slow, loss_name, start="saturated"))
    return cases


def _focal_cases():
    """The focal losses alone, which came later than the others and have a file of their own."""
    cases = []
    for loss_name in FOCAL:
        for optimizer_name in ("sgd", "rmsprop", "adam"):
            optimizer = OPTIMIZERS[optimizer_name]
            cases.append(_case(f"{optimizer_name}/{loss_name}", optimizer, loss_name))
        for gamma in (0.0, 0.5, 1.0, 5.0):
            # A strong focus leaves small gradients: plain steps must be larger.
            sgd = {**SGD, "learning_rate": 0.5}
            focal = {"gamma": gamma, "alpha": 0.75}
            cases.append(_case(f"gamma_{gamma}/{loss_name}", sgd, loss_name, focal=focal))
        cases.append(_case(f"label_smoothing/{loss_name}", ADAM, loss_name, smoothing=0.1))
        cases.append(_case(f"sample_weight/{loss_name}", ADAM, loss_name, use_sample_weight=True))
    balanced = {"apply_class_balancing": True}
    for smoothing in (0.0, 0.2):
        name = f"balanced/smoothing_{smoothing}"
        options = {"focal": balanced, "smoothing": smoothing}
        cases.append(_case(name, ADAM, "binary_focal_crossentropy", **options))
    return cases


def _keras_schedule(spec):
    classes = {
        "exponential_decay": keras.optimizers.schedules.ExponentialDecay,
        "polynomial_decay": keras.optimizers.schedules.PolynomialDecay,
        "inverse_time_decay": keras.optimizers.schedules.InverseTimeDecay,
        "cosine_decay": keras.optimizers.schedules.CosineDecay,
        "piecewise_constant_decay": keras.optimizers.schedules.PiecewiseConstantDecay,
    }
    settings = {key: value for key, value in spec.items() if key != "name"}
    return classes[spec["name"]](**settings)


def _keras_optimizer(spec):
    classes = {
        "sgd": keras.optimizers.SGD,
        "rmsprop": keras.optimizers.RMSprop,
        "rmsprop_keras_2_2_4": RmsPropKeras224,
        "adagrad": keras.optimizers.Adagrad,
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
    }
    settings = {key: value for key, value in spec.items() if key not in ("name", "schedule")}
    if spec["schedule"] is not None:
        settings["learning_rate"] = _keras_schedule(spec["schedule"])
    return classes[spec["name"]](**settings)


def _keras_loss(spec):
    smoothing = spec["label_smoothing"]
    settings = {key: value for key, value in spec.items() if key != "name"}
    if spec["name"] == "categorical_focal_crossentropy":
        return keras.losses.CategoricalFocalCrossentropy(**settings)
    if spec["name"] == "binary_focal_crossentropy":
        return keras.losses.BinaryFocalCrossentropy(**settings)
    if spec["name"] == "categorical_crossentropy":
        return keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
    if spec["name"] == "binary_crossentropy":
        return keras.losses.BinaryCrossentropy(label_smoothing=smoothing)
    return keras.losses.get(spec["name"])


def _keras_model(case, start):
    model = keras.Sequential([keras.Input((INPUTS,))])
    for layer in case["layers"]:
        penalty = layer["kernel_regularizer"]
        model.add(
            keras.layers.Dense(
                layer["units"],
                activation=layer["activation"],
                use_bias=layer["use_bias"],
                kernel_regularizer=None if penalty is None else keras.regularizers.L1L2(**penalty),
            )
        )
    model.set_weights(
        [w for layer in start for w in (layer["kernel"], layer["bias"]) if w is not None]
    )
    model.compile(optimizer=_keras_optimizer(case["optimizer"]), loss=_keras_loss(case["loss"]))
    return model


def _run_keras(case, start, batches):
    """Per-step losses, final weights and the prediction on the first batch."""
    model = _keras_model(case, start)
    losses = []
    for index in case["batch_order"]:
        batch = batches[index]
        options = {}
        if case["class_weight"] is not None:
            options["class_weight"] = dict(enumerate(case["class_weight"]))
        if case["use_sample_weight"]:
            options["sample_weight"] = batch["sample_weight"]
        model.reset_metrics()  # otherwise the returned loss is a mean over all steps so far
        losses.append(model.train_on_batch(batch["x"], batch[case["target"]], **options))
    weights = [
        {
            "kernel": layer.kernel.numpy(),
            "bias": layer.bias.numpy() if layer.use_bias else None,
        }
        for layer in model.layers
    ]
    prediction = model.predict(batches[0]["x"], verbose=0)
    return np.array(losses, dtype=np.float64), weights, prediction


def _run_numpy(case, start, batches):
    steps = []
    for index in case["batch_order"]:
        batch = batches[index]
        weights = batch["sample_weight"] if case["use_sample_weight"] else None
        if case["class_weight"] is not None:
            weights = np.array(case["class_weight"])[batch["labels"]]
        steps.append((batch["x"], batch[case["target"]], weights))
    losses, network = numpy_reference.train(
        case["layers"], start, case["loss"], case["optimizer"], steps
    )
    weights = [
        {"kernel": kernel, "bias": bias} for kernel, bias in zip(network.kernels, network.biases)
    ]
    return np.array(losses), weights, network.predict(batches[0]["x"])


def _deviation(got, reference):
    """Largest difference relative to the larger of the value and a tenth of the
    array's largest value: an entry near zero carries the rounding of its parts."""
    got, reference = np.asarray(got, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    scale = np.maximum(np.abs(reference), 0.1 * np.abs(reference).max())
    return float((np.abs(got - reference) / scale).max())


TOLERANCE = 1e-5


def _compare(name, keras_run, numpy_run):
    """The deviations of a Keras run from NumPy float64; refuses a wrong figure."""
    arrays = [
        (got[part], want[part])
        for got, want in zip(keras_run[1], numpy_run[1])
        for part in ("kernel", "bias")
        if want[part] is not None
    ]
    found = {
        "losses": _deviation(keras_run[0], numpy_run[0]),
        "final": max(_deviation(*pair) for pair in arrays),
        "prediction": _deviation(keras_run[2], numpy_run[2]),
    }
    worst = max(found.values())
    if not worst <= TOLERANCE:
        raise AssertionError(f"{name}: Keras and float64 part by {found}, allowed {TOLERANCE}")
    return found


def _stored(weights):
    return [
        {
            "kernel": exact(layer["kernel"]),
            "bias": None if layer["bias"] is None else exact(layer["bias"]),
        }
        for layer in weights
    ]


def _check_batches(batches):
    """The batches hold the situations that the tests rely on."""
    occurs = np.array([(batch["x"] != 0).any(axis=0) for batch in batches])
    density = np.mean([batch["x"] != 0 for batch in batches])
    assert 0.25 < density < 0.35, density
    assert not occurs[:, NEVER].any()
    for feature, only in ONLY_IN.items():
        assert occurs[:, feature].sum() == 1 and occurs[only, feature]
    for feature in range(BATCHES):
        assert occurs[:, feature].sum() == BATCHES - 1 and not occurs[feature, feature]
    assert not batches[1]["x"][5].any()


def _check_saturated(start, batches):
    """Some true class is so improbable that clipping at 1e-7 would show."""
    layers = _case("", SGD)["layers"]
    p = numpy_reference.Network(layers, start).predict(batches[0]["x"])
    assert p[np.arange(BATCH), batches[0]["labels"]].min() < 1e-9


def _schedule_table():
    table = []
    for spec in SCHEDULES.values():
        schedule = _keras_schedule(spec)
        # The step is an int64 tensor, as the optimizer's own counter is.
        steps = [keras.ops.convert_to_tensor(step, dtype="int64") for step in range(21)]
        values = [float(schedule(step)) for step in steps]
        reference = [numpy_reference.schedule_value(spec, step) for step in range(21)]
        assert np.allclose(values, reference, rtol=1e-5, atol=1e-8), (spec, values, reference)
        table.append({"schedule": spec, "values": exact(values)})
    return table


def _result(metric, *update, **options):
    metric.update_state(*update, **options)
    return exact(metric.result())


def _metrics(rng):
    """Metrics of one fixed multi-class and one fixed multi-label prediction."""
    samples = 24
    logits = rng.normal(size=(samples, CLASSES))
    labels = rng.integers(0, CLASSES, samples)
    logits[np.arange(samples), labels] += 0.8
    p = np.exp(logits)
    p = (p / p.sum(axis=1, keepdims=True)).astype(np.float32)
    one_hot = np.eye(CLASSES, dtype=np.float32)[labels]
    weights = (rng.integers(0, 9, samples) / 4.0).astype(np.float32)
    rank = (p > p[np.arange(samples), labels][:, None]).sum(axis=1)
    m = keras.metrics
    multi_class = {
        "prediction": exact(p),
        "labels": labels.tolist(),
        "sample_weight": exact(weights),
        "accuracy": _result(m.SparseCategoricalAccuracy(), labels, p),
        "weighted_accuracy": _result(
            m.SparseCategoricalAccuracy(), labels, p, sample_weight=weights
        ),
        "top_2_accuracy": _result(m.SparseTopKCategoricalAccuracy(k=2), labels, p),
        "top_3_accuracy": _result(m.SparseTopKCategoricalAccuracy(k=3), labels, p),
        "f1_per_class": _result(m.F1Score(average=None), one_hot, p),
        "f1_macro": _result(m.F1Score(average="macro"), one_hot, p),
        "f1_micro": _result(m.F1Score(average="micro"), one_hot, p),
        "f1_weighted": _result(m.F1Score(average="weighted"), one_hot, p),
    }
    assert multi_class["accuracy"] == exact((rank < 1).mean())
    assert multi_class["top_3_accuracy"] == exact((rank < 3).mean())
    assert multi_class["accuracy"] == _result(m.CategoricalAccuracy(), one_hot, p)
    assert multi_class["top_3_accuracy"] == _result(m.TopKCategoricalAccuracy(k=3), one_hot, p)
    targets = (rng.random((samples, CLASSES)) < 0.3).astype(np.float32)
    q = 1.0 / (1.0 + np.exp(-(rng.normal(size=targets.shape) + 2.0 * targets - 1.0)))
    q = q.astype(np.float32)
    multi_label = {
        "prediction": exact(q),
        "targets": exact(targets),
        "threshold": 0.5,
        "binary_accuracy": _result(m.BinaryAccuracy(threshold=0.5), targets, q),
        "precision": _result(m.Precision(thresholds=0.5), targets, q),
        "recall": _result(m.Recall(thresholds=0.5), targets, q),
    }
    hits = ((q > 0.5) & (targets == 1)).sum()
    assert np.isclose(multi_label["precision"], hits / (q > 0.5).sum(), rtol=1e-6)
    assert np.isclose(multi_label["recall"], hits / targets.sum(), rtol=1e-6)
    return {"multi_class": multi_class, "multi_label": multi_label}


def _figures(cases, starts, batches, report):
    """The cases with their results."""
    figures = []
    for case in cases:
        start = starts[case["start"]]
        keras_run, numpy_run = _run_keras(case, start, batches), _run_numpy(case, start, batches)
        deviation = _compare(case["name"], keras_run, numpy_run)
        moved = max(np.abs(a["kernel"] - b["kernel"]).max() for a, b in zip(keras_run[1], start))
        assert moved > 1e-2 or case["start"] == "saturated", f"{case['name']}: moved only {moved}"
        losses, weights, prediction = keras_run if case["origin"] == "keras" else numpy_run
        figures.append(
            {
                **case,
                "losses": exact(losses),
                "final": _stored(weights),
                "prediction": exact(prediction),
                "keras_against_float64": deviation,
            }
        )
        keras.backend.clear_session()
        report(f"{case['name']}: loss {losses[0]:.4f} → {losses[-1]:.4f}, {deviation}")
    return figures


def _document(cases, starts, batches, report):
    """A document of cases with what they start from."""
    figures = _figures(cases, starts, batches, report)
    return {
        "inputs": INPUTS,
        "batches": [
            {
                key: value.tolist() if key == "labels" else exact(value)
                for key, value in batch.items()
            }
            for batch in batches
        ],
        "starts": {name: _stored(layers) for name, layers in starts.items()},
        "cases": figures,
    }


def golden(report):
    """The whole document of `keras_small.json`, without its origin."""
    rng = np.random.default_rng(20240513)
    batches, starts = _batches(rng), _starts(rng)
    _check_batches(batches)
    _check_saturated(starts["saturated"], batches)
    document = _document(_cases(), starts, batches, report)
    return {**document, "schedules": _schedule_table(), "metrics": _metrics(rng)}


def focal_golden(report):
    """The whole document of `keras_focal.json`, without its origin: on the same batches."""
    rng = np.random.default_rng(20240513)
    batches, starts = _batches(rng), _starts(rng)
    standard = {"standard": starts["standard"]}
    return _document(_focal_cases(), standard, batches, report)
