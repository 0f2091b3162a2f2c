"""The rows of the table: what is run against what, and when an answer counts as sane."""

import json
from statistics import median

from harness.environment import FASTTEXT_PACKAGES, PEER_ENVIRONMENT, PEER_UNSET
from harness.measure import Failure, Worker, alternate, process, same, within

FIRST, BOTH = "0", "0,1"
EPOCHS = 20
WIDE, NARROW = 1_000_000, 10_000
MANY, FEW = 1_000_000, 10_000


class Row:
    """One comparison: figures of both sides, run by run, and their ratio against a target, if any.

    With `at_least` the ratio is that of the other side's figure to ours, else that of ours to the
    other's, or ours alone where there is no other.
    """

    def __init__(self, name, what, against, unit, target, at_least, ours, other=None, notes=""):
        if other is None:
            ratios = list(ours)
        elif at_least:
            ratios = [b / a for a, b in zip(ours, other, strict=True)]
        else:
            ratios = [a / b for a, b in zip(ours, other, strict=True)]
        self.data = {
            "name": name,
            "what": what,
            "against": against,
            "unit": unit,
            "target": target,
            "at_least": at_least,
            "ours": ours,
            "other": other,
            "ratio": median(ratios),
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
            "reached": reached(median(ratios), target, at_least),
            "notes": notes,
        }


def reached(ratio, target, at_least):
    """Whether a ratio is as good as its target; nothing if there is none."""
    if target is None:
        return None
    return ratio >= target if at_least else ratio <= target


def fit_worker(env, threads, cores, validate):
    """The driver that fits the published example."""
    command = [env.driver, "fit", "--data-dir", env.data, "--threads", threads]
    return Worker(command + ["--validate"] * validate, cores)


def python_worker(env, script, *arguments):
    """A Python peer with the settings that are best for it."""
    return Worker(
        [env.python, env.peer(script), env.npz, *arguments],
        BOTH,
        {**PEER_ENVIRONMENT, "TF_CPP_MIN_LOG_LEVEL": "3"},
        PEER_UNSET,
    )


def fits(runs, **workers):
    """Seconds of the fits of each worker, in turn; every fit must have learnt what it should."""
    results = alternate(runs, **{name: worker.measure for name, worker in workers.items()})
    for name, answers in results.items():
        for answer in answers:
            same(f"{name}: epochs", answer["epochs"], EPOCHS)
            same(f"{name}: samples", answer["samples"], 7982)
            within(f"{name}: training loss", answer["loss"], 0.08, 0.16)
            within(f"{name}: test accuracy", answer["test_accuracy"], 0.75, 0.83)
    return {name: [a["seconds"] for a in answers] for name, answers in results.items()}


def fit_keras(env, runs):
    """Training, validation after each epoch included."""
    with fit_worker(env, 2, BOTH, True) as ours, python_worker(env, "keras_fit.py", 2) as keras:
        seconds = fits(runs, ours=ours, keras=keras)
        tried = "; ".join(
            f"jit_compile={t['jit_compile']}, steps_per_execution={t['steps_per_execution']}: "
            f"{t['seconds_an_epoch']:.3f} s an epoch"
            for t in keras.ready["tried"]
        )
    notes = (
        "Keras: dense float32 multi-hot matrix in memory, `fit` on NumPy arrays, 2 threads; "
        f"import, data, tracing and compiling not counted (fitted before). The fastest of: {tried}. "
        "Both sides validate on 1,000 samples after each epoch."
    )
    yield Row(
        "fit-keras", "`fit`, notebook preset, 2 threads", "Keras 3 + TensorFlow CPU",
        "s", 50, True, seconds["ours"], seconds["keras"], notes,
    )  # fmt: skip


def python_fit(env, runs):
    """The same from Python, the dense array made sparse on the way."""
    with (
        python_worker(env, "slugline_fit.py") as ours,
        python_worker(env, "keras_fit.py", 2) as keras,
    ):
        seconds = fits(runs, ours=ours, keras=keras)
    notes = (
        "Both sides from Python and from the dense float32 array, which ours makes sparse within the time "
        "that is counted; both by Keras 3's RMSprop, validation after each epoch. Keras as in the first row."
    )
    yield Row(
        "python-fit", "`slugline.keras`: `fit` from the dense array, 2 threads",
        "Keras 3 + TensorFlow CPU", "s", 25, True, seconds["ours"], seconds["keras"], notes,
    )  # fmt: skip


