"""Models in files: arrays and a text of JSON in one zip archive, from which nothing is ever executed."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

#: What the JSON says of the kind of file.
_FORMAT = "slugline.keras"
_VERSION = 1
#: The entry with the JSON.
_HEADER = "header"

#: Everything of a model: what is written as JSON, and arrays by name.
State = tuple[dict[str, Any], dict[str, NDArray[Any]]]


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether a name is that of Keras's own form."""
    return os.fspath(path).lower().endswith(".keras")


def check_path(path: str | os.PathLike[str], weights_only: bool = False) -> str:
    """Refuses names that promise another form than what is written."""
    path = os.fspath(path)
    if path.lower().endswith((".h5", ".hdf5", ".tf")) or (weights_only and is_archive(path)):
        expected = "weights.npz" if weights_only else "model.npz, or model.keras for Keras's own form"
        raise ValueError(f"{path}: this form is not written. Expected a name such as {expected}")
    return path


def write(path: str | os.PathLike[str], state: State, overwrite: bool) -> None:
    """Writes a file of arrays and JSON."""
    header, arrays = state
    text = json.dumps({"format": _FORMAT, "version": _VERSION} | header).encode()
    content: dict[str, Any] = {_HEADER: np.frombuffer(text, dtype=np.uint8)} | arrays
    replace(path, lambda file: np.savez(file, **content), overwrite)


def replace(path: str | os.PathLike[str], fill: Callable[[IO[bytes]], Any], overwrite: bool) -> None:
    """Writes a file; one that was there stays as it is until the new one is complete."""
    path = os.fspath(path)
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path} exists, and overwrite=False")
    handle, unfinished = tempfile.mkstemp(prefix=".slugline-", dir=os.path.dirname(path) or ".")
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
        # The temporary file is for its owner alone, which the model need not be.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(unfinished, 0o666 & ~mask)
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise


def read(path: str | os.PathLike[str]) -> State:
    """Reads a file that :func:`write` wrote."""
    path = check_path(path)
    wrong = f"{path}: expected a file that model.save() or model.save_weights() wrote"
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                # Packed entries could be far larger than the file.
                if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                    raise ValueError(f"{wrong}, found packed entries")
                damaged = archive.testzip()
            if damaged is not None:
                raise ValueError(f"{wrong}, found a damaged entry {damaged}")
            file.seek(0)
            with np.load(file, allow_pickle=False) as content:
                arrays = {name: content[name] for name in content.files}
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise ValueError(f"{wrong}: {error}") from None
    try:
        header = json.loads(arrays.pop(_HEADER).tobytes())
    except (KeyError, ValueError):
        raise ValueError(f"{wrong}, found no header") from None
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise ValueError(f"{wrong}, found another format")
    if header.get("version") != _VERSION:
        raise ValueError(
            f"{path}: version {header.get('version')} of the format; this program reads version {_VERSION}"
        )
    return header, arrays


def pack_progress(progress: tuple[int, int, list[Any]]) -> State:
    """What an optimizer remembers, as ``Network.progress`` gives it."""
    steps, epochs, layers = progress
    arrays = {
        f"optimizer.{number}.{part}.{kind}": array
        for number, layer in enumerate(layers)
        for part, moments in zip(("kernel", "bias"), layer, strict=True)
        for kind, array in zip(("m", "v", "visits"), moments, strict=True)
    }
    return {"steps": steps, "epochs": epochs, "layers": len(layers)}, arrays


def unpack_progress(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> tuple[int, int, list[Any]]:
    """What :func:`pack_progress` packed."""

    def moments(number: int, part: str) -> tuple[NDArray[Any], ...]:
        kinds = {"m": np.float32, "v": np.float32, "visits": np.uint32}
        return tuple(
            np.ascontiguousarray(arrays[f"optimizer.{number}.{part}.{kind}"], dtype=dtype)
            for kind, dtype in kinds.items()
        )

    layers = [(moments(i, "kernel"), moments(i, "bias")) for i in range(int(header["layers"]))]
    return int(header["steps"]), int(header["epochs"]), layers
