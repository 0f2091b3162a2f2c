"""How good the answers are without a setting, and how long it takes to get there."""

import gzip
import json
import random
import re
from pathlib import Path
from statistics import mean, median, stdev

from harness.environment import PEER_ENVIRONMENT, PEER_UNSET, say
from harness.measure import Failure, process, within
from harness.report import machine

BOTH = "0,1"
PAGE, STORED = "ACCURACY.md", "accuracy.json"

# The peers' best on the two public sets, with what is demanded beyond it.
DEMANDED = {"reuters": 0.836, "20 Newsgroups by date": 0.882}
ECE = 0.03


def public_sets(env):
    """The two public sets as JSON lines."""
    return {
        "reuters": reuters(env),
        "20 Newsgroups by date": env.data / "20news-bydate.jsonl.gz",
    }


def reuters(env):
    """The newswires, from the lines that the driver wrote."""
    path = env.work / "reuters.jsonl"
    with open(path, "w", encoding="utf-8") as out:

        def write(split, label, text):
            out.write(json.dumps({"split": split, "label": label, "text": text}) + "\n")

        # Texts may hold other characters that end lines elsewhere.
        for line in (env.texts / "train.txt").read_text(encoding="utf-8").rstrip("\n").split("\n"):
            label, _, text = line.partition(" ")
            write("train", label.removeprefix("__label__"), text)
        tests = (env.texts / "test.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
        for label, text in zip((env.texts / "test.labels").read_text().split(), tests, strict=True):
            write("test", label, text)
    return path


def rows(path):
    """The rows of JSON lines."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def measure(env, name, path, seeds):
    """One set: every seed of ours beside a training of scikit-learn, then the peers' best."""
    ours, theirs = [], []
    model = env.work / "accuracy.slug"
    for seed in range(seeds):
        trained = process(
            [env.slugline, "train", path, "--text", "text", "--label", "label", "--quiet",
             "--format", "json", "--seed", seed, "-o", model],
            BOTH,
        )  # fmt: skip
        scored = process(
            [env.slugline, "evaluate", model, path, "--text", "text", "--label", "label", "--quiet",
             "--format", "json"],
            BOTH,
        )  # fmt: skip
        scores = json.loads(scored["output"])
        auto = json.loads(trained["output"])["auto"]
        ours.append(
            {
                "seconds": trained["seconds"],
                "memory": trained["memory"],
                "accuracy": scores["accuracy"],
                "macro_f1": scores["macro_f1"],
                "ece": scores["ece"],
                "chosen": auto["candidates"][auto["chosen"]],
            }
        )
        theirs.append(sklearn(env, "train", path))
        say(f"{name}, seed {seed}: accuracy {scores['accuracy']:.4f}, ECE {scores['ece']:.4f}")
    best = json.loads(sklearn(env, "choose", path)["output"])
    return {
        "name": name,
        "ours": ours,
        "sklearn_seconds": [run["seconds"] for run in theirs],
        "sklearn": best,
        "fasttext": fasttext(env, path),
        "demanded": DEMANDED.get(name),
    }


def sklearn(env, *arguments):
    """scikit-learn in a process of its own."""
    command = [env.python, env.peer("sklearn_text.py"), *arguments]
    return process(command, BOTH, environment=PEER_ENVIRONMENT, unset=PEER_UNSET)


def fasttext(env, path):
    """fastText with pairs of words; its learning rate chosen on every fifth training document."""
    parts = {"train": [], "test": []}
    for row in rows(path):
        # As its tutorial prepares text: lower case, punctuation apart.
        text = " ".join(re.findall(r"\w+|[^\w\s]", row["text"].lower()))
        label = re.sub(r"\s", "_", row["label"])
        part = "train" if row["split"].endswith("train") else "test"
        parts[part].append(f"__label__{label} {text}")
    train = parts["train"]
    # It takes the lines as they come, and learns nothing from classes one after the other.
    random.Random(0).shuffle(train)
    held_out = train[::5]
    fit = [line for i, line in enumerate(train) if i % 5]
    found = {rate: fasttext_accuracy(env, fit, held_out, rate) for rate in (0.1, 0.5, 1.0)}
    rate = max(found, key=found.get)
    return {"accuracy": fasttext_accuracy(env, train, parts["test"], rate), "chosen": f"lr {rate}"}


def fasttext_accuracy(env, train, test, rate):
    """The share of right answers of one training on one thread, which is reproducible."""
    files = {name: env.work / f"accuracy-{name}.txt" for name in ("train", "test")}
    for name, lines in (("train", train), ("test", test)):
        files[name].write_text("\n".join(lines) + "\n", encoding="utf-8")
    model = env.work / "accuracy-fasttext"
    process(
        [env.fasttext, "supervised", "-input", files["train"], "-output", model, "-lr", rate,
         "-epoch", 25, "-wordNgrams", 2, "-thread", 1, "-verbose", 0],
        BOTH,
    )  # fmt: skip
    answers = process([env.fasttext, "predict", f"{model}.bin", files["test"]], BOTH)["output"]
    right = [line.split(" ", 1)[0] for line in test]
    answers = answers.split()
    if len(answers) != len(right):
        raise Failure(f"fastText answered {len(answers)} of {len(right)} texts")
    return mean(float(a == b) for a, b in zip(answers, right, strict=True))


def write(folder, sets, facts):
    """ACCURACY.md and its figures."""
    for result in sets:
        for run in result["ours"]:
            within(f"{result['name']}: accuracy", run["accuracy"], 0.3, 1.0)
    (folder / STORED).write_text(json.dumps({"sets": sets, "facts": facts}, indent=1) + "\n")
    parts = [
        "# Without a setting",
        "Written by `bench/accuracy`. Slugline: `slugline train FILE` without any option but the "
        "seed, mean and standard deviation over the seeds. scikit-learn: TF-IDF (sublinear) and "
        "LinearSVC, words or words and pairs of words and C chosen on a fifth of the training "
        "documents. fastText: pairs of words, 25 epochs, lines in random order, the learning rate chosen "
        "likewise. ECE: "
        "expected calibration error, 15 bins; the peers have no probabilities, or none to rely on.",
        accuracy_table(sets),
        "## Time",
        "The whole process, from the file to the saved model: `slugline train` with everything that "
        "it tries, beside scikit-learn reading the same file and fitting TF-IDF of words and pairs of "
        "words and one LinearSVC (C = 1, nothing chosen, nothing saved). Medians of alternating runs "
        "on the same two cores; ratio: how many times less time Slugline takes.",
        time_table(sets),
        "## Machine and versions",
        machine(facts),
    ]
    (folder / PAGE).write_text("\n\n".join(parts) + "\n")
    print(accuracy_table(sets), time_table(sets), sep="\n\n")


def spread(values, places=4):
    """Mean and standard deviation."""
    more = f" ± {stdev(values):.{places}f}" if len(values) > 1 else ""
    return f"{mean(values):.{places}f}{more}"


def accuracy_table(sets):
    lines = [
        "| test accuracy | scikit-learn | fastText | `slugline train` | demanded | macro F1 | ECE |",
        "|---|---|---|---|---|---|---|",
    ]
    for s in sets:
        def of(key):
            return [run[key] for run in s["ours"]]

        demanded = "–" if s["demanded"] is None else f"{s['demanded']:.3f}"
        lines.append(
            f"| {s['name']} | {s['sklearn']['accuracy']:.4f} ({s['sklearn']['chosen']}) | "
            f"{s['fasttext']['accuracy']:.4f} ({s['fasttext']['chosen']}) | "
            f"**{spread(of('accuracy'))}** | {demanded} | {spread(of('macro_f1'))} | "
            f"{spread(of('ece'))} (at most {ECE} wanted) |"
        )
    return "\n".join(lines)


def time_table(sets):
    lines = [
        "| whole run | scikit-learn | `slugline train` | ratio | min – max | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    for s in sets:
        ours, theirs = [run["seconds"] for run in s["ours"]], s["sklearn_seconds"]
        ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
        memory = max(run["memory"] for run in s["ours"]) / 2**20
        lines.append(
            f"| {s['name']} | {median(theirs):.2f} s | {median(ours):.2f} s | "
            f"**{median(ratios):.2f}×** | {min(ratios):.2f}× – {max(ratios):.2f}× | {memory:.0f} MiB |"
        )
    return "\n".join(lines)


def named_files(paths):
    """Sets of the user's own, called by their file names."""
    return {Path(path).name: Path(path) for path in paths}
