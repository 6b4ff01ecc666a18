"""Clients that read slowly, or not at all: what they are spared, what they cost, and what the others notice."""

import asyncio
import gc

import pytest

from tests.conformance.http_connection import request_bytes
from tests.conformance.web_socket import PING, client_frame, close_frame
from tests.integration.socket_core.stage import turns, until
from tiebreak.http_edge import connections
from tiebreak.http_edge.connections import HttpConnection
from tiebreak.socket_adapter.engine_io.options import EngineOptions

KILOBYTE = "x" * 1024
CONGESTED = 64 * 1024
MOST = 1024 * 1024
# What may be written before anybody can see that it does not drain: one merged write, and a frame.
ONE_WRITE = 40 * 1024
# The wheel, which the look for stalled connections hangs on, turns every 10 ms.
QUICK = EngineOptions(ping_timeout_seconds=0.2, ping_interval_seconds=30, stalled_seconds=0.2, closing_seconds=0.2)


async def test_volatile_messages_pass_a_full_buffer_by(stage):
    """Above 64 KB a reader misses them; it gets the newest of each name once it reads, the others get them all."""
    server = await stage.serve()
    news = server.of("/").to("room").volatile
    stopped, other = await stage.slow_member("room"), await stage.member("room")
    for number in range(1_000):
        await news.emit("board", number, KILOBYTE)
        await news.emit("score", number)
        await asyncio.sleep(0)
        assert stage.buffered(stopped) <= CONGESTED + ONE_WRITE
    assert server.engine.counts.volatile_skipped > 100
    await server.of("/").to("room").emit("last")

    expected = [
        [name, number, *text] for number in range(1_000) for name, text in (("board", [KILOBYTE]), ("score", []))
    ]
    assert await other.until("last") == [*expected, ["last"]]
    seen = await stopped.until("last")
    boards, scores = ([event[1] for event in seen if event[0] == name] for name in ("board", "score"))
    assert boards == [*range(len(boards))], "a gap in what was written before it was congested"
    assert scores == [*range(len(scores))]
    assert max(len(boards), len(scores)) < 900
    newest = await stopped.events(2)
    assert sorted(newest) == [["board", 999, KILOBYTE], ["score", 999]]
    await news.emit("score", 1_000)
    assert await stopped.event() == ["score", 1_000], "it keeps up again"
    assert server.engine.counts.closed == {}


async def test_volatile_messages_to_one_socket(stage):
    """The same holds for messages to a single socket."""
    server = await stage.serve()
    stopped = await stage.slow_member()
    socket = stage.socket(stopped)
    for number in range(1_000):
        await socket.emit("board", number, KILOBYTE, volatile=True)
        assert stage.buffered(stopped) <= CONGESTED + ONE_WRITE
    assert server.engine.counts.volatile_skipped > 0
    seen = []
    while not seen or seen[-1] != 999:
        seen.append((await stopped.event())[1])
    assert seen[:-1] == [*range(len(seen) - 1)]


async def test_messages_up_to_a_megabyte_wait_and_then_it_is_closed(stage):
    """Messages that may not be missed are kept up to 1 MB; with more, the reader is closed and the others go on."""
    server = await stage.serve()
    stopped, other = await stage.slow_member("room"), await stage.member("room")
    largest = count = 0
    while stage.is_connected(stopped):
        await server.of("/").to("room").emit("board", count, KILOBYTE)
        await turns(3)
        count += 1
        largest = max(largest, stage.buffered(stopped))
        assert count < 5_000
    assert MOST - ONE_WRITE < largest <= MOST
    assert stage.reasons == {stopped.id: "too slow: buffer full"}
    assert server.engine.counts.closed == {"too slow: buffer full": 1}
    await server.of("/").to("room").emit("last")
    assert [event[1] for event in (await other.until("last"))[:-1]] == [*range(count)]


async def test_a_burst_in_one_turn_stays_below_a_megabyte(stage):
    """Also what is emitted without a pause does not pile up beyond 1 MB for a reader that has stopped."""
    server = await stage.serve()
    stopped = await stage.slow_member("room")
    transport = stage.transport(stopped)
    for number in range(4_000):
        await server.of("/").to("room").emit("board", number, KILOBYTE)
    largest = 0
    while server.engine.fan_out.is_busy:
        await asyncio.sleep(0)
        largest = max(largest, transport.get_write_buffer_size() if stage.is_connected(stopped) else 0)
    assert largest <= MOST
    assert stage.reasons == {stopped.id: "too slow: buffer full"}


async def test_a_burst_of_volatile_messages_in_one_turn(stage):
    """A reader that has stopped is spared volatile messages also when they are emitted without a pause."""
    server = await stage.serve()
    stopped = await stage.slow_member("room")
    transport = stage.transport(stopped)
    for number in range(2_000):
        await server.of("/").to("room").volatile.emit("board", number, KILOBYTE)
    largest = 0
    while server.engine.fan_out.is_busy:
        await asyncio.sleep(0)
        largest = max(largest, transport.get_write_buffer_size())
    assert largest <= CONGESTED + ONE_WRITE
    assert stage.is_connected(stopped)


async def test_nothing_read_for_too_long(stage):
    """A reader of whose buffer nothing drains for `stalled_seconds` is closed, whatever little waits there."""
    server = await stage.serve(engine_options=QUICK)
    stopped, other = await stage.slow_member("room"), await stage.member("room")
    while stage.buffered(stopped) <= CONGESTED:
        await server.of("/").to("room").emit("board", KILOBYTE)
        await turns(3)
    begun = asyncio.get_running_loop().time()
    await until(lambda: not stage.is_connected(stopped))
    assert 0.19 <= asyncio.get_running_loop().time() - begun < 5
    assert stage.reasons == {stopped.id: "too slow: stalled"}
    await server.of("/").to("room").emit("last")
    await other.until("last")


