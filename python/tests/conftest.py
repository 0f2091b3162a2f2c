"""Data and models that several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import slugline

GRAIN = ["wheat", "corn", "barley", "harvest", "bushels", "soybean", "crop"]
METAL = ["gold", "silver", "copper", "ounce", "mine", "zinc", "ore"]
SHIP = ["tanker", "port", "vessel", "cargo", "strike", "freight", "dock"]
COMMON = ["the", "prices", "of", "rose", "fell", "today", "in", "a", "said", "week"]


def wires(n: int = 150, seed: int = 0, classes: int = 3) -> tuple[list[str], list[str]]:
    """Made-up newswires of three topics."""
    random = np.random.default_rng(seed)
    topics = [("grain", GRAIN), ("metal", METAL), ("ship", SHIP)][:classes]
    texts, labels = [], []
    for i in range(n):
        label, words = topics[i % len(topics)]
        chosen = list(random.choice(words, 3)) + list(random.choice(COMMON, 5))
        random.shuffle(chosen)
        texts.append(" ".join(chosen).capitalize() + ".")
        labels.append(label)
    return texts, labels


@pytest.fixture(scope="session")
def data() -> tuple[list[str], list[str]]:
    return wires()


@pytest.fixture(scope="session")
def model(data: tuple[list[str], list[str]]) -> slugline.Classifier:
    return slugline.Classifier.train(*data)


@pytest.fixture(scope="session")
def reuters_folder() -> Path:
    folder = os.environ.get("SLUGLINE_DATA_DIR")
    if not folder:
        pytest.skip("SLUGLINE_DATA_DIR is not set: there are no real data")
    return Path(folder)
