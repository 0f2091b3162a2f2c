"""The published example as a script: data, 20 epochs, test score, saved model.

Arguments: reuters.npz, the file to save, and the settings of `compile` as JSON.
"""

import json
import sys

import reuters
from keras_network import network

(x, y), (x_test, y_test) = reuters.load(sys.argv[1])
x, y = reuters.multi_hot(x), reuters.one_hot(y)
x_test, y_test = reuters.multi_hot(x_test), reuters.one_hot(y_test)
held_out = reuters.VALIDATION
model = network(json.loads(sys.argv[3]))
model.fit(
    x[held_out:],
    y[held_out:],
    epochs=20,
    batch_size=512,
    validation_data=(x[:held_out], y[:held_out]),
    verbose=0,
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
model.save(sys.argv[2])
print(json.dumps({"loss": loss, "accuracy": accuracy}))
