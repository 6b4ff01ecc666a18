"""The embedded Valkey by itself."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from tests.servers import folder
from tiebreak.embedded.valkey import Valkey
from tiebreak.errors import EmbeddedServerFailed


async def test_keeps_what_it_was_told() -> None:
    """A stop and a start lose nothing."""
    with folder() as place:
        for expected in (None, b"yes"):
            valkey = Valkey(place / "valkey", place, place / "valkey.log")
            await valkey.start()
            client = Redis.from_url(valkey.url())
            assert await client.get("kept") == expected
            await client.set("kept", "yes")
            await client.aclose()
            await valkey.stop()


async def test_never_forgets_to_make_room() -> None:
    """Full memory is an error for the writer, not the end of a leaderboard; no port is open."""
    with folder() as place:
        valkey = Valkey(place / "valkey", place, place / "valkey.log")
        await valkey.start()
        client = Redis.from_url(valkey.url())
        settings = await client.config_get("maxmemory-policy", "port", "appendonly", "appendfsync", "save")
        assert settings == {
            "maxmemory-policy": "noeviction",
            "port": "0",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
        }
        await client.aclose()
        await valkey.stop()


async def test_failure_says_why() -> None:
    """A server that ends at once is reported with its last lines."""
    with folder() as place:
        (place / "valkey").mkdir()
        (place / "valkey" / "appendonlydir").write_text("not a directory")
        valkey = Valkey(place / "valkey", place, place / "valkey.log")
        with pytest.raises(EmbeddedServerFailed, match="valkey ended with exit status 1"):
            await valkey.start()
        await valkey.stop()


async def test_databases() -> None:
    """The URL of a numbered database."""
    with folder() as place:
        valkey = Valkey(place / "valkey", place, place / "valkey.log")
        assert valkey.url() == f"unix://{place}/valkey.sock"
        assert valkey.url(3) == f"unix://{place}/valkey.sock?db=3"
