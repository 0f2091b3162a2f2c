"""A dense feed-forward network in NumPy float64, written from the formulas alone.

It shares no code with Keras, so that a golden figure is only written where two
independent implementations agree. It also produces the figures of the RMSprop
form of Keras 2.2.4, which no longer exists in Keras 3.

Notation: `x` inputs [samples, in], `z = a @ kernel + bias` pre-activations,
`a` activations, kernels [in, out], `g` gradients.
"""

import math

import numpy as np

_erf = np.vectorize(math.erf)


def _sigmoid(z):
    return np.exp(-np.logaddexp(0.0, -z))


def _softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _normal_cdf(z):
    return 0.5 * (1.0 + _erf(z / math.sqrt(2.0)))


# name -> (activation of z, derivative at z)
_HIDDEN = {
    "linear": (lambda z: z, np.ones_like),
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: (z > 0.0).astype(z.dtype)),
    "tanh": (np.tanh, lambda z: 1.0 - np.tanh(z) ** 2),
    "sigmoid": (_sigmoid, lambda z: _sigmoid(z) * (1.0 - _sigmoid(z))),
    "gelu": (
        lambda z: z * _normal_cdf(z),
        lambda z: _normal_cdf(z) + z * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi),
    ),
}
_OUTPUT = {"softmax": _softmax, **{name: pair[0] for name, pair in _HIDDEN.items()}}


def _loss(spec, z, target):
    """Loss of each sample and its gradient by the output's pre-activation `z`."""
    name, smoothing, width = spec["name"], spec["label_smoothing"], z.shape[1]
    if name == "sparse_categorical_crossentropy":
        target = np.eye(width)[target]
    target = target.astype(np.float64)
    if name in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        target = target * (1.0 - smoothing) + smoothing / width
        shifted = z - z.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -(target * log_p).sum(axis=1), _softmax(z) - target
    if name == "binary_crossentropy":
        target = target * (1.0 - smoothing) + 0.5 * smoothing
        losses = np.logaddexp(0.0, z) - target * z
        return losses.mean(axis=1), (_sigmoid(z) - target) / width
    if name == "categorical_focal_crossentropy":
        target = target * (1.0 - smoothing) + smoothing / width
        shifted = z - z.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        p, gamma = np.exp(log_p), spec["gamma"]
        weight = spec["alpha"] * target
        losses = -(weight * (1.0 - p) ** gamma * log_p).sum(axis=1)
        # The derivative by p, and from there through the Jacobian of the softmax.
        by_p = weight * (gamma * (1.0 - p) ** (gamma - 1.0) * log_p - (1.0 - p) ** gamma / p)
        return losses, p * (by_p - (by_p * p).sum(axis=1, keepdims=True))
    if name == "binary_focal_crossentropy":
        target = target * (1.0 - smoothing) + 0.5 * smoothing
        p, gamma = _sigmoid(z), spec["gamma"]
        entropy = np.logaddexp(0.0, z) - target * z
        rest = 1.0 - (target * p + (1.0 - target) * (1.0 - p))
        alpha = spec["alpha"]
        weight = target * alpha + (1.0 - target) * (1.0 - alpha)
        weight = weight if spec["apply_class_balancing"] else np.ones_like(weight)
        by_rest = gamma * rest ** (gamma - 1.0) * entropy * (1.0 - 2.0 * target) * p * (1.0 - p)
        slope = weight * (by_rest + rest**gamma * (p - target))
        return (weight * rest**gamma * entropy).mean(axis=1), slope / width
    if name == "mean_squared_error":
        return ((z - target) ** 2).mean(axis=1), 2.0 * (z - target) / width
    raise ValueError(f"unknown loss {name!r}")


def schedule_value(spec, step):
    """Learning rate at `step`, the number of updates already made."""
    name = spec["name"]
    if name == "piecewise_constant_decay":
        passed = sum(step > boundary for boundary in spec["boundaries"])
        return spec["values"][passed]
    start, length = spec["initial_learning_rate"], spec["decay_steps"]
    if name in ("exponential_decay", "inverse_time_decay"):
        p = step / length
        p = math.floor(p) if spec["staircase"] else p
        if name == "exponential_decay":
            return start * spec["decay_rate"] ** p
        return start / (1.0 + spec["decay_rate"] * p)
    if name == "polynomial_decay":
        end = spec["end_learning_rate"]
        if spec["cycle"]:
            length = length * max(1, math.ceil(step / length))
        step = min(step, length)
        return (start - end) * (1.0 - step / length) ** spec["power"] + end
    if name == "cosine_decay":
        target, warmup = spec["warmup_target"], spec["warmup_steps"]
        if target is None:
            target, warmup = start, 0
        elif step < warmup:
            return start + (target - start) * step / warmup
        fraction = min(step - warmup, length) / length
        alpha = spec["alpha"]
        return target * ((1.0 - alpha) * 0.5 * (1.0 + math.cos(math.pi * fraction)) + alpha)
    raise ValueError(f"unknown schedule {name!r}")


