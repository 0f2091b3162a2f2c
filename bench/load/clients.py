"""A client of HTTP/1.1 that sees what a library would hide: where a connection ends, and every byte of an
answer."""

import asyncio
import json
import socket

ANSWER_SECONDS = 20
JSON_TYPE = (("Content-Type", "application/json"),)


class Closed(Exception):
    """The server has closed the connection; `received` bytes of an answer had come."""

    def __init__(self, received=0):
        super().__init__(f"closed after {received} bytes of an answer")
        self.received = received


class Broken(Exception):
    """What came is no answer."""


class Answer:
    """Status, headers with names in lower case, body."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        """The body as JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Broken(f"status {self.status}, not JSON: {self.body[:200]!r}") from error

    def __str__(self):
        return f"status {self.status}: {self.body[:300].decode(errors='replace')}"


def request(method, path, body=b"", headers=()):
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def post(path, value):
    """The bytes of a request with JSON."""
    return request("POST", path, json.dumps(value).encode(), JSON_TYPE)


class Connection:
    """One connection. `used` tells whether an answer has come on it."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.used = reader, writer, False

    @classmethod
    async def open(cls, port, receive_buffer=None):
        """Connects; with a small buffer the server soon feels that nobody reads."""
        sock = socket.socket()
        try:
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return cls(*await asyncio.open_connection(sock=sock, limit=1 << 16))
        except BaseException:
            sock.close()
            raise

    async def send(self, data):
        """Sends all of it."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError as error:
            raise Closed from error

    async def answer(self, seconds=ANSWER_SECONDS, head=False):
        """The next answer; `head` for one without its body."""
        async with asyncio.timeout(seconds):
            while True:
                found = await self._answer(head)
                if found.status != 100:
                    self.used = True
                    return found

    async def _answer(self, head):
        came = 0
        try:
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            came = sum(map(len, lines))
            status = lines[0].split(" ")
            if status[0] != "HTTP/1.1" or not status[1].isdigit():
                raise Broken(f"no status line: {lines[0]!r}")
            pairs = (line.split(":", 1) for line in lines[1:] if line)
            headers = {name.lower(): value.strip() for name, value in pairs}
            code = int(status[1])
            if head or code in (100, 204, 304):
                return Answer(code, headers, b"")
            if headers.get("transfer-encoding") == "chunked":
                return Answer(code, headers, await self._chunks())
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
            return Answer(code, headers, body)
        except asyncio.IncompleteReadError as end:
            raise Closed(came + len(end.partial)) from end
        except asyncio.LimitOverrunError as error:
            raise Broken("headers without an end") from error
        except OSError as error:
            raise Closed(came) from error

    async def _chunks(self):
        pieces = []
        while True:
            size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
            piece = await self.reader.readexactly(size + 2)
            if size == 0:
                return b"".join(pieces)
            pieces.append(piece[:-2])

    async def ask(self, data):
        """Sends a request and takes its answer."""
        await self.send(data)
        return await self.answer()

    async def ended(self, seconds):
        """Whether the server closes the connection in time, whatever comes before that."""
        try:
            async with asyncio.timeout(seconds):
                while await self.reader.read(1 << 16):
                    pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def half_close(self):
        """Nothing more will be sent."""
        try:
            self.writer.write_eof()
        except OSError as error:
            raise Closed from error

    def close(self):
        """Lets go of it."""
        self.writer.transport.abort()


def wrong_problem(answer, accepted):
    """What is wrong with a refusal, or nothing; `accepted` are pairs of status and code."""
    if answer.status == 503 and not answer.headers.get("retry-after"):
        return f"503 without retry-after: {answer}"
    kind = answer.headers.get("content-type", "").split(";")[0]
    if kind != "application/problem+json":
        return f"content type {kind!r}, {answer}"
    told = answer.json()
    code = told.get("code")
    allowed = {*accepted, (503, "overloaded")}
    if (answer.status, code) not in allowed:
        return f"not one of {sorted(accepted)}: {answer}"
    if told.get("status") != answer.status:
        return f"the status in the body is another: {answer}"
    if not str(told.get("type", "")).endswith(f"#{code}"):
        return f"the type does not name the code: {answer}"
    if not told.get("title") or not told.get("detail"):
        return f"title or detail is missing: {answer}"
    if not told.get("request_id") or told["request_id"] != answer.headers.get("x-request-id"):
        return f"request_id is not x-request-id {answer.headers.get('x-request-id')!r}: {answer}"
    if answer.status == 405 and not answer.headers.get("allow"):
        return f"405 without allow: {answer}"
    return None
