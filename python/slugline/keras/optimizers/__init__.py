"""Optimizers with Keras's names, defaults and formulas.

>>> from slugline.keras import optimizers
>>> optimizers.RMSprop(learning_rate=0.01)
<RMSprop: learning_rate=0.01>
>>> optimizers.get("adam").learning_rate
0.001
"""

from __future__ import annotations

from typing import Any, ClassVar

from .._common import absent, automatic_name, config_of, listed, refuse_settings, refuse_unknown, snake_case
from . import schedules
from .schedules import LearningRateSchedule

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "deserialize", "get", "schedules",
    "serialize",
]  # fmt: skip

#: Settings that only have the value "without" here.
_WITHOUT = {
    "clipnorm": None, "clipvalue": None, "global_clipnorm": None, "use_ema": False, "ema_momentum": 0.99,
    "ema_overwrite_frequency": None, "loss_scale_factor": None, "gradient_accumulation_steps": None,
    "weight_decay": None, "amsgrad": False, "centered": False, "decay": 0.0, "jit_compile": True,
}  # fmt: skip
#: Settings that stand for "the default" where they are ``None``, as in old versions.
_EPSILON = 1e-7


class Optimizer:
    """What all optimizers have in common; made by the classes below.

    ``lr`` is understood as the old name of ``learning_rate``. What Keras has beside the arguments shown
    (clipping, moving averages, weight decay outside of AdamW, …) is refused where it is not at its default.
    """

    #: The native part's name of it.
    _kind: ClassVar[str]
    #: The settings that the native part has besides the learning rate.
    _settings: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, learning_rate: float | LearningRateSchedule, name: str | None, kwargs: dict[str, Any]
    ) -> None:
        what = type(self).__name__
        learning_rate = kwargs.pop("lr", learning_rate)
        refuse_settings(
            what,
            {key: kwargs.pop(key) for key in list(kwargs) if key in _WITHOUT},
            _WITHOUT,
            "For weight decay there is AdamW." if "weight_decay" not in self._settings else "",
        )
        refuse_unknown(what, kwargs)
        self.name = name or automatic_name(snake_case(what))
        #: Steps made so far.
        self.iterations = 0
        self._learning_rate: float | LearningRateSchedule = 0.0
        self._set_learning_rate(learning_rate)

    def _set_learning_rate(self, value: Any) -> None:
        if isinstance(value, dict):
            value = schedules.deserialize(value)
        if isinstance(value, LearningRateSchedule):
            if type(value).__module__ != schedules.__name__:
                raise ValueError(
                    f"A schedule of one's own is not supported. Received: {value!r}. There is "
                    "callbacks.LearningRateScheduler for what depends on the epoch"
                )
            self._learning_rate = value
            return
        try:
            rate = float(value)
        except (TypeError, ValueError):
            rate = -1.0
        if callable(value) or not 0 <= rate < float("inf"):
            raise ValueError(
                "Argument `learning_rate` should be a finite number of at least 0, or one of "
                f"optimizers.schedules. Received instead: learning_rate={value!r}"
            )
        self._learning_rate = rate

    @property
    def learning_rate(self) -> float:
        """The learning rate; that of the next step where a schedule settles it. Can be set, between
        trainings and in the callbacks of one."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self.iterations)
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule) -> None:
        if isinstance(self._learning_rate, LearningRateSchedule) and not isinstance(
            value, LearningRateSchedule
        ):
            raise TypeError(
                "This optimizer was created with a schedule as its `learning_rate`, hence its learning "
                "rate is not settable. Create it with a number instead"
            )
        self._set_learning_rate(value)

    @property
    def lr(self) -> float:
        """The old name of :attr:`learning_rate`."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: float | LearningRateSchedule) -> None:
        self.learning_rate = value

    def _native(self) -> dict[str, Any]:
        """The native part's form of it; the learning rate may be told it later."""
        rate = self._learning_rate
        native = rate._native() if isinstance(rate, LearningRateSchedule) else {"constant": rate}
        return {"name": self._kind, "learning_rate": native} | {
            key: self._native_setting(key) for key in self._settings
        }

    def _native_setting(self, key: str) -> Any:
        return getattr(self, key)

    def get_config(self) -> dict[str, Any]:
        """The settings."""
        rate = self._learning_rate
        written = schedules.serialize(rate) if isinstance(rate, LearningRateSchedule) else rate
        return {"name": self.name, "learning_rate": written} | {
            key: getattr(self, key) for key in self._settings
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """The optimizer with these settings."""
        return cls(**config)

    def __repr__(self) -> str:
        rate = self._learning_rate
        return f"<{type(self).__name__}: learning_rate={rate!r}>"


class SGD(Optimizer):
    """Gradient descent, with momentum and Nesterov's form of it.

    ``sparse_rule="lazy"`` lets features that a batch does not contain stand still, which is not what
    Keras computes but many times faster on wide sparse rows; it matters with momentum only.
    """

    _kind = "sgd"
    _settings = ("momentum", "nesterov", "sparse_rule")

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        *,
        sparse_rule: str = "dense",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, kwargs)
        self.momentum = float(momentum)
        self.nesterov = bool(nesterov)
        self.sparse_rule = _one_of("sparse_rule", sparse_rule, "dense", "lazy")


