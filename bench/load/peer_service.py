"""The peer: fastText behind FastAPI, as one writes it who cares for speed.

    python peer_service.py MODEL PORT

is one worker. Each has a socket of its own on the port, so that the system spreads the connections evenly;
with the one socket that uvicorn's own workers share, one of them often gets nearly all.
"""

import socket
import sys

import fasttext
import orjson
import uvicorn
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel

PREFIX = len("__label__")

app = FastAPI()
model = fasttext.load_model(sys.argv[1])


class Request(BaseModel):
    """One text or several."""

    text: str | None = None
    texts: list[str] | None = None
    top_k: int = 5


def answer(labels, probabilities):
    """What is said of one text."""
    names = [label[PREFIX:] for label in labels]
    return {
        "label": names[0] if names else None,
        "probabilities": dict(zip(names, probabilities.tolist(), strict=True)),
    }


def one_line(text):
    """fastText takes lines."""
    return text.replace("\n", " ")


# `async`, since a plain function runs in a pool of threads, which takes longer than the answer does; and
# a response that is made here, since FastAPI would look through the answer once more.
@app.post("/v1/classify")
async def classify(request: Request):
    """Answers for a text or for texts."""
    if request.text is not None:
        told = answer(*model.predict(one_line(request.text), request.top_k))
    elif request.texts is not None:
        found = model.predict([one_line(text) for text in request.texts], request.top_k)
        told = {"answers": [answer(*each) for each in zip(*found, strict=True)]}
    else:
        raise HTTPException(422, "text or texts is missing")
    return Response(orjson.dumps(told), media_type="application/json")


def main():
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    own.bind(("127.0.0.1", int(sys.argv[2])))
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
    uvicorn.Server(config).run(sockets=[own])


main()
