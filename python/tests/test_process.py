"""What a guest in a Python process owes: quick imports, signals, forks, threads, and the lock let go."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import slugline


def run(code: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def test_an_import_brings_nothing_heavy():
    said = run(
        """
        import sys
        import slugline
        assert slugline.settings("text")
        heavy = {"sklearn", "scipy", "pandas", "keras", "numpy.testing", "IPython", "matplotlib"}
        print(sorted(heavy & set(sys.modules)))
        """
    )
    assert (said.stdout.strip(), said.returncode) == ("[]", 0), said.stderr


def test_without_scikit_learn_its_classes_say_what_to_install():
    said = run(
        """
        import sys
        sys.modules["sklearn"] = None
        import slugline
        texts = ["wheat fell", "gold rose"] * 10
        assert slugline.Classifier.train(texts, ["a", "b"] * 10).predict(["gold"]) == ["b"]
        try:
            slugline.SluglineClassifier
        except ModuleNotFoundError as error:
            print(error)
        """
    )
    assert "pip install 'slugline[sklearn]'" in said.stdout, said.stderr


@pytest.mark.parametrize(
    "fit",
    [
        "slugline.Classifier.train(texts, labels, preset='text', hidden=[256, 256], epochs=100000)",
        "slugline.Classifier.train(texts * 20, labels * 20)",
        "slugline.SluglineClassifier(preset='text', epochs=100000).fit(texts, labels)",
        "slugline.SparseMLPClassifier(epochs=10**6, patience=None).fit(x, labels)",
    ],
)
def test_ctrl_c_ends_a_fit(fit):
    code = f"""
    import os, signal, sys, threading, time
    import numpy as np
    import slugline
    from slugline import SluglineClassifier, SparseMLPClassifier
    words = np.random.default_rng(0).integers(0, 5000, size=(4000, 40))
    texts = [" ".join(f"w{{i}}" for i in row) for row in words]
    labels = [str(i % 7) for i in range(len(texts))]
    x = np.eye(50)[np.arange(len(texts)) % 50]
    def later():
        time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=later, daemon=True).start()
    started = time.monotonic()
    try:
        {fit}
    except KeyboardInterrupt:
        print("interrupted", time.monotonic() - started < 20)
    # What was interrupted has left everything in working order.
    print(slugline.Classifier.train(["a b", "c d"] * 10, ["x", "y"] * 10).predict(["c d"]))
    """
    said = run(code)
    assert said.stdout.splitlines() == ["interrupted True", "['y']"], said.stderr


def test_an_exception_in_a_callback_ends_a_fit():
    from slugline._rows import to_rows
    from slugline._slugline import Network

    class Broken:
        def begin(self, epoch):
            return None

        def batch(self, *report):
            pass

        def end(self, epoch, logs):
            raise LookupError("broken")

    dense = '[{"class_name": "Dense", "config": {"units": 2, "activation": "softmax"}}]'
    network = Network(3, dense)
    network.compile('{"name": "sgd"}', '{"name": "sparse_categorical_crossentropy"}')
    x, y = to_rows(np.eye(3)), np.array([0, 1, 0], dtype=np.uint32)
    with pytest.raises(LookupError, match="broken"):
        network.fit(x, y, epochs=5, batch_size=2, listener=Broken())
    assert network.fit(x, y, epochs=2, batch_size=2)["epochs"] == [1, 2]


def _answers(model, texts, queue):
    queue.put((os.getpid(), model.predict_proba(texts).tolist()))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_works(model, data, method):
    texts = data[0]
    # The parent's threads are at work before the fork.
    wanted = model.predict_proba(texts).tolist()
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    children = [context.Process(target=_answers, args=(model, texts, queue)) for _ in range(2)]
    for child in children:
        child.start()
    answers = [queue.get(timeout=60) for _ in children]
    for child in children:
        child.join(timeout=30)
        assert child.exitcode == 0
    assert len({pid for pid, _ in answers} | {os.getpid()}) == 3
    assert all(answer == wanted for _, answer in answers)


def test_other_threads_run_while_it_works(data):
    texts, labels = data
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.002)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        started = time.monotonic()
        slugline.Classifier.train(texts * 10, labels * 10, preset="text", hidden=[256], epochs=40, threads=1)
        ended = time.monotonic()
    finally:
        done.set()
        thread.join()
    meanwhile = [t for t in ticks if started < t < ended]
    assert len(meanwhile) > 10


def test_threads_share_a_model(model, data):
    texts = data[0]
    wanted = model.predict_proba(texts)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(model.predict_proba(texts))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(np.array_equal(wanted, each) for each in found)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers")
def test_a_handler_of_another_signal_runs_during_a_fit(data):
    heard = []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(time.monotonic()))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        slugline.Classifier.train(data[0] * 10, data[1] * 10, preset="text", hidden=[256], epochs=60, threads=1)
        ended = time.monotonic()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert heard and heard[0] < ended
