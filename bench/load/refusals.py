"""Requests that have to be refused, and how."""

import json
from dataclasses import dataclass, field

from load.clients import JSON_TYPE, post, request

CLASSIFY = "/v1/classify"
MAX_BODY, MAX_BATCH, MAX_TEXT = 2 << 20, 1024, 256 << 10

BAD_REQUEST = {(400, "bad_request")}
INVALID_JSON = {(400, "invalid_json")}
INVALID = {(422, "invalid_request")}
NOT_FOUND = {(404, "not_found")}
UNKNOWN_MODEL = {(404, "unknown_model")}
METHOD = {(405, "method_not_allowed")}
MEDIA = {(415, "unsupported_media_type")}
BODY = {(413, "body_too_large")}


@dataclass
class Refusal:
    """What is sent and what may come. `half` closes our side after it; `silent` allows the server to close
    without a word, `bare` an answer without a document, as what is no HTTP gets it, and `keeps` says that
    the connection goes on unless the answer says otherwise."""

    name: str
    data: bytes
    accepted: set = field(repr=False)
    half: bool = False
    silent: bool = False
    bare: bool = False
    keeps: bool = True


def raw(body, path=CLASSIFY, headers=JSON_TYPE):
    """A request with this body."""
    return request("POST", path, body, headers)


