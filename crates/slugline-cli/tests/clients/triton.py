"""Triton's client beside plain HTTP: both must be told the same.

    triton.py HOST:PORT MODEL KEY
"""

import json
import sys
import urllib.request

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

TEXTS = [
    "Coffee exporters said arrivals rose.",
    "Die Regierung erhöht die Steuern — 石油 🛢",
    "",
    "qqq zzz",
]


def classify(address, headers):
    """Answers of the service's own route."""
    request = urllib.request.Request(
        f"http://{address}/v1/classify",
        json.dumps({"texts": TEXTS, "top_k": "all"}).encode(),
        {"Content-Type": "application/json", **headers},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)["answers"]


def column(shape):
    """The texts as a tensor of this shape."""
    return np.array([text.encode() for text in TEXTS], dtype=object).reshape(shape)


def texts(values):
    """Elements of a tensor of BYTES: bytes if it came in binary, and words if in JSON."""
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values.ravel()]


def refused(word, call):
    """The call fails with this word in its message."""
    try:
        call()
    except InferenceServerException as error:
        assert word in error.message() and "exception occurred" not in error.message(), error
    else:
        raise AssertionError(f"not refused: {word}")


def check(client, model, classes, answers, headers):
    """Every form of the same question."""
    names = ["label", "probability", "probabilities", "unknown_share"]
    for shape in [(len(TEXTS),), (len(TEXTS), 1)]:
        for binary_input in [True, False]:
            for binary_output in [True, False]:
                tensor = triton.InferInput("text", list(shape), "BYTES")
                tensor.set_data_from_numpy(column(shape), binary_data=binary_input)
                wanted = [triton.InferRequestedOutput(name, binary_data=binary_output) for name in names]
                question = {"inputs": [tensor], "outputs": wanted, "request_id": "7"}
                # The client keeps the length of one body in the headers it is given: each gets its own.
                for said in [
                    client.infer(model, headers={**headers}, **question),
                    client.infer(model, model_version="1", headers={**headers}, **question),
                    client.async_infer(model, headers={**headers}, **question).get_result(),
                ]:
                    response = said.get_response()
                    assert (response["id"], response["model_name"]) == ("7", model), response
                    assert texts(said.as_numpy("label")) == [answer["label"] for answer in answers]
                    assert said.as_numpy("probabilities").shape == (len(TEXTS), len(classes))
                    for row, answer in enumerate(answers):
                        told = dict(zip(classes, said.as_numpy("probabilities")[row], strict=True))
                        for name, probability in answer["probabilities"].items():
                            assert told[name] == np.float32(probability), (name, probability)
                        largest = np.float32(max(answer["probabilities"].values()))
                        assert said.as_numpy("probability")[row] == largest
                        assert said.as_numpy("unknown_share")[row] == np.float32(answer["unknown_share"])


def main(address, model, key):
    headers = {"Authorization": f"Bearer {key}"}
    client = triton.InferenceServerClient(address, concurrency=2)
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(model, headers=headers)
    assert client.is_model_ready(model, "1", headers=headers)
    assert client.get_server_metadata(headers=headers)["name"] == "slugline"
    metadata = client.get_model_metadata(model, headers=headers)
    assert [tensor["name"] for tensor in metadata["inputs"]] == ["text"], metadata
    request = urllib.request.Request(f"http://{address}/v1/model", headers=headers)
    with urllib.request.urlopen(request) as response:
        classes = json.load(response)["classes"]
    check(client, model, classes, classify(address, headers), headers)

    tensor = triton.InferInput("text", [len(TEXTS)], "BYTES")
    tensor.set_data_from_numpy(column((len(TEXTS),)))
    plain = client.infer(model, [tensor], headers={**headers})
    assert [output["name"] for output in plain.get_response()["outputs"]] == ["label", "probability"]
    numbers = triton.InferInput("text", [1], "FP32")
    numbers.set_data_from_numpy(np.zeros(1, np.float32))
    refused("BYTES", lambda: client.infer(model, [numbers], headers={**headers}))
    refused("none", lambda: client.infer("none", [tensor], headers={**headers}))
    refused("version", lambda: client.infer(model, [tensor], "2", headers={**headers}))
    refused("key", lambda: client.infer(model, [tensor]))
    assert not client.is_model_ready("none", headers=headers)
    client.close()


main(*sys.argv[1:])
