"""Proper requests of all kinds, whose answers are compared with the right ones."""

import asyncio
import json
import struct

from load.clients import JSON_TYPE, Broken, Closed, Connection, post, request, wrong_problem

BATCH = 64
# Between two requests of one client, so that client and server share the cores.
PAUSE = 0.002
NEAR = 1e-6
SUM_NEAR = 2e-3


class Wrong(Exception):
    """An answer that is not right."""


def same(what, found, expected):
    """Fails unless they are equal."""
    if found != expected:
        raise Wrong(f"{what}: {str(found)[:250]}, expected {str(expected)[:250]}")


def near(what, found, expected, distance=NEAR):
    """Fails unless two numbers are close."""
    if abs(found - expected) > distance:
        raise Wrong(f"{what}: {found}, expected {expected}")


def same_answer(text, found, expected):
    """The same answer, its classes in the same order."""
    same(f"text {text}", found, expected)
    same(f"text {text}: order", list(found["probabilities"]), list(expected["probabilities"]))


class Client:
    """Sends one kind of requests after the other on one connection."""

    def __init__(self, state, port, kinds, stop):
        self.state, self.port, self.kinds, self.stop = state, port, kinds, stop
        self.connection = None

    async def run(self):
        """Goes on until it is stopped."""
        while not self.stop.is_set():
            kind = self.state.draw.choice(self.kinds)
            try:
                await kind(self)
                self.state.counts[kind.__name__] += 1
            except Wrong as wrong:
                self.state.wrong(f"wrong answer: {kind.__name__}", wrong)
            except (Closed, Broken, TimeoutError, OSError, KeyError, TypeError, ValueError) as error:
                self.state.wrong(f"no proper answer: {kind.__name__}", repr(error))
                self.drop()
            # Now and then a client goes and another comes.
            if self.state.draw.random() < 0.002:
                self.drop()
            await asyncio.sleep(PAUSE)
        self.drop()

    def drop(self):
        """Closes the connection, if there is one."""
        if self.connection:
            self.connection.close()
            self.connection = None

    async def ask(self, data, status=200):
        """The answer to a request; one that the server is too busy for is sent again later."""
        while True:
            if not self.connection:
                self.connection = await Connection.open(self.port)
                self.state.counts["connections"] += 1
            answer = await self.connection.ask(data)
            if answer.headers.get("connection") == "close":
                self.drop()
            if answer.status != 503:
                break
            problem = wrong_problem(answer, set())
            if problem:
                raise Wrong(problem)
            self.state.counts["refused as overloaded"] += 1
            await asyncio.sleep(0.2)
        if answer.status != status:
            raise Wrong(f"{answer}, expected {status}")
        if not answer.headers.get("x-request-id"):
            raise Wrong("no x-request-id")
        return answer

    async def ask_model(self, data, status=200):
        """The answer, and what the model says that gave it."""
        before = set(self.state.allowed)
        answer = await self.ask(data, status)
        checksum = answer.headers.get("slugline-checksum")
        if checksum not in before | self.state.allowed:
            raise Wrong(f"the answer is of model {checksum}, expected {before | self.state.allowed}")
        same("slugline-model", answer.headers.get("slugline-model"), "model")
        return answer, self.state.models[checksum]


async def single(client):
    """One text."""
    text = client.state.any()
    top_k = client.state.draw.choice((None, None, None, 1, 3, "all"))
    body = {"text": client.state.texts[text]}
    if top_k:
        body["top_k"] = top_k
    answer, model = await client.ask_model(post("/v1/classify", body))
    same_answer(text, answer.json(), model.answer(text, top_k or 5))
    client.state.counts["texts"] += 1


async def batch(client):
    """Many texts."""
    texts = [client.state.any() for _ in range(client.state.draw.choice((1, 2, BATCH, BATCH)))]
    body = {"texts": [client.state.texts[text] for text in texts]}
    answer, model = await client.ask_model(post("/v1/classify", body))
    answers = answer.json()["answers"]
    same("answers", len(answers), len(texts))
    for text, found in zip(texts, answers, strict=True):
        same_answer(text, found, model.answer(text))
    client.state.counts["texts"] += len(texts)


async def in_pieces(client):
    """One text in the encoding of chunks."""
    text = client.state.wire()
    body = json.dumps({"text": client.state.texts[text]}, ensure_ascii=False).encode()
    pieces = [body[i : i + 97] for i in range(0, len(body), 97)]
    sent = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    head = b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    answer, model = await client.ask_model(head + b"Transfer-Encoding: chunked\r\n\r\n" + sent)
    same_answer(text, answer.json(), model.answer(text))
    client.state.counts["texts"] += 1


async def after_asking(client):
    """One text whose client asks first whether to send it."""
    text = client.state.wire()
    body = json.dumps({"text": client.state.texts[text]}).encode()
    headers = (*JSON_TYPE, ("Expect", "100-continue"))
    answer, model = await client.ask_model(request("POST", "/v1/classify", body, headers))
    same_answer(text, answer.json(), model.answer(text))
    client.state.counts["texts"] += 1


