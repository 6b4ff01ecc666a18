"""The way from HTTP long-polling to a WebSocket, and the ways to miss it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.conformance.http_connection import connect
from tests.conformance.long_polling import LongPolling, open_long_polling
from tests.conformance.server_program import Endpoint
from tests.conformance.web_socket import WebSocket, close_frame, handshake, open_engine, open_web_socket


@pytest.fixture
async def session(engine: Endpoint) -> LongPolling:
    return await open_long_polling(engine)


@asynccontextmanager
async def probed(session: LongPolling) -> AsyncIterator[WebSocket]:
    """A WebSocket of the session, its probe answered."""
    async with open_web_socket(session.endpoint, sid=session.sid) as socket:
        await socket.send("2probe")
        assert await socket.receive() == "3probe"
        yield socket


async def still_polls(session: LongPolling) -> None:
    """The session is there, and its transport is long-polling."""
    await session.send("4still here")
    while (packet := await session.receive()) == "6":
        pass
    assert packet == "4still here"


async def test_upgrade(session: LongPolling):
    """Probe, its answer, the noop that ends the GET, the upgrade packet: messages then go over the WebSocket."""
    async with probed(session) as socket:
        assert (await session.get()).text == "6"
        await socket.send("5", "4hello", b"\x01\x02")
        assert await socket.receive() == "4hello"
        assert await socket.receive() == b"\x01\x02"


async def test_poll_that_waits_when_the_probe_comes(session: LongPolling):
    """A GET that waits since before the probe is ended with a noop."""
    async with session.waiting_get() as connection, probed(session) as socket:
        assert (await connection.answer()).text == "6"
        await socket.send("5", "4hello")
        assert await socket.receive() == "4hello"


async def test_every_poll_during_an_upgrade_is_ended(session: LongPolling):
    """As long as the client does not confirm the upgrade, a GET is ended with a noop, however many there are."""
    async with probed(session) as socket:
        for _ in range(3):
            assert (await session.get()).text == "6"
        await socket.send("5", "4hello")
        assert await socket.receive() == "4hello"


@pytest.mark.node_deviates("ends the GET with a close packet if the upgrade packet outruns the noop")
async def test_hasty_upgrade(session: LongPolling):
    """A client may confirm the upgrade right after its probe; the GET that waits is ended with a noop all the same."""
    async with session.waiting_get() as connection, open_web_socket(session.endpoint, sid=session.sid) as socket:
        await socket.send("2probe", "5", "4hello")
        assert await socket.receive() == "3probe"
        assert await socket.receive() == "4hello"
        answer = await connection.answer()
        assert (answer.status, answer.text) == (200, "6")


async def test_messages_from_before_the_upgrade(session: LongPolling):
    """What no GET fetched in time comes over the WebSocket, once and in order, after the upgrade packet only."""
    await session.send("41", b"\x02", "43")
    async with probed(session) as socket:
        await session.send("44")
        await socket.send("5", "45")
        assert [await socket.receive() for _ in range(5)] == ["41", b"\x02", "43", "44", "45"]


async def test_messages_during_the_upgrade(session: LongPolling):
    """Of the messages between probe and upgrade packet none is lost, none comes twice, all are in order."""
    received: list[str | bytes] = []
    async with probed(session) as socket:
        for number in range(20):
            await session.send(f"4{number}")
            if number % 5 == 0:
                received += (await session.get()).text.split("\x1e")
        await socket.send("5", "4last")
        while "4last" not in received:
            received.append(await socket.receive())
    assert [packet for packet in received if packet != "6"] == [f"4{number}" for number in range(20)] + ["4last"]


async def test_messages_go_over_polling_until_the_upgrade_packet(session: LongPolling):
    """A probe alone changes nothing: messages come with the next GET."""
    async with probed(session) as socket:
        await session.send("4hello")
        packets: list[str] = []
        while "4hello" not in packets:
            packets += (await session.get()).text.split("\x1e")
        await socket.send("5", "4after")
        assert await socket.receive() == "4after"


async def test_large_messages_across_an_upgrade(session: LongPolling):
    """Megabytes that wait for a client that upgrades arrive whole."""
    messages = [b"%d" % number * 200_000 for number in range(8)]
    for message in messages:
        await session.send(message)
    async with probed(session) as socket:
        await socket.send("5")
        assert [await socket.receive() for _ in messages] == messages


@pytest.mark.parametrize("first", ["4hello", "2", "2Probe", "3probe", "abc", b"\x01\x02", "2probe extra"])
async def test_failed_probe(session: LongPolling, first: str | bytes):
    """A WebSocket that does not begin with `2probe` is closed, and the session polls on."""
    async with open_web_socket(session.endpoint, sid=session.sid) as socket:
        await socket.send(first)
        assert await socket.goodbye() == []
    await still_polls(session)


@pytest.mark.node_deviates("takes the upgrade packet of a client that has not probed")
async def test_upgrade_without_a_probe(session: LongPolling):
    """The protocol's client probes first: an upgrade packet alone closes the WebSocket, and the session polls on."""
    async with asyncio.timeout(2), open_web_socket(session.endpoint, sid=session.sid) as socket:
        await socket.send("5")
        assert await socket.goodbye() == []
        await still_polls(session)


@pytest.mark.parametrize("second", ["4hello", "abc", "1", "6", b"\x01\x02"])
async def test_something_else_than_the_upgrade_packet(session: LongPolling, second: str | bytes):
    """After the probe only the upgrade packet is allowed: all else closes the WebSocket, and the session polls on."""
    async with probed(session) as socket:
        await socket.send(second)
        assert await socket.goodbye() == []
        await still_polls(session)


