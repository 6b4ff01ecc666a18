"""One player's Socket.IO connection.

Over picows: a message of 1.2 KB takes it 8 µs of a core, 13 to 17 with aiohttp's client (2,000 sockets, uvloop).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

import msgspec
import picows
from picows import WSError, WSFrame, WSInvalidStatusError, WSListener, WSMsgType, WSTransport

from tiebreak.load_test.http_client import CONNECT_SECONDS, Unanswered
from tiebreak.load_test.socket_packets import (
    ACKNOWLEDGEMENT,
    CONNECT,
    CONNECT_ERROR,
    EVENT,
    OPEN,
    PING,
    PONG,
    PacketInvalid,
    arguments_of,
    connect_packet,
    event_packet,
    refusal_of,
    socket_url,
)

Described = TypeVar("Described")


class SocketRefused(Exception):  # noqa: N818 - the word says what happened to the socket
    """The server does not let this socket in; `code` as in connect_error, or the HTTP status."""

    def __init__(self, code: str, title: str) -> None:
        super().__init__(title)
        self.code = code


class SocketClient(WSListener):
    """A socket in the namespace `/`. It does not connect again by itself."""

    def __init__(
        self,
        token: str,
        on_event: Callable[[bytes], None],
        on_lost: Callable[[], None],
        on_malformed: Callable[[], None],
    ) -> None:
        """`on_event` gets each event as it stands on the wire; `on_lost` is called once, unless we close it.

        `on_malformed` is called for each message that cannot be read, here or by `on_event` (PacketInvalid,
        msgspec.DecodeError). Nothing else comes of it.
        """
        super().__init__()
        self._token = token
        self._on_event = on_event
        self._on_lost = on_lost
        self._on_malformed = on_malformed
        self._connected = asyncio.get_running_loop().create_future()
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._number = 0
        self._transport: WSTransport | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def ask(self, event: str, argument: object, described: type[Described], *, seconds: float) -> Described:
        """Send an event and wait for its acknowledgement. Raises Unanswered."""
        transport = self._transport
        if transport is None:
            raise Unanswered("connection lost")
        self._number += 1
        number = self._number
        waiting = self._asked[number] = asyncio.get_running_loop().create_future()
        transport.send(WSMsgType.TEXT, event_packet(number, event, argument))
        try:
            async with asyncio.timeout(seconds):
                [acknowledged] = msgspec.json.decode(await waiting, type=tuple[described])
                return acknowledged
        except TimeoutError as error:
            raise Unanswered("timeout") from error
        except msgspec.DecodeError as error:
            raise Unanswered("malformed reply", str(error)) from error
        finally:
            self._asked.pop(number, None)

    def close(self) -> None:
        """Leave; `on_lost` is not called."""
        self._on_lost = lambda: None
        if self._transport:
            self._transport.disconnect()

    async def let_in(self) -> None:
        """Wait for the place in the namespace. Raises SocketRefused, Unanswered."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._connected
        except TimeoutError as error:
            raise Unanswered("timeout") from error

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        try:
            self._received(transport, frame.get_payload_as_bytes())
        except (PacketInvalid, msgspec.DecodeError):
            # picows would take what is raised for a reason to close: a connection lost, and nobody would know why.
            self._on_malformed()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        self._end(Unanswered("connection lost"))
        self._on_lost()

    def _received(self, transport: WSTransport, payload: bytes) -> None:
        if payload.startswith(EVENT):
            self._on_event(payload)
        elif payload.startswith(ACKNOWLEDGEMENT):
            number, arguments = arguments_of(payload)
            waiting = self._asked.get(number or 0)
            if waiting and not waiting.done():
                waiting.set_result(arguments)
        elif payload == PING:
            transport.send(WSMsgType.TEXT, PONG)
        elif payload.startswith(CONNECT_ERROR):
            refusal = refusal_of(payload)
            self._end(SocketRefused(refusal.data.code, refusal.message))
        elif payload.startswith(CONNECT):
            if not self._connected.done():
                self._connected.set_result(None)
        elif payload.startswith(OPEN):
            transport.send(WSMsgType.TEXT, connect_packet(self._token))
        else:  # the WebSocket's own closing, or the namespace's
            transport.disconnect()

    def _end(self, error: Exception) -> None:
        for waiting in (self._connected, *self._asked.values()):
            if not waiting.done():
                waiting.set_exception(error)


async def connected(
    origin: str,
    token: str,
    on_event: Callable[[bytes], None],
    on_lost: Callable[[], None],
    on_malformed: Callable[[], None],
) -> SocketClient:
    """A socket that the server has let in. Raises SocketRefused, Unanswered."""
    client = SocketClient(token, on_event, on_lost, on_malformed)
    try:
        await picows.ws_connect(
            lambda: client,
            socket_url(origin),
            websocket_handshake_timeout=CONNECT_SECONDS,
            logger_name=quiet_logger(),
        )
    except WSInvalidStatusError as error:
        status = int(error.response.status) if error.response else 0
        raise SocketRefused(str(status), f"HTTP status {status}") from error
    except TimeoutError as error:
        raise Unanswered("timeout") from error
    except (WSError, OSError) as error:
        raise Unanswered("connection lost", str(error)) from error
    try:
        await client.let_in()
    except (SocketRefused, Unanswered):
        client.close()
        raise
    return client


def quiet_logger() -> logging.Logger:
    """picows tells of every connection that comes and goes."""
    logger = logging.getLogger("picows.client")
    logger.setLevel(logging.ERROR)
    return logger