def python_predict(env, runs):
    """Texts of a Python list to a list of labels."""
    count = 100_000
    lines, test = env.texts / "lines.txt", env.texts / "test.txt"
    truth = (env.texts / "test.labels").read_text().split()
    script = [env.python, env.peer("python_predict.py")]
    sides = {"slugline": ("slugline", env.model)}
    for package, version, module in FASTTEXT_PACKAGES:
        name = f"{package} {version}"
        sides[name] = (f"{env.packages / package}:{module}", env.fasttext_model)

    def worker(side, cores, *threads):
        package, model = sides[side]
        return Worker([*script, package, model, lines, count, *threads], cores)

    for name, (package, model) in sides.items():
        labels = json.loads(process([*script, "check", package, model, test], FIRST)["output"])
        right = sum(a.removeprefix("__label__") == b for a, b in zip(labels, truth, strict=True))
        within(f"{name}: test accuracy", right / len(truth), 0.72, 0.85)
    tried = {}
    for name in sides:
        if name != "slugline":
            with worker(name, FIRST) as peer:
                tried[name] = min(peer.measure()["seconds"] for _ in range(2))
    fastest = min(tried, key=tried.get)
    with (
        worker("slugline", FIRST, 1) as one,
        worker("slugline", BOTH, 2) as two,
        worker(fastest, FIRST) as peer,
    ):

        def timed(side):
            answer = side.measure()
            same("texts answered", answer["answers"], count)
            return answer["seconds"] / count

        sides = {"one": one, "two": two, "peer": peer}
        results = alternate(
            runs, **{name: lambda side=side: timed(side) for name, side in sides.items()}
        )
    times = "; ".join(f"{name}: {1e6 * s / count:.2f} µs" for name, s in sorted(tried.items()))
    shared = (
        f"{count:,} newswires in a Python list, to a list of labels; models loaded before. The fastest of "
        f"those packages that install: {times} a document."
    )
    yield Row(
        "python-predict", "`predict` from a Python list, 1 thread", f"`{fastest}`",
        "s a document", 3, True, results["one"], results["peer"], shared,
    )  # fmt: skip
    yield Row(
        "python-predict-threads", "`predict` from a Python list, 2 threads", "itself on 1 thread",
        "s a document", None, True, results["two"], results["one"], shared,
    )  # fmt: skip


def python_tfidf(env, runs):
    """Texts to tf-idf rows."""
    file = env.data / "20news-bydate.jsonl.gz"
    script = [env.python, env.peer("python_tfidf.py")]
    checked = json.loads(process([*script, "check", file], BOTH)["output"])
    same("the same features in the same order", checked["same"], True)
    within("largest difference of a value", checked["difference"], 0, 1e-6)
    with (
        Worker([*script, "slugline", file], BOTH) as ours,
        Worker([*script, "sklearn", file], BOTH) as peer,
    ):

        def timed(side):
            answer = side.measure()
            same("shape", answer["shape"], checked["shape"])
            return answer["seconds"]

        results = alternate(runs, ours=lambda: timed(ours), peer=lambda: timed(peer))
    rows, cols = checked["shape"]
    notes = (
        f"{rows:,} training texts of 20 Newsgroups, {cols:,} features: the same in the same order, values "
        f"no further apart than {checked['difference']:.1e}. Two cores for both; scikit-learn uses one."
    )
    yield Row(
        "python-tfidf", "`TextVectorizer.fit_transform`, 2 threads", "`TfidfVectorizer`",
        "s", 8, True, results["ours"], results["peer"], notes,
    )  # fmt: skip


def fit_sklearn(env, runs):
    """Training alone."""
    with fit_worker(env, 2, BOTH, False) as ours, python_worker(env, "sklearn_fit.py") as peer:
        seconds = fits(runs, ours=ours, sklearn=peer)
        ready = peer.ready
    tried = "; ".join(
        f"{t['blas_threads']} BLAS threads: {t['seconds_3_epochs']:.2f} s for 3 epochs"
        for t in ready["tried"]
    )
    kernels = sorted({b["architecture"] for b in ready["blas"] if b["architecture"]})
    notes = (
        "scikit-learn: float32 CSR input, Adam (it has no RMSprop), no early stop, no validation on "
        f"either side; allocator kept from returning memory. The fastest of: {tried}. OpenBLAS "
        f"kernel: {', '.join(kernels)}."
    )
    yield Row(
        "fit-sklearn", "`fit`, notebook preset, 2 threads", "scikit-learn `MLPClassifier` on CSR",
        "s", 10, True, seconds["ours"], seconds["sklearn"], notes,
    )  # fmt: skip


