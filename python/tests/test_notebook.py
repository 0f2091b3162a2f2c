"""The example notebook, executed from its first cell to its last one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")

NOTEBOOK = Path(__file__).parent.parent / "examples" / "reuters.ipynb"


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


@pytest.fixture(scope="module")
def executed(reuters_folder: Path, tmp_path_factory: Any) -> Any:
    """The notebook with its outputs, from a kernel of this interpreter."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    manager = AsyncKernelManager()
    manager._kernel_spec = KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="this interpreter",
        language="python",
        env={
            "SLUGLINE_DATA_DIR": str(reuters_folder),
        },
    )
    client = nbclient.NotebookClient(
        notebook,
        km=manager,
        timeout=300,
        resources={"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}},
    )
    client.execute()
    return notebook


@pytest.fixture(scope="module")
def printed(executed: Any) -> str:
    """All that the notebook printed, and the results of its cells, as one text."""
    texts = []
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            texts.append(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
    return re.sub(r"\x1b\[\d+m", "", "\n".join(texts))


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found, f"{pattern} in\n{text}"
    return float(found[1])


def test_the_wires_are_those_of_keras(printed: str) -> None:
    assert "8982 wires to train on, 2246 to test with" in printed
    assert "46 topics" in printed
    assert "(8982, 10000)" in printed and "(8982, 46)" in printed


def test_the_network_has_the_published_counts(printed: str) -> None:
    for count in ("640,064", "4,160", "2,990", "Total params: 647,214 (2.47 MB)"):
        assert count in printed


def test_the_curves_show_where_overfitting_begins(printed: str, executed: Any) -> None:
    assert "Epoch 20/20" in printed
    assert 7 <= number(r"lowest after epoch (\d+)", printed) <= 14
    pictures = [
        output
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    # Loss and accuracy, and the network.
    assert len(pictures) == 3


def test_the_scores_are_the_published_ones(printed: str) -> None:
    assert 0.78 <= number(r"test accuracy: (0\.\d+)", printed) <= 0.82
    assert 0.17 <= number(r"random answers: (0\.\d+)", printed) <= 0.20
    wide = number(r"held-out wires: (0\.\d+) with 64", printed)
    narrow = number(r"with 64 units, (0\.\d+) with 4", printed)
    assert wide > 0.79 and narrow < wide - 0.04


def test_answers_are_probabilities(printed: str) -> None:
    found = re.search(r"\(2246, 46\) sums from (\S+) to (\S+)", printed)
    assert found and abs(float(found[1]) - 1) < 1e-5 and abs(float(found[2]) - 1) < 1e-5


def test_numbers_and_rows_train_the_same_network(printed: str) -> None:
    assert "the same weights: True" in printed
