"""Writing of golden figures: readable JSON whose numbers are exact in float32."""

import json
import os
import platform

import numpy as np


def exact(values):
    """Nested lists of the float32 values, as decimals that read back exactly."""
    return np.asarray(values, dtype=np.float32).astype(np.float64).tolist()


def origin(script, **more):
    """The header that says what produced a golden file."""
    import keras
    import tensorflow as tf

    return {
        "script": script,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "arithmetic": "float32 on the CPU, deterministic operations, without XLA and oneDNN",
        **more,
    }


def _is_flat(value):
    if isinstance(value, dict):
        return False
    return all(not isinstance(item, (list, dict)) for item in value)


def _format(value, indent):
    if not isinstance(value, (list, dict)) or not value or _is_flat(value):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = "\n" + " " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{json.dumps(k)}: {_format(v, indent + 1)}" for k, v in value.items()]
        opening, closing = "{", "}"
    else:
        parts = [_format(item, indent + 1) for item in value]
        opening, closing = "[", "]"
    return opening + inner + ("," + inner).join(parts) + "\n" + " " * indent + closing


def write(path, document):
    """Writes `document` beside its place and renames it, so no half file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(_format(document, 0) + "\n", encoding="utf-8")
    os.replace(part, path)