def fit_candle(env, runs):
    """Training alone, against a tensor library in Rust."""
    command = [env.native_driver, "candle-fit", "--data-dir", env.data]
    with fit_worker(env, 2, BOTH, False) as ours, Worker(command, BOTH) as candle:
        seconds = fits(runs, ours=ours, candle=candle)
    notes = (
        "candle (crates candle-core and candle-nn): dense float32 multi-hot matrix in memory, Adam "
        "(it has no RMSprop), built with the workspace's release profile and -C target-cpu=native; "
        "no validation on either side, and it does not shuffle. No target was set for this row."
    )
    yield Row(
        "fit-candle", "`fit`, notebook preset, 2 threads", "candle, dense, in Rust",
        "s", None, True, seconds["ours"], seconds["candle"], notes,
    )  # fmt: skip


def fit_threads(env, runs):
    """What the second core brings."""
    with fit_worker(env, 2, BOTH, True) as two, fit_worker(env, 1, FIRST, True) as one:
        seconds = fits(2 * runs + 1, two=two, one=one)
    notes = (
        "One thread on one core against two threads on two, as in the first row; "
        f"{2 * runs + 1} runs, since they are short."
    )
    yield Row(
        "fit-threads", "`fit`, notebook preset, 2 threads", "itself on 1 thread",
        "s", 1.7, True, seconds["two"], seconds["one"], notes,
    )  # fmt: skip


def whole(env, runs):
    """From the files to a saved, evaluated model: whole processes."""

    def script(choice):
        command = [env.python, env.peer("keras_script.py"), env.npz, env.work / "peer.keras"]
        done = process(
            [*command, json.dumps(choice)],
            BOTH,
            environment={"TF_CPP_MIN_LOG_LEVEL": "3"},
            unset=PEER_UNSET,
        )
        accuracy = json.loads(done["output"].splitlines()[-1])["accuracy"]
        within("Keras script: test accuracy", accuracy, 0.75, 0.83)
        return done

    def ours():
        model = env.work / "whole.slug"
        data = ["--data-dir", env.data]
        train = [env.slugline, "train", "reuters", "--preset", "notebook", "-o", model, "--quiet"]
        trained = process([*train, *data], BOTH)
        evaluated = process(
            [env.slugline, "evaluate", model, "reuters", "--format", "json", *data], BOTH
        )
        within("our test accuracy", json.loads(evaluated["output"])["accuracy"], 0.75, 0.83)
        return {
            "seconds": trained["seconds"] + evaluated["seconds"],
            "memory": max(trained["memory"], evaluated["memory"]),
        }

    choices = [{}, {"jit_compile": False}]
    tried = [(script(choice)["seconds"], choice) for choice in choices]
    choice = min(tried, key=lambda entry: entry[0])[1]
    results = alternate(runs, ours=ours, keras=lambda: script(choice))
    times = "; ".join(f"compile({c or 'defaults'}): {s:.1f} s" for s, c in tried)
    shared = (
        "Ours: `slugline train` from the SGML archive, then `slugline evaluate`, two processes that "
        "both read the archive. Keras: one script that reads its npz, trains, evaluates and saves. "
        f"The faster of: {times}."
    )
    for name, key, unit, target in [
        ("whole-time", "seconds", "s", 25),
        ("whole-memory", "memory", "bytes", 15),
    ]:
        sides = [[run[key] for run in results[side]] for side in ("ours", "keras")]
        what = "time" if key == "seconds" else "peak memory"
        yield Row(
            name, f"raw archive → trained → evaluated → saved, whole process: {what}",
            "Keras from its npz", unit, target, True, *sides, shared,
        )  # fmt: skip


