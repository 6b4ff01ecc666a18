"""PUB/SUB: requests to all servers and their answers, which nobody needs to read later.

Node counts the subscribers of a namespace's public channel as its servers. Sharded PUB/SUB, an option of Node's
adapter for Redis Cluster, is not spoken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import structlog
from redis.asyncio.client import PubSub

from tiebreak.redis_client import Redis, RedisError
from tiebreak.socket_adapter.redis_streams.counts import Counts
from tiebreak.socket_adapter.redis_streams.patience import Backoff, end_if_cancelled

log = structlog.get_logger()

# So long a new channel may have to wait.
LISTEN_SECONDS = 0.5
# When nothing has come for so many times that we subscribe again, which does no harm and is confirmed; if that is not,
# the connection is dead. redis-py connects again by itself and may then have lost subscriptions.
SILENT_LISTENS = 10
START_SECONDS = 10.0
LARGEST_CALL = 500
LONGEST_QUEUE = 50_000


class Subscriptions:
    """The channels this process listens to, on a connection of their own."""

    def __init__(self, redis: Redis, receive: Callable[[str, bytes], None]) -> None:
        """`receive` gets the channel and the payload of each message and does not raise."""
        self._redis = redis
        self._receive = receive
        self._channels: set[str] = set()
        self._heard: set[str] = set()
        self._changed = asyncio.Event()

    def add(self, *channels: str) -> None:
        """Listen to these too, soon."""
        self._channels |= set(channels)

    def listening(self, channel: str) -> bool:
        """Whether Redis counts us among the subscribers."""
        return channel in self._heard

    async def until_listening(self) -> None:
        """Wait until all are listened to. Raises TimeoutError."""
        async with asyncio.timeout(START_SECONDS):
            while not self._channels <= self._heard:
                await self._changed.wait()

    async def run(self) -> None:
        """Listen for ever. What is published while the connection is down is lost, as PUB/SUB is."""
        backoff = Backoff()
        while True:
            end_if_cancelled()
            pubsub = self._redis.pubsub()
            try:
                await self._listen(pubsub, backoff)
            except (RedisError, OSError) as error:
                seconds = backoff.next_seconds()
                log.warning("cluster.unsubscribed", error=str(error), retry_seconds=round(seconds, 3))
                await asyncio.sleep(seconds)
            finally:
                self._heard.clear()
                await pubsub.aclose()

    async def _listen(self, pubsub: PubSub, backoff: Backoff) -> None:
        asked: set[str] = set()
        silent = 0
        while True:
            end_if_cancelled()
            if self._channels - asked or silent == SILENT_LISTENS:
                asked = set(self._channels)
                await pubsub.subscribe(*asked)
            if not asked:
                await asyncio.sleep(LISTEN_SECONDS)
                continue
            message = cast("dict[str, Any] | None", await pubsub.get_message(timeout=LISTEN_SECONDS))
            if message is None:
                silent += 1
                if silent > SILENT_LISTENS + 2:
                    raise ConnectionError("Redis does not confirm subscriptions")
                continue
            silent = 0
            match message["type"]:
                case "message":
                    self._receive(message["channel"].decode(), message["data"])
                case "subscribe":
                    backoff.reset()
                    self._heard.add(message["channel"].decode())
                    self._changed.set()
                    self._changed = asyncio.Event()
                case _:
                    pass


class Publisher:
    """Publishes in the order of the calls, many in one round trip. What Redis does not take is lost, and counted."""

    def __init__(self, redis: Redis, counts: Counts) -> None:
        self._redis = redis
        self._counts = counts
        self._queue: deque[tuple[str, bytes]] = deque(maxlen=LONGEST_QUEUE)
        self._wake = asyncio.Event()

    def publish(self, channel: str, payload: bytes) -> None:
        self._queue.append((channel, payload))
        self._wake.set()

    async def run(self) -> None:
        """Publish what is queued, for ever."""
        while True:
            end_if_cancelled()
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                call = [self._queue.popleft() for _ in range(min(LARGEST_CALL, len(self._queue)))]
                try:
                    async with self._redis.pipeline(transaction=False) as pipe:
                        for channel, payload in call:
                            pipe.publish(channel, payload)
                        await pipe.execute()
                except (RedisError, OSError) as error:
                    self._counts.add("unpublished", error, every=True)
