"""What is left of Keras's backends where there is one: the session."""

from __future__ import annotations

from .utils import clear_session

__all__ = ["clear_session", "epsilon", "floatx"]


def epsilon() -> float:
    """The small number that is added where something might be divided by zero."""
    return 1e-7


def floatx() -> str:
    """The type of all numbers."""
    return "float32"
