"""Appends messages to a stream: in the order of the calls, many in one round trip, each once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

import structlog

from tiebreak.redis_client import Redis, RedisError
from tiebreak.socket_adapter.redis_streams.messages import MessageType
from tiebreak.socket_adapter.redis_streams.patience import Backoff, end_if_cancelled

log = structlog.get_logger()

MAX_LENGTH = 10_000
# Far longer than anybody tries a call again. The key is in the stream's slot of a Redis Cluster.
REMEMBERED_SECONDS = 60
REMEMBERED = "{%s}:appended:%s"

# KEYS: the stream, the number of the last message of this writer. ARGV: seconds to remember that, length of the stream,
# uid, then n, nsp, type and data of each entry, n ascending. A call whose reply was lost is tried again and then
# appends nothing twice.
APPEND_ONCE = """
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
for i = 4, #ARGV, 4 do
  if tonumber(ARGV[i]) > last then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*',
      'uid', ARGV[3], 'nsp', ARGV[i + 1], 'type', ARGV[i + 2], 'data', ARGV[i + 3], 'n', ARGV[i])
    last = tonumber(ARGV[i])
  end
end
redis.call('SET', KEYS[2], last, 'EX', ARGV[1])
"""

LARGEST_CALL = 500
LARGEST_CALL_BYTES = 1 << 20
LONGEST_QUEUE = 50_000


class NotAppended(Exception):
    """The stream did not take the message in time, or nobody knows whether it did."""


class Entry(NamedTuple):
    """What is appended, but for the uid."""

    n: int
    nsp: str
    type: MessageType
    data: bytes


class Waiting(NamedTuple):
    entry: Entry
    appended: asyncio.Future[None]


async def append_once(
    redis: Redis, stream: str, uid: str, entries: Sequence[Entry], *, writer: str = "", max_length: int = MAX_LENGTH
) -> None:
    """Append all or none, once even when tried again. The numbers of a writer ascend from call to call."""
    await redis.register_script(APPEND_ONCE)(
        keys=[stream, REMEMBERED % (stream, writer or uuid4().hex)],
        args=[
            *(REMEMBERED_SECONDS, max_length, uid),
            *(value for n, nsp, type_, data in entries for value in (n, nsp, type_.value, data)),
        ],
    )


class Appender:
    """One stream's writer in this process."""

    def __init__(
        self, redis: Redis, stream: str, uid: str, *, max_length: int = MAX_LENGTH, patience_seconds: float = 2.0
    ) -> None:
        """A message that has not been taken after `patience_seconds` is given up."""
        self._redis = redis
        self._stream = stream
        self._uid = uid
        self._max_length = max_length
        self._patience_seconds = patience_seconds
        self._numbers = itertools.count(1)
        self._queue: dict[int, Waiting] = {}
        self._wake = asyncio.Event()
        self._readers: dict[int, asyncio.Future[None]] = {}
        self._passed_over: dict[int, None] = {}

    async def append(self, nsp: str, type_: MessageType, data: bytes, *, until_read: bool = False) -> None:
        """Returns when the message is in the stream or, `until_read`, when this process has read it from there.

        Raises NotAppended; from then on the message is passed over here, should it turn up after all.
        """
        if len(self._queue) >= LONGEST_QUEUE:
            raise NotAppended(f"{LONGEST_QUEUE} messages wait for Redis")
        n = next(self._numbers)
        loop = asyncio.get_running_loop()
        appended: asyncio.Future[None] = loop.create_future()
        self._queue[n] = Waiting(Entry(n, nsp, type_, data), appended)
        self._wake.set()
        try:
            async with asyncio.timeout(self._patience_seconds) as patience:
                if until_read:
                    self._readers[n] = loop.create_future()
                await appended
                if until_read:
                    patience.reschedule(loop.time() + self._patience_seconds)
                    await self._readers[n]
        except TimeoutError:
            self._pass_over(n)
            raise NotAppended(f"not within {self._patience_seconds:g} s") from None
        finally:
            self._queue.pop(n, None)
            self._readers.pop(n, None)

    def read(self, n: int) -> bool:
        """A message of ours is in the stream; False if it is to be passed over."""
        if n in self._passed_over:
            del self._passed_over[n]
            return False
        if waiting := self._queue.get(n):
            _settle(waiting.appended)
        if reader := self._readers.get(n):
            _settle(reader)
        return True

    async def run(self) -> None:
        """Append what is queued, for ever."""
        backoff = Backoff()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self._next_call():
                end_if_cancelled()
                try:
                    entries = [waiting.entry for waiting in batch]
                    await append_once(
                        self._redis, self._stream, self._uid, entries, writer=self._uid, max_length=self._max_length
                    )
                except (RedisError, OSError) as error:
                    seconds = backoff.next_seconds()
                    log.warning("cluster.append_failed", stream=self._stream, error=str(error), retry_seconds=seconds)
                    await asyncio.sleep(seconds)
                    continue
                backoff.reset()
                for waiting in batch:
                    self._queue.pop(waiting.entry.n, None)
                    _settle(waiting.appended)
            end_if_cancelled()

    def _next_call(self) -> Sequence[Waiting]:
        batch: list[Waiting] = []
        room_bytes = LARGEST_CALL_BYTES
        for waiting in itertools.islice(self._queue.values(), LARGEST_CALL):
            room_bytes -= len(waiting.entry.data)
            if batch and room_bytes < 0:
                break
            batch.append(waiting)
        return batch

    def _pass_over(self, n: int) -> None:
        self._passed_over[n] = None
        if len(self._passed_over) > LONGEST_QUEUE:
            del self._passed_over[next(iter(self._passed_over))]


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
