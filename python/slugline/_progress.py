"""What a user sees while something is trained, and pictures."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: Cells of a bar.
_WIDTH = 24


def in_notebook() -> bool:
    """Whether an IPython kernel shows what is printed."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class Bar:
    """One line that tells the epoch, how far it has come, and the last scores."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.logs: dict[str, float] = {}
        self.length = 0

    def begin(self, epoch: int) -> None:
        return None

    def batch(self, epoch: int, step: int, steps: int, samples: int, loss: float) -> None:
        done = _WIDTH * step // max(steps, 1)
        self._write(f"epoch {epoch} [{'━' * done}{' ' * (_WIDTH - done)}] loss {loss:.4f}")

    def end(self, epoch: int, logs: dict[str, float]) -> bool:
        scores = ", ".join(f"{k} {v:.4f}" for k, v in logs.items() if k != "learning_rate")
        self._write(f"epoch {epoch} [{'━' * _WIDTH}] {scores}")
        return False

    def close(self) -> None:
        if self.length:
            sys.stderr.write(f" ({time.monotonic() - self.started:.1f} s)\n")
            sys.stderr.flush()

    def _write(self, line: str) -> None:
        sys.stderr.write("\r" + line.ljust(self.length))
        sys.stderr.flush()
        self.length = max(self.length, len(line))


@contextmanager
def listener(progress: bool | None) -> Iterator[Bar | None]:
    """A bar, if one is wanted: by default in a terminal or notebook."""
    if progress is None:
        progress = in_notebook() or sys.stderr.isatty()
    bar = Bar() if progress else None
    try:
        yield bar
    finally:
        if bar is not None:
            bar.close()


class Picture:
    """A picture that notebooks show."""

    def __init__(self, data: bytes, format: str) -> None:
        #: The content of its file.
        self.data = data
        #: ``svg`` or ``png``.
        self.format = format

    def _repr_svg_(self) -> str | None:
        return self.data.decode() if self.format == "svg" else None

    def _repr_png_(self) -> bytes | None:
        return self.data if self.format == "png" else None

    def __repr__(self) -> str:
        return f"<Picture: {self.format}, {len(self.data)} bytes>"


def draw(
    picture: Callable[[str], Any], path: str | os.PathLike[str] | None, format: str | None
) -> Picture:
    """Draws a picture, and writes it to ``path`` if that is given, in the form of its ending."""
    if format is None:
        ending = os.path.splitext(os.fspath(path))[1].lower() if path is not None else ".svg"
        if ending not in (".svg", ".png"):
            raise ValueError(f"{path}: expected a name that ends in .svg or .png")
        format = ending[1:]
    data = bytes(picture(format))
    if path is not None:
        with open(path, "wb") as file:
            file.write(data)
    return Picture(data, format)
