"""`tiebreak dead`: what an operator sees of events that could not be put on a board."""

import asyncio
import os
import subprocess
import sys

from tests.system import without_settings
from tiebreak.event_bus.bus import Message
from tiebreak.event_bus.streams import StreamsBus
from tiebreak.events import DEAD_TOPIC, TOPIC, DeadEvent, encode_dead
from tiebreak.redis_client import open_redis


def tiebreak_dead(action: str, redis_url: str) -> str:
    """What the command prints."""
    environ = without_settings(os.environ) | {"TIEBREAK_REDIS_URL": redis_url}
    command = [sys.executable, "-m", "tiebreak", "dead", action]
    return subprocess.run(command, env=environ, check=True, capture_output=True, text=True, timeout=60).stdout


async def die(redis_url: str) -> None:
    redis = await open_redis(redis_url)
    producer = await StreamsBus(redis, partitions=8, retention_hours=1).producer()
    event = DeadEvent(
        "WRONGTYPE the board is a string", TOPIC, 3, "17-0", b"key", b'{"odd": "\xff"}', 1_795_383_233_000
    )
    await producer.publish(DEAD_TOPIC, [Message(b"key", encode_dead(event))])
    await redis.aclose()


def test_dead_events_are_listed_and_sent_again(redis_url):
    """The list names the time, the place, the reason and the event; sent again, it is on its topic and off the list."""
    assert tiebreak_dead("list", redis_url) == "no dead events\n"
    asyncio.run(die(redis_url))
    for _ in range(2):
        listed = tiebreak_dead("list", redis_url)
        assert f"2026-11-22T21:33:53.000+00:00 {TOPIC}[3]@17-0 WRONGTYPE the board is a string" in listed
        assert '{"odd": "\\xff"}' in listed
        assert listed.endswith("1 dead events; send them again with `tiebreak dead retry`\n")
    assert tiebreak_dead("retry", redis_url) == "sent 1 events again\n"
    assert tiebreak_dead("list", redis_url) == "no dead events\n"
