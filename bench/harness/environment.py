"""What has to be there before anything is measured: programs, peers, models, texts."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import Path

from harness.measure import Failure

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
FASTTEXT = "0.9.3"
TEXT_LINES = 200_000

# Packages that answer by fastText's models from Python: name, version and module. Those that are not
# here are slower builds of the same sources, or do not install.
FASTTEXT_PACKAGES = [
    ("fasttext", FASTTEXT, "fasttext"),
    ("fasttext-community", "0.11.9", "fasttext"),
    ("fasttext-new", "0.1.0", "fasttext_new"),
    ("fasttext-predict", "0.9.2.4", "fasttext"),
    ("fasttext-rs", "0.2.1", "fasttext_rs"),
    ("fasttext-turbo", "0.1.0", "fasttext"),
]

# OpenBLAS picks its kernel by the CPU unless it is told to; with these settings the allocator
# returns no memory between the steps, which helps scikit-learn most.
PEER_UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
PEER_ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
}


class Environment:
    """Paths to everything; `prepare` makes what is missing."""

    def __init__(self, data):
        # Before the builds, which are a load of their own.
        self.load = os.getloadavg()[0]
        self.data = Path(data)
        self.target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        self.work = self.target / "bench"
        self.packages = self.work / "fasttext-packages"
        self.python = self.work / "venv" / "bin" / "python"
        self.fasttext = self.work / "fasttext"
        self.slugline = self.target / "release" / "slugline"
        self.driver = self.target / "release" / "slugline-bench"
        self.native = self.work / "native"
        self.native_driver = self.native / "release" / "slugline-bench"
        self.texts = self.work / "texts"
        self.fasttext_model = self.work / "reuters.bin"
        self.model = self.work / "reuters.slug"
        self.wide_model = self.work / "wide.slug"
        self.wide_fasttext = self.work / "wide.bin"
        self.wide_lines = self.work / "wide.txt"
        self.npz = self.data / "reuters.npz"
        # What is trained to be measured is none of the runs of whoever measures.
        os.environ["SLUGLINE_RUNS"] = str(self.work / "runs.sqlite")

    @staticmethod
    def peer(script):
        """The path of a Python peer."""
        return BENCH / "peers" / script

    def prepare(self):
        """Builds and downloads what is missing; what comes from this repository is made anew."""
        for name in ("reuters21578.tar.gz", "reuters.npz"):
            if not (self.data / name).is_file():
                raise Failure(f"{self.data} has no {name}: name a folder with both by --data-dir")
        self.work.mkdir(parents=True, exist_ok=True)
        self._build()
        self._build_peers()
        self._python_peers()
        self._wheel()
        self._fasttext_packages()
        self._fasttext()
        self._texts()
        self._models()

    def prepare_accuracy(self):
        """What `bench/accuracy` needs of it."""
        for name in ("reuters21578.tar.gz", "20news-bydate.jsonl.gz"):
            if not (self.data / name).is_file():
                raise Failure(f"{self.data} has no {name}: name a folder with both by --data-dir")
        self.work.mkdir(parents=True, exist_ok=True)
        self._build()
        self._python_peers()
        self._fasttext()
        self._texts()

    def prepare_large(self):
        """What `bench/large` needs of it."""
        if not (self.data / "20news-bydate.jsonl.gz").is_file():
            raise Failure(f"{self.data} has no 20news-bydate.jsonl.gz: name its folder by --data-dir")
        self.work.mkdir(parents=True, exist_ok=True)
        say("building slugline")
        run("cargo", "build", "--release", "--locked", "-p", "slugline-cli")

    def prepare_load(self, binary=None):
        """What `bench/load/run` needs of it; `binary` stands in for the command that is built here."""
        if not (self.data / "reuters21578.tar.gz").is_file():
            raise Failure(f"{self.data} has no reuters21578.tar.gz: name its folder by --data-dir")
        self.work.mkdir(parents=True, exist_ok=True)
        if binary:
            self.slugline = Path(binary).resolve()
        else:
            say("building slugline")
            run("cargo", "build", "--release", "--locked", "-p", "slugline-cli")
        if not (self.texts / "lines.txt").is_file():
            say("building the driver")
            run("cargo", "build", "--release", "--locked", "-p", "slugline-bench")
        self._texts()

    def _build(self):
        say("building slugline and the driver")
        run("cargo", "build", "--release", "--locked", "-p", "slugline-cli")
        run("cargo", "build", "--release", "--locked", "-p", "slugline-bench")

    def _build_peers(self):
        say("building the peers in Rust for this CPU (some minutes the first time)")
        run(
            "cargo", "build", "--release", "--locked", "-p", "slugline-bench", "--features", "peers",
            "--target-dir", self.native, flags="-C target-cpu=native",
        )  # fmt: skip

    def _python_peers(self):
        requirements = BENCH / "requirements.txt"
        wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
        stamp = self.work / "venv" / "requirements.sha256"
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        say("installing the Python peers (some minutes)")
        run(sys.executable, "-m", "venv", "--clear", self.work / "venv")
        run(self.python, "-m", "pip", "install", "--quiet", "-r", requirements)
        stamp.write_text(wanted)

    def _wheel(self):
        """Our package, in the peers' environment."""
        say("building the package for Python")
        wheels = self.work / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        run(
            self.python.with_name("maturin"), "build", "--release", "--locked", "--out", wheels,
            "--manifest-path", ROOT / "python" / "Cargo.toml",
        )  # fmt: skip
        (wheel,) = wheels.glob("*.whl")
        run(self.python, "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", wheel)

    def _fasttext_packages(self):
        """The packages of fastText for Python, each in a folder, as most have the same name."""
        for package, version, _ in FASTTEXT_PACKAGES:
            folder = self.packages / package
            if not folder.is_dir():
                say(f"installing {package}")
                run(
                    self.python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder,
                    f"{package}=={version}",
                )  # fmt: skip

    def _fasttext(self):
        """The C++ command, from the sources in its Python package, with that package's flags."""
        if self.fasttext.is_file():
            return
        say("building fastText's own command")
        sources = self.work / "fasttext-sources"
        run(
            self.python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation",
            "--no-binary", "fasttext", "--dest", sources, f"fasttext=={FASTTEXT}",
        )  # fmt: skip
        with tarfile.open(sources / f"fasttext-{FASTTEXT}.tar.gz") as archive:
            archive.extractall(sources, filter="data")
        files = sorted((sources / f"fasttext-{FASTTEXT}" / "src").glob("*.cc"))
        flags = ["-O3", "-funroll-loops", "-pthread", "-march=native", "-DNDEBUG", "-std=c++17"]
        run("g++", *flags, *files, "-o", self.fasttext)

    def _texts(self):
        if not (self.texts / "lines.txt").is_file():
            say("writing the newswires as lines of text")
            run(
                self.driver, "texts", "--data-dir", self.data, "--output", self.texts,
                "--lines", TEXT_LINES,
            )  # fmt: skip

    def _models(self):
        if not self.fasttext_model.is_file():
            say("training fastText on the same documents")
            run(
                self.fasttext, "supervised", "-input", self.texts / "train.txt",
                "-output", self.fasttext_model.with_suffix(""), "-dim", 100, "-epoch", 25,
                "-lr", 0.5, "-wordNgrams", 1, "-thread", 2, "-verbose", 0,
            )  # fmt: skip
        say("training the published example")
        run(
            self.slugline, "train", "reuters", "--preset", "notebook", "--quiet",
            "--data-dir", self.data, "-o", self.model,
        )  # fmt: skip
        say("making two models of a million words")
        run(self.driver, "wide", "--model", self.wide_model, "--lines", self.wide_lines)
        if not self.wide_fasttext.is_file():
            run(
                self.fasttext, "supervised", "-input", self.wide_lines,
                "-output", self.wide_fasttext.with_suffix(""), "-dim", 64, "-epoch", 1,
                "-minCount", 1, "-thread", 2, "-verbose", 0,
            )  # fmt: skip

    def facts(self, packages=None):
        """The machine and the versions, for the report; of the peers in Python unless `packages` are told."""
        cpu = next(
            (
                line.split(":", 1)[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")
            ),
            platform.processor(),
        )
        if packages is None:
            packages = self._peer_versions()
        return {
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "commit": output("git", "-C", ROOT, "rev-parse", "--short=12", "HEAD")
            + (" with changes" if output("git", "-C", ROOT, "status", "--porcelain") else ""),
            "cpu": cpu,
            "cores": os.cpu_count(),
            "caches": caches(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "kernel": platform.release(),
            "rustc": output("rustc", "--version"),
            "python": platform.python_version(),
            "g++": output("g++", "-dumpfullversion"),
            "packages": packages,
            "load_at_start": self.load,
        }

    def _peer_versions(self):
        """What `bench/run` measures against."""
        packages = output(
            self.python, "-c",
            "import importlib.metadata as m, json;"
            "names = ['keras', 'tensorflow-cpu', 'scikit-learn', 'numpy', 'scipy'];"
            "print(json.dumps({n: m.version(n) for n in names}))",
        )  # fmt: skip
        return {
            **json.loads(packages),
            "fasttext": FASTTEXT,
            "fasttext crate": crate("fasttext"),
            "candle": crate("candle-nn"),
        }


def caches():
    """Level and size of the caches of the first core."""
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / n).read_text().strip() for n in ("level", "type", "size"))
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found)


def crate(name):
    """The locked version of a crate."""
    lines = (ROOT / "Cargo.lock").read_text().splitlines()
    at = lines.index(f'name = "{name}"')
    return lines[at + 1].split('"')[1]


def say(what):
    """Tells what is going on."""
    print(f"· {what}", file=sys.stderr, flush=True)


def run(*command, flags=None):
    """Runs a command that has to succeed; its output is shown only if it does not.

    `flags` are for the Rust compiler.
    """
    settings = {**os.environ, **({"RUSTFLAGS": flags} if flags else {})}
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False, env=settings
    )
    if done.returncode != 0:
        shown = " ".join(str(word) for word in command)
        raise Failure(f"{shown}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def output(*command):
    """The standard output of a command."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
