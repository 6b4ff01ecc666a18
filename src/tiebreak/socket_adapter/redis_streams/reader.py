"""Reads the streams: each entry once, in order, for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import structlog

from tiebreak.redis_client import Redis, RedisError, ResponseError, StreamReply
from tiebreak.socket_adapter.redis_streams.patience import Backoff, end_if_cancelled
from tiebreak.socket_adapter.redis_streams.stream_ids import NOTHING, Gap, StreamState, gap_after

log = structlog.get_logger()

LARGEST_READ = 500
# Well below the time-out of the connection.
BLOCK_MS = 1_000
# As often, when nothing comes, we look whether the streams still go on where we are.
IDLE_READS = 5
# After so long other tasks get a turn.
LONGEST_TURN_SECONDS = 0.005
BEHIND_SECONDS = 0.002


class StreamReader:
    """Our place in each stream. Reads on from a concrete id, never "$": what comes between two reads is not missed."""

    def __init__(
        self,
        redis: Redis,
        streams: Sequence[str],
        *,
        max_length: int,
        receive: Callable[[str, str, dict[bytes, bytes]], None],
        on_gap: Callable[[str, Gap], None],
        is_behind: Callable[[], bool],
    ) -> None:
        """`receive` gets the stream, the id and the fields of each entry and does not raise.

        `max_length` is that of the streams. While the process `is_behind` with what it has, entries wait in the stream.
        """
        self._redis = redis
        self._receive = receive
        # Whoever misses entries that were trimmed has more than one full read behind.
        self._read_count = max(1, min(LARGEST_READ, max_length // 4))
        self._on_gap = on_gap
        self._is_behind = is_behind
        self.positions: dict[str, str] = dict.fromkeys(streams, NOTHING)
        self._advanced = asyncio.Event()

    async def start(self) -> None:
        """Begin after the last entry there is now. Raises what Redis raises."""
        states, _ = await self._look()
        for stream, state in states.items():
            self.positions[stream] = state.last_id if state else NOTHING

    async def advance(self) -> None:
        """Returns when more has been read."""
        await self._advanced.wait()

    async def run(self) -> None:
        """Read for ever; while Redis is away, try again, longer apart each time."""
        backoff = Backoff()
        while True:
            end_if_cancelled()
            try:
                async with self._redis.client() as connection:
                    await self._read_on(connection, backoff)
            except (RedisError, OSError) as error:
                seconds = backoff.next_seconds()
                log.warning("cluster.unavailable", error=str(error), retry_seconds=round(seconds, 3))
                await asyncio.sleep(seconds)

    async def _read_on(self, connection: Redis, backoff: Backoff) -> None:
        careful = True
        idle = 0
        while True:
            end_if_cancelled()
            entries = await (self._read_carefully() if careful else self._read(connection))
            backoff.reset()
            full = any(len(of_stream) >= self._read_count for _, of_stream in entries)
            if full and not careful:
                # So far behind, entries may have been trimmed before we came to them: look again.
                careful = True
                continue
            idle = 0 if entries or careful else idle + 1
            careful = full or idle >= IDLE_READS
            await self._deliver(entries)

    async def _read(self, connection: Redis) -> StreamReply:
        reply = await connection.xread({**self.positions}, count=self._read_count, block=BLOCK_MS)
        return cast("StreamReply | None", reply) or []

    async def _read_carefully(self) -> StreamReply:
        """Read, and look in the same moment whether entries are gone that we have not read."""
        states, entries = await self._look()
        for stream, state in states.items():
            if gap := gap_after(self.positions[stream], state):
                self.positions[stream] = gap.position
                self._on_gap(stream, gap)
        return entries

    async def _look(self) -> tuple[dict[str, StreamState | None], StreamReply]:
        async with self._redis.pipeline(transaction=True) as pipe:
            for stream in self.positions:
                pipe.xinfo_stream(stream)
            pipe.xread({**self.positions}, count=self._read_count)
            *told, entries = await pipe.execute(raise_on_error=False)
        if isinstance(entries, Exception):
            raise entries
        return {stream: _state(reply) for stream, reply in zip(self.positions, told, strict=True)}, entries or []

    async def _deliver(self, entries: StreamReply) -> None:
        loop = asyncio.get_running_loop()
        turn_ends = loop.time() + LONGEST_TURN_SECONDS
        for name, of_stream in entries:
            stream = name.decode()
            for raw_id, fields in of_stream:
                entry_id = raw_id.decode()
                self._receive(stream, entry_id, fields)
                self.positions[stream] = entry_id
                if loop.time() > turn_ends or self._is_behind():
                    self._wake_waiting()
                    await self._give_way()
                    turn_ends = loop.time() + LONGEST_TURN_SECONDS
        self._wake_waiting()

    async def _give_way(self) -> None:
        await asyncio.sleep(0)
        while self._is_behind():  # noqa: ASYNC110 - nobody tells when it is not any more
            await asyncio.sleep(BEHIND_SECONDS)

    def _wake_waiting(self) -> None:
        self._advanced.set()
        self._advanced = asyncio.Event()


def _state(reply: dict[str, Any] | Exception) -> StreamState | None:
    if isinstance(reply, ResponseError) and "no such key" in str(reply):
        return None
    if isinstance(reply, Exception):
        raise reply
    first = cast("tuple[bytes, object] | None", reply["first-entry"])
    return StreamState(
        reply["last-generated-id"].decode(),
        first[0].decode() if first else None,
        reply.get("entries-added"),
        reply["length"],
    )
