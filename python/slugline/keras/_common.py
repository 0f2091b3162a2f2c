"""What several modules need: names, seeds, and refusals that say what there is instead."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

#: How many of a kind were named.
_NAMES: Counter[str] = Counter()

#: 2^64 divided by the golden ratio: seeds that far apart are a long way from each other for any count.
_STRIDE = 0x9E3779B97F4A7C15


class _Seeds:
    """The seeds of the networks that follow each other: the first one is the seed set."""

    def __init__(self) -> None:
        self.seed = 0
        self.drawn = 0

    def set(self, seed: int) -> None:
        self.seed, self.drawn = seed, 0

    def next(self) -> int:
        seed = (self.seed + self.drawn * _STRIDE) % 2**64
        self.drawn += 1
        return seed


SEEDS = _Seeds()


def snake_case(name: str) -> str:
    """``HeNormal`` as ``he_normal``, ``L1L2`` as ``l1_l2``."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def automatic_name(kind: str) -> str:
    """``dense``, ``dense_1``, … as Keras numbers what has no name."""
    number = _NAMES[kind]
    _NAMES[kind] += 1
    return f"{kind}_{number}" if number else kind


def forget_names() -> None:
    """Starts the numbering anew."""
    _NAMES.clear()


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def refuse_settings(
    what: str, given: Mapping[str, Any], defaults: Mapping[str, Any], instead: str = ""
) -> None:
    """Refuses settings whose values are not the ones that stand for "without"."""
    for name, value in given.items():
        default = defaults.get(name)
        if value is default or (type(value) in (int, float, bool, str) and value == default):
            continue
        raise ValueError(
            f"{what}: the argument {name} is not supported beyond its default. "
            f"Expected {name}={default!r}. Received: {name}={value!r}." + (f" {instead}" if instead else "")
        )


def refuse_unknown(what: str, kwargs: Mapping[str, Any]) -> None:
    """Refuses what no argument is called."""
    if kwargs:
        raise ValueError(f"{what}: argument(s) not recognized: {', '.join(sorted(kwargs))}")


def absent(module: str, what: str, supported: Iterable[str]) -> Callable[[str], NoReturn]:
    """A module's ``__getattr__``, which says what there is where something else is asked for."""
    names = listed(supported)

    def getattr_(name: str) -> NoReturn:
        hint = "" if name.startswith("_") else f": slugline.keras has the {what} {names}"
        raise AttributeError(f"module {module!r} has no attribute {name!r}{hint}")

    return getattr_


def config_of(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Class name and config of the form in which Keras writes objects down, if it is that."""
    if isinstance(value, dict) and "class_name" in value:
        return str(value["class_name"]), dict(value.get("config") or {})
    return None


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """A number of something."""
    number = None if isinstance(value, bool) or not hasattr(value, "__index__") else operator.index(value)
    if number is None or number < least:
        raise ValueError(f"Expected {name} to be an integer of at least {least}. Received: {name}={value!r}")
    return number


def function_or_name(value: Any) -> str | None:
    """The name that a string, or a function of these modules, stands for."""
    if isinstance(value, str):
        return value
    if callable(value) and str(getattr(value, "__module__", "")).startswith(__package__):
        return getattr(value, "__name__", None)
    return None
