"""A client that loses its connection to an app server comes back as the socket it was, and sees how things are."""

import asyncio
from base64 import b64decode

import pytest


async def saved(stage, client, session):
    """Wait until Redis knows of a socket and its room: sessions are written about once a second."""
    sid = client.connections[0].encode()
    async with asyncio.timeout(10):
        while not any([sid in value and session.encode() in value async for value in sessions(stage.redis)]):
            await asyncio.sleep(0.05)


async def sessions(redis):
    async for key in redis.scan_iter("sio:session:*"):
        yield b64decode(await redis.get(key) or b"")


@pytest.mark.parametrize("server", ["first", "second"])
async def test_a_drop(stage, server):
    """The same socket, in its room, with the newest board, without entering again."""
    session, questions = await stage.master.session(stage.host)
    ann = await stage.player(session)
    client = await stage.js_client(stage.servers[server], session)
    assert (await ann.answer(session, questions[0], 1)).status_code == 200
    await client.until(lambda: scores(client) == [100])
    client.received.clear()
    await client.cut()
    await client.until(lambda: len(client.connections) == 2)
    assert client.connections[0] == client.connections[1]
    assert await client.recovered()
    await client.until(lambda: scores(client) == [100])
    assert (await ann.answer(session, questions[1], [1, 3])).status_code == 200
    await client.until(lambda: scores(client)[-1:] == [scores(client)[0] + 100])


async def test_the_death_of_its_server(stage):
    """kill -9: the server that comes after it knows the socket, and what it missed meanwhile."""
    session, questions = await stage.master.session(stage.host)
    ann = await stage.player(session)
    client = await stage.js_client(stage.servers["second"], session, reconnectionDelay=100, reconnectionDelayMax=500)
    await saved(stage, client, session)
    with stage.topology.second.killed():
        assert (await ann.answer(session, questions[0], 1)).status_code == 200
    await client.until(lambda: len(client.connections) == 2)
    assert client.connections[0] == client.connections[1]
    assert await client.recovered()
    await client.until(lambda: scores(client)[-1:] == [100])


async def test_somebody_else(stage):
    """Who knows the secret of a socket, but is another user, is a new socket."""
    session, _ = await stage.master.session(stage.host)
    client = await stage.js_client(stage.servers["first"], session)
    await saved(stage, client, session)
    stranger = await stage.master.guest("Bob")
    await client.log_in_as(stranger.tokens["access_token"])
    await client.cut()
    await client.until(lambda: len(client.connections) == 2)
    assert client.connections[0] != client.connections[1]
    assert not await client.recovered()


def scores(client):
    """The best score on each board it was sent."""
    return [message[1]["rows"][0]["score"] for message in client.received if message[0] == "leaderboard_updating"]
