"""Callbacks that write down or show how a training goes."""

from __future__ import annotations

import csv
import os
import sys
import time
from typing import IO, Any

from ..._progress import in_notebook
from .._common import refuse_settings
from ._base import Callback, Logs
from ._events import EventFile

#: Cells of a bar.
_WIDTH = 20


class CSVLogger(Callback):
    """Writes a line with the scores of each epoch to a CSV file."""

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self._file: IO[str] | None = None
        self._writer: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._writer = None
        self._file = open(  # noqa: SIM115
            self.filename, "a" if self.append else "w", newline="", encoding="utf-8"
        )

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert self._file is not None
        logs = logs or {}
        if self._writer is None:
            keys = sorted(logs)
            if not any(key.startswith("val_") for key in keys):
                # A later training that is appended may be validated.
                keys += [f"val_{key}" for key in keys]
            self._writer = csv.DictWriter(
                self._file, ["epoch", *keys], delimiter=self.sep, lineterminator="\n"
            )
            if self._file.tell() == 0:
                self._writer.writeheader()
        keys = self._writer.fieldnames[1:]
        self._writer.writerow({"epoch": epoch} | {key: logs.get(key, "NA") for key in keys})
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


class TensorBoard(Callback):
    """Writes the scores of each epoch for TensorBoard, to the folders ``train`` and ``validation``.

    Scores alone: what Keras can write besides (histograms, pictures, profiles) is refused.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        refuse_settings(
            "TensorBoard",
            {
                "histogram_freq": histogram_freq,
                "write_images": write_images,
                "write_steps_per_second": write_steps_per_second,
                "update_freq": update_freq,
                "profile_batch": profile_batch,
                "embeddings_freq": embeddings_freq,
                "embeddings_metadata": embeddings_metadata,
            },
            {
                "histogram_freq": 0,
                "write_images": False,
                "write_steps_per_second": False,
                "update_freq": "epoch",
                "profile_batch": 0,
                "embeddings_freq": 0,
                "embeddings_metadata": None,
            },
            "It writes the scores of each epoch.",
        )
        self.log_dir = os.fspath(log_dir)
        self._files: dict[str, EventFile] = {}

    def _write(self, part: str, scores: dict[str, float], epoch: int) -> None:
        if not scores:
            return
        if part not in self._files:
            self._files[part] = EventFile(os.path.join(self.log_dir, part))
        for name, value in scores.items():
            self._files[part].scalar(f"epoch_{name}", value, epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        own = {key: value for key, value in logs.items() if not key.startswith("val_")}
        own["learning_rate"] = self.model.optimizer.learning_rate
        held_out = {key[4:]: value for key, value in logs.items() if key.startswith("val_")}
        self._write("train", own, epoch)
        self._write("validation", held_out, epoch)

    def on_train_end(self, logs: Logs | None = None) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}


class Progress:
    """A line that shows how far something has come, as Keras's."""

    def __init__(self, target: int, verbose: int) -> None:
        self.target = target
        self.verbose = verbose
        self.started = time.monotonic()
        self.shown = 0
        #: Whether a line can be written over, and colours be seen.
        self.lively = sys.stdout.isatty() or in_notebook()

    def show(self, done: int, scores: dict[str, Any], final: bool = False) -> None:
        """Shows the line anew; where lines cannot be written over, the final one alone."""
        if not self.verbose or not (final or (self.lively and self.verbose == 1)):
            return
        spent = time.monotonic() - self.started
        step = spent / max(done, 1)
        pace = (
            f"{step:.0f}s" if step >= 1 else f"{step * 1e3:.0f}ms" if step >= 1e-3 else f"{step * 1e6:.0f}us"
        )
        left = spent if final else step * (self.target - done)
        scores_text = "".join(f" - {key}: {_score(value)}" for key, value in scores.items())
        count = f"{done:>{len(str(self.target))}}/{self.target}"
        if self.verbose == 2:
            self._write(f"{count} - {left:.0f}s - {pace}/step{scores_text}\n")
            return
        cells = _WIDTH * done // max(self.target, 1)
        made, open_ = "━" * cells, "━" * (_WIDTH - cells)
        rest = f" {left:.0f}s {pace}/step{scores_text}"
        length = len(count) + 1 + _WIDTH + len(rest)
        if self.lively:
            line = f"\r\33[1m{count}\33[0m \33[32m{made}\33[0m\33[37m{open_}\33[0m{rest}"
            line += " " * (self.shown - length)
        else:
            line = f"{count} {made}{rest}"
        self.shown = length
        self._write(line + ("\n" if final else ""))

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _score(value: Any) -> str:
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


class ProgbarLogger(Callback):
    """Shows the training with a line for each epoch; ``fit`` has one by itself unless ``verbose=0``."""

    def __init__(self) -> None:
        super().__init__()
        self._progress: Progress | None = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        verbose, epochs = self.params["verbose"], self.params["epochs"]
        if verbose and epochs > 1:
            print(f"Epoch {epoch + 1}/{epochs}")
        self._progress = Progress(self.params["steps"], verbose)

    def _show(self, step: int, logs: Logs) -> None:
        """Shows steps made so far; called from time to time."""
        if self._progress is not None:
            self._progress.show(step, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._progress is not None:
            self._progress.show(self._progress.target, logs or {}, final=True)
