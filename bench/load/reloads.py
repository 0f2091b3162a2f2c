"""Exchanges the model under the server: for another, for a broken file, with and without a signal."""

import asyncio
import os
import signal
import time

from load.clients import Broken, Closed, Connection, request

WATCH_SECONDS = 1
FLAGS = ("--watch-interval", f"{WATCH_SECONDS}s")
# How much later than the interval says a new model may answer.
LATE = 4
PAUSE = 2


class Reloads:
    """Puts one file after the other in the place of the model."""

    def __init__(self, state, server, place, stop):
        self.state, self.server, self.place, self.stop = state, server, place, stop
        self.current = next(iter(state.allowed))

    async def run(self):
        """Goes on until it is stopped; a good model is in place then."""
        while not self.stop.is_set():
            for step in (self.other, self.other, self.broken, self.other):
                try:
                    await step()
                except (Closed, Broken, TimeoutError, OSError, KeyError) as error:
                    self.state.wrong("reload", repr(error))
                if self.stop.is_set():
                    break
                await asyncio.sleep(PAUSE)

    def put(self, content):
        """Puts a file in place in one step, sometimes with a signal right after it."""
        new = self.place.with_suffix(".new")
        new.write_bytes(content)
        os.replace(new, self.place)
        if self.state.draw.random() < 0.4:
            os.kill(self.server.pid, signal.SIGHUP)
            self.state.counts["SIGHUP"] += 1

    async def loaded(self):
        """The checksum of the model that the server has."""
        connection = await Connection.open(self.server.port)
        try:
            answer = await connection.ask(request("GET", "/v1/models"))
            return answer.json()["models"][0]["checksum"]
        finally:
            connection.close()

    async def other(self):
        """Exchanges the two good models."""
        (checksum,) = set(self.state.models) - {self.current}
        self.state.allowed = {self.current, checksum}
        self.put(self.state.models[checksum].path.read_bytes())
        end = time.monotonic() + WATCH_SECONDS + LATE
        while await self.loaded() != checksum:
            if time.monotonic() > end:
                self.state.wrong("reload", f"{checksum} is not loaded after {WATCH_SECONDS + LATE} s")
                return
            await asyncio.sleep(0.05)
        self.current, self.state.allowed = checksum, {checksum}
        self.state.counts["models exchanged"] += 1

    async def broken(self):
        """Puts a file in place that is no model: the one before has to stay."""
        good = next(iter(self.state.models.values())).path.read_bytes()
        middle = len(good) // 2
        flipped = good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :]
        self.put(self.state.draw.choice((good[:middle], b"", b"no model at all", flipped)))
        await asyncio.sleep(WATCH_SECONDS + 1)
        found = await self.loaded()
        if found != self.current:
            self.state.wrong("reload", f"after a broken file the model is {found}, not {self.current}")
        self.state.counts["broken models put in place"] += 1
