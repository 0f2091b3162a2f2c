"""What all clients of the soak share: what is right, what was done, what went wrong."""

import random
from collections import Counter

from harness.measure import Failure
from load import models

TEXTS = 400
# Longer than any newswire, shorter than what the server takes.
LONG = 200_000


class Expected:
    """What one model says of the texts."""

    def __init__(self, env, path, texts):
        self.path = path
        self.checksum = models.checksum(path)
        self.answers = models.predictions(env, path, texts, "all")
        self.classes = len(self.answers[0]["probabilities"])

    def answer(self, text, top_k=5):
        """The answer with so many classes."""
        told = self.answers[text]
        if top_k == "all":
            return told
        return {**told, "probabilities": dict(list(told["probabilities"].items())[:top_k])}

    def best(self, text):
        """The most probable class and its probability."""
        return next(iter(self.answers[text]["probabilities"].items()))


class State:
    """Counts, violations and the models that may answer now."""

    def __init__(self, env, paths, seed=1):
        self.draw = random.Random(seed)
        wires, topics = models.test_texts(env)
        self.wires = min(TEXTS, len(wires))
        odd = ["", "zzqqx xxyyq", "пшеница 小麦 🌾 café", " ".join(wires)[:LONG]]
        self.texts = wires[: self.wires] + odd
        self.topics = topics
        self.models = {}
        for path in paths:
            expected = Expected(env, path, self.texts)
            self.models[expected.checksum] = expected
        if len(self.models) != len(paths):
            raise Failure("the models to alternate between are the same")
        # While a model is being exchanged both may answer.
        self.allowed = {next(iter(self.models))}
        self.counts = Counter()
        self.violations = {}
        self.corrections = []

    def wire(self):
        """A newswire's number."""
        return self.draw.randrange(self.wires)

    def any(self):
        """The number of a text of any kind; the odd ones are rare."""
        return self.wire() if self.draw.random() < 0.97 else self.draw.randrange(len(self.texts))

    def wrong(self, kind, what):
        """Notes a violation; of each kind the first few in words."""
        count, shown = self.violations.setdefault(kind, [0, []])
        self.violations[kind][0] = count + 1
        if len(shown) < 5:
            shown.append(str(what)[:600])
