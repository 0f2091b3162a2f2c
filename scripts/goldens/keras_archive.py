"""A small model as Keras saves it, and what it answers.

Writes `crates/slugline/tests/golden/small.keras` and `small_keras.json`. Needs Keras and any backend.
"""

import json
from pathlib import Path

import keras
import numpy as np

TARGET = Path(__file__).parents[2] / "crates/slugline/tests/golden"

keras.utils.set_random_seed(7)
model = keras.Sequential([
    keras.Input((6,)),
    keras.layers.Dense(5, activation="gelu", kernel_regularizer=keras.regularizers.L1L2(1e-4, 1e-3)),
    keras.layers.Dropout(0.3),
    keras.layers.Dense(4, activation="tanh", kernel_initializer="he_normal", use_bias=False),
    keras.layers.Dense(3, activation="softmax", kernel_regularizer="l2",
                       kernel_initializer=keras.initializers.RandomUniform(-0.5, 0.5)),
])
random = np.random.default_rng(7)
model.set_weights([random.normal(size=w.shape).astype("float32") for w in model.get_weights()])
# Compiled and trained a step, so that an optimizer's state is in the file too.
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
rows = random.normal(size=(4, 6)).astype("float32")
model.train_on_batch(rows, np.array([0, 1, 2, 0]))
model.save(TARGET / "small.keras")
answers = np.asarray(model(rows))
figures = {"keras": keras.__version__, "rows": rows.tolist(), "answers": answers.tolist()}
(TARGET / "small_keras.json").write_text(json.dumps(figures) + "\n")
