"""What a client may do: how long, how often, how much, and from where."""

import asyncio
import itertools
import json

import pytest

from tests.conformance.http_connection import request, request_bytes
from tests.conformance.long_polling import open_long_polling
from tests.conformance.web_socket import handshake
from tests.integration.socket_core.clients import polling_client
from tests.integration.socket_core.stage import turns, until, within
from tiebreak.http_edge import connections
from tiebreak.socket_adapter.engine_io import web_socket
from tiebreak.socket_adapter.engine_io.options import EngineOptions
from tiebreak.socket_adapter.socket_io.namespace import ConnectRefused
from tiebreak.socket_adapter.socket_io.server import SocketOptions

OURS = "https://ours.example"
# The wheel, which every time of a socket hangs on, turns every 10 ms.
QUICK = EngineOptions(ping_timeout_seconds=0.2, ping_interval_seconds=30, closing_seconds=0.2)


async def count_up(stage):
    """A handler of "number" that keeps what it gets and acknowledges it."""
    received = []

    async def number(socket, arguments):
        received.append(arguments[0])
        return arguments

    stage.server.of("/").on("number", number)
    return received


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", ["", "G", "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n"])
async def test_a_request_head_that_does_not_end(stage, monkeypatch, begun):
    """It has its time, however little of it has come: 408, and the connection is closed."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    await stage.serve()
    connection = await stage.connection()
    await connection.send(begun.encode())
    assert (await connection.answer()).status == 408
    assert await connection.rest() == b""


async def test_a_request_head_that_trickles(stage, monkeypatch):
    """Bytes that keep coming do not buy more time."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    await stage.serve()
    connection = await stage.connection()
    begun = asyncio.get_running_loop().time()

    async def trickle():
        for byte in b"GET / HTTP/1.1\r\nX-Slow: " + b"x" * 1_000:
            await connection.send(bytes([byte]))
            await asyncio.sleep(0.01)

    # The latter from uvloop, if it has noticed before we write.
    with pytest.raises((ConnectionError, RuntimeError)):
        await trickle()
    assert asyncio.get_running_loop().time() - begun < 5


async def test_later_request_heads_have_the_same_time(stage, monkeypatch):
    """On a connection that is kept; one that says nothing between requests is left alone."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    await stage.serve()
    connection = await stage.connection()
    assert (await connection.request("GET", "/elsewhere")).status == 404
    await asyncio.sleep(0.2)
    assert (await connection.request("GET", "/elsewhere")).status == 404
    await connection.send(b"GET /elsewhere HT")
    assert (await connection.answer()).status == 408


async def test_open_sockets_outlive_the_time_for_a_head(stage, monkeypatch):
    """Neither a WebSocket nor a poll that waits is taken for a slow head."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    server = await stage.serve()
    members = [await stage.member(), await stage.polling_member()]
    polling = asyncio.create_task(members[1].event())
    await asyncio.sleep(0.3)
    await server.of("/").emit("news")
    assert await members[0].event() == await polling == ["news"]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_no_connect_in_time(stage, transport):
    """A session that joins no namespace is closed."""
    server = await stage.serve(SocketOptions(connect_timeout_seconds=0.1), QUICK)
    stranger = await stage.stranger() if transport == "websocket" else await polling_client(stage.endpoint)
    member = await stage.member()
    assert await stranger.goodbye() == []
    assert server.engine.counts.closed == {"no namespace joined in time": 1}
    assert stage.is_connected(member)


async def test_no_connect_in_time_after_a_refusal(stage):
    """Neither an attempt that was refused nor one that takes long buys more time than it takes."""
    server = await stage.serve(SocketOptions(connect_timeout_seconds=0.1), QUICK)
    decide = asyncio.Event()

    async def refuse(socket):
        await decide.wait()
        raise ConnectRefused("not you")

    server.of("/").admit_by(refuse)
    quick, slow = await stage.stranger(), await stage.stranger()
    await slow.send("40")
    await asyncio.sleep(0.2)
    decide.set()
    await quick.try_to_send("40")
    await within(quick.goodbye(), 2)
    assert await within(slow.goodbye(), 2) == ['44{"message":"not you"}']


async def test_leaving_the_last_namespace(stage):
    """A client that has left them all has as long as a new one."""
    await stage.serve(SocketOptions(connect_timeout_seconds=0.1), QUICK)
    member = await stage.member()
    await member.send("41")
    assert await within(member.goodbye(), 2) == []