async def test_a_slow_but_steady_reader_is_kept(stage):
    """Whoever takes a little every now and then is not closed, however long it stays behind."""
    server = await stage.serve(engine_options=QUICK)
    slow = await stage.slow_member("room")
    sent = received = 0
    begun = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() - begun < 5 * QUICK.stalled_seconds:
        while stage.buffered(slow) <= 4 * CONGESTED:
            await server.of("/").to("room").emit("board", sent, KILOBYTE)
            await turns(3)
            sent += 1
        for _ in range(32):
            assert (await slow.event())[1] == received
            received += 1
        await asyncio.sleep(0.01)
    assert stage.is_connected(slow)
    assert server.engine.counts.closed == {}


async def test_pings_that_are_never_read(stage):
    """A client that sends WebSocket pings and reads no pong costs no more than one that reads no message."""
    await stage.serve()
    stopped = await stage.slow_member()
    transport = stage.transport(stopped)
    pings = client_frame(PING, b"p" * 125) * 500
    largest = 0
    try:
        for _ in range(80):
            async with asyncio.timeout(2):
                await stopped.transport.send_raw(pings)
            largest = max(largest, transport.get_write_buffer_size() if not transport.is_closing() else 0)
    except (ConnectionError, TimeoutError):
        pass  # it was closed, or nobody listens to it any more
    assert largest <= MOST


async def test_a_stopped_reader_that_says_goodbye(stage):
    """A client that sends a close frame, reads nothing and stays does not keep its connection."""
    await stage.serve(engine_options=QUICK)
    stopped = await stage.slow_member()
    transport = stage.transport(stopped)
    # Little enough that it does not count as congested.
    while not stage.buffered(stopped):
        await stage.socket(stopped).emit("board", KILOBYTE)
    await stopped.transport.send_raw(close_frame(1000))
    await until(lambda: not stage.is_connected(stopped), seconds=2)
    await until(lambda: transport.get_extra_info("socket").fileno() == -1, seconds=2)


async def test_a_stopped_reader_that_is_disconnected(stage):
    """One that we close and that does not read its close frame loses the connection a little later."""
    await stage.serve(engine_options=QUICK)
    stopped = await stage.slow_member()
    transport = stage.transport(stopped)
    while not stage.buffered(stopped):
        await stage.socket(stopped).emit("board", KILOBYTE)
    stage.socket(stopped).disconnect(close=True)
    assert not stage.is_connected(stopped)
    await until(lambda: transport.get_extra_info("socket").fileno() == -1, seconds=2)
    await until(stage.is_empty)


async def test_a_client_that_does_not_poll(stage):
    """Volatile messages replace those of their name above 64 KB; it gets the newest with its next poll."""
    server = await stage.serve()
    stopped = await stage.polling_member("room")
    for number in range(500):
        await server.of("/").to("room").volatile.emit("board", number, KILOBYTE)
        await turns(3)
    await server.of("/").to("room").emit("last")
    seen = [event[1:2] for event in await stopped.until("last")]
    assert len(seen) <= 70
    assert seen[-2:] == [[499], []]


async def test_a_client_that_does_not_poll_is_closed_at_a_megabyte(stage):
    """More than 1 MB is not kept for a poll that does not come."""
    server = await stage.serve()
    stopped = await stage.polling_member("room")
    count = 0
    while stage.is_connected(stopped):
        await server.of("/").to("room").emit("board", count, KILOBYTE)
        await turns(3)
        count += 1
    assert (MOST - ONE_WRITE) / 1040 < count <= MOST / 1024
    assert stage.reasons == {stopped.id: "too slow: buffer full"}
    assert (await stopped.transport.get()).status == 400


async def test_a_poll_whose_answer_is_not_read(stage, monkeypatch):
    """What was handed over for it is let go when nothing of it is read."""
    monkeypatch.setattr(connections, "STALLED_SECONDS", 0.5)
    server = await stage.serve(engine_options=EngineOptions(ping_timeout_seconds=0.2, ping_interval_seconds=0.2))
    stopped = await stage.polling_member("room")
    for _ in range(900):
        await server.of("/").to("room").emit("board", KILOBYTE)
    await turns()
    connection = await stage.slow_connection()
    await connection.send(request_bytes("GET", stage.endpoint.target(transport="polling", sid=stopped.transport.sid)))
    await until(lambda: held_for_answers() > MOST / 2)
    assert held_for_answers() <= MOST
    await until(lambda: not stage.is_connected(stopped))
    await until(lambda: not held_for_answers(), seconds=3)


def held_for_answers():
    """Bytes of HTTP answers that wait to be read."""
    held = (found for found in gc.get_objects() if isinstance(found, HttpConnection))
    return sum(connection.transport.get_write_buffer_size() for connection in held if connection.transport)


@pytest.mark.parametrize("kind", ["slow_member", "polling_member"])
async def test_what_a_closed_reader_was_owed_is_let_go(stage, kind):
    """Nothing of it is left with the server."""
    server = await stage.serve(engine_options=QUICK)
    stopped = await getattr(stage, kind)("room")
    while stage.is_connected(stopped):
        await server.of("/").to("room").emit("board", KILOBYTE)
        await turns(3)
    await until(stage.is_empty)
