"""Fits the published example by `slugline.keras` once for each line of standard input.

As `keras_fit.py`, but that the dense array is made sparse in every fit, and that is counted.
"""

import json
import sys
import time

import reuters
from slugline.keras import layers, models, optimizers


def main():
    """One JSON line when ready, one for each fit."""
    (x, y), (x_test, y_test) = reuters.load(sys.argv[1])
    x, y = reuters.multi_hot(x), reuters.one_hot(y)
    x_test, y_test = reuters.multi_hot(x_test), reuters.one_hot(y_test)
    held_out = reuters.VALIDATION
    validation = (x[:held_out], y[:held_out])
    x, y = x[held_out:], y[held_out:]

    def network():
        model = models.Sequential(
            [
                layers.Dense(64, activation="relu", input_shape=(reuters.WORDS,)),
                layers.Dense(64, activation="relu"),
                layers.Dense(46, activation="softmax"),
            ]
        )
        # As Keras 3 has it, which is the other side.
        rmsprop = optimizers.RMSprop(learning_rate=0.001)
        model.compile(optimizer=rmsprop, loss="categorical_crossentropy", metrics=["accuracy"])
        return model

    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        model = network()
        start = time.perf_counter()
        history = model.fit(
            x, y, epochs=20, batch_size=512, validation_data=validation, verbose=0
        )
        seconds = time.perf_counter() - start
        _, accuracy = model.evaluate(x_test, y_test, verbose=0)
        answer = {
            "seconds": seconds,
            "samples": len(x),
            "epochs": len(history.epoch),
            "loss": history.history["loss"][-1],
            "test_accuracy": accuracy,
        }
        print(json.dumps(answer), flush=True)


main()
