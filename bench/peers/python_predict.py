"""Answers for texts of a Python list, once for each line of standard input.

    python python_predict.py slugline MODEL TEXTS COUNT THREADS
    python python_predict.py FOLDER:MODULE MODEL TEXTS COUNT
    python python_predict.py check PACKAGE MODEL TEXTS

The first two tell the seconds for `COUNT` texts, those of the file TEXTS over and over; FOLDER has the
package MODULE of one of fastText's makers. `check` tells the labels of TEXTS once.
"""

import itertools
import json
import sys
import time


def predictor(package, model, threads=1):
    """A function from a list of texts to a list of labels with nothing left to do."""
    if package == "slugline":
        import slugline

        classifier = slugline.Classifier.load(model)
        return lambda texts: classifier.predict(texts, threads=threads)
    folder, module = package.rsplit(":", 1)
    sys.path.insert(0, folder)
    loaded = __import__(module).load_model(model)
    for call in (whole(loaded), one_by_one(loaded)):
        try:
            found = call(["wheat and corn fell", "gold rose"])
        except Exception:  # A package that cannot take lists, or not with this NumPy.
            continue
        if len(found) == 2 and all(isinstance(label, str) for label in found):
            return call
    raise SystemExit(f"{module} gives no labels")


def first(label):
    """A label out of the list that it may stand in; none for a text without a known word."""
    return label if isinstance(label, str) else next(iter(label), "")


def whole(model):
    """All texts in one call."""

    def call(texts):
        found = model.predict(texts)
        labels = found[0] if isinstance(found, tuple) else [answer[0] for answer in found]
        return [first(label) for label in labels]

    return call


def one_by_one(model):
    """A call for each text."""

    def call(texts):
        return [first(first(model.predict(text))) for text in texts]

    return call


def main():
    package, model, texts = sys.argv[1:4]
    if package == "check":
        package, model, texts = sys.argv[2:5]
        lines = open(texts, encoding="utf-8").read().split("\n")[:-1]
        print(json.dumps(predictor(package, model)(lines)))
        return
    lines = open(texts, encoding="utf-8").read().split("\n")[:-1]
    many = list(itertools.islice(itertools.cycle(lines), int(sys.argv[4])))
    # Texts of their own, as they come from a file or a frame: nothing of them is known beforehand.
    many = [text.encode().decode() for text in many]
    predict = predictor(package, model, *map(int, sys.argv[5:]))
    predict(many[:1000])
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        labels = predict(many)
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "answers": len(labels)}), flush=True)


main()
