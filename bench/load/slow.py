"""Clients that are slow, that stop in the middle, or that never read."""

import asyncio

from load.clients import Broken, Closed, Connection, post, wrong_problem

# Settings of the server, short enough that each is met often.
HEADER_SECONDS, BODY_SECONDS, WRITE_SECONDS = 3, 4, 5
FLAGS = (
    "--header-timeout", f"{HEADER_SECONDS}s", "--body-timeout", f"{BODY_SECONDS}s",
    "--write-timeout", f"{WRITE_SECONDS}s",
)  # fmt: skip
# How much later than the setting says the server may act.
LATE = 3
TIMEOUT = {(408, "request_timeout")}
SMALL_BUFFER = 4096
PIPELINED = 150


class SlowClient:
    """Does one slow thing after the other."""

    def __init__(self, state, port, kinds, stop):
        self.state, self.port, self.kinds, self.stop = state, port, kinds, stop

    async def run(self):
        """Goes on until it is stopped."""
        while not self.stop.is_set():
            for kind in self.kinds:
                try:
                    wrong = await kind(self)
                except (Closed, Broken, TimeoutError, OSError) as error:
                    wrong = repr(error)
                if wrong:
                    self.state.wrong(f"slow client: {kind.__name__}", wrong)
                self.state.counts[kind.__name__] += 1
                if self.stop.is_set():
                    return

    async def timed_out(self, connection, seconds, silent):
        """What is wrong with how the server ends a request that does not come; a refusal is expected, or
        nothing at all where `silent` allows that."""
        try:
            answer = await connection.answer(seconds + LATE)
        except TimeoutError:
            return f"nothing happens {seconds + LATE} s after the client has stopped"
        except Closed as closed:
            return None if silent and not closed.received else repr(closed)
        return wrong_problem(answer, TIMEOUT)


def question(state):
    """A text, its request's head and body."""
    text = state.wire()
    data = post("/v1/classify", {"text": state.texts[text]})
    at = data.index(b"\r\n\r\n") + 4
    return text, data[:at], data[at:]


async def right(client, connection, text, before):
    """What is wrong with the answer, which has to come in spite of all."""
    answer = await connection.answer()
    if answer.status != 200:
        return answer
    checksum = answer.headers.get("slugline-checksum")
    if checksum not in before | client.state.allowed:
        return f"the answer is of model {checksum}"
    if answer.json() != client.state.models[checksum].answer(text):
        return f"wrong answer to text {text}: {answer}"
    return None


async def header_a_byte_at_a_time(client):
    """Slow, but in time."""
    before = set(client.state.allowed)
    text, head, body = question(client.state)
    connection = await Connection.open(client.port)
    try:
        for byte in head:
            await connection.send(bytes([byte]))
            await asyncio.sleep(HEADER_SECONDS * 0.4 / len(head))
        await connection.send(body)
        return await right(client, connection, text, before)
    finally:
        connection.close()


async def body_in_drops(client):
    """Slow, but in time."""
    before = set(client.state.allowed)
    text, head, body = question(client.state)
    connection = await Connection.open(client.port)
    try:
        await connection.send(head)
        step = max(1, len(body) // 20)
        for start in range(0, len(body), step):
            await connection.send(body[start : start + step])
            await asyncio.sleep(BODY_SECONDS * 0.02)
        return await right(client, connection, text, before)
    finally:
        connection.close()


async def header_that_stops(client):
    """Never ends its headers."""
    connection = await Connection.open(client.port)
    try:
        await connection.send(b"POST /v1/classify HTTP/1.1\r\nHost: loc")
        return await client.timed_out(connection, HEADER_SECONDS, silent=True)
    finally:
        connection.close()


async def header_that_drips(client):
    """Goes on sending a byte, so that there is always something new."""
    connection = await Connection.open(client.port)

    async def drip():
        await connection.send(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        while True:
            await asyncio.sleep(0.2)
            await connection.send(b"a")

    dripping = asyncio.create_task(drip())
    try:
        return await client.timed_out(connection, HEADER_SECONDS, silent=True)
    finally:
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        connection.close()


async def body_that_stops(client):
    """Sends half of a body."""
    _, head, body = question(client.state)
    connection = await Connection.open(client.port)
    try:
        await connection.send(head + body[: len(body) // 2])
        return await client.timed_out(connection, BODY_SECONDS, silent=False)
    finally:
        connection.close()


async def gone_before_the_answer(client):
    """Asks for much and goes."""
    connection = await Connection.open(client.port)
    try:
        await connection.send(post("/v1/classify", {"texts": client.state.texts[:64]}))
    finally:
        connection.close()
    await asyncio.sleep(0.2)


async def never_reads(client):
    """Asks for more than all buffers hold and reads nothing."""
    texts = client.state.texts[:64]
    data = post("/v1/classify", {"texts": texts, "top_k": "all"})
    connection = await Connection.open(client.port, SMALL_BUFFER)
    connection.writer.transport.pause_reading()

    async def send():
        for _ in range(PIPELINED):
            await connection.send(data)

    sending = asyncio.create_task(send())
    try:
        await asyncio.sleep(WRITE_SECONDS + LATE)
        # Whatever came, the end has to come with it: a server that still waits would go on answering.
        connection.writer.transport.resume_reading()
        if not await connection.ended(LATE):
            return f"still open {WRITE_SECONDS + LATE} s after nothing could be written any more"
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        connection.close()


IN_TIME = (header_a_byte_at_a_time, body_in_drops, gone_before_the_answer)
TOO_SLOW = (header_that_stops, body_that_stops, header_that_drips)
UNREAD = (never_reads,)
