"""Test accuracy of scikit-learn's TF-IDF with a linear SVM on the two public sets.

    python bench/peers/sklearn_text.py DATA_DIR

DATA_DIR holds reuters.npz, reuters_word_index.json and 20news-bydate.jsonl.gz. Words or words and
pairs of words, and C, are chosen on a fifth of the training documents.
"""

import gzip
import json
import pathlib
import sys

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC


def reuters(folder):
    """Texts and labels of the 46 topics, split as Keras does."""
    data = np.load(folder / "reuters.npz", allow_pickle=True)
    ranks = json.loads((folder / "reuters_word_index.json").read_text())
    words = {rank: word for word, rank in ranks.items()}
    order = np.arange(len(data["y"]))
    np.random.RandomState(113).shuffle(order)
    # Taken out once: each look into the archive reads the array anew.
    sequences, classes = data["x"], data["y"]
    texts = [" ".join(words[rank] for rank in sequences[i]) for i in order]
    labels = classes[order]
    split = int(0.8 * len(texts))
    return texts[:split], labels[:split], texts[split:], labels[split:]


def newsgroups(folder):
    """Texts and labels of 20 Newsgroups, split by date."""
    parts = {"train": ([], []), "test": ([], [])}
    with gzip.open(folder / "20news-bydate.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            texts, labels = parts["train" if row["split"].endswith("train") else "test"]
            texts.append(row["text"])
            labels.append(row["label"])
    return (*parts["train"], *parts["test"])


def score(train, y_train, test, y_test):
    """Test accuracy of what was best on held-out documents."""
    best = None
    for ngram_range in ((1, 1), (1, 2)):
        vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=ngram_range)
        x, x_test = vectorizer.fit_transform(train), vectorizer.transform(test)
        fit, held_out, y_fit, y_held_out = train_test_split(
            x, y_train, test_size=0.2, random_state=0
        )
        for c in (0.3, 1, 3):
            accuracy = LinearSVC(C=c).fit(fit, y_fit).score(held_out, y_held_out)
            if best is None or accuracy > best[0]:
                best = accuracy, ngram_range, c, x, x_test
    _, ngram_range, c, x, x_test = best
    accuracy = LinearSVC(C=c).fit(x, y_train).score(x_test, y_test)
    return f"{accuracy:.4f} with n-grams of {ngram_range} and C = {c}"


if __name__ == "__main__":
    directory = pathlib.Path(sys.argv[1])
    print("scikit-learn", sklearn.__version__)
    print("reuters:", score(*reuters(directory)), flush=True)
    print("20 newsgroups:", score(*newsgroups(directory)))
