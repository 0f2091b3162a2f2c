"""The network of the published example in Keras 3."""

import itertools
import time

import keras

CHOICES = [
    {"jit_compile": jit, "steps_per_execution": steps}
    for jit, steps in itertools.product([False, True], [1, 16])
]


def network(choice):
    """Fresh weights, compiled as `choice` says."""
    model = keras.Sequential(
        [
            keras.Input((10_000,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(46, activation="softmax"),
        ]
    )
    model.compile(
        optimizer="rmsprop",
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        **choice,
    )
    return model


def fastest(x, y, validation):
    """The model whose second fit of one epoch is the shortest, and the choice.

    The first fit traces and compiles.
    """
    found = []
    for choice in CHOICES:
        model = network(choice)
        start_weights = model.get_weights()
        for _ in range(3):
            start = time.perf_counter()
            model.fit(x, y, epochs=1, batch_size=512, validation_data=validation, verbose=0)
            seconds = time.perf_counter() - start
        found.append((seconds, choice, model, start_weights))
    seconds, choice, model, start_weights = min(found, key=lambda entry: entry[0])
    tried = [{**choice, "seconds_an_epoch": seconds} for seconds, choice, _, _ in found]
    return model, choice, start_weights, tried
