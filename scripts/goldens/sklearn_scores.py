"""Golden scores and thresholds from scikit-learn, for the tests of `evaluation` and `decision`.

    python scripts/goldens/sklearn_scores.py

writes crates/slugline/tests/golden/sklearn_scores.json; it needs no data and takes seconds.
"""

import pathlib
import platform
import warnings

import numpy as np
import sklearn
from sklearn import metrics

import golden_json

TARGET = pathlib.Path(__file__).parents[2] / "crates/slugline/tests/golden/sklearn_scores.json"
AVERAGES = ["macro", "micro", "weighted"]
AIMS = [("f1", None), ("precision", 0.8), ("recall", 0.7)]


def defined(score, wanted, p):
    """A score of one column, or None where scikit-learn has none or warns that it has no meaning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return float(score(wanted, p))
        except (ValueError, UserWarning):
            return None


def averaged(values, support):
    """Plain and weighted mean over the classes that have a value."""
    pairs = [(v, s) for v, s in zip(values, support) if v is not None]
    if not pairs:
        return None, None
    v, s = np.array(pairs, dtype=np.float64).T
    return float(v.mean()), float((v * s).sum() / s.sum()) if s.sum() else None


def areas(wanted, p, want):
    """Areas of the columns, into `want` their means; gives those of the classes."""
    columns = range(p.shape[1])
    found = {}
    for name, score in [
        ("roc_auc", metrics.roc_auc_score),
        ("average_precision", metrics.average_precision_score),
    ]:
        found[name] = [defined(score, wanted[:, c], p[:, c]) for c in columns]
        plain, weighted = averaged(found[name], wanted.sum(axis=0))
        want[f"macro_{name}"], want[f"weighted_{name}"] = plain, weighted
        if all(v is not None for v in found[name]):
            assert abs(score(wanted, p, average="macro") - plain) < 1e-12
            assert abs(score(wanted, p, average="weighted") - weighted) < 1e-12
    return found


def class_scores(truth, predicted, labels, found):
    p, r, f, s = metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    return [
        {
            "precision": float(p[c]),
            "recall": float(r[c]),
            "f1": float(f[c]),
            "support": int(s[c]),
            "roc_auc": found["roc_auc"][c],
            "average_precision": found["average_precision"][c],
        }
        for c in range(len(p))
    ]


def mean_scores(truth, predicted, averages, want):
    for average in averages:
        p, r, f, _ = metrics.precision_recall_fscore_support(
            truth, predicted, average=average, zero_division=0
        )
        want[f"{average}_precision"], want[f"{average}_recall"] = float(p), float(r)
        want[f"{average}_f1"] = float(f)


def thresholds(wanted, p):
    """The threshold of each column by each aim, from the candidates of precision_recall_curve."""
    chosen = {}
    for aim, share in AIMS:
        name = aim if share is None else f"{aim}={share}"
        chosen[name] = []
        for c in range(p.shape[1]):
            if wanted[:, c].sum() == 0:
                chosen[name].append(None)
                continue
            precision, recall, candidates = metrics.precision_recall_curve(wanted[:, c], p[:, c])
            precision, recall = precision[:-1], recall[:-1]
            if aim == "f1":
                f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
                best = candidates[np.isclose(f1, f1.max(), rtol=0, atol=1e-12)].max()
            elif aim == "precision":
                fit = candidates[precision >= share]
                best = fit.min() if len(fit) else None
            else:
                best = candidates[recall >= share].max()
            chosen[name].append(None if best is None else float(best))
    return chosen


def single_case(name, p, truth, top_k=True):
    """Documents of one class each."""
    classes = p.shape[1]
    labels = list(range(classes))
    predicted = p.argmax(axis=1)
    wanted = np.eye(classes, dtype=int)[truth]
    p64 = p.astype(np.float64)
    want = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "mcc": metrics.matthews_corrcoef(truth, predicted),
        "log_loss": metrics.log_loss(truth, p64, labels=labels),
        "brier": metrics.brier_score_loss(truth, p64, labels=labels),
    }
    mean_scores(truth, predicted, AVERAGES, want)
    found = areas(wanted, p64, want)
    if classes == 2:
        want["roc_auc"] = found["roc_auc"][1]
        want["average_precision"] = found["average_precision"][1]
    if top_k:
        for k in [3, 5]:
            if k < classes:
                want[f"top_{k}_accuracy"] = metrics.top_k_accuracy_score(
                    truth, p64, k=k, labels=labels
                )
    want = {k: None if v is None else float(v) for k, v in want.items()}
    return {
        "name": name,
        "probabilities": golden_json.exact(p),
        "truth": [int(label) for label in truth],
        "want": want,
        "classes": class_scores(truth, predicted, labels, found),
        "confusion": metrics.confusion_matrix(truth, predicted, labels=labels).tolist(),
    }


def soft_case(name, p, q):
    """Documents with a share of every class: each counts for every class, by its share."""
    n, classes = p.shape
    loss = metrics.log_loss(
        np.tile(np.arange(classes), n),
        np.repeat(p.astype(np.float64), classes, axis=0),
        sample_weight=q.astype(np.float64).ravel(),
        labels=list(range(classes)),
    )
    case = single_case(name, p, q.argmax(axis=1))
    case["want"]["cross_entropy"] = float(loss)
    return {**case, "truth": golden_json.exact(q)}


def multi_case(name, p, wanted):
    """Documents of any number of labels each, given from 0.5 on."""
    p64 = p.astype(np.float64)
    predicted = (p >= 0.5).astype(int)
    columns = range(p.shape[1])
    want = {
        "accuracy": metrics.accuracy_score(wanted, predicted),
        "hamming_loss": metrics.hamming_loss(wanted, predicted),
        "log_loss": np.mean([metrics.log_loss(wanted[:, c], p64[:, c], labels=[0, 1]) for c in columns]),
        "brier": np.mean(
            [metrics.brier_score_loss(wanted[:, c], p64[:, c], labels=[0, 1]) for c in columns]
        ),
        "micro_roc_auc": defined(metrics.roc_auc_score, wanted.ravel(), p64.ravel()),
        "micro_average_precision": defined(
            metrics.average_precision_score, wanted.ravel(), p64.ravel()
        ),
    }
    mean_scores(wanted, predicted, [*AVERAGES, "samples"], want)
    found = areas(wanted, p64, want)
    want = {k: None if v is None else float(v) for k, v in want.items()}
    return {
        "name": name,
        "probabilities": golden_json.exact(p),
        "truth": [np.flatnonzero(row).tolist() for row in wanted],
        "want": want,
        "classes": class_scores(wanted, predicted, None, found),
        "thresholds": thresholds(wanted, p64),
    }


def main():
    random = np.random.default_rng(20260)

    def shares(n, classes, truth, pull=1.5):
        logits = random.normal(size=(n, classes))
        logits[np.arange(n), truth] += pull
        p = np.exp(logits)
        return (p / p.sum(axis=1, keepdims=True)).astype(np.float32)

    def eighths(n, classes):
        p = random.multinomial(8, np.ones(classes) / classes, size=n) / 8
        return p.astype(np.float32)

    drawn = random.integers(0, 6, size=80)
    few = np.array([0, 0, 0, 1, 1, 3] * 6)
    two = random.integers(0, 2, size=50)
    skewed = np.array([0] * 30 + [1] * 2)
    single = [
        single_case("six classes", shares(80, 6, drawn), drawn),
        single_case("classes without documents", shares(36, 6, few), few),
        single_case("two classes", shares(50, 2, two, 0.7), two),
        single_case("two classes, one rare", shares(32, 2, skewed, 0.2), skewed),
        single_case("ties", eighths(60, 4), random.integers(0, 4, size=60), top_k=False),
        single_case("constant", np.full((20, 4), 0.25, np.float32), random.integers(0, 4, 20), False),
        single_case("one class only", shares(12, 3, np.zeros(12, int)), np.zeros(12, int)),
        single_case("certain and wrong", np.eye(3, dtype=np.float32)[[0, 1, 2, 0]], np.array([0, 1, 1, 2])),
        single_case("one document", np.array([[0.2, 0.5, 0.3]], np.float32), np.array([2])),
    ]

    halves = eighths(40, 4)
    soft = [soft_case("shares in eighths", shares(40, 4, halves.argmax(axis=1)), halves)]

    def sets(n, classes, share):
        return (random.random((n, classes)) < share).astype(int)

    def marginals(wanted, pull=1.2):
        return (1 / (1 + np.exp(1 - random.normal(size=wanted.shape) - pull * wanted))).astype(np.float32)

    some = sets(60, 5, 0.3)
    lonely = sets(50, 6, 0.25)
    lonely[:, 4] = 0
    lonely[:10] = 0
    full = sets(30, 3, 0.5)
    full[:, 1] = 1
    tied = sets(48, 4, 0.4)
    multi = [
        multi_case("five labels", marginals(some), some),
        multi_case("a label and documents without any", marginals(lonely), lonely),
        multi_case("a label of all", marginals(full), full),
        multi_case("ties", (random.integers(0, 9, size=tied.shape) / 8).astype(np.float32), tied),
        multi_case("constant", np.full((24, 3), 0.5, np.float32), sets(24, 3, 0.4)),
        multi_case("nothing given", np.full((24, 3), 0.25, np.float32), sets(24, 3, 0.4)),
    ]
    golden_json.write(
        TARGET,
        {
            "origin": {
                "script": "scripts/goldens/sklearn_scores.py",
                "scikit_learn": sklearn.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
                "notes": "float64 over probabilities that are exact in float32; zero_division=0; areas "
                "are null, and left out of the means, where scikit-learn has none or warns",
            },
            "single": single,
            "soft": soft,
            "multi": multi,
        },
    )


if __name__ == "__main__":
    main()
