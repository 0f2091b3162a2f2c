"""Data sets to learn with: ``reuters``."""

from __future__ import annotations

from .._common import absent
from . import reuters

__all__ = ["reuters"]

__getattr__ = absent(__name__, "data sets", __all__)
