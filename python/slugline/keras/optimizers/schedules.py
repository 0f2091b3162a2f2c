"""Learning rates that change with the step.

>>> from slugline.keras.optimizers import schedules
>>> rate = schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
>>> round(rate(20), 6)
0.025
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._common import absent, config_of, listed, snake_case, whole_number

__all__ = [
    "CosineDecay", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


class LearningRateSchedule:
    """What all schedules have in common. A schedule of one's own is not supported: what depends on the
    epoch is, with :class:`slugline.keras.callbacks.LearningRateScheduler`."""

    name: str

    def __call__(self, step: int) -> float:
        """The learning rate at a step, counted from 0."""
        raise NotImplementedError

    def _native(self) -> dict[str, Any]:
        config = {key: value for key, value in self.get_config().items() if key != "name"}
        return {snake_case(type(self).__name__): config}

    def get_config(self) -> dict[str, Any]:
        """The settings."""
        return dict(self.__dict__)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """The schedule with these settings."""
        return cls(**config)

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"<{type(self).__name__}: {settings}>"


class ExponentialDecay(LearningRateSchedule):
    """``initial · rate^(step / decay_steps)``; with ``staircase`` the exponent is rounded down."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = float(initial_learning_rate)
        self.decay_steps = whole_number("decay_steps", decay_steps)
        self.decay_rate = float(decay_rate)
        self.staircase = bool(staircase)
        self.name = name

    def __call__(self, step: int) -> float:
        part = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate**part


class InverseTimeDecay(LearningRateSchedule):
    """``initial / (1 + rate · step / decay_steps)``; with ``staircase`` the fraction is rounded down."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = float(initial_learning_rate)
        self.decay_steps = whole_number("decay_steps", decay_steps)
        self.decay_rate = float(decay_rate)
        self.staircase = bool(staircase)
        self.name = name

    def __call__(self, step: int) -> float:
        part = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * part)


class PolynomialDecay(LearningRateSchedule):
    """From ``initial`` to ``end`` over ``decay_steps``; a straight line with ``power`` 1."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        if cycle:
            raise ValueError("PolynomialDecay: cycle=True is not supported. Expected cycle=False")
        self.initial_learning_rate = float(initial_learning_rate)
        self.decay_steps = whole_number("decay_steps", decay_steps)
        self.end_learning_rate = float(end_learning_rate)
        self.power = float(power)
        self.name = name

    def __call__(self, step: int) -> float:
        left = 1 - min(step, self.decay_steps) / self.decay_steps
        fall = self.initial_learning_rate - self.end_learning_rate
        return fall * math.pow(left, self.power) + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """A half cosine down to ``alpha`` times the start, after a rise to ``warmup_target`` if there is one."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = float(initial_learning_rate)
        self.decay_steps = whole_number("decay_steps", decay_steps)
        self.alpha = float(alpha)
        self.name = name
        self.warmup_target = None if warmup_target is None else float(warmup_target)
        self.warmup_steps = whole_number("warmup_steps", warmup_steps, 0)

    def __call__(self, step: int) -> float:
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            start, step = self.warmup_target, step - self.warmup_steps
        cosine = 0.5 * (1 + math.cos(math.pi * min(step, self.decay_steps) / self.decay_steps))
        return start * ((1 - self.alpha) * cosine + self.alpha)


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and including step ``boundaries[i]``, and the last value after that."""

    def __init__(
        self, boundaries: Sequence[int], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of length "
                f"{len(values)}."
            )
        self.boundaries = [whole_number("boundaries", step, 0) for step in boundaries]
        self.values = [float(value) for value in values]
        self.name = name

    def __call__(self, step: int) -> float:
        return self.values[sum(step > boundary for boundary in self.boundaries)]


_CLASSES = {
    cls.__name__: cls
    for cls in (ExponentialDecay, CosineDecay, PolynomialDecay, InverseTimeDecay, PiecewiseConstantDecay)
}


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The schedule in the form in which Keras writes it down."""
    return {
        "class_name": type(learning_rate_schedule).__name__,
        "config": learning_rate_schedule.get_config(),
    }


def deserialize(config: dict[str, Any]) -> LearningRateSchedule:
    """The schedule that :func:`serialize` wrote down."""
    name, settings = config_of(config) or (None, {})
    if name not in _CLASSES:
        raise ValueError(f"Unknown schedule: {name!r}. Supported are {listed(_CLASSES)}")
    return _CLASSES[name].from_config(settings)


__getattr__ = absent(__name__, "schedules", _CLASSES)