def lying(length, body=b'{"text":"wheat"}'):
    """A request that tells another length than it has."""
    return (
        f"POST {CLASSIFY} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode() + body


def chunked(body):
    """A request in this encoding."""
    return (
        f"POST {CLASSIFY} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    ).encode() + body


def infer(name, changes, binary=None):
    """A broken request of the Open Inference Protocol."""
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["wheat"], **changes}
    body = json.dumps({"inputs": [tensor]}).encode()
    headers = [*JSON_TYPE]
    if binary is not None:
        headers.append(("Inference-Header-Content-Length", binary(len(body))))
    accepted = INVALID if binary is None else INVALID | INVALID_JSON | BAD_REQUEST
    return Refusal(f"infer: {name}", raw(body, "/v2/models/model/infer", headers), accepted)


def bodies():
    """JSON that is none, or that does not fit."""
    broken = {
        "cut off": b'{"text": "whe',
        "empty": b"",
        "invalid UTF-8": b'{"text": "\xff\xfe"}',
        "half of a pair of surrogates": b'{"text": "\\ud800"}',
        "something behind it": b'{"text": "wheat"} x',
        "control character in a string": b'{"text": "a\x01b"}',
    }
    unfit = {
        "text is a number": {"text": 5},
        "texts is a text": {"texts": "wheat"},
        "texts has a number": {"texts": ["wheat", 1]},
        "neither text nor texts": {"top_k": 3},
        "both text and texts": {"text": "wheat", "texts": ["wheat"]},
        "unknown field": {"text": "wheat", "colour": "red"},
        "top_k of 0": {"text": "wheat", "top_k": 0},
        "top_k of -1": {"text": "wheat", "top_k": -1},
        "top_k is a word": {"text": "wheat", "top_k": "many"},
        "threshold of 2": {"text": "wheat", "threshold": 2},
        "threshold is a word": {"text": "wheat", "threshold": "low"},
        "min_confidence of -1": {"text": "wheat", "min_confidence": -1},
        "a list": ["wheat"],
        "null": None,
    }
    for name, body in broken.items():
        yield Refusal(f"JSON: {name}", raw(body), INVALID_JSON)
    yield Refusal("JSON: 5,000 levels", raw(b"[" * 5000 + b"]" * 5000), INVALID_JSON | INVALID)
    for name, value in unfit.items():
        yield Refusal(f"JSON: {name}", post(CLASSIFY, value), INVALID)


def elsewhere():
    """Other paths, other methods, other media types."""
    yield Refusal("no such model", post(CLASSIFY, {"text": "wheat", "model": "none"}), UNKNOWN_MODEL)
    yield Refusal("explain: no such class", post("/v1/explain", {"text": "wheat", "class": "none"}),
                  {(422, "unknown_class")})  # fmt: skip
    yield Refusal("explain: 51 neighbours", post("/v1/explain", {"text": "wheat", "nearest": 51}),
                  INVALID | {(422, "unsupported_model")})  # fmt: skip
    yield Refusal("explain: no text", post("/v1/explain", {}), INVALID)
    yield Refusal("feedback: no label", post("/v1/feedback", {"text": "wheat"}), INVALID)
    yield Refusal("feedback: long label", post("/v1/feedback", {"text": "a", "label": "x" * 201}),
                  INVALID)  # fmt: skip
    yield Refusal("predict: a pair", post("/predict", {"inputs": ["a", "b"]}), INVALID)
    yield Refusal("predict: no inputs", post("/predict", {}), INVALID)
    yield infer("datatype", {"datatype": "FP32", "data": [1.0]})
    yield infer("shape", {"shape": [3]})
    yield infer("name", {"name": "txt"})
    yield infer("header length too large", {}, lambda size: size + 10)
    yield infer("header length is a word", {}, lambda size: "ten")
    yield Refusal("infer: no such model", post("/v2/models/none/infer", {"inputs": []}), UNKNOWN_MODEL)
    yield Refusal("model: none", request("GET", "/v1/model?model=none"), UNKNOWN_MODEL)
    yield Refusal("path", request("GET", "/v1/nothing"), NOT_FOUND)
    yield Refusal("path up", request("GET", "/assets/../../../etc/passwd"), NOT_FOUND)
    yield Refusal("path up, encoded", request("GET", "/assets/%2e%2e%2fCargo.toml"), NOT_FOUND)
    yield Refusal("long path", request("GET", "/" + "x" * 5000), NOT_FOUND)
    yield Refusal("GET for POST", request("GET", CLASSIFY), METHOD)
    yield Refusal("DELETE", request("DELETE", "/v1/models"), METHOD)
    yield Refusal("unknown method", request("BREW", "/v1/models"), METHOD)
    yield Refusal("text/plain", raw(b'{"text": "a"}', headers=(("Content-Type", "text/plain"),)), MEDIA)
    yield Refusal("no media type", raw(b'{"text": "a"}', headers=()), MEDIA)


def large():
    """Over each limit."""
    yield Refusal("batch", post(CLASSIFY, {"texts": ["a"] * (MAX_BATCH + 1)}),
                  {(413, "batch_too_large")})  # fmt: skip
    text = {(413, "text_too_large")}
    yield Refusal("text", post(CLASSIFY, {"text": "a" * (MAX_TEXT + 1)}), text)
    # 87,382 characters of three bytes, over the limit by two.
    yield Refusal("text in bytes", post(CLASSIFY, {"text": "\u20ac" * (MAX_TEXT // 3 + 1)}), text)
    yield Refusal("body announced", lying(MAX_BODY + 1, b""), BODY, keeps=False)
    yield Refusal("body of many terabytes announced", lying(1 << 50, b""), BODY, keeps=False)
    yield Refusal("body sent", lying(MAX_BODY + 5, b" " * (MAX_BODY + 5)), BODY, keeps=False)
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    yield Refusal("body in chunks", chunked(chunk * (MAX_BODY // 0x10000 + 2)), BODY, keeps=False)


def malformed():
    """What is no HTTP, or lies about itself."""
    head = f"POST {CLASSIFY} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
    broken = {
        "words": b"hello, is this the server?\r\n\r\n",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)) + b"\r\n\r\n",
        "length is a word": lying("ten"),
        "length is negative": lying(-5),
        "two lengths": head + b'Content-Length: 5\r\nContent-Length: 7\r\n\r\n{"a":1}',
        "header without a colon": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n",
        "NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        "bad size of a chunk": chunked(b"xyz\r\nwheat\r\n0\r\n\r\n"),
    }
    for name, data in broken.items():
        yield Refusal(f"HTTP: {name}", data, BAD_REQUEST, bare=True, keeps=False)
    many = b"".join(b"X-%d: %s\r\n" % (i, b"y" * 1000) for i in range(600))
    yield Refusal("HTTP: 600 kB of headers", head + many + b"\r\n",
                  BAD_REQUEST | {(431, "bad_request")}, bare=True, keeps=False)  # fmt: skip
    # The rest is taken for the next request, which is no HTTP.
    yield Refusal("length too small", lying(10), INVALID_JSON, keeps=False)
    yield Refusal("length too large, then the end", lying(5000), BAD_REQUEST, half=True, silent=True,
                  keeps=False)  # fmt: skip
    yield Refusal("end within the headers", head, BAD_REQUEST, half=True, silent=True, keeps=False)


def table():
    """All of them."""
    return [*bodies(), *elsewhere(), *large(), *malformed()]
