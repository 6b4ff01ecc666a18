"""What a client that comes back has missed, and the session it had: connection state recovery.

Restored completely or not at all. A message of its rooms after the offset is either in what is returned, or has not
been delivered here yet when that is returned: the caller must put the socket into its rooms without waiting before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import structlog

from tiebreak.redis_client import Entries, Redis, RedisError
from tiebreak.socket_adapter.redis_streams.messages import Broadcast, MessageType
from tiebreak.socket_adapter.redis_streams.reader import StreamReader
from tiebreak.socket_adapter.redis_streams.ring import Incomplete, Kept, Ring, Rooms
from tiebreak.socket_adapter.redis_streams.session_format import StoredSession
from tiebreak.socket_adapter.redis_streams.sessions import Sessions
from tiebreak.socket_adapter.redis_streams.stream_ids import OFFSET, order
from tiebreak.socket_adapter.redis_streams.wire import Undecodable, decode_data, decode_entry
from tiebreak.socket_adapter.socket_io.adapter import Restored, SavedSession

log = structlog.get_logger()

MAX_MISSED = 1_000
MAX_MISSED_BYTES = 1 << 20
# Pages of the stream are read only for messages this process has no more, or never had.
PAGE = 500
MAX_PAGES = 20
# The server the client was with may have read on further than we have.
CATCH_UP_SECONDS = 1.0
# Without Redis a client that comes back is a new one, soon.
RESTORE_SECONDS = 2.0


class Recovery:
    """For the sockets of one namespace."""

    def __init__(
        self,
        redis: Redis,
        reader: StreamReader,
        *,
        stream: str,
        namespace: str,
        sessions: Sessions,
        ring: Ring,
        tell_holder: Callable[[StoredSession], None],
    ) -> None:
        self._redis = redis
        self._reader = reader
        self._stream = stream
        self._nsp = namespace.encode()
        self._sessions = sessions
        self._ring = ring
        self._tell_holder = tell_holder

    async def restore(self, pid: str, offset: str | None) -> Restored | None:
        """None for a session nobody has, or whose messages since `offset` are not all known. It can be had once.

        Nothing is awaited after the last look at what has been delivered here.
        """
        if offset is not None and not OFFSET.fullmatch(offset):
            return None
        try:
            async with asyncio.timeout(RESTORE_SECONDS):
                session = await self._sessions.take(pid)
            if session is None:
                return None
            self._tell_holder(session)
            async with asyncio.timeout(RESTORE_SECONDS):
                missed = await self._missed_by(session, offset)
            replayed = [[*_replayed(kept), kept.id] for kept in missed]
        except (RedisError, OSError, Incomplete, Undecodable, TimeoutError) as reason:
            self._sessions.forget(pid)
            log.info("cluster.not_recovered", reason=str(reason) or type(reason).__name__)
            return None
        return Restored(SavedSession(session.sid, session.pid, session.rooms, session.data), replayed)

    async def _missed_by(self, session: StoredSession, offset: str | None) -> list[Kept]:
        if offset:
            return await self._missed(offset, session.rooms, has_offset=True)
        if session.since is None:
            raise Incomplete("no offset")
        return await self._missed(session.since, session.rooms, has_offset=False)

    async def _missed(self, offset: str, rooms: Rooms, *, has_offset: bool) -> list[Kept]:
        losses = self._ring.losses
        if losses and order(offset) <= order(self._ring.lost_until):
            raise Incomplete("messages were lost since")
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while order(self._reader.positions[self._stream]) < order(offset):
                await self._reader.advance()
        if offset not in self._ring and self._ring.reaches(offset):
            # Of an entry that is not replayed, or of none: what came after it is here all the same.
            if has_offset and not await self._redis.xrange(self._stream, min=offset, max=offset, count=1):
                raise Incomplete("an unknown offset")
            if self._ring.losses != losses:
                raise Incomplete("entries were lost meanwhile")
            last = self._ring.last_until(offset)
            return self._ring.after(last, rooms, max_count=MAX_MISSED, max_bytes=MAX_MISSED_BYTES)
        earlier: list[Kept] = []
        reached = offset
        pages = 0
        while offset not in self._ring and (pages == 0 or order(reached) < order(self._ring.base)):
            if pages == MAX_PAGES or order(offset) > order(self._ring.base):
                raise Incomplete("an unknown offset, or one too far back")
            pages += 1
            page, reached = await self._page(reached, rooms)
            earlier += page
            if len(earlier) > MAX_MISSED or sum(len(kept.data or b"") for kept in earlier) > MAX_MISSED_BYTES:
                raise Incomplete("too much")
        if self._ring.losses != losses:
            raise Incomplete("entries were lost meanwhile")
        if not pages or offset in self._ring:
            return self._ring.after(offset, rooms, max_count=MAX_MISSED, max_bytes=MAX_MISSED_BYTES)
        return earlier + self._ring.after(
            None,
            rooms,
            max_count=MAX_MISSED - len(earlier),
            max_bytes=MAX_MISSED_BYTES - sum(len(kept.data or b"") for kept in earlier),
        )

    async def _page(self, start: str, rooms: Rooms) -> tuple[list[Kept], str]:
        """What these rooms were sent after `start`, which must be in the stream still, and how far that goes."""
        base = self._ring.base
        entries = cast("Entries", await self._redis.xrange(self._stream, min=start, max=base, count=PAGE + 1))
        if not entries or entries[0][0] != start.encode():
            raise Incomplete("the offset is not in the stream")
        page = [
            Kept(0, entry_id.decode(), rooms=broadcast.opts.rooms, except_=broadcast.opts.except_, data=fields[b"data"])
            for entry_id, fields in entries[1:]
            if (broadcast := self._broadcast(fields)) and _concerns(broadcast, rooms)
        ]
        return page, entries[-1][0].decode() if len(entries) > PAGE else base

    def _broadcast(self, fields: dict[bytes, bytes]) -> Broadcast | None:
        """One that is for sockets of ours and is replayed."""
        if fields.get(b"nsp") != self._nsp or fields.get(b"type") != b"3":
            return None
        data = decode_entry(fields).data
        return data if isinstance(data, Broadcast) and data.replayable else None


def _concerns(broadcast: Broadcast, rooms: Rooms) -> bool:
    to, except_ = broadcast.opts.rooms, broadcast.opts.except_
    return (not to or any(room in to for room in rooms)) and not any(room in except_ for room in rooms)


def _replayed(kept: Kept) -> list[object]:
    broadcast = cast("Broadcast", decode_data(MessageType.BROADCAST, kept.data or b""))
    return broadcast.packet.data
