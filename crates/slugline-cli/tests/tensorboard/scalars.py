"""Prints the scalars of event files as TensorBoard reads them: {run: {tag: [[step, value], …]}}."""

import json
import sys
from pathlib import Path

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.util import tensor_util

found = {"accumulator": {}, "plugin": {}}
for folder in sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_dir()):
    # As programs read event files …
    events = event_accumulator.EventAccumulator(str(folder))
    events.Reload()
    found["accumulator"][folder.name] = {
        tag: [[scalar.step, scalar.value] for scalar in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    # … and as the page of TensorBoard does, which turns scalars into tensors.
    events = plugin_event_accumulator.EventAccumulator(str(folder))
    events.Reload()
    found["plugin"][folder.name] = {
        tag: [[event.step, tensor_util.make_ndarray(event.tensor_proto).item()]
              for event in events.Tensors(tag)]
        for tag in events.PluginTagToContent("scalars")
    }
print(json.dumps(found))
