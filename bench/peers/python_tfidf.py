"""Fits a vectorizer to the training texts of 20 Newsgroups once for each line of standard input.

    python python_tfidf.py slugline|sklearn FILE
    python python_tfidf.py check FILE

`check` holds the two against each other: the same features in the same order, and how far the values lie
apart at most.
"""

import gzip
import json
import sys
import time

import numpy


def texts(path):
    """The training texts."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        return [row["text"] for row in rows if row["split"].endswith("train")]


def vectorizer(package):
    """One with its defaults."""
    if package == "slugline":
        from slugline import TextVectorizer

        return TextVectorizer()
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer()


def check(documents):
    """How far the two lie apart."""
    ours, theirs = vectorizer("slugline"), vectorizer("sklearn")
    x, y = ours.fit_transform(documents), theirs.fit_transform(documents)
    return {
        "same": bool((ours.get_feature_names_out() == theirs.get_feature_names_out()).all())
        and ours.vocabulary_ == theirs.vocabulary_,
        "shape": x.shape,
        "difference": float(numpy.abs((x.astype("f8") - y).data).max()),
    }


def main():
    documents = texts(sys.argv[2])
    if sys.argv[1] == "check":
        print(json.dumps(check(documents)))
        return
    vectorizer(sys.argv[1]).fit_transform(documents[:100])
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        x = vectorizer(sys.argv[1]).fit_transform(documents)
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "shape": x.shape}), flush=True)


main()
