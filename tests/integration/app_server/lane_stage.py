"""A server with a lane whose outcomes the test decides, beside a route of the same address."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog

from tests.conformance.http_connection import HttpConnection, connect
from tests.conformance.server_program import Endpoint
from tiebreak.errors import KeysUnavailable, Refusal, Refused
from tiebreak.http_edge.lanes import LaneConnection
from tiebreak.http_edge.serving import serve
from tiebreak.settings import Settings

PATH = "/lane"


class OutOfOrder(Exception):  # noqa: N818 - it plays an outage
    """A server that the lane stands on is away."""


FAILURES: dict[str, Callable[[], Exception]] = {
    "refused": lambda: Refused(Refusal.BUSY),
    "outage": lambda: OutOfOrder("away"),
    "keys": lambda: KeysUnavailable("none"),
    "bug": lambda: ZeroDivisionError("a bug"),
}


class TestLane:
    """What becomes of a request is the first word of its body, or how far it got: see the methods."""

    __test__ = False

    def __init__(self) -> None:
        self.asked: list[bytes | None] = []
        self.began: list[bytes] = []
        self.ended: list[bytes] = []
        self.contexts: list[dict[str, Any]] = []
        self.may_end = asyncio.Event()
        self._later: set[asyncio.Task[None]] = set()

    def caller_of(self, authorization: bytes | None) -> bytes | None:
        """Nobody knows "unknown"."""
        self.asked.append(authorization)
        return None if authorization == b"unknown" else authorization or b"anybody"

    def begin(self, caller: bytes, body: bytes, settle: Callable[[Any], None]) -> bool:
        """ "later" waits for `may_end`; "wait" does so in `answer`."""
        assert caller != b"unknown"
        self.began.append(body)
        how = body.split()[0].decode()
        if how == "wait":
            return False
        if how.startswith("begin-"):
            raise FAILURES[how.removeprefix("begin-")]()
        outcome = FAILURES[how]() if how in FAILURES else body
        if how == "later":
            self._later.add(asyncio.create_task(self._end(settle, outcome)))
        else:
            asyncio.get_running_loop().call_soon(settle, outcome)
        return True

    async def _end(self, settle: Callable[[Any], None], outcome: object) -> None:
        await self.may_end.wait()
        settle(outcome)

    def content_of(self, outcome: bytes | Exception) -> bytes:
        if isinstance(outcome, Exception):
            raise outcome
        self.ended.append(outcome)
        return content_of(outcome)

    async def answer(self, authorization: bytes | None, body: bytes) -> bytes:
        await self.may_end.wait()
        self.contexts.append(structlog.contextvars.get_contextvars())
        return self.content_of(body)


class LaneStage:
    """The server, and what it did."""

    def __init__(self) -> None:
        self.lane = TestLane()
        self.stop = asyncio.Event()
        self.route_bodies: list[bytes] = []

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """The route: answers with the body; with what was there already, if the query says "early"."""
        body = b""
        more = scope["query_string"] != b"early"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        self.route_bodies.append(body)
        content = content_of(body)
        headers = [(b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[HttpConnection]:
        async with connect(self.endpoint) as connection:
            yield connection

    async def serve(self) -> None:
        listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.endpoint = Endpoint(listening.getsockname()[1], PATH)
        settings = Settings(listen_fd=listening.detach(), drain_seconds=0)
        lanes = {PATH.encode(): self.lane}
        await serve(self.app, settings, self.stop, None, partial(LaneConnection, lanes=lanes, outages=(OutOfOrder,)))


def content_of(body: bytes) -> bytes:
    """The body as a JSON string; for "much", 6 KB of it."""
    return b'"%b"' % body * (1_000 if body == b"much" else 1)


@asynccontextmanager
async def lane_stage() -> AsyncIterator[LaneStage]:
    """A stage that serves until the end of the block."""
    stage = LaneStage()
    serving = asyncio.create_task(stage.serve())
    await asyncio.sleep(0)
    try:
        yield stage
    finally:
        stage.lane.may_end.set()
        stage.stop.set()
        await serving


def lane_request(body: str, *headers: str, target: str = PATH) -> bytes:
    """A POST, by default on the lane."""
    lines = [f"POST {target} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines).encode()


def route_request(body: str, *headers: str) -> bytes:
    """The same by the route."""
    return lane_request(body, *headers, target=f"{PATH}?x")
