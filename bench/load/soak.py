"""Minutes of everything at once: right answers, proper refusals, flat memory, and an end without a loss."""

import asyncio
import json
import resource
import shutil
import sys
import time
from collections import Counter
from statistics import median

from harness.environment import BENCH, say
from harness.measure import Failure
from load import models, reloads, server, slow, traffic
from load.clients import Connection, request
from load.drain import Drain
from load.refused import RefusedClient
from load.state import State

IDLE = 10_000
IDLE_AT_THE_END = 1_000
WARM_UP = 60
GROWTH = 0.05
WINDOW = 10
# Files that the server may open once and keep, such as those of SQLite's log.
FILES_KEPT = 4
FILES_SECONDS = 20
WORDS_OF_A_CRASH = ("panicked", "RUST_BACKTRACE", "double free", "Segmentation")


class Idle:
    """The process that holds connections."""

    async def start(self, port, count):
        """Returns when all are open."""
        self.child = await asyncio.create_subprocess_exec(
            sys.executable, BENCH / "load" / "idle.py", str(port), str(count),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        end = time.monotonic() + 60
        while (counts := await self.counts())["open"] < count:
            if time.monotonic() > end:
                await self.stop()
                raise Failure(f"not all of {count} idle connections could be opened: {counts}")
            await asyncio.sleep(0.2)

    async def counts(self):
        """How many are open, and what became of others."""
        self.child.stdin.write(b"\n")
        line = await self.child.stdout.readline()
        if not line:
            raise Failure("the process with the idle connections has ended")
        return json.loads(line)

    async def stop(self):
        """Closes all."""
        self.child.stdin.close()
        await self.child.wait()


class Memory:
    """Resident bytes of the server, once a second, in windows."""

    def __init__(self, seconds):
        self.warm = min(WARM_UP, seconds // 5)
        self.samples = []

    def windows(self):
        """Medians of windows of ten seconds, the first from the end of the warm-up on."""
        start = self.warm % WINDOW
        parts = [self.samples[i : i + WINDOW] for i in range(start, len(self.samples), WINDOW)]
        return [median(part) for part in parts if len(part) >= WINDOW // 2]

    def growth(self):
        """The largest median after the warm-up, and the last, beyond the first."""
        after = self.windows()[self.warm // WINDOW :]
        return max(after) / after[0] - 1, after[-1] / after[0] - 1


async def watch(state, process, memory, stop, seconds):
    """Reads the memory every second, and tells how it goes."""
    start = time.monotonic()
    said = 0
    while not stop.is_set():
        try:
            process.check()
        except Failure as failure:
            state.wrong("crash", failure)
            stop.set()
            return
        memory.samples.append(process.memory())
        passed = time.monotonic() - start
        if passed - said >= 30:
            said = passed
            wrong = sum(count for count, _ in state.violations.values())
            say(
                f"{passed:.0f} of {seconds} s: {state.counts['texts']:,} texts, "
                f"{memory.samples[-1] / 2**20:.1f} MiB, {process.files():,} files, {wrong} violations"
            )
        await asyncio.sleep(max(0, start + len(memory.samples) - time.monotonic()))


async def get(port, path):
    """One answer."""
    connection = await Connection.open(port)
    try:
        return await connection.ask(request("GET", path))
    finally:
        connection.close()


async def mixed(state, process, place, memory, seconds):
    """The traffic."""
    stop = asyncio.Event()

    def client(*kinds):
        return traffic.Client(state, process.port, kinds, stop)

    clients = [client(*traffic.TEXTS) for _ in range(6)]
    clients += [client(*traffic.BATCHES) for _ in range(2)]
    clients += [client(*traffic.OTHERS) for _ in range(3)]
    clients += [
        slow.SlowClient(state, process.port, kinds, stop)
        for kinds in [slow.IN_TIME] * 4 + [slow.TOO_SLOW] * 4 + [slow.UNREAD] * 2
    ]
    clients.append(RefusedClient(state, process.port, stop))
    clients.append(reloads.Reloads(state, process, place, stop))
    tasks = [asyncio.create_task(one.run()) for one in clients]
    tasks.append(asyncio.create_task(watch(state, process, memory, stop, seconds)))
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        stop.set()
    # The longest of the slow things takes its setting and a little more.
    done, late = await asyncio.wait(tasks, timeout=40)
    for task in late:
        task.cancel()
        state.wrong("client", f"still waiting 40 s after the end: {task}")
    for task in done:
        if task.exception():
            state.wrong("client", repr(task.exception()))


async def files_back(state, process, start):
    """Whether the server lets go of what was opened."""
    end = time.monotonic() + FILES_SECONDS
    while (now := process.files()) > start + FILES_KEPT:
        if time.monotonic() > end:
            state.wrong("files", f"{now} are open after all connections have gone, {start} at the start")
            break
        await asyncio.sleep(0.2)
    return now


async def books(state, process):
    """Whether the server has counted the corrections, and a summary of its metrics."""
    stored = (await get(process.port, "/v1/feedback")).json()["corrections"]
    posted = len(state.corrections)
    if stored != posted or len(set(state.corrections)) != posted:
        state.wrong("feedback", f"{posted} corrections were taken, {stored} are there")
    lines = (await get(process.port, "/metrics")).body.decode().splitlines()
    totals = Counter()
    for line in lines:
        name, _, value = line.rpartition(" ")
        for wanted in ("slugline_requests_total", "slugline_reloads_total", "slugline_refusals_total"):
            if name.startswith(wanted):
                totals[wanted if "reloads" not in wanted else name] += float(value)
    return {name: round(total) for name, total in sorted(totals.items())}


def read_log(state, process):
    """The log may have neither a crash nor what users wrote."""
    log = process.log.read_text(errors="replace")
    for word in WORDS_OF_A_CRASH:
        if word in log:
            at = log.index(word)
            state.wrong("crash", log[max(0, at - 300) : at + 500])
    for text in state.texts[:50]:
        if len(text) > 60 and text[20:60] in log:
            state.wrong("log", f"a text stands in the log: {text[20:60]!r}")


async def soak(state, process, place, seconds):
    """Everything; what was found."""
    memory = Memory(seconds)
    # What is opened at the first request of each kind is open when files are counted.
    for kind in (traffic.single, traffic.correct):
        client = traffic.Client(state, process.port, (kind,), asyncio.Event())
        await kind(client)
        client.drop()
    await asyncio.sleep(0.3)
    files = process.files()
    idle = Idle()
    say(f"opening {IDLE:,} idle connections")
    await idle.start(process.port, IDLE)
    say(f"mixed traffic for {seconds} s")
    await mixed(state, process, place, memory, seconds)
    process.check()
    held = await idle.counts()
    if held["open"] < IDLE or held["closed"] or held["failed"] or held["refused"]:
        state.wrong("idle connections", f"not all stayed open: {held}")
    await idle.stop()
    largest, last = memory.growth()
    if largest > GROWTH:
        told = f"grew by {100 * largest:.1f} % after the warm-up, by {100 * last:.1f} % to the end"
        state.wrong("memory", told)
    after = await files_back(state, process, files)
    metrics = await books(state, process)
    say("SIGTERM under load")
    await idle.start(process.port, IDLE_AT_THE_END)
    drained = await Drain(state, process).run()
    await idle.stop()
    read_log(state, process)
    return {
        "seconds": seconds,
        "idle": IDLE,
        "counts": dict(sorted(state.counts.items())),
        "metrics": metrics,
        "warm_up": memory.warm,
        "memory": memory.windows(),
        "growth": [largest, last],
        "files": [files, after],
        "drain_seconds": drained,
    }


def told(found):
    """One paragraph."""
    counts = found["counts"]
    mebibytes = [size / 2**20 for size in found["memory"]]
    return (
        f"{counts['texts']:,} texts beside {found['idle']:,} idle connections, all answers compared with "
        f"those of `slugline predict`; {counts['models exchanged']} exchanges of the model under way and "
        f"{counts['broken models put in place']} broken files that changed nothing; "
        f"{counts['refusals']:,} requests refused with their status and code; slow, stalled and unread "
        "connections cut in time. No answer was wrong, none missing. "
        f"Memory {mebibytes[found['warm_up'] // WINDOW]:.1f} MiB after the warm-up of "
        f"{found['warm_up']} s, {mebibytes[-1]:.1f} MiB at the end, {max(mebibytes):.1f} MiB at most; "
        f"files {found['files'][0]} and {found['files'][1]}. After SIGTERM under load the process ended in "
        f"{found['drain_seconds']:.2f} s."
    )


def report(found):
    """All counts and the memory, on standard error."""
    for name, count in [*found["counts"].items(), *found["metrics"].items()]:
        print(f"  {name:50} {count:>12,}", file=sys.stderr)
    series = " ".join(f"{size / 2**20:.1f}" for size in found["memory"])
    print(f"  memory in MiB, every {WINDOW} s: {series}", file=sys.stderr)


def run(env, folder, seconds):
    """Starts the server and puts it under all of it; fails with a list of what was wrong."""
    if seconds < 20:
        raise Failure("a soak takes 20 s at least")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < IDLE + 2000:
        raise Failure(f"the limit of open files is {hard}; ulimit -n {IDLE + 2000}")
    paths = [folder / "a.slug", folder / "b.slug"]
    for seed, path in enumerate(paths, 1):
        models.train(env, path, seed)
    say("asking `slugline predict`")
    state = State(env, paths)
    place = folder / "model.slug"
    shutil.copyfile(paths[0], place)
    for old in folder.glob("feedback.sqlite*"):
        old.unlink()
    flags = [
        "--feedback", folder / "feedback.sqlite", "--idle-timeout", f"{seconds + 600}s",
        *slow.FLAGS, *reloads.FLAGS,
    ]  # fmt: skip
    with server.slugline(env, place, folder / "soak.log", *flags) as process:
        found = asyncio.run(soak(state, process, place, seconds))
    report(found)
    if state.violations:
        shown = [
            f"{kind}: {count} times\n" + "\n".join(f"    {one}" for one in some)
            for kind, (count, some) in sorted(state.violations.items())
        ]
        raise Failure("the soak has found violations\n  " + "\n  ".join(shown))
    return {**found, "told": told(found)}
