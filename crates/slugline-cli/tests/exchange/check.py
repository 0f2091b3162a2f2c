"""Runs what was exported with the programs that it is for, on the rows and texts in a folder.

    check.py FOLDER

FOLDER holds `rows.npz` and `texts.json`, and any of `features.onnx`, `text.onnx`, `model.keras` and
`model.safetensors`. Prints {file: {"probabilities": …, "labels": …, …}}. Of Keras, `again.keras` is written
too: the model as Keras itself saves it.
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np
import scipy.sparse

# Documents of which rows are spread out at a time: dense rows of all would fill the memory.
BLOCK = 100

folder = Path(sys.argv[1])
rows = scipy.sparse.load_npz(folder / "rows.npz")
texts = np.array(json.loads((folder / "texts.json").read_text()), dtype=object)
found = {}


def dense(start):
    return rows[start:start + BLOCK].toarray()


def onnx_graph(name, take):
    """What ONNX Runtime makes of a graph, once the checker of ONNX has passed it."""
    import onnx
    import onnxruntime

    model = onnx.load(folder / name)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    input_name = session.get_inputs()[0].name
    blocks = [session.run(outputs, {input_name: take(start)})
              for start in range(0, len(texts), BLOCK)]
    results = {output: np.concatenate([block[i] for block in blocks]).tolist()
               for i, output in enumerate(outputs)}
    none = session.run(outputs, {input_name: take(0)[:0]})
    return {
        "probabilities": results["probabilities"],
        "labels": results.get("label"),
        "of_none": [list(output.shape) for output in none],
        "opset": {entry.domain: entry.version for entry in model.opset_import},
        "ir_version": model.ir_version,
        "metadata": session.get_modelmeta().custom_metadata_map,
    }


def keras_model():
    import keras

    model = keras.models.load_model(folder / "model.keras")
    model.save(folder / "again.keras")
    blocks = [np.asarray(model(dense(start))) for start in range(0, len(texts), BLOCK)]
    layers = [[layer.__class__.__name__, layer.get_config()] for layer in model.layers]
    return {"probabilities": np.concatenate(blocks).tolist(), "layers": layers}


def weights():
    """The network by hand, from the weights and what stands beside them."""
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", "numpy") as file:
        described = json.loads(file.metadata()["slugline"])
        values = rows
        for layer in described["layers"]:
            values = values @ file.get_tensor(layer["name"] + ".kernel")
            if layer["use_bias"]:
                values = values + file.get_tensor(layer["name"] + ".bias")
            if layer["activation"] == "relu":
                values = np.maximum(values, 0)
            elif layer["activation"] == "sigmoid":
                values = 1 / (1 + np.exp(-values))
            elif layer["activation"] == "softmax":
                values = np.exp(values - values.max(axis=1, keepdims=True))
                values = values / values.sum(axis=1, keepdims=True)
            else:
                raise ValueError(layer["activation"])
        return {"probabilities": values.tolist(), "described": described, "names": sorted(file.keys())}


for name, run in [
    ("features.onnx", lambda: onnx_graph("features.onnx", dense)),
    ("text.onnx", lambda: onnx_graph("text.onnx", lambda start: texts[start:start + BLOCK])),
    ("model.keras", keras_model),
    ("model.safetensors", weights),
]:
    if (folder / name).exists():
        found[name] = run()
print(json.dumps(found, default=str))
