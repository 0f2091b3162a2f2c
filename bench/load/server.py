"""Servers that are started, watched and stopped."""

import os
import re
import signal
import socket
import subprocess
import time

from harness.measure import Failure

LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
START_SECONDS = 20


class Server:
    """The processes of a service on a port of this machine; `port` is found in the log if it is not told."""

    def __init__(self, name, commands, log, port=None):
        self.name = name
        self.log = log
        self.children = []
        with open(log, "wb") as sink:
            for command in commands:
                words = [str(word) for word in command]
                self.children.append(
                    subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
                )
        try:
            self.port = port or self._until(self._logged_port)
            self._until(self._connects)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self):
        """The first process."""
        return self.children[0].pid

    def url(self, path):
        """An address."""
        return f"http://127.0.0.1:{self.port}{path}"

    def _logged_port(self):
        found = LISTENING.search(self.log.read_text(errors="replace"))
        return found and int(found[1])

    def _connects(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def _until(self, ready):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            found = ready()
            if found:
                return found
            self.check()
            time.sleep(0.05)
        raise Failure(f"{self.name} is not ready after {START_SECONDS} s:\n{self.tail()}")

    def check(self):
        """Fails if a process has ended."""
        for child in self.children:
            if child.poll() is not None:
                raise Failure(f"{self.name} ended with code {child.returncode}:\n{self.tail()}")

    def tail(self):
        """The end of the log."""
        return self.log.read_text(errors="replace")[-3000:]

    def memory(self):
        """Resident bytes of all processes."""
        return sum(resident(child.pid) for child in self.children)

    def files(self):
        """Open file descriptors of the first process."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self):
        """Ends it as an administrator would."""
        for child in self.children:
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(40)
            except subprocess.TimeoutExpired as late:
                self.kill()
                raise Failure(f"{self.name} is still there 40 s after SIGTERM") from late

    def kill(self):
        """Ends what is left."""
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def slugline(env, model, log, *flags):
    """`slugline serve` on a free port."""
    command = [env.slugline, "serve", model, "--listen", "127.0.0.1:0", *flags]
    return Server("slugline serve", [command], log)


def resident(pid):
    """VmRSS in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def free_port():
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