async def explain(client):
    """Why."""
    text = client.state.wire()
    answer, model = await client.ask_model(post("/v1/explain", {"text": client.state.texts[text]}))
    told = answer.json()
    label, probability = model.best(text)
    same("label", told["label"], label)
    same("answer", told["answer"], model.answers[text]["label"])
    near("probability", told["probability"], probability)
    same("words", told["words"], model.answers[text]["words"])
    for part in ("spans", "tokens"):
        total = told["baseline"] + sum(span["contribution"] for span in told[part])
        near(f"baseline and {part}", total, told["logit"], SUM_NEAR * (1 + abs(told["logit"])))
        for span in told[part]:
            same(part, client.state.texts[text][span["start"] : span["end"]], span["text"])


async def infer(client):
    """The Open Inference Protocol in JSON."""
    texts = [client.state.any() for _ in range(client.state.draw.randrange(1, 5))]
    tensor = {
        "name": "text", "shape": [len(texts)], "datatype": "BYTES",
        "data": [client.state.texts[text] for text in texts],
    }  # fmt: skip
    body = {"id": "a-1", "inputs": [tensor]}
    every = client.state.draw.random() < 0.5
    if every:
        body["outputs"] = [{"name": n} for n in ("label", "probability", "probabilities", "unknown_share")]
    path = client.state.draw.choice(("/v2/models/model/infer", "/v2/models/model/versions/1/infer"))
    answer, model = await client.ask_model(post(path, body))
    told = answer.json()
    same("id", told["id"], "a-1")
    outputs = {output["name"]: output for output in told["outputs"]}
    same("outputs", len(outputs), 4 if every else 2)
    same("labels", outputs["label"]["data"], [model.answers[text]["label"] for text in texts])
    for text, found in zip(texts, outputs["probability"]["data"], strict=True):
        near("probability", found, model.best(text)[1])
    if every:
        same("shape", outputs["probabilities"]["shape"], [len(texts), model.classes])
        rows = outputs["probabilities"]["data"]
        for i, text in enumerate(texts):
            row = rows[i * model.classes : (i + 1) * model.classes]
            near("largest probability", max(row), model.best(text)[1])


async def infer_binary(client):
    """The same with tensors in binary, both ways."""
    texts = [client.state.any() for _ in range(3)]
    data = [client.state.texts[text].encode() for text in texts]
    tensor = b"".join(struct.pack("<I", len(each)) + each for each in data)
    described = {
        "name": "text", "shape": [len(texts)], "datatype": "BYTES",
        "parameters": {"binary_data_size": len(tensor)},
    }  # fmt: skip
    head = json.dumps({"inputs": [described], "parameters": {"binary_data_output": True}}).encode()
    headers = (
        ("Content-Type", "application/octet-stream"),
        ("Inference-Header-Content-Length", str(len(head))),
    )
    sent = request("POST", "/v2/models/model/infer", head + tensor, headers)
    answer, model = await client.ask_model(sent)
    size = int(answer.headers["inference-header-content-length"])
    told, rest = json.loads(answer.body[:size]), answer.body[size:]
    for output in told["outputs"]:
        length = output["parameters"]["binary_data_size"]
        piece, rest = rest[:length], rest[length:]
        if output["name"] == "probability":
            for text, found in zip(texts, struct.unpack(f"<{len(texts)}f", piece), strict=True):
                near("probability", found, model.best(text)[1])
        elif output["name"] == "label":
            found = []
            while piece:
                length = struct.unpack("<I", piece[:4])[0]
                found.append(piece[4 : 4 + length].decode())
                piece = piece[4 + length :]
            same("labels", found, [model.answers[text]["label"] for text in texts])
    same("bytes behind the tensors", rest, b"")


async def predict(client):
    """The form of Text Embeddings Inference."""
    texts = [client.state.any() for _ in range(client.state.draw.randrange(1, 4))]
    words = [client.state.texts[text] for text in texts]
    alone = len(texts) == 1
    inputs = words[0] if alone else [[word] for word in words]
    answer, model = await client.ask_model(post("/predict", {"inputs": inputs}))
    told = [answer.json()] if alone else answer.json()
    same("answers", len(told), len(texts))
    for text, found in zip(texts, told, strict=True):
        expected = model.answers[text]["probabilities"]
        same("classes", len(found), len(expected))
        for each in found:
            near(each["label"], each["score"], expected[each["label"]])
        scores = [each["score"] for each in found]
        same("falling", scores, sorted(scores, reverse=True))


async def correct(client):
    """A correction."""
    text = client.state.wire()
    label = client.state.draw.choice((client.state.topics[text], "a-new-class"))
    body = {"text": client.state.texts[text], "label": label}
    answer, model = await client.ask_model(post("/v1/feedback", body), 201)
    told = answer.json()
    same("answer", told["answer"], model.answers[text]["label"])
    same("label", told["label"], label)
    client.state.corrections.append(told["id"])


async def look(client):
    """What a person or a balancer asks for."""
    path = client.state.draw.choice((
        "/", "/docs", "/openapi.json", "/metrics", "/healthz", "/readyz", "/v1/models", "/v1/model",
        "/v1/samples", "/v1/feedback", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/model",
        "/v2/models/model/ready",
    ))  # fmt: skip
    answer = await client.ask(request("GET", path))
    if not answer.body:
        raise Wrong(f"{path} is empty")


TEXTS = (single, single, single, single, in_pieces, after_asking)
BATCHES = (batch,)
OTHERS = (explain, explain, infer, infer_binary, predict, correct, look, look)
