"""The stream that joins the app servers.

Its entries are those of @socket.io/redis-streams-adapter 0.3 (`uid`, `nsp`, `type` "3" = broadcast, `data` JSON
of `opts` and `packet`), so that a Node server on the same Redis takes part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal, Protocol, cast

import msgspec
import structlog

from tiebreak.redis_client import Entries, Redis, RedisError, StreamReply

log = structlog.get_logger()

STREAM = "socket.io"
NAMESPACE = "/"
BROADCAST = "3"
EVENT_PACKET = 2
# Clients take an event of another kind, or of one of these names, for a broken connection.
RESERVED_EVENTS = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
MAX_LENGTH = 10_000
READ_COUNT = 500
# Well below the time-out of the connection.
BLOCK_MS = 1_000
LONGEST_BACKOFF_SECONDS = 2.0


class BroadcastOptions(msgspec.Struct, frozen=True, rename="camel"):
    """To whom: sockets in any of `rooms`, or all if none is named, but none that is in a room of `except_`."""

    rooms: list[str]
    except_: list[str] = msgspec.field(name="except", default_factory=list[str])
    flags: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


class Packet(msgspec.Struct, frozen=True):
    """A Socket.IO event packet: `data` is its name and its arguments."""

    data: list[Any]
    type: Literal[2] = EVENT_PACKET
    nsp: str = NAMESPACE


class Broadcast(msgspec.Struct, frozen=True):
    """The `data` field of an entry."""

    opts: BroadcastOptions
    packet: Packet


class Rooms(Protocol):
    """The sockets of this process."""

    async def deliver(
        self, event: str, arguments: Sequence[object], *, rooms: Sequence[str], excluded: Sequence[str]
    ) -> None:
        """Write a message, once, to every socket in any of `rooms`, or to all if none is named.

        Not to those that are in a room of `excluded`.
        """
        ...


async def relay_stream(redis: Redis, rooms: Rooms, *, from_id: str) -> None:
    """Deliver what is appended after `from_id` to our sockets, for ever.

    Reads on from the last id seen, never from "$": what comes between two reads is not missed. While Redis is
    away it waits, longer each time. What is not a message to sockets of ours, or holds binary data, is passed over.
    """
    last_id: str | bytes = from_id
    backoff = 0.1
    while True:
        try:
            reply = await redis.xread({STREAM: last_id}, count=READ_COUNT, block=BLOCK_MS)
            backoff = 0.1
        except (RedisError, OSError) as error:
            log.warning("cluster.unavailable", error=str(error), retry_seconds=backoff)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
            continue
        for _, entries in cast("StreamReply | None", reply) or []:
            for entry_id, fields in entries:
                last_id = entry_id
                await _deliver(rooms, fields)


async def newest_id(redis: Redis) -> str:
    """The id of the stream's last entry: where a process that starts now begins to read."""
    entries = cast("Entries", await redis.xrevrange(STREAM, count=1))
    return entries[0][0].decode() if entries else "0-0"


async def _deliver(rooms: Rooms, fields: dict[bytes, bytes]) -> None:
    if fields.get(b"type") != BROADCAST.encode() or fields.get(b"nsp") != NAMESPACE.encode():
        return
    try:
        broadcast = msgspec.json.decode(fields[b"data"], type=Broadcast)
        event, *arguments = broadcast.packet.data
        if not isinstance(event, str) or event in RESERVED_EVENTS:
            raise ValueError(f"{event!r} is no name of an event")
        await rooms.deliver(event, arguments, rooms=broadcast.opts.rooms, excluded=broadcast.opts.except_)
    except (KeyError, ValueError, RecursionError) as error:
        log.warning("cluster.entry_undecodable", error=str(error))