async def test_a_body_that_does_not_come(stage, monkeypatch):
    """A POST whose body stays away is given up."""
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.5)
    await stage.serve(engine_options=EngineOptions(ping_timeout_seconds=0.2, ping_interval_seconds=0.2))
    member = await stage.polling_member()
    connection = await stage.connection()
    body = request_bytes("POST", stage.endpoint.target(transport="polling", sid=member.transport.sid), "x" * 1_000)
    await connection.send(body[:-1])
    await until(lambda: not stage.is_connected(member))
    assert await within(connection.rest(), 3) is not None


# --- number ----------------------------------------------------------------------------------------------------------


async def test_sessions_per_address(stage):
    """Beyond them 429, on both transports; other addresses are not concerned, and who leaves makes room."""
    await stage.serve(engine_options=EngineOptions(sessions_per_address=2))
    first = await stage.member()
    await stage.polling_member()
    answers = [await stage.refused(), await request(stage.endpoint, "GET")]
    for answer in answers:
        assert answer.status == 429
        assert answer.headers["Content-Type"] == "application/json"
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json()["code"] == 4
        assert "Too many connections from this address" in answer.json()["message"]
    elsewhere = {"X-Forwarded-For": "192.0.2.1"}
    await stage.admitted(await stage.stranger(headers=elsewhere))
    assert (await request(stage.endpoint, "GET", headers=elsewhere)).status == 200
    assert (await request(stage.endpoint, "GET", headers=elsewhere)).status == 429
    assert (await stage.refused(elsewhere)).status == 429
    first.transport.connection.abort()
    await until(lambda: not stage.is_connected(first))
    await stage.member()
    assert (await stage.refused()).status == 429


async def test_an_upgrade_is_no_second_session(stage):
    """A client at the limit may still change over to a WebSocket."""
    await stage.serve(engine_options=EngineOptions(sessions_per_address=1))
    polling = await open_long_polling(stage.endpoint)
    connection = await stage.connection()
    await connection.send(handshake(stage.endpoint, sid=polling.sid))
    assert (await connection.answer()).status == 101


# --- messages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["member", "polling_member"])
async def test_a_client_that_floods_is_slowed(stage, transport):
    """Beyond its burst it is read at its rate: nothing is lost or out of order, and nobody else waits."""
    server = await stage.serve(SocketOptions(messages_per_second=100, message_burst=10), QUICK)
    received = await count_up(stage)
    flooder, other = await getattr(stage, transport)(), await stage.member()
    begun = asyncio.get_running_loop().time()
    packets = [f'42{at}["number",{at}]' for at in range(80)]
    flood = asyncio.create_task(flooder.send(*packets))
    await until(lambda: received)
    for at in range(1_000, 1_005):
        await other.emit("number", at, ack=at)
        assert await other.next_packet() == f"43{at}[{at}]"
    assert len(received) < 80
    assert await flooder.receive(80) == [f"43{at}[{at}]" for at in range(80)]
    await flood
    # The CONNECT is a message, too.
    assert asyncio.get_running_loop().time() - begun >= 0.9 * (81 - 10) / 100
    assert [number for number in received if number < 1_000] == [*range(80)]
    assert server.counts.throttled > 0


async def test_frames_are_read_in_portions(stage, monkeypatch):
    """Of what comes in one read, no more than a portion is handled in a turn; nothing is lost or out of order."""
    monkeypatch.setattr(web_socket, "FRAMES_PER_TURN", 3)
    await stage.serve()
    received = await count_up(stage)
    member = await stage.member()
    handled = []
    await member.send(*(f'42{at}["number",{at}]' for at in range(20)))
    while len(received) < 20:
        handled.append(len(received))
        await asyncio.sleep(0)
    assert max(after - before for before, after in itertools.pairwise([*handled, len(received)])) <= 3
    assert received == [*range(20)]
    assert await member.receive(20) == [f"43{at}[{at}]" for at in range(20)]


async def test_a_client_that_is_slowed_keeps_its_connection(stage):
    """Its answers to pings stand in line behind its messages; that we do not read them is no ping timeout."""
    server = await stage.serve(
        SocketOptions(messages_per_second=100, message_burst=1),
        EngineOptions(ping_interval_seconds=0.2, ping_timeout_seconds=0.2),
    )
    received = await count_up(stage)
    flooder = await stage.member()
    await flooder.send(*(f'42["number",{at}]' for at in range(150)))
    listening = asyncio.create_task(flooder.goodbye())
    await until(lambda: len(received) == 150 or listening.done())
    assert received == [*range(150)]
    assert not listening.done()
    assert server.engine.counts.closed == {}
    listening.cancel()


