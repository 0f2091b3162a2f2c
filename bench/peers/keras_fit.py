"""Fits the published example with Keras once for each line of standard input.

Start, import, data, tracing and compiling are not counted: the model has been
fitted before, and gets its starting weights and a fresh optimizer state back.
"""

import json
import sys
import time

import keras
import numpy
import reuters
import tensorflow
from keras_network import fastest


def main():
    """One JSON line when ready, one for each fit."""
    threads = int(sys.argv[2])
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    (x, y), (x_test, y_test) = reuters.load(sys.argv[1])
    x, y = reuters.multi_hot(x), reuters.one_hot(y)
    x_test, y_test = reuters.multi_hot(x_test), reuters.one_hot(y_test)
    held_out = reuters.VALIDATION
    validation = (x[:held_out], y[:held_out])
    x, y = x[held_out:], y[held_out:]
    model, choice, start_weights, tried = fastest(x, y, validation)
    ready = {
        "ready": True,
        "keras": keras.__version__,
        "tensorflow": tensorflow.__version__,
        "choice": choice,
        "tried": tried,
    }
    print(json.dumps(ready), flush=True)
    for _ in sys.stdin:
        model.set_weights(start_weights)
        for variable in model.optimizer.variables:
            if variable.name != "learning_rate":
                variable.assign(numpy.zeros(variable.shape, dtype=variable.dtype))
        start = time.perf_counter()
        history = model.fit(
            x, y, epochs=20, batch_size=512, validation_data=validation, verbose=0
        )
        seconds = time.perf_counter() - start
        _, accuracy = model.evaluate(x_test, y_test, batch_size=512, verbose=0)
        answer = {
            "seconds": seconds,
            "samples": len(x),
            "epochs": 20,
            "loss": history.history["loss"][-1],
            "test_accuracy": accuracy,
        }
        print(json.dumps(answer), flush=True)


main()
