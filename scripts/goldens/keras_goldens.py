"""Makes the golden figures that the network crate is tested against.

    python keras_goldens.py small
    python keras_goldens.py focal
    python keras_goldens.py reuters --data-dir DIR
    python keras_goldens.py all     --data-dir DIR

`DIR` holds `reuters.npz` in the layout of `keras.datasets.reuters`; without the
option, the variable SLUGLINE_DATA_DIR names it.
"""

import argparse
import os
import sys
from pathlib import Path

# To be settled before TensorFlow is imported: one kind of arithmetic everywhere.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

import golden_json  # noqa: E402
import reuters_network  # noqa: E402
import small_networks  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = "scripts/goldens/keras_goldens.py"


def _report(line):
    print(line, file=sys.stderr, flush=True)


def _arguments():
    parser = argparse.ArgumentParser(description="Make the golden figures with Keras.")
    parser.add_argument("what", choices=("small", "focal", "reuters", "all"))
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=os.environ.get("SLUGLINE_DATA_DIR"),
        help="folder with reuters.npz (default: $SLUGLINE_DATA_DIR)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=REPOSITORY / "crates" / "slugline-nn" / "tests" / "golden",
        help="folder to write to (default: %(default)s)",
    )
    arguments = parser.parse_args()
    if arguments.what in ("reuters", "all"):
        if arguments.data_dir is None:
            parser.error("give --data-dir or set SLUGLINE_DATA_DIR")
        npz = Path(arguments.data_dir) / "reuters.npz"
        if not npz.is_file():
            parser.error(f"no such file: {npz}")
    return arguments


def main():
    arguments = _arguments()
    keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()
    if arguments.what in ("small", "all"):
        path = arguments.out / "keras_small.json"
        document = small_networks.golden(_report)
        golden_json.write(path, {"origin": golden_json.origin(SCRIPT), **document})
        _report(f"wrote {path}")
    if arguments.what in ("focal", "all"):
        path = arguments.out / "keras_focal.json"
        document = small_networks.focal_golden(_report)
        golden_json.write(path, {"origin": golden_json.origin(SCRIPT), **document})
        _report(f"wrote {path}")
    if arguments.what in ("reuters", "all"):
        path = arguments.out / "keras_reuters.json"
        start_file = arguments.out / "keras_reuters_start.safetensors"
        npz = Path(arguments.data_dir) / "reuters.npz"
        document = reuters_network.golden(npz, start_file, _report)
        golden_json.write(path, {"origin": golden_json.origin(SCRIPT), **document})
        _report(f"wrote {path} and {start_file}")


if __name__ == "__main__":
    main()
