"""Holds connections open, each after one request, and tells of them once for each line of input.

    python idle.py PORT COUNT

What the server closes is opened anew, and counted.
"""

import asyncio
import json
import resource
import sys

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
AT_ONCE = 200


class Held(asyncio.Protocol):
    """One connection."""

    def __init__(self, counts):
        self.counts, self.answered = counts, asyncio.get_running_loop().create_future()
        self.open = False

    def connection_made(self, transport):
        self.open = True
        transport.write(REQUEST)

    def data_received(self, data):
        if not self.answered.done():
            right = data.startswith(b"HTTP/1.1 200 ")
            self.counts["open" if right else "refused"] += 1
            self.answered.set_result(right)

    def connection_lost(self, _):
        self.open = False
        if not self.answered.done():
            self.answered.set_result(False)
            self.counts["failed"] += 1
        elif self.answered.result():
            self.counts["open"] -= 1
            self.counts["closed"] += 1


async def fill(port, count, counts):
    """Opens what is missing, and again."""
    loop = asyncio.get_running_loop()
    while True:
        missing = min(AT_ONCE, count - counts["open"])
        if missing > 0:
            tries = [loop.create_connection(lambda: Held(counts), "127.0.0.1", port) for _ in range(missing)]
            made = await asyncio.gather(*tries, return_exceptions=True)
            held = [each[1] for each in made if isinstance(each, tuple)]
            counts["failed"] += len(made) - len(held)
            for one in held:
                await one.answered
        await asyncio.sleep(0.02 if missing > 0 else 0.5)


async def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    counts = {"open": 0, "closed": 0, "refused": 0, "failed": 0}
    filling = asyncio.create_task(fill(int(sys.argv[1]), int(sys.argv[2]), counts))
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(counts), flush=True)
    filling.cancel()


asyncio.run(main())