class RMSprop(Optimizer):
    """Steps divided by the root of a moving mean of squared gradients.

    ``epsilon_placement`` says where epsilon is added: ``"inside"`` the root, as Keras 3 does, or
    ``"outside"``, as Keras 2.2.4 did, with which the published training logs were made.
    """

    _kind = "rmsprop"
    _settings = ("rho", "epsilon", "epsilon_placement")

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float | None = _EPSILON,
        *,
        epsilon_placement: str = "inside",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, kwargs)
        refuse_settings("RMSprop", {"momentum": momentum}, {"momentum": 0.0})
        self.rho = float(rho)
        self.epsilon = _EPSILON if epsilon is None else float(epsilon)
        self.epsilon_placement = _one_of("epsilon_placement", epsilon_placement, "inside", "outside")

    def _native_setting(self, key: str) -> Any:
        value = super()._native_setting(key)
        return f"{value}_root" if key == "epsilon_placement" else value


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of squared gradients."""

    _kind = "adagrad"
    _settings = ("initial_accumulator_value", "epsilon")

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float | None = _EPSILON,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, kwargs)
        self.initial_accumulator_value = float(initial_accumulator_value)
        self.epsilon = _EPSILON if epsilon is None else float(epsilon)


class Adam(Optimizer):
    """Moving means of gradients and of their squares. ``sparse_rule`` as of :class:`SGD`."""

    _kind = "adam"
    _settings = ("beta_1", "beta_2", "epsilon", "sparse_rule")

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = _EPSILON,
        *,
        sparse_rule: str = "dense",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, kwargs)
        self.beta_1, self.beta_2 = float(beta_1), float(beta_2)
        self.epsilon = _EPSILON if epsilon is None else float(epsilon)
        self.sparse_rule = _one_of("sparse_rule", sparse_rule, "dense", "lazy")


class AdamW(Optimizer):
    """Adam after weights have decayed by a share of the learning rate. ``sparse_rule`` as of :class:`SGD`."""

    _kind = "adamw"
    _settings = ("weight_decay", "beta_1", "beta_2", "epsilon", "sparse_rule")

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = _EPSILON,
        *,
        sparse_rule: str = "dense",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, kwargs)
        self.weight_decay = float(weight_decay)
        self.beta_1, self.beta_2 = float(beta_1), float(beta_2)
        self.epsilon = _EPSILON if epsilon is None else float(epsilon)
        self.sparse_rule = _one_of("sparse_rule", sparse_rule, "dense", "lazy")


def _one_of(name: str, value: str, *known: str) -> str:
    if value not in known:
        choices = " or ".join(map(repr, known))
        raise ValueError(f"Expected {name} to be {choices}. Received: {name}={value!r}")
    return value


_CLASSES = {cls.__name__: cls for cls in (SGD, RMSprop, Adagrad, Adam, AdamW)}
_BY_NAME = {name.lower(): cls for name, cls in _CLASSES.items()}


def get(identifier: Any) -> Optimizer:
    """The optimizer given as a name, a class, an object or the form in which Keras writes it down."""
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type):
        identifier = identifier.__name__
    name, config = config_of(identifier) or (identifier, {})
    if not isinstance(name, str) or name.lower() not in _BY_NAME:
        raise ValueError(f"Unknown optimizer: {identifier!r}. Supported are {listed(_CLASSES)}")
    return _BY_NAME[name.lower()].from_config(config)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer in the form in which Keras writes it down."""
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


def deserialize(config: dict[str, Any]) -> Optimizer:
    """The optimizer that :func:`serialize` wrote down."""
    return get(config)


# The names in lower case, as old examples have them.
sgd, rmsprop, adagrad, adam, adamw = SGD, RMSprop, Adagrad, Adam, AdamW

__getattr__ = absent(__name__, "optimizers", _CLASSES)