@pytest.mark.parametrize("transport", ["member", "polling_member"])
async def test_too_many_messages_at_once(stage, transport):
    """No more are handled at the same time than may be; the rest wait unread, and all are answered in the end."""
    server = await stage.serve(SocketOptions(max_handling=4, max_waiting=8))
    handling, most = [], []
    go_on = asyncio.Semaphore(0)

    async def take_long(socket, arguments):
        handling.append(arguments[0])
        most.append(len(handling))
        await go_on.acquire()
        handling.remove(arguments[0])
        return arguments

    async def quick(socket, arguments):
        return arguments

    server.of("/").on("long", take_long)
    server.of("/").on("quick", quick)
    busy, other = await getattr(stage, transport)(), await stage.member()
    sending = asyncio.create_task(busy.send(*(f'42{at}["long",{at}]' for at in range(50))))
    await until(lambda: len(handling) == 4)
    await other.emit("quick", 1, ack=1)
    assert await other.next_packet() == "431[1]"
    for _ in range(50):
        go_on.release()
        await asyncio.sleep(0)
    assert sorted(await busy.receive(50)) == sorted(f"43{at}[{at}]" for at in range(50))
    await sending
    assert max(most) == 4


async def test_a_client_that_leaves_while_it_waits(stage):
    """Held back or not: its connection, and the request that brings its messages, end with it."""
    server = await stage.serve(SocketOptions(max_handling=1, max_waiting=1), QUICK)
    never = asyncio.Event()

    async def take_long(socket, arguments):
        await never.wait()

    server.of("/").on("long", take_long)
    busy, polling = await stage.member(), await stage.polling_member()
    await busy.send('42["long"]', '42["long"]')
    posting = asyncio.create_task(polling.transport.post('42["long"]\x1e42["long"]'))
    await until(lambda: len(server._tasks) == 2)
    for client in (busy, polling):
        stage.socket(client).disconnect(close=True)
    assert await busy.goodbye() == ["41"]
    assert (await within(posting)).status == 200
    never.set()
    await until(stage.is_empty)


# --- size ------------------------------------------------------------------------------------------------------------


async def test_large_messages(stage):
    """16 KB pass, a byte more ends a WebSocket with 1009, and a POST with 413 in JSON."""
    server = await stage.serve(engine_options=EngineOptions(max_payload=16 * 1024))
    received = await count_up(stage)
    largest = '42["number",""]'
    largest = largest.replace('""', f'"{"x" * (16 * 1024 - len(largest))}"')
    members = [await stage.member(), await stage.polling_member()]
    for member in members:
        await member.send(largest)
    await until(lambda: len(received) == 2)
    too_large = largest.replace("x", "xx", 1)
    await members[0].send(too_large)
    assert (await members[0].close_code())[0] == 1009
    answer = await members[1].transport.post(too_large)
    assert (answer.status, answer.json()["message"]) == (413, "Payload too large")
    assert answer.headers["Content-Type"] == "application/json"
    assert len(received) == 2
    await until(lambda: not server.engine.sessions)
    assert stage.reasons == {member.id: "transport error" for member in members}


async def test_a_large_body_is_not_read(stage):
    """A POST that announces more than it may send is answered before it has been sent."""
    await stage.serve(engine_options=EngineOptions(max_payload=16 * 1024))
    member = await stage.polling_member()
    connection = await stage.connection()
    body = request_bytes("POST", stage.endpoint.target(transport="polling", sid=member.transport.sid), "x" * 1_000_000)
    await connection.send(body[:40_000])
    assert (await connection.answer()).status == 413


async def test_attachments(stage):
    """As many as the cap lets pass; more end the connection."""
    server = await stage.serve(SocketOptions(max_attachments=2))
    received = []

    async def binary(socket, arguments):
        received.append(arguments)

    server.of("/").on("binary", binary)
    places = [{"_placeholder": True, "num": at} for at in range(3)]
    for transport in (stage.member, stage.polling_member):
        client = await transport()
        await client.send(f"452-{json.dumps(['binary', *places[:2]])}", b"a", b"b")
        await until(lambda: received)
        assert received.pop() == [b"a", b"b"]
        await client.try_to_send(f"453-{json.dumps(['binary', *places])}", b"a", b"b", b"c")
        await client.goodbye()
        await until(lambda client=client: stage.reasons.get(client.id) == "parse error")
    assert not received


