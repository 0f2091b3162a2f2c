"""Models in Keras's own form: a ``.keras`` archive, which Keras 3 reads and writes."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

from .._slugline import Network
from . import losses, metrics, optimizers
from .initializers import RandomUniform
from .layers import Dense, Dropout, Layer
from .regularizers import L1L2

if TYPE_CHECKING:
    from ._sequential import Sequential

#: The entry with layers and settings.
_CONFIG = "config.json"


def _written(module: str, described: dict[str, Any]) -> dict[str, Any]:
    return {"module": module, **described, "registered_name": None}


def _compile_config(model: Sequential) -> dict[str, Any] | None:
    """What ``compile`` settled, as Keras writes it; ``None`` for what Keras does not compute."""
    optimizer, loss = model.optimizer, model.loss
    if optimizer is None or loss is None:
        return None
    ours = {"epsilon_placement": "inside", "sparse_rule": "dense"}
    described = optimizers.serialize(optimizer)
    config = dict(described["config"])
    if any(config.pop(name, value) != value for name, value in ours.items()):
        return None
    if isinstance(config["learning_rate"], dict):
        config["learning_rate"] = _written("keras.optimizers.schedules", config["learning_rate"])
    scores = [metrics.serialize(metric) for metric in model.metrics]
    described_loss = losses.serialize(loss) or {}
    return {
        "optimizer": _written("keras.optimizers", described | {"config": config}),
        "loss": _written("keras.losses", described_loss),
        "loss_weights": None,
        "metrics": [s if isinstance(s, str) else _written("keras.metrics", s) for s in scores],
        "weighted_metrics": None,
        "run_eagerly": False,
        "steps_per_execution": 1,
        "jit_compile": False,
    }


def to_bytes(model: Sequential) -> bytes:
    """The archive of a model: layers, weights, and what ``compile`` settled where Keras has the same."""
    source = zipfile.ZipFile(io.BytesIO(model._built_network().to_keras()))
    described = json.loads(source.read(_CONFIG))
    described["config"]["name"] = model.name
    named = [layer for layer in model.layers if isinstance(layer, (Dense, Dropout))]
    entries = [e for e in described["config"]["layers"] if e["class_name"] != "InputLayer"]
    for layer, entry in zip(named, entries, strict=True):
        entry["config"]["name"] = layer.name
    described["compile_config"] = _compile_config(model)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for entry in source.infolist():
            content = json.dumps(described).encode() if entry.filename == _CONFIG else source.read(entry)
            archive.writestr(entry, content)
    return out.getvalue()


def from_bytes(content: bytes, compile: bool, new: type[Sequential]) -> Sequential:
    """The model in an archive, compiled if it says how."""
    network = Network.from_keras(content)
    found = json.loads(network.config())
    described = json.loads(zipfile.ZipFile(io.BytesIO(content)).read(_CONFIG))
    entries = described["config"].get("layers", [])
    names = [e["config"].get("name") for e in entries if e.get("class_name") in ("Dense", "Dropout")]
    if len(names) != len(found["layers"]):
        names = [None] * len(found["layers"])
    layers = [_layer(entry, name) for entry, name in zip(found["layers"], names, strict=True)]
    model = new(layers, name=described["config"].get("name"))
    model._set_width(found["input_width"])
    model._built_network().set_weights(network.weights())
    settings = described.get("compile_config")
    if compile and settings:
        try:
            model.compile(settings["optimizer"], settings["loss"], metrics=settings.get("metrics"))
        except (ValueError, TypeError, KeyError) as error:
            warnings.warn(f"The model has to be compiled anew: {error}", stacklevel=3)
    return model


def _layer(entry: dict[str, Any], name: str | None) -> Layer:
    config = entry["config"]
    if entry["class_name"] == "Dropout":
        return Dropout(config["rate"], name=name)
    initializer = config["kernel_initializer"]
    if isinstance(initializer, dict):
        limit = initializer["random_uniform"]["limit"]
        initializer = RandomUniform(-limit, limit)
    penalty = L1L2(**config["kernel_regularizer"])
    return Dense(
        config["units"],
        config["activation"],
        config["use_bias"],
        initializer,
        kernel_regularizer=penalty if penalty.l1 or penalty.l2 else None,
        name=name,
    )
