"""Lanes: requests that come by the thousand are answered in the connection, past ASGI and the router.

Everything else about them stays as it is: uvicorn's parser, keep-alive, pipelining and shutdown, our deadlines and
limits, the problem documents. What is out of the ordinary about a request (it is pipelined behind another, expects
100-continue, has a query) sends it the ordinary way, to the route of the same address, which does the same.

A request that comes whole, in one read, is not even seen by uvicorn (lane_heads.py): it has no use for its deadlines.
And most connections send the same head again and again: what was read of it once is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog
from uvicorn.config import Config
from uvicorn.server import ServerState

from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.bodies import LARGEST_BODY_BYTES
from tiebreak.http_edge.connections import HttpConnection
from tiebreak.http_edge.lane_heads import Head, head_of
from tiebreak.http_edge.lane_responses import ResponseHeads
from tiebreak.http_edge.problems import MEDIA_TYPE, problem_content, problem_headers, refusal_of
from tiebreak.http_edge.request_ids import request_id_of


class Lane(Protocol):
    """Answers the requests to one path."""

    def caller_of(self, authorization: bytes | None) -> Any:  # noqa: ANN401 - the lane's own
        """What there is to know of the caller without waiting, for `begin`; None: only `answer` can say.

        Kept as long as a connection sends the same head. Whether it still holds is for `begin` to see, each time.
        """
        ...

    def begin(self, caller: Any, body: bytes, settle: Callable[[Any], None]) -> bool:  # noqa: ANN401 - the lane's own
        """Whether `settle` will be told what `content_of` takes, or an exception, once and later than now.

        If not, `answer` has to wait for something else first. Raises Refused.
        """
        ...

    def content_of(self, outcome: Any) -> bytes:  # noqa: ANN401 - the lane's own
        """The JSON of a 200. Raises Refused, or the outcome if it is an exception."""
        ...

    async def answer(self, authorization: bytes | None, body: bytes) -> bytes:
        """The JSON of a 200. Raises Refused."""
        ...


# By exact path; POST only.
Lanes = Mapping[bytes, Lane]


class NoEvent:
    """For uvicorn, which wakes up an ASGI application when something has come for it: nobody waits here."""

    def set(self) -> None:
        pass


class Exchange:
    """A request on a lane and its response: in uvicorn's eyes, one of its own request-response cycles."""

    __slots__ = (
        "authorization",
        "body",
        "caller",
        "disconnected",
        "keep_alive",
        "lane",
        "more_body",
        "path",
        "request_id",
        "response_complete",
    )
    message_event = NoEvent()

    def __init__(
        self, lane: Lane, path: bytes, authorization: bytes | None, request_id: str | None, *, keep_alive: bool
    ) -> None:
        self.lane = lane
        self.path = path
        self.authorization = authorization
        # What the lane knows of who that is.
        self.caller: Any = None
        self.request_id = request_id
        # Not kept beyond what it is read for: an exchange lives as long as its connection is idle.
        self.body = bytearray()
        self.keep_alive = keep_alive
        self.more_body = True
        self.disconnected = False
        self.response_complete = False