def predict(env, runs):
    """Raw lines of text to labels and probabilities: whole processes over a file."""
    lines = env.texts / "lines.txt"
    with open(lines, "rb") as file:
        total = sum(1 for _ in file)
    truth = (env.texts / "test.labels").read_text().split()

    def slugline(threads, source):
        return [
            env.slugline, "predict", env.model, source, "--top-k", 1, "--threads", threads,
        ]  # fmt: skip

    commands = {
        "ours": lambda source: (slugline(1, source), FIRST),
        "two": lambda source: (slugline(2, source), BOTH),
        "cpp": lambda source: (
            [env.fasttext, "predict-prob", env.fasttext_model, source, 1], FIRST,
        ),
        "crate": lambda source: (
            [env.native_driver, "fasttext-crate", env.fasttext_model, source], FIRST,
        ),
    }  # fmt: skip

    def answers(name, source):
        """The labels that a side gives, and how it ran."""
        file = env.work / f"answers-{name}.txt"
        command, cores = commands[name](source)
        done = process(command, cores, file)
        # A text without a known word may be answered with an empty line.
        labels = [
            next(iter(line.split()), "").removeprefix("__label__")
            for line in file.read_text().splitlines()
        ]
        return labels, done

    def timed(name):
        labels, done = answers(name, lines)
        same(f"{name}: lines answered", len(labels), total)
        return total / done["seconds"]

    accuracies = {}
    for name in commands:
        labels, _ = answers(name, env.texts / "test.txt")
        same(f"{name}: test lines answered", len(labels), len(truth))
        right = sum(a == b for a, b in zip(labels, truth, strict=True))
        accuracies[name] = right / len(truth)
        within(f"{name}: test accuracy", accuracies[name], 0.72, 0.85)
    results = alternate(runs, **{name: lambda name=name: timed(name) for name in commands})
    size = lines.stat().st_size
    scores = ", ".join(f"{name} {accuracy:.3f}" for name, accuracy in accuracies.items())
    shared = (
        f"{total:,} lines, {size / 1e6:.0f} MB, label and probability of the best class into a file, "
        f"whole process with its start. Accuracy on the test texts: {scores}. fastText: dim 100, "
        "25 epochs, lr 0.5, wordNgrams 1, built with -O3 -funroll-loops -march=native."
    )
    rates = {name: [1 / rate for rate in values] for name, values in results.items()}
    what = "`predict` from raw text lines"
    yield Row(
        "predict-fasttext", f"{what}, 1 thread", "C++ `fasttext predict-prob`",
        "s a document", 3, True, rates["ours"], rates["cpp"], shared,
    )  # fmt: skip
    yield Row(
        "predict-crate", f"{what}, 1 thread", "crate `fasttext`", "s a document", 2, True,
        rates["ours"], rates["crate"],
        shared + " The crate's library in a program of ours, since its own command does not build; "
        "compiled with -C target-cpu=native.",
    )  # fmt: skip
    yield Row(
        "predict-threads", f"{what}, 2 threads", "itself on 1 thread",
        "s a document", 1.8, True, rates["two"], rates["ours"], shared,
    )  # fmt: skip


def explain(env, runs):
    """Raw lines of text to the contribution of every word: a whole process over a file."""
    lines = env.texts / "test.txt"
    texts = lines.read_text().splitlines()
    file = env.work / "explained.jsonl"
    command = [
        env.slugline, "explain", env.model, lines, "--lines", "--format", "json", "--threads", 1,
    ]  # fmt: skip

    def timed():
        done = process(command, FIRST, file)
        explained = [json.loads(line) for line in file.read_text().splitlines()]
        same("texts explained", len(explained), len(texts))
        for why in explained:
            rise = sum(span["contribution"] for span in why["spans"])
            within("what is missing of a logit", why["baseline"] + rise - why["logit"], -1e-3, 1e-3)
        return done["seconds"] / len(texts)

    seconds = alternate(runs, ours=timed)["ours"]
    yield Row(
        "explain", "`explain` from raw text lines, 1 thread", "2,000 texts a second",
        "s a document", 1 / 2000, False, seconds, None,
        f"{len(texts):,} test texts, exact integrated gradients of two hidden layers of 64 units, every "
        "word with its place as JSON into a file; whole process with its start. Every sum of "
        "contributions is checked against its logit.",
    )  # fmt: skip


def start(env, runs):
    """One line answered by a large model, from the start of the process to its end."""
    line = env.work / "line.txt"
    with open(env.wide_lines) as file:
        line.write_text(file.readline().split(" ", 1)[1])
    commands = {
        "ours": [env.slugline, "predict", env.wide_model, line, "--top-k", 1],
        "cpp": [env.fasttext, "predict-prob", env.wide_fasttext, line, 1],
    }

    def answer(name):
        done = process(commands[name], BOTH)
        same(f"{name}: lines answered", len(done["output"].splitlines()), 1)
        label, probability = done["output"].split()
        within(f"{name}: label", int(label.removeprefix("__label__")), 0, 45)
        within(f"{name}: probability", float(probability), 0.01, 1.01)
        return done

    for name in commands:
        answer(name)
    results = alternate(
        2 * runs + 1, **{name: lambda name=name: answer(name)["seconds"] for name in commands}
    )
    sizes = ", ".join(
        f"{path.stat().st_size / 1e6:.0f} MB" for path in (env.wide_model, env.wide_fasttext)
    )
    notes = (
        f"1,000,000 words, width 64, 46 classes; model files of {sizes}, in the page cache; both "
        f"cores for both; {2 * runs + 1} runs, since they are short."
    )
    yield Row(
        "start", "start to answer for one line, model of 1,000,000 features",
        "C++ `fasttext predict-prob`", "s", 5, True, results["ours"], results["cpp"], notes,
    )  # fmt: skip


