"""scikit-learn's TF-IDF with a linear SVM on labelled texts.

    python bench/peers/sklearn_text.py choose FILE   test accuracy of what is best on held-out documents
    python bench/peers/sklearn_text.py train FILE    one training: words and pairs of words, C = 1

FILE has JSON lines, plain or in gzip, with `split` (names that end in train or test), `label` and
`text`. The answer is one line of JSON.
"""

import gzip
import json
import sys

import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC


def read(path):
    """Texts and labels of the training part and of the test part."""
    parts = {"train": ([], []), "test": ([], [])}
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            texts, labels = parts["train" if row["split"].endswith("train") else "test"]
            texts.append(row["text"])
            labels.append(row["label"])
    return (*parts["train"], *parts["test"])


def choose(train, y_train, test, y_test):
    """Words, or words and pairs of words, and C: chosen on a fifth of the training documents."""
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
    return {"accuracy": accuracy, "chosen": f"n-grams of {ngram_range}, C = {c}"}


def train(train, y_train, *_):
    """What the time of a training is held against."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    LinearSVC().fit(vectorizer.fit_transform(train), y_train)
    return {"features": len(vectorizer.vocabulary_)}


if __name__ == "__main__":
    answer = {"choose": choose, "train": train}[sys.argv[1]](*read(sys.argv[2]))
    print(json.dumps({**answer, "version": sklearn.__version__}))
