"""The examples in the documentation run, and every public name has some documentation."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import slugline

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(slugline.__path__, "slugline.")
)


@pytest.mark.parametrize("name", ["slugline", *MODULES])
def test_examples_run(name):
    module = importlib.import_module(name)
    if name.endswith("_slugline"):
        return
    failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


@pytest.mark.parametrize("name", [name for name in slugline.__all__ if name[0] != "_"])
def test_every_public_name_is_documented_with_an_example(name):
    thing = getattr(slugline, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing):
        for method, value in vars(thing).items():
            if not method.startswith("_") and (callable(value) or isinstance(value, property)):
                assert inspect.getdoc(value), f"{name}.{method}"
    if name not in ("Prediction", "Explanation"):
        assert ">>>" in inspect.getdoc(thing), name


def test_what_the_readme_shows_runs():
    readme = Path(__file__).parents[1] / "README.md"
    failed, tried = doctest.testfile(
        str(readme), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert (failed, tried > 5) == (0, True)