class LaneConnection(HttpConnection):
    """A connection on which some requests have a lane."""

    # One for all connections.
    _heads = ResponseHeads()
    # To uvicorn it is one of its own, to us often an Exchange.
    cycle: Any
    # The one under way: there are never two.
    _exchange: Exchange

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        lanes: Lanes,
        outages: tuple[type[Exception], ...],
    ) -> None:
        """`outages` are the exceptions that say a server we stand on is away: a 503."""
        super().__init__(config, server_state, app_state, _loop)
        self._lanes = lanes
        self._outages = outages
        # Nothing of a request was read that has not come to its end.
        self._between_requests = True
        self._head: Head | None = None
        # That of the requests with this head, one after the other.
        self._repeated: Exchange | None = None
        # When the last exchange ended (loop time).
        self._rested_at = float("-inf")

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        # As _is_free has it.
        if not self._between_requests or (cycle and not cycle.response_complete) or self.flow.write_paused:
            super().data_received(data)
            return
        head, exchange = self._head, self._repeated
        if head is None or exchange is None or len(data) != head.size or not data.startswith(head.text):
            head = self._head = head_of(data, self._lanes)
            if head is None:
                super().data_received(data)
                return
            lane = self._lanes[head.path]
            exchange = Exchange(lane, head.path, head.authorization, head.request_id, keep_alive=True)
            self._repeated = exchange
        if self._head_deadline:
            self._head_came()
        exchange.response_complete = False
        self.cycle = exchange
        self._begin(exchange, data[len(head.text) :])

    def on_message_begin(self) -> None:
        self._between_requests = False
        super().on_message_begin()

    def begin_request(self) -> None:
        lane, parser = self._lanes.get(self.url), self.parser
        if (
            lane is None
            or parser is None
            or self.expect_100_continue
            or not self._is_free()
            or parser.get_method() != b"POST"
            or parser.get_http_version() != "1.1"
            or parser.should_upgrade()
        ):
            super().begin_request()
            return
        # Of two, the first counts; so it is in Litestar.
        authorization = next((value for name, value in self.headers if name == b"authorization"), None)
        request_id = request_id_of(self.headers)
        keep_alive = parser.should_keep_alive()
        self.cycle = Exchange(lane, self.url, authorization, request_id, keep_alive=keep_alive)

    def on_body(self, body: bytes) -> None:
        exchange = self.cycle
        if not isinstance(exchange, Exchange):
            super().on_body(body)
        elif not exchange.response_complete:
            exchange.body += body
            if len(exchange.body) > LARGEST_BODY_BYTES:
                exchange.body = bytearray()
                self._refuse_exchange(exchange, Refused(Refusal.BODY_TOO_LARGE))

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._between_requests = True
        exchange = self.cycle
        if isinstance(exchange, Exchange) and not exchange.response_complete:
            body, exchange.body = bytes(exchange.body), bytearray()
            self._begin(exchange, body)

    def timeout_keep_alive_handler(self) -> None:
        # The timer goes on through exchanges on lanes: setting it anew each time costs more than looking here.
        left = self.timeout_keep_alive
        if self._is_free():
            left -= self.loop.time() - self._rested_at
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _is_free(self) -> bool:
        """No response is owed, and the last ones are being read."""
        cycle = self.cycle
        return (not cycle or cycle.response_complete) and not self.flow.write_paused

    def _begin(self, exchange: Exchange, body: bytes) -> None:
        self._exchange = exchange
        try:
            caller = exchange.caller
            if caller is None:
                caller = exchange.caller = exchange.lane.caller_of(exchange.authorization)
            if caller is not None and exchange.lane.begin(caller, body, self._end):
                return
        except Exception as error:
            self._fail(exchange, error)
            return
        # It may be that it does not hold any more.
        exchange.caller = None
        task = self.loop.create_task(self._answer(exchange, body))
        # uvicorn waits for these when it ends.
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _end(self, outcome: Any) -> None:  # noqa: ANN401 - the lane's own
        exchange = self._exchange
        try:
            content = exchange.lane.content_of(outcome)
        except Exception as error:
            self._fail(exchange, error)
        else:
            self._reply(exchange, content)

    async def _answer(self, exchange: Exchange, body: bytes) -> None:
        if exchange.request_id:
            # The task's own context: nothing to take back.
            structlog.contextvars.bind_contextvars(request_id=exchange.request_id)
        try:
            content = await exchange.lane.answer(exchange.authorization, body)
        except Exception as error:
            self._fail(exchange, error)
        else:
            self._reply(exchange, content)

    def _fail(self, exchange: Exchange, error: Exception) -> None:
        if isinstance(error, Refused):
            self._refuse_exchange(exchange, error)
            return
        fields = {"request_id": exchange.request_id} if exchange.request_id else {}
        with structlog.contextvars.bound_contextvars(**fields):
            refusal = refusal_of(error, exchange.path.decode(), self._outages)
        self._refuse_exchange(exchange, Refused(refusal))

    def _refuse_exchange(self, exchange: Exchange, refused: Refused) -> None:
        content = problem_content(refused.refusal, refused.detail)
        headers = {"content-type": MEDIA_TYPE, "content-length": str(len(content))}
        headers |= problem_headers(refused.refusal, refused.retry_after_seconds)
        fields = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items()).encode()
        common, keep_alive = self.server_state.default_headers, exchange.keep_alive
        head = self._heads.of(refused.refusal.status, fields, common, keep_alive=keep_alive)
        self._reply(exchange, content, head)

    def _reply(self, exchange: Exchange, content: bytes, head: bytes | None = None) -> None:
        """With a 200's head, if none is given."""
        exchange.response_complete = True
        transport = self.transport
        if transport.is_closing():
            return
        if head is None:
            head = self._heads.ok(len(content), self.server_state.default_headers, exchange.keep_alive)
        transport.write(head + content)
        if not exchange.keep_alive:
            transport.close()
        if self.pipeline or self.timeout_keep_alive_task is None or not exchange.keep_alive:
            self.on_response_complete()
        else:
            self._rested_at = self.loop.time()
            self.server_state.total_requests += 1
