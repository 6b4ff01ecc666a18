"""Connections to Redis that are cut while messages are under way."""

import asyncio

from redis.asyncio import Redis

from tiebreak.socket_adapter.redis_streams.stream_names import STREAM

MESSAGES = 2_000
PER_CALL = 20
CUTS = 2


async def test_a_burst_over_cut_connections(stage):
    """2,000 messages, every connection to Redis cut twice meanwhile: each socket gets each once, in order."""
    session, _ = await stage.master.session(stage.host)
    audience = await stage.audience(session)
    begun_at = await stage.redis.xlen(STREAM)

    async def send():
        numbers = [f"message {at}" for at in range(MESSAGES)]
        calls = [numbers[at : at + PER_CALL] for at in range(0, MESSAGES, PER_CALL)]
        return [message for call in calls for message in await stage.emit_together(*call, to=session)]

    async def cut():
        """Each time another part of the messages is in the stream."""
        async with Redis.from_url(stage.topology.system.redis_url) as scissors:
            cut_connections = []
            for at in range(1, CUTS + 1):
                while await scissors.xlen(STREAM) < begun_at + at * MESSAGES // (CUTS + 1):
                    await asyncio.sleep(0.001)
                cut_connections.append(await scissors.execute_command("CLIENT", "KILL", "TYPE", "normal"))
            return cut_connections

    async with asyncio.timeout(60):
        sent, cut_connections = await asyncio.gather(send(), cut())
    # Of two app servers, two workers, Node and ourselves.
    assert min(cut_connections) >= 6
    assert len(sent) == MESSAGES
    [last] = await stage.emit("last", to=session)
    for client in audience:
        await client.got(last)
        assert client.received == [*sent, last], client
        assert client.disconnections == []
    assert stage.topology.second.lives
