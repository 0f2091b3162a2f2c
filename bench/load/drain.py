"""SIGTERM under load: what was asked before it is answered, and the process ends by itself."""

import asyncio
import signal
import time
from dataclasses import dataclass

from load.clients import Broken, Closed, Connection, post, wrong_problem

DEADLINE = 30
BUSY, UNUSED, HALF = 24, 8, 8
DRAINING = {(503, "draining")}


@dataclass
class Sent:
    """A request on its way."""

    texts: list
    data: bytes
    at: float = 0.0


class Drain:
    """Clients around the end of a server."""

    def __init__(self, state, server):
        self.state, self.server = state, server
        self.signal = None

    def request(self, many=False):
        """One text or many."""
        texts = [self.state.wire() for _ in range(64 if many else 1)]
        words = [self.state.texts[text] for text in texts]
        body = {"texts": words} if many else {"text": words[0]}
        return Sent(texts, post("/v1/classify", body))

    def right(self, answer, sent):
        """Whether an answer is the right one."""
        model = self.state.models.get(answer.headers.get("slugline-checksum"))
        if answer.status != 200 or not model:
            return False
        told = answer.json()
        answers = told["answers"] if len(sent.texts) > 1 else [told]
        return answers == [model.answer(text) for text in sent.texts]

    def judge(self, sent, used, answer=None, error=None):
        """Counts what came of a request.

        One that was sent before the signal has to be answered. One that was sent later, or on a connection
        that had not been used yet, may be refused by 503 or by the end of the connection before a byte.
        """
        before = self.signal is None or sent.at < self.signal
        lenient = not (before and used)
        when = "before" if before else "after"
        if answer and self.right(answer, sent):
            self.state.counts[f"drain: answered, sent {when} SIGTERM"] += 1
        elif answer and lenient and not wrong_problem(answer, DRAINING):
            self.state.counts[f"drain: refused, sent {when} SIGTERM"] += 1
        elif isinstance(error, Closed) and lenient and not error.received:
            self.state.counts[f"drain: closed unanswered, sent {when} SIGTERM"] += 1
        else:
            late = f"{sent.at - self.signal:+.4f} s from SIGTERM" if self.signal else "before SIGTERM"
            self.state.wrong("drain", f"sent {late}, used {used}: {answer or repr(error)}")

    async def exchange(self, connection, sent):
        """Sends and judges; whether the connection may be used again."""
        used = connection.used
        try:
            sent.at = time.monotonic()
            await connection.send(sent.data)
            answer = await connection.answer(DEADLINE)
        except (Closed, Broken, TimeoutError) as error:
            self.judge(sent, used, error=error)
            return False
        self.judge(sent, used, answer)
        return answer.headers.get("connection") != "close"

    async def busy(self, many):
        """Sends without a pause until nobody listens any more."""
        while True:
            try:
                connection = await Connection.open(self.server.port)
            except OSError:
                if self.signal is None:
                    self.state.wrong("drain", "a connection is refused before SIGTERM")
                return
            while await self.exchange(connection, self.request(many)):
                if self.signal and time.monotonic() > self.signal + DEADLINE:
                    self.state.wrong("drain", "still answering at the deadline")
                    return
            connection.close()
            if self.signal is None:
                self.state.wrong("drain", "a connection is closed before SIGTERM")

    async def unused(self, signalled):
        """A connection that is first used after the signal."""
        connection = await Connection.open(self.server.port)
        await signalled.wait()
        await self.exchange(connection, self.request())
        connection.close()

    async def half(self, signalled):
        """A request whose second half comes after the signal."""
        connection = await Connection.open(self.server.port)
        sent = self.request()
        middle = len(sent.data) - 20
        await connection.send(sent.data[:middle])
        await signalled.wait()
        await asyncio.sleep(0.5)
        await self.exchange(connection, Sent(sent.texts, sent.data[middle:]))
        connection.close()

    async def run(self, warm=2.0):
        """All of it; the process has to end with 0."""
        signalled = asyncio.Event()
        tasks = [asyncio.create_task(self.busy(i % 4 == 0)) for i in range(BUSY)]
        tasks += [asyncio.create_task(self.unused(signalled)) for _ in range(UNUSED)]
        tasks += [asyncio.create_task(self.half(signalled)) for _ in range(HALF)]
        await asyncio.sleep(warm)
        child = self.server.children[0]
        self.signal = time.monotonic()
        child.send_signal(signal.SIGTERM)
        signalled.set()
        while child.poll() is None and time.monotonic() < self.signal + DEADLINE + 2:
            await asyncio.sleep(0.01)
        seconds = time.monotonic() - self.signal
        if child.returncode is None:
            self.state.wrong("drain", f"the process is still there {seconds:.0f} s after SIGTERM")
            child.kill()
        elif child.returncode != 0:
            self.state.wrong("drain", f"the process ended with {child.returncode}:\n{self.server.tail()}")
        found = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 60)
        for error in found:
            if isinstance(error, BaseException):
                self.state.wrong("drain", repr(error))
        return seconds
