"""Golden figures for confident learning, from the Python package cleanlab.

    pip install cleanlab==2.9.0 numpy==2.4.6
    python scripts/goldens/cleanlab_goldens.py

Writes crates/slugline/tests/golden/cleanlab.json. Every case has random probabilities (exact in
float32) and labels, of which some are not the most probable class; cleanlab gives the thresholds, the
confident joint and the label issues of filter_by="confident_learning", lowest normalized margin first.
"""

import pathlib

import cleanlab
import golden_json
import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_normalized_margin_for_each_label

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = REPOSITORY / "crates/slugline/tests/golden/cleanlab.json"


def case(name, seed, documents, classes, noise, sharpness, unused=(), rare=(), unseen=()):
    rng = np.random.default_rng(seed)
    used = [k for k in range(classes) if k not in unused and k not in rare]
    truth = rng.choice(used, documents)
    for i, k in enumerate(rare):
        truth[i] = k
    p = rng.dirichlet(np.ones(classes) / classes, documents)
    p[np.arange(documents), truth] += sharpness * rng.random(documents)
    # Classes that nothing is known of when their only document is answered.
    p[:, list(unseen)] = 1e-9 * rng.random((documents, len(unseen)))
    p = (p / p.sum(axis=1, keepdims=True)).astype(np.float32)
    labels = truth.copy()
    wrong = rng.random(documents) < noise
    wrong[: len(rare)] = False
    labels[wrong] = rng.choice(used, wrong.sum())
    wide = p.astype(np.float64)
    thresholds = get_confident_thresholds(labels, wide)
    joint = compute_confident_joint(labels, wide, calibrate=False)
    np.fill_diagonal(joint, 0)
    issues = find_label_issues(
        labels,
        wide,
        filter_by="confident_learning",
        return_indices_ranked_by="normalized_margin",
        n_jobs=1,
    )
    margins = get_normalized_margin_for_each_label(labels, wide)
    assert len(set(margins[issues])) == len(issues), "ties would leave the order open"
    assert len(issues) > 0
    return {
        "name": name,
        "labels": labels.tolist(),
        "probabilities": wide.tolist(),
        "thresholds": [t if (labels == k).any() else None for k, t in enumerate(thresholds.tolist())],
        "off_diagonal": joint.tolist(),
        "issues": issues.tolist(),
        "normalized_margin": margins[issues].tolist(),
        "suggested": wide[issues].argmax(axis=1).tolist(),
    }


def main():
    golden = {
        "made_by": "scripts/goldens/cleanlab_goldens.py",
        "cleanlab": cleanlab.__version__,
        "numpy": np.__version__,
        "cases": [
            case("sharp", 1, 60, 4, 0.15, 2.0),
            case("dull", 2, 80, 5, 0.3, 0.5),
            case("two classes", 3, 40, 2, 0.2, 1.0),
            case("rare and unused classes", 4, 60, 6, 0.2, 1.0, unused=(2,), rare=(4, 5)),
            case("class that is not foreseen", 5, 60, 5, 0.2, 1.0, rare=(3, 4), unseen=(4,)),
        ],
    }
    golden_json.write(OUTPUT, golden)


if __name__ == "__main__":
    main()
