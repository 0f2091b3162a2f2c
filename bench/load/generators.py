"""The programs that send: wrk as fast as it goes, oha at a constant rate."""

import json
import re
import shutil
import subprocess

from harness.environment import BENCH, output
from harness.measure import Failure

SCRIPT = BENCH / "load" / "wrk.lua"
# From a rate that is not kept, nothing follows about the server.
KEPT = 0.97
# wrk takes 10 to 20 µs of a core for a request, so that one thread might be full at 50,000 a second.
THREADS = 2


def check():
    """Fails if one of them is not installed."""
    missing = [
        f"{name} is not installed: {how}"
        for name, how in {
            "wrk": "apt-get install wrk",
            "oha": "cargo install --locked oha@1.16.0",
        }.items()
        if not shutil.which(name)
    ]
    if missing:
        raise Failure("\n".join(missing))


def versions():
    """What they call themselves."""
    told = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"wrk (?:debian/)?(\S+)", told)
    return {"wrk": found[1] if found else "?", "oha": output("oha", "--version").split()[-1]}


def peak(url, bodies, connections, seconds):
    """Requests a second of a closed loop: each connection sends when it has its answer."""
    told = output(
        "wrk", f"-t{THREADS}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", SCRIPT,
        url, "--", bodies,
    )  # fmt: skip
    counted = json.loads(told.splitlines()[-1])
    if any(counted["errors"].values()) or not counted["requests"]:
        raise Failure(f"{url}: wrk counted {counted}")
    return counted["requests"] / counted["seconds"]


def latency(url, bodies, connections, rate, seconds):
    """Seconds from when a request was due to its answer: a request that has to wait for a connection, as
    the server is slow, counts from when it should have been sent."""
    told = output(
        "oha", "-c", connections, "-q", rate, "-z", f"{seconds}s", "--latency-correction",
        "-w", "--no-tui", "--output-format", "json", "--disable-compression", "-t", "10s",
        "-m", "POST", "-T", "application/json", "-Z", bodies, url,
    )  # fmt: skip
    counted = json.loads(told)
    statuses = counted["statusCodeDistribution"]
    if counted["errorDistribution"] or set(statuses) != {"200"}:
        raise Failure(f"{url}: oha counted {statuses} and {counted['errorDistribution']}")
    sent = counted["summary"]["requestsPerSec"]
    if sent < KEPT * rate:
        raise Failure(f"{url}: only {sent:.0f} of {rate} requests a second were sent")
    found = counted["latencyPercentiles"]
    return {"rate": sent, "p50": found["p50"], "p99": found["p99"]}
