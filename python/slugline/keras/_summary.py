"""The table of a model's layers, as Keras draws it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._stack import Model

#: Where each column ends, as a share of the line.
_POSITIONS = (0.45, 0.80, 1.0)
_LINE = 88


def _size(count: int) -> str:
    """Bytes of so many weights, readable."""
    size = count * 4.0
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def table(
    model: Model,
    line_length: int | None = None,
    positions: list[float] | None = None,
    show_trainable: bool = False,
) -> str:
    """The whole table, with the numbers of parameters below."""
    names = ["Layer (type)", "Output Shape", "Param #"]
    ends = list(positions or _POSITIONS)
    length = line_length or min(_LINE + 12 * show_trainable, shutil.get_terminal_size().columns - 4)
    if show_trainable:
        ends = [end * 0.9 for end in ends] + [1.0]
        names.append("Trainable")
    if len(ends) != len(names):
        raise ValueError(f"Expected positions to be {len(_POSITIONS)} numbers. Received: {positions}")
    places = [0, *(int(end * length) for end in ends)]
    # The lines between the columns take a place each, and there is one more than columns.
    taken = [1, 2, 1, 1]
    widths = [b - a - bar for a, b, bar in zip(places, places[1:], taken, strict=False)]
    if min(widths) < 4:
        raise ValueError("Insufficient console width to print summary.")

    def row(cells: list[str], bar: str) -> str:
        drawn = []
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            text = _cut(cell, width - 2)
            inner = text.rjust(width - 2) if number == 2 else text.ljust(width - 2)
            drawn.append(f" {inner} ")
        return bar + bar.join(drawn) + bar

    def line(left: str, middle: str, right: str, dash: str) -> str:
        return left + middle.join(dash * width for width in widths) + right

    rows = []
    for layer in model.layers:
        weighs = hasattr(layer, "units")
        if layer.built:
            shape, count = f"(None, {layer._units_out})", f"{layer.count_params():,}"
        else:
            shape, count = "?", "0 (unbuilt)" if weighs else "0"
        cells = [f"{layer.name} ({type(layer).__name__})", shape, count]
        rows.append(row([*cells, *(["Y" if weighs else "-"] if show_trainable else [])], "│"))
    body = f"\n{line('├', '┼', '┤', '─')}\n".join(rows)
    total = model.count_params() if model.built else 0
    counted = f"{total:,} ({_size(total)})"
    return "\n".join([
        f'Model: "{model.name}"',
        line("┏", "┳", "┓", "━"),
        row(names, "┃"),
        line("┡", "╇", "┩", "━"),
        *([body] if rows else []),
        line("└", "┴", "┘", "─"),
        f" Total params: {counted}",
        f" Trainable params: {counted}",
        " Non-trainable params: 0 (0.00 B)",
        "",
    ])  # fmt: skip