async def test_odd_events_harm_nobody(stage):
    """They are ignored or end the client's own connection; a handler that takes any event is not asked for worse."""
    server = await stage.serve()
    await count_up(stage)
    other = await stage.member()
    for hostile in (
        "42[1]",
        '42[""]',
        '42["__proto__"]',
        '42["connect"]',
        "42[]",
        "42{}",
        "42",
        "429" * 400,
        "4[",
        "4",
    ):
        odd = await stage.member()
        await odd.try_to_send(hostile, '421["number",1]')
        assert await odd.next_packet() in ("431[1]", None), hostile
        await other.emit("number", 1, ack=1)
        assert await other.next_packet() == "431[1]"
    assert server.engine.counts.closed.keys() == {"parse error"}


# --- from where ------------------------------------------------------------------------------------------------------


def ours(origin, host):
    return origin == OURS


async def test_foreign_origins(stage):
    """403 in JSON on both transports, without CORS headers; the session they name is not theirs either."""
    server = await stage.serve(engine_options=EngineOptions(origin_allowed=ours))
    foreign = {"Origin": "https://foreign.example"}
    member = await stage.polling_member()
    target = {"sid": member.transport.sid}
    answers = [
        await stage.refused(foreign),
        await request(stage.endpoint, "GET", headers=foreign),
        await request(stage.endpoint, "GET", headers=foreign, **target),
        await request(stage.endpoint, "POST", '42["number",1]', headers=foreign, **target),
    ]
    for answer in answers:
        assert answer.status == 403
        assert answer.json()["code"] == 4
        assert "origin" in answer.json()["message"]
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    preflight = await request(stage.endpoint, "OPTIONS", headers=foreign | {"Access-Control-Request-Method": "POST"})
    assert not [name for name in preflight.headers if name.lower().startswith("access-control")]
    assert list(server.engine.sessions) == [member.transport.sid]


async def test_our_origins(stage):
    """They are let in, and told so in every answer, refusals included; what has no Origin is no page."""
    await stage.serve(engine_options=EngineOptions(origin_allowed=ours))
    page = {"Origin": OURS}
    await stage.admitted(await stage.stranger(headers=page))
    await stage.member()
    for query in ({}, {"sid": "unknown"}, {"EIO": "3"}):
        answer = await request(stage.endpoint, "GET", headers=page, **query)
        assert answer.status == (400 if query else 200)
        assert answer.headers["Access-Control-Allow-Origin"] == OURS
        assert answer.headers["Vary"] == "Origin"
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-mine"}
    preflight = await request(stage.endpoint, "OPTIONS", headers=page | asks)
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == OURS
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Allow-Headers"] == asks["Access-Control-Request-Headers"]


# --- the end ---------------------------------------------------------------------------------------------------------


async def test_closing(stage):
    """Open polls and WebSockets end, whoever comes meanwhile is sent away with 503, and nothing is left."""
    server = await stage.serve(engine_options=QUICK)
    member, waiting, late = await stage.member(), await stage.polling_member(), await stage.polling_member()
    poll = asyncio.create_task(waiting.transport.get())
    stranger = await stage.stranger()
    await turns()
    await until(lambda: waiting.transport.sid in server.engine.sessions)
    await member.settle()
    await within(server.close())
    assert (await within(poll)).text.split("\x1e")[-1] == "1"
    assert (await late.transport.get()).text == "1"
    for client in (member, stranger):
        assert (await client.close_code())[0] in (1000, 1001)
    for answer in (await stage.refused(), await request(stage.endpoint, "GET")):
        assert answer.status == 503
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Retry-After"]
        assert answer.json() == {"code": 4, "message": "The server is shutting down: connect again"}
    assert set(stage.reasons.values()) == {"server shutting down"}
    await until(stage.is_empty)


async def test_closing_while_clients_are_admitted(stage):
    """A client whose admission is under way is not waited for."""
    server = await stage.serve()
    asked = asyncio.Event()

    async def take_long(socket):
        asked.set()
        await asyncio.Event().wait()

    server.of("/").admit_by(take_long)
    stranger = await stage.stranger()
    await stranger.send("40")
    await asked.wait()
    await within(server.close(), 2)
    assert await stranger.goodbye() == []
    assert stage.is_empty()


async def test_closing_with_readers_that_have_stopped(stage):
    """Nobody is waited for: neither who does not read, nor who does not answer a close frame."""
    server = await stage.serve(engine_options=QUICK)
    stopped = await stage.slow_member()
    while not stage.buffered(stopped):
        await server.of("/").emit("news", "x" * 1_000)
        await turns(3)
    await within(server.close(), 2)
    assert not server.engine.sessions
    await until(stage.is_empty)