class _Optimizer:
    """The dense update rules; state is kept per variable, created at zero."""

    def __init__(self, spec, variables):
        self.spec = spec
        self.steps = 0
        first = spec.get("initial_accumulator_value", 0.0)
        self.m = [np.zeros_like(v) for v in variables]
        self.a = [np.full_like(v, first) for v in variables]

    def apply(self, variables, gradients):
        spec = self.spec
        rate = spec["learning_rate"]
        if spec["schedule"] is not None:
            rate = schedule_value(spec["schedule"], self.steps)
        self.steps += 1
        rule = getattr(self, "_" + spec["name"])
        for w, g, m, a in zip(variables, gradients, self.m, self.a):
            rule(rate, w, g, m, a)

    def _sgd(self, rate, w, g, m, a):
        momentum = self.spec["momentum"]
        m[...] = momentum * m - rate * g
        w += momentum * m - rate * g if self.spec["nesterov"] else m

    def _rmsprop(self, rate, w, g, m, a):
        rho, epsilon = self.spec["rho"], self.spec["epsilon"]
        a[...] = rho * a + (1.0 - rho) * g**2
        w -= rate * g / np.sqrt(a + epsilon)

    def _rmsprop_keras_2_2_4(self, rate, w, g, m, a):
        rho, epsilon = self.spec["rho"], self.spec["epsilon"]
        a[...] = rho * a + (1.0 - rho) * g**2
        w -= rate * g / (np.sqrt(a) + epsilon)

    def _adagrad(self, rate, w, g, m, a):
        a += g**2
        w -= rate * g / np.sqrt(a + self.spec["epsilon"])

    def _adam(self, rate, w, g, m, a):
        b1, b2 = self.spec["beta_1"], self.spec["beta_2"]
        m[...] = b1 * m + (1.0 - b1) * g
        a[...] = b2 * a + (1.0 - b2) * g**2
        # Keras raises the float32 betas: 1 - 0.999 differs from theirs by 1.3e-5 of itself.
        p1, p2 = float(np.float32(b1)) ** self.steps, float(np.float32(b2)) ** self.steps
        step_size = rate * math.sqrt(1.0 - p2) / (1.0 - p1)
        w -= step_size * m / (np.sqrt(a) + self.spec["epsilon"])

    def _adamw(self, rate, w, g, m, a):
        w -= w * self.spec["weight_decay"] * rate
        self._adam(rate, w, g, m, a)


class Network:
    """Layers as written in a golden case, with float64 copies of the weights."""

    def __init__(self, layers, start):
        self.layers = layers
        self.kernels = [np.array(s["kernel"], dtype=np.float64) for s in start]
        self.biases = [
            None if s["bias"] is None else np.array(s["bias"], dtype=np.float64) for s in start
        ]

    def _forward(self, x):
        """Inputs of every layer, and its pre-activations."""
        inputs, zs = [], []
        a = x.astype(np.float64)
        for layer, kernel, bias in zip(self.layers, self.kernels, self.biases):
            z = a @ kernel
            if bias is not None:
                z = z + bias
            inputs.append(a)
            zs.append(z)
            if layer is not self.layers[-1]:
                a = _HIDDEN[layer["activation"]][0](z)
        return inputs, zs

    def predict(self, x):
        return _OUTPUT[self.layers[-1]["activation"]](self._forward(x)[1][-1])

    def loss_and_gradients(self, loss, x, target, weights=None):
        """Mean weighted loss (divided by the samples, not by the weights) plus
        the kernels' penalties; gradients in the order kernel, bias, kernel, …"""
        inputs, zs = self._forward(x)
        losses, g = _loss(loss, zs[-1], target)
        weights = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
        total = (losses * weights).sum() / len(x)
        g = g * weights[:, None] / len(x)
        gradients = []
        for i in reversed(range(len(self.layers))):
            kernel, penalty = self.kernels[i], self.layers[i]["kernel_regularizer"]
            kernel_gradient = inputs[i].T @ g
            if penalty is not None:
                total += penalty["l1"] * np.abs(kernel).sum() + penalty["l2"] * (kernel**2).sum()
                kernel_gradient = (
                    kernel_gradient + penalty["l1"] * np.sign(kernel) + 2.0 * penalty["l2"] * kernel
                )
            if self.biases[i] is not None:
                gradients.insert(0, g.sum(axis=0))
            gradients.insert(0, kernel_gradient)
            if i > 0:
                derivative = _HIDDEN[self.layers[i - 1]["activation"]][1]
                g = (g @ kernel.T) * derivative(zs[i - 1])
        return total, gradients

    def variables(self):
        pairs = zip(self.kernels, self.biases)
        return [v for pair in pairs for v in pair if v is not None]


def train(layers, start, loss, optimizer, steps):
    """Runs `steps`, a list of (x, target, weights or None).

    Returns the loss of each step before its update, and the trained network.
    """
    network = Network(layers, start)
    rule = _Optimizer(optimizer, network.variables())
    losses = []
    for x, target, weights in steps:
        value, gradients = network.loss_and_gradients(loss, x, target, weights)
        losses.append(value)
        rule.apply(network.variables(), gradients)
    return losses, network
