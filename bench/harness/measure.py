"""Running programs on chosen cores, and asking long-running ones."""

import json
import os
import subprocess
import time


class Failure(Exception):
    """A measurement that cannot be made, or an answer that is wrong."""


def process(command, cores, output=None, environment=None, unset=()):
    """Runs a program to its end on `cores`.

    Tells its wall-clock seconds, its peak memory in bytes and, unless `output` is a file that
    takes it, its standard output.
    """
    words = [str(word) for word in command]
    sink = open(output, "wb") if output else subprocess.PIPE
    try:
        start = time.perf_counter()
        child = subprocess.Popen(
            ["taskset", "-c", cores, *words],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.PIPE,
            env=settings(environment, unset),
        )
        text = child.stdout.read().decode() if child.stdout else None
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        errors = child.stderr.read().decode(errors="replace")
    finally:
        if output:
            sink.close()
    if child.returncode != 0:
        raise Failure(f"{' '.join(words)}\n{errors[-4000:]}")
    return {"seconds": seconds, "memory": usage.ru_maxrss * 1024, "output": text}


class Worker:
    """A program that holds its data and measures once for each line that it is sent."""

    def __init__(self, command, cores, environment=None, unset=()):
        self.command = [str(word) for word in command]
        self.child = subprocess.Popen(
            ["taskset", "-c", cores, *self.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=settings(environment, unset),
        )
        self.ready = self._answer()

    def _answer(self):
        line = self.child.stdout.readline()
        if not line:
            raise Failure(f"{' '.join(self.command)}\nended with code {self.child.wait()}")
        return json.loads(line)

    def measure(self):
        """One measurement."""
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        return self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait()


def settings(environment, unset):
    """This process's environment, changed."""
    changed = {key: value for key, value in os.environ.items() if key not in unset}
    return {**changed, **(environment or {})}


def alternate(runs, **sides):
    """Calls the sides in turn, `runs` times; a list of results for each.

    Threads of the other side's libraries may go on waiting awake for a while: they are given time to
    fall asleep.
    """
    results = {name: [] for name in sides}
    for _ in range(runs):
        for name, side in sides.items():
            time.sleep(0.5)
            results[name].append(side())
    return results


def within(what, value, low, high):
    """Fails unless a value is sane."""
    if value is None or not low <= value <= high:
        raise Failure(f"{what}: {value} is not between {low} and {high}")


def same(what, found, expected):
    """Fails unless a count is right."""
    if found != expected:
        raise Failure(f"{what}: found {found}, expected {expected}")