async def test_probing_twice(session: LongPolling):
    """A second probe is answered like the first, or closes the WebSocket; the session goes on either way."""
    async with probed(session) as socket:
        await socket.send("2probe", "5", "4hello")
        closed = await socket.frame()
        assert closed.payload == b"3probe" or closed.opcode == 8
        if closed.opcode == 8:
            await still_polls(session)
        else:
            assert await socket.receive() == "4hello"


@pytest.mark.parametrize("how", ["close frame", "abort"])
async def test_web_socket_closed_before_the_upgrade_packet(session: LongPolling, how: str):
    """A client that gives up its WebSocket after the probe polls on, and may upgrade later."""
    async with probed(session) as socket:
        if how == "abort":
            socket.connection.abort()
        else:
            await socket.send_raw(close_frame(1000))
            await socket.goodbye()
    await still_polls(session)
    async with asyncio.timeout(5):
        while not await upgrades(session):
            await asyncio.sleep(0.01)  # until the server has heard of the abort


async def upgrades(session: LongPolling) -> bool:
    """Whether the session takes another WebSocket."""
    async with open_web_socket(session.endpoint, sid=session.sid) as socket:
        await socket.try_to_send("2probe")
        first = await socket.frame()
        if first.payload != b"3probe":
            return False
        await socket.send("5", "4hello")
        return await socket.receive() == "4hello"


async def test_close_during_an_upgrade(session: LongPolling):
    """A close packet over polling ends the session and the WebSocket that probes."""
    async with probed(session) as socket:
        await session.send("1")
        assert await socket.goodbye() == []
    assert (await session.get()).json()["code"] == 1


async def test_upgrade_of_an_unknown_session(engine: Endpoint):
    """There is no WebSocket for a sid that no session has."""
    async with connect(engine) as connection:
        await connection.send(handshake(engine, sid="unknown"))
        answer = await connection.answer()
        assert answer.status == 400
        assert b"Session ID unknown" in answer.body


async def test_second_web_socket_during_an_upgrade(session: LongPolling):
    """A second WebSocket for the session is closed; the first finishes its upgrade."""
    async with probed(session) as socket:
        async with open_web_socket(session.endpoint, sid=session.sid) as second:
            await second.try_to_send("2probe")
            assert await second.goodbye() == []
        await socket.send("5", "4hello")
        assert await socket.receive() == "4hello"


async def test_second_web_socket_after_an_upgrade(session: LongPolling):
    """A second WebSocket for the session is closed; the first does not notice."""
    async with probed(session) as socket:
        await socket.send("5", "4one")
        assert await socket.receive() == "4one"
        async with open_web_socket(session.endpoint, sid=session.sid) as second:
            await second.try_to_send("2probe")
            assert await second.goodbye() == []
        await socket.send("4two")
        assert await socket.receive() == "4two"


@pytest.mark.node_deviates("lets a second WebSocket take over a session that began as one")
async def test_second_web_socket_of_a_session_that_began_as_one(engine: Endpoint):
    """A session that began as a WebSocket has its only one: another with the same sid is closed without a word."""
    async with open_engine(engine) as socket:
        async with asyncio.timeout(2), open_web_socket(engine, sid=socket.sid) as second:
            await second.try_to_send("2probe")
            assert await second.goodbye() == []
        await socket.send("4hello")
        assert await socket.receive() == "4hello"


async def test_polling_after_an_upgrade(session: LongPolling):
    """GET and POST are refused once the session has a WebSocket, which does not notice."""
    async with probed(session) as socket:
        await socket.send("5", "4one")
        assert await socket.receive() == "4one"
        for answer in (await session.get(), await session.post("4lost")):
            assert (answer.status, answer.json()) == (400, {"code": 3, "message": "Bad request"})
        await socket.send("4two")
        assert await socket.receive() == "4two"


async def test_upgrade_packet_comes_twice(session: LongPolling):
    """An upgrade packet out of turn is ignored or ends the session; nobody answers it."""
    async with probed(session) as socket:
        await socket.send("5", "5", "4hello", "abc")
        assert await socket.goodbye() in (["4hello"], [])


async def test_upgrade_timeout(impatient_engine: Endpoint):
    """A WebSocket whose upgrade packet does not come in time is closed, probed or not; the session polls on."""
    probing, silent = await open_long_polling(impatient_engine), await open_long_polling(impatient_engine)
    async with (
        probed(probing) as probing_socket,
        open_web_socket(silent.endpoint, sid=silent.sid) as silent_socket,
        asyncio.TaskGroup() as tasks,
    ):
        closed = [tasks.create_task(socket.goodbye()) for socket in (probing_socket, silent_socket)]
    assert [task.result() for task in closed] == [[], []]
    for session in (probing, silent):
        await still_polls(session)
        assert await upgrades(session)


async def test_upgraded_in_time(impatient_engine: Endpoint):
    """The time limit of the upgrade ends with the upgrade."""
    session = await open_long_polling(impatient_engine)
    async with probed(session) as socket:
        await socket.send("5")
        await asyncio.sleep(0.5)
        await socket.send("4hello")
        assert await socket.receive() == "4hello"


async def test_many_upgrades_at_once(engine: Endpoint):
    """Fifty clients upgrade side by side, each with messages under way."""

    async def one(number: int) -> list[str | bytes]:
        session = await open_long_polling(engine)
        await session.send(f"4{number}-a")
        async with probed(session) as socket:
            await session.send(f"4{number}-b")
            await socket.send("5", f"4{number}-c")
            return [await socket.receive() for _ in range(3)]

    received = await asyncio.gather(*(one(number) for number in range(50)))
    assert received == [[f"4{number}-a", f"4{number}-b", f"4{number}-c"] for number in range(50)]
