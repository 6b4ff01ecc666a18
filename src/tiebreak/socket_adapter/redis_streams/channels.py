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

from tiebreak.redis_client import OUTAGES, Redis, RedisError
from tiebreak.socket_adapter.redis_streams.counts import Counts
from tiebreak.socket_adapter.redis_streams.patience import Backoff, end_if_cancelled

log = structlog.get_logger()

# When nothing has come for so long we subscribe again, which does no harm and is confirmed; if that is not, the
# connection is dead. redis-py connects again by itself and may then have lost subscriptions.
SILENCE_SECONDS = 5.0
CONFIRMED_SECONDS = 1.0
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
        self._added = asyncio.Event()
        self._changed = asyncio.Event()

    def add(self, *channels: str) -> None:
        """Listen to these too, soon."""
        self._channels |= set(channels)
        self._added.set()

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
                while not self._channels:
                    await self._added.wait()
                await pubsub.subscribe(*(asked := set(self._channels)))
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._subscribe_new(pubsub, asked))
                    tasks.create_task(self._listen(pubsub, backoff))
            except* (*OUTAGES, RedisError) as errors:
                seconds = backoff.next_seconds()
                log.warning("cluster.unsubscribed", error=str(errors.exceptions[0]), retry_seconds=round(seconds, 3))
                await asyncio.sleep(seconds)
            finally:
                self._heard.clear()
                await pubsub.aclose()

    async def _subscribe_new(self, pubsub: PubSub, asked: set[str]) -> None:
        while True:
            end_if_cancelled()
            self._added.clear()
            if new := self._channels - asked:
                asked |= new
                await pubsub.subscribe(*new)
            await self._added.wait()

    async def _listen(self, pubsub: PubSub, backoff: Backoff) -> None:
        asked_again = False
        while True:
            end_if_cancelled()
            seconds = SILENCE_SECONDS if self._channels <= self._heard and not asked_again else CONFIRMED_SECONDS
            message = cast("dict[str, Any] | None", await pubsub.get_message(timeout=seconds))
            if message is None:
                if asked_again:
                    raise ConnectionError(f"no confirmation within {seconds:g} s")
                asked_again = True
                await pubsub.subscribe(*self._channels)
                continue
            asked_again = False
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