def growth(env, runs):
    """Time a document and memory a non-zero as documents grow a hundredfold."""

    def documents(count, repeat):
        command = [env.driver, "growth", "--documents", count, "--repeat", repeat]
        answer = json.loads(process(command, FIRST)["output"])
        # ln 46 is the loss of a network that knows nothing.
        within(f"{count} documents: training loss", answer["loss"], 0.0, 3.8)
        within(f"{count} documents: non-zeros a document", answer["non_zeros"] / count, 30, 80)
        return answer

    results = alternate(
        runs, many=lambda: documents(MANY, 1), few=lambda: documents(FEW, 20)
    )
    many, few = results["many"], results["few"]
    non_zeros = many[0]["non_zeros"]
    parts = ", ".join(
        f"{name} {1e6 * median(a[key] for a in many):.2f} µs (at 10,000: "
        f"{1e6 * median(a[key] for a in few):.2f} µs)"
        for name, key in [
            ("text to rows", "vectorize_seconds_per_document"),
            ("training", "train_seconds_per_document"),
        ]
    )
    notes = (
        "Generated texts of 40 to 119 words by Zipf's law, 10,000 features, 46 classes; text to rows "
        f"and one epoch on one core. A document at 1,000,000: {parts}."
    )
    yield Row(
        "growth-time", "growth: 10 thousand → 1 million documents, time a document", "itself",
        "s a document", 1.15, False,
        [a["seconds_per_document"] for a in many], [a["seconds_per_document"] for a in few], notes,
    )  # fmt: skip
    yield Row(
        "growth-memory", "growth: memory beyond the model", "10 bytes a non-zero",
        "bytes a non-zero", 10, False, [a["bytes_per_non_zero"] for a in many], None,
        f"Peak resident memory less that of the same process with everything in place and 2,048 "
        f"documents done, over {non_zeros:,} non-zeros.",
    )  # fmt: skip


def step(env, runs):
    """A training step in a wide and in a narrow network."""

    def one(features, *more):
        command = [env.driver, "step", "--data-dir", env.data, "--features", features, *more]
        answer = json.loads(process(command, FIRST)["output"])
        within(f"{features} features: training loss", answer["loss"], 0.1, 1.2)
        return answer

    results = alternate(
        runs,
        wide=lambda: one(WIDE),
        every=lambda: one(WIDE, "--every-row"),
        narrow=lambda: one(NARROW),
    )
    non_zeros = {a["non_zeros"] for answers in results.values() for a in answers}
    if len(non_zeros) != 1:
        raise Failure(f"the networks saw different rows: {non_zeros} non-zeros")
    seconds = {name: [a["seconds"] for a in answers] for name, answers in results.items()}
    shared = (
        "The Reuters rows with their 10,000 columns strewn over 1,000,000; median of the full steps "
        "of 5 epochs, one core. "
    )
    yield Row(
        "step", "one step at 1,000,000 features, batch 512", "one step at 10,000, same non-zeros",
        "s", 1.5, False, seconds["wide"], seconds["narrow"],
        shared + "Training keeps rows only for the features that occur, so that both sides step as "
        "many; looking for them happens once a fit, before the steps.",
    )  # fmt: skip
    yield Row(
        "step-every-row", "the same with a row kept for every feature",
        "one step at 10,000, same non-zeros", "s", 1.5, False, seconds["every"], seconds["narrow"],
        shared + "Held-out data that have most of the features force a row for each, as if all "
        "1,000,000 occurred: the rows of a batch then lie far apart.",
    )  # fmt: skip


# In the order of the table; the key is what `--only` takes.
GROUPS = {
    "fit-keras": fit_keras,
    "fit-sklearn": fit_sklearn,
    "fit-candle": fit_candle,
    "fit-threads": fit_threads,
    "whole": whole,
    "predict": predict,
    "explain": explain,
    "start": start,
    "growth": growth,
    "step": step,
    "python-fit": python_fit,
    "python-predict": python_predict,
    "python-tfidf": python_tfidf,
}

# The rows in the order of the table.
ORDER = [
    "fit-keras",
    "fit-sklearn",
    "fit-candle",
    "fit-threads",
    "whole-time",
    "whole-memory",
    "predict-fasttext",
    "predict-crate",
    "predict-threads",
    "explain",
    "start",
    "growth-time",
    "growth-memory",
    "step",
    "step-every-row",
    "python-fit",
    "python-predict",
    "python-predict-threads",
    "python-tfidf",
]
