"""How many requests a second, and how long one takes at half of that: beside the peer, in turn."""

import http.client
import json
from statistics import median

from harness.environment import say
from harness.measure import Failure, alternate, same, within
from load import generators, models, server

CONNECTIONS = 64
BATCH = 64
CHECKED = 512
PATH = "/v1/classify"


def row(name, what, unit, ours, theirs, target, ratio_target=None, notes=""):
    """Figures of both sides, run by run. Times have to be below their target, rates above it."""
    time = unit == "s"
    ratios = [b / a if time else a / b for a, b in zip(ours, theirs, strict=True)]
    found = median(ours)
    reached = None if target is None else found <= target if time else found >= target
    return {
        "name": name,
        "what": what,
        "unit": unit,
        "ours": ours,
        "theirs": theirs,
        "target": target,
        "reached": reached,
        "ratio": median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "ratio_target": ratio_target,
        "ratio_reached": None if ratio_target is None else median(ratios) >= ratio_target,
        "notes": notes,
    }


def post(port, body):
    """One answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", PATH, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        told = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise Failure(f"port {port}: status {response.status}: {told[:500]}")
    return json.loads(told)


def batches(port, texts):
    """Answers to all texts, in batches."""
    starts = range(0, len(texts), BATCH)
    found = [post(port, {"texts": texts[i : i + BATCH]})["answers"] for i in starts]
    return [answer for answers in found for answer in answers]


def check_ours(port, texts, expected):
    """Fails unless the server says what `slugline predict` says."""
    chosen = range(0, len(texts), max(1, len(texts) // CHECKED))
    for i in chosen:
        same(f"the answer to text {i}", post(port, {"text": texts[i]}), expected[i])
    found = batches(port, [texts[i] for i in chosen])
    for i, answer in zip(chosen, found, strict=True):
        same(f"the answer to text {i} in a batch", answer, expected[i])


def check_peer(port, texts, topics):
    """Fails unless the peer has learnt what it should, and says the same of one text and of many."""
    found = batches(port, texts)
    right = sum(a["label"] == b for a, b in zip(found, topics, strict=True))
    within("the peer's test accuracy", right / len(topics), 0.72, 0.85)
    for i in range(0, len(texts), max(1, len(texts) // 64)):
        same(f"the peer's label for text {i}", post(port, {"text": texts[i]})["label"], found[i]["label"])


def write_bodies(folder, texts):
    """The bodies that are sent, one a line, and how many texts the files have."""
    singles, many = folder / "singles.jsonl", folder / "batches.jsonl"
    singles.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    full = range(0, len(texts) - BATCH + 1, BATCH)
    many.write_text("".join(json.dumps({"texts": texts[i : i + BATCH]}) + "\n" for i in full))
    return singles, many


def measure(env, peer, folder, runs, seconds):
    """The rows."""
    texts, topics = models.test_texts(env)
    model = folder / "reuters.slug"
    models.train(env, model)
    expected = models.predictions(env, model, texts)
    bodies = dict(zip(("singles", "batches"), write_bodies(folder, texts), strict=True))
    with (
        server.slugline(env, model, folder / "serve.log") as ours,
        peer.start(folder / "peer.log") as theirs,
    ):
        sides = {"ours": ours, "theirs": theirs}
        check_ours(ours.port, texts, expected)
        check_peer(theirs.port, texts, topics)

        def peaks(kind):
            def one(side):
                return lambda: generators.peak(side.url(PATH), bodies[kind], CONNECTIONS, seconds)

            say(f"{kind}: as many as can be")
            for side in sides.values():
                generators.peak(side.url(PATH), bodies[kind], CONNECTIONS, 2)
            return alternate(runs, **{name: one(side) for name, side in sides.items()})

        singles = peaks("singles")
        many = {name: [BATCH * rate for rate in rates] for name, rates in peaks("batches").items()}
        half = {name: round(median(rates) / 2) for name, rates in singles.items()}
        say(f"latency at {half['ours']} requests a second, the peer at {half['theirs']}")

        def constant(name):
            url = sides[name].url(PATH)
            return lambda: generators.latency(url, bodies["singles"], CONNECTIONS, half[name], seconds)

        waits = alternate(runs, **{name: constant(name) for name in sides})
        check_ours(ours.port, texts, expected)
        for side in sides.values():
            side.check()
            side.stop()
        same("the code that `slugline serve` ended with", ours.children[0].returncode, 0)

    size = sum(len(text.encode()) for text in texts) / len(texts)
    closed = f"wrk, {generators.THREADS} threads, {CONNECTIONS} connections kept alive, {seconds} s a run"
    held = (
        f"oha at half of the peak ({half['ours']:,} requests a second, the peer at {half['theirs']:,}), "
        f"{CONNECTIONS} connections, {seconds} s a run; counted from when a request was due"
    )
    percentile = {
        p: {name: [wait[p] for wait in found] for name, found in waits.items()} for p in ("p50", "p99")
    }
    return [
        row(
            "serve-singles", "`POST /v1/classify`, one text a request", "requests/s",
            singles["ours"], singles["theirs"], 20_000, 10,
            f"{closed}. Newswires of {size:.0f} bytes on average, {len(texts):,} of them in turn; five "
            "classes in an answer.",
        ),
        row(
            "serve-batches", f"`POST /v1/classify`, {BATCH} texts a request", "documents/s",
            many["ours"], many["theirs"], 150_000, None, f"{closed}.",
        ),
        row(
            "serve-p50", "the same with one text at half of the peak: median", "s",
            percentile["p50"]["ours"], percentile["p50"]["theirs"], None, None, f"{held}.",
        ),
        row(
            "serve-p99", "99th percentile", "s",
            percentile["p99"]["ours"], percentile["p99"]["theirs"], 0.010, None, f"{held}.",
        ),
    ]  # fmt: skip
