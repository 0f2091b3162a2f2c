"""The service to measure against: its packages, its model, its processes."""

import hashlib
import sys

from harness.environment import BENCH, run, say
from load.server import Server, free_port

WORKERS = 2
TRAIN = (
    "import sys, fasttext;"
    "fasttext.train_supervised(sys.argv[1], dim=100, epoch=25, lr=0.5, wordNgrams=1, thread=2, verbose=0)"
    ".save_model(sys.argv[2])"
)


class Peer:
    """FastAPI and fastText in an environment of their own."""

    def __init__(self, env):
        self.env = env
        self.folder = env.work / "service-venv"
        self.python = self.folder / "bin" / "python"
        self.model = env.work / "service.bin"
        self.requirements = BENCH / "load" / "requirements.txt"

    def prepare(self):
        """Installs what is pinned, and trains on the texts that Slugline is trained on."""
        wanted = hashlib.sha256(self.requirements.read_bytes()).hexdigest()
        stamp = self.folder / "requirements.sha256"
        if not (stamp.is_file() and stamp.read_text() == wanted):
            say("installing the service to measure against")
            run(sys.executable, "-m", "venv", "--clear", self.folder)
            run(self.python, "-m", "pip", "install", "--quiet", "-r", self.requirements)
            stamp.write_text(wanted)
        say("training fastText on the same documents")
        run(self.python, "-c", TRAIN, self.env.texts / "train.txt", self.model)

    def versions(self):
        """What is pinned."""
        lines = self.requirements.read_text().splitlines()
        return dict(line.split("==") for line in lines if "==" in line)

    def start(self, log):
        """The service with two workers."""
        port = free_port()
        script = BENCH / "load" / "peer_service.py"
        command = [self.python, script, self.model, port]
        return Server("the peer", [command] * WORKERS, log, port)
