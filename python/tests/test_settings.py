"""One source: the names and defaults of library, command and package are the same."""

from __future__ import annotations

import inspect
import os
import re
import subprocess

import pytest

import slugline
from slugline import _slugline

#: What Python calls otherwise: scikit-learn's name.
RENAMED = {"seed": "random_state"}
#: What has no meaning for texts.
LEFT_OUT = {"feature_scaling"}
#: What the command has as a flag without a value, or as a negation.
NAMES = set(_slugline.setting_names())


def test_the_estimator_takes_every_setting():
    parameters = inspect.signature(slugline.SluglineClassifier).parameters
    wanted = {RENAMED.get(name, name) for name in NAMES - LEFT_OUT}
    assert set(parameters) == wanted | {"verbose"}
    for name, parameter in parameters.items():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is (0 if name == "verbose" else None) or parameter.default == 0


def test_every_parameter_is_documented():
    for estimator in ("SluglineClassifier", "SparseMLPClassifier", "TextVectorizer"):
        estimator = getattr(slugline, estimator)
        documented = set()
        for line in re.findall(r"^    ([a-z][a-z_0-9, ]*) : ", inspect.getdoc(estimator) and estimator.__doc__, re.M):
            documented |= {name.strip() for name in line.split(",")}
        assert set(inspect.signature(estimator).parameters) <= documented


def test_presets_have_the_defaults_of_the_library():
    for preset in ("auto", "text", "notebook"):
        settings = slugline.settings(preset)
        assert settings["preset"] == preset
        assert set(settings) <= NAMES
    with pytest.raises(ValueError, match="expected one of auto, text, notebook"):
        slugline.settings("book")


@pytest.fixture(scope="session")
def command() -> str:
    command = os.environ.get("SLUGLINE_COMMAND")
    if not command:
        pytest.skip("SLUGLINE_COMMAND does not name the slugline command")
    return command


def test_the_command_has_the_same_names_and_defaults(command):
    said = subprocess.run([command, "train", "--help"], capture_output=True, text=True, check=True)
    help = said.stdout
    options = {name.replace("-", "_") for name in re.findall(r"--([a-z][a-z0-9-]+)", help)}
    assert NAMES <= options
    notebook = slugline.settings("notebook")
    told = 0
    for name, words in re.findall(r"--([a-z][a-z0-9-]+)[^\n]*\n(.*?)(?=\n\s+(?:-\w, )?--|\n\n\S|\Z)", help, re.S):
        name = name.replace("-", "_")
        default = re.search(r"\[default:\s+([^\]]+)\]", words)
        if default is None or name not in notebook or name in LEFT_OUT:
            continue
        default, value = " ".join(default.group(1).split()), notebook[name]
        # Where each optimizer has its own, they are listed.
        own = re.search(rf"\b{notebook['optimizer']} ([^ ,]+)", default)
        default = own.group(1) if own else default
        if isinstance(value, list):
            value = ",".join(map(str, value))
        try:
            same = float(default) == float(value)
        except (TypeError, ValueError):
            same = default.lower() == str(value).lower()
        if same:
            told += 1
        else:
            assert name in {"preset", "validation", "threshold"}, (name, default, value)
    assert told >= 12


def test_a_model_is_the_command_s_and_the_other_way_round(command, tmp_path, data):
    texts, labels = data
    file = tmp_path / "wires.csv"
    lines = [f'{label},"{text}"' for text, label in zip(texts, labels)]
    file.write_text("label,text\n" + "\n".join(lines) + "\n")
    out = tmp_path / "wires.slug"
    run = [command, "train", str(file), "-o", str(out), "--quiet", "--no-record"]
    subprocess.run([*run, "--hidden", "8", "--ngrams", "2", "--epochs", "3"], check=True)
    theirs = slugline.Classifier.load(out)
    # Classes are numbered as they appear in a file, and by the alphabet here.
    ours = slugline.Classifier.train(
        texts, labels, classes=theirs.classes, hidden=[8], ngrams=2, epochs=3
    )
    assert ours.predict_proba(texts).tolist() == theirs.predict_proba(texts).tolist()
    ours.save(out)
    said = subprocess.run(
        [command, "predict", str(out), "--text", texts[0]], capture_output=True, text=True
    )
    assert labels[0] in said.stdout, said.stderr
