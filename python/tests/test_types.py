"""Types: the stubs are those of the native part, and the package is typed throughout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import slugline

pytest.importorskip("mypy")
PACKAGE = Path(slugline.__file__).parent


def test_stubs_are_those_of_the_native_part():
    command = [sys.executable, "-m", "mypy.stubtest", "slugline._slugline", "--concise"]
    said = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_package_is_typed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import numpy as np\n"
        "import slugline\n"
        "model = slugline.Classifier.train(['a b'] * 9, ['x'] * 9)\n"
        "reveal_type(model.predict_proba(['a']))\n"
        "reveal_type(model.explain('a').tokens[0].contribution)\n"
        "reveal_type(slugline.SparseMLPClassifier().predict)\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(program)]
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "ndarray" in said.stdout and "float" in said.stdout
    assert (PACKAGE / "py.typed").exists()
