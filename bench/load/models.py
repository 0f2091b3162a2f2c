"""Models to serve, and what `slugline predict` says by them, which is what the server has to say."""

import json
import re
import subprocess

from harness.environment import run
from harness.measure import Failure

CHECKSUM = re.compile(rb'checksum\\?":\\?"([0-9a-f]{32})')


def train(env, path, seed=None):
    """The published example."""
    seeded = ["--seed", seed] if seed is not None else []
    run(
        env.slugline, "train", "reuters", "--preset", "notebook", "--quiet", *seeded,
        "--data-dir", env.data, "-o", path,
    )  # fmt: skip


def checksum(path):
    """What the model file says of itself, as the header `slugline-checksum` does."""
    with open(path, "rb") as file:
        found = CHECKSUM.search(file.read(4096))
    if not found:
        raise Failure(f"{path} has no checksum")
    return found[1].decode()


def predictions(env, model, texts, top_k=5):
    """The answers of `slugline predict` to texts of one line each."""
    done = subprocess.run(
        [env.slugline, "predict", model, "-", "--format", "json", "--top-k", str(top_k)],
        input="".join(text + "\n" for text in texts),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failure(f"slugline predict: {done.stderr[-2000:]}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(texts):
        raise Failure(f"slugline predict gave {len(answers)} answers for {len(texts)} texts")
    return answers


def test_texts(env):
    """The newswires that no side is trained on, and their topics."""
    texts = (env.texts / "test.txt").read_text(encoding="utf-8").split("\n")[:-1]
    topics = (env.texts / "test.labels").read_text(encoding="utf-8").split()
    return texts, topics
