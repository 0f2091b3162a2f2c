"""Clients that send what has to be refused."""

import asyncio

from load.clients import Broken, Closed, Connection, request, wrong_problem
from load.refusals import table

ALIVE = request("GET", "/healthz")
PAUSE = 0.03


class RefusedClient:
    """Sends the whole table again and again, each time in another order."""

    def __init__(self, state, port, stop):
        self.state, self.port, self.stop = state, port, stop
        self.table = table()

    async def run(self):
        """Goes on until it is stopped, after the whole table at least."""
        first = True
        while first or not self.stop.is_set():
            self.state.draw.shuffle(self.table)
            for refusal in self.table:
                try:
                    wrong = await self.send(refusal)
                except (Broken, TimeoutError, OSError) as error:
                    wrong = repr(error)
                if wrong:
                    self.state.wrong(f"refusal: {refusal.name}", wrong)
                self.state.counts["refusals"] += 1
                if self.stop.is_set() and not first:
                    return
                await asyncio.sleep(PAUSE)
            first = False

    async def send(self, refusal):
        """What is wrong with the answer, or nothing."""
        connection = await Connection.open(self.port)
        # While it is sent the answer is waited for, since the server need not take all of it.
        sending = asyncio.create_task(self.all(connection, refusal))
        try:
            answer = await connection.answer(10)
            bare = refusal.bare and not answer.body
            if bare and answer.status in {status for status, _ in refusal.accepted}:
                return None
            wrong = wrong_problem(answer, refusal.accepted)
            if wrong or not refusal.keeps or answer.headers.get("connection") == "close":
                return wrong
            await sending
            alive = await connection.ask(ALIVE)
            return None if alive.status == 200 else f"the next answer is {alive}"
        except Closed as closed:
            if refusal.silent and not closed.received:
                return None
            return f"{closed}, expected one of {sorted(refusal.accepted)}"
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            connection.close()

    @staticmethod
    async def all(connection, refusal):
        """Sends the request."""
        await connection.send(refusal.data)
        if refusal.half:
            connection.half_close()
