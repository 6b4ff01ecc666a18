"""The way into the namespaces of Socket.IO, and out of them."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from tests.conformance.long_polling import open_long_polling
from tests.conformance.server_program import Endpoint
from tests.conformance.socket_client import SocketClient, TransportName, socket_client

CONNECT_TIMEOUT_SECONDS = 1.0


@pytest.mark.parametrize("auth", ["", "{}", '{"token":"123"}', '{"a":{"b":[1,null,true,"é"]}}'])
@pytest.mark.parametrize("namespace", ["/", "/custom"])
async def test_connect(stranger: SocketClient, namespace: str, auth: str):
    """CONNECT, with credentials or without, is answered with an id; the server then has the credentials."""
    sid = await stranger.enter(namespace, auth)
    assert isinstance(sid, str)
    assert sid != stranger.engine_sid


@pytest.mark.parametrize("packet", ["40/custom", "40/custom,"])
async def test_comma_after_the_namespace(stranger: SocketClient, packet: str):
    """The comma may be left out where nothing follows."""
    reply = await stranger.exchange(packet)
    assert str(reply).startswith('40/custom,{"sid":')
    assert await stranger.receive() == ['42/custom,["auth",{}]']


@pytest.mark.parametrize("packet", ["40/random", "40/random,", '40/random,{"token":"123"}'])
async def test_unknown_namespace(stranger: SocketClient, packet: str):
    """A namespace that does not exist is refused, and the connection may be used for another."""
    assert await stranger.exchange(packet) == '44/random,{"message":"Invalid namespace"}'
    await stranger.enter()


async def test_many_unknown_namespaces(stranger: SocketClient):
    """However many namespaces a client asks for in vain, each is refused."""
    await stranger.send(*(f"40/{number}," for number in range(200)))
    expected = [f'44/{number},{{"message":"Invalid namespace"}}' for number in range(200)]
    assert await stranger.receive(200) == expected


async def test_main_namespace_by_name(stranger: SocketClient):
    """The main namespace needs no name; who names it is in it, or is cut."""
    await stranger.try_to_send("40/,")
    if (packet := await stranger.next_packet()) is not None:
        assert str(packet).startswith('40{"sid":')


@pytest.mark.parametrize(
    "namespace",
    ["/custom/", "/Custom", "/custom?token=1", "/é 😀", "/__proto__", "/constructor", "//", "/" + "x" * 10_000],
)
async def test_namespaces_are_taken_to_the_letter(stranger: SocketClient, namespace: str):
    """A name that is only similar is an unknown one, and comes back as it was sent."""
    assert await stranger.exchange(f"40{namespace},") == f'44{namespace},{{"message":"Invalid namespace"}}'


async def test_refused_by_the_application(stranger: SocketClient):
    """CONNECT_ERROR carries the reason and what the application adds; a second try with the right token succeeds."""
    for packet in ("40/members,", '40/members,{"token":"wrong"}'):
        refusal = str(await stranger.exchange(packet))
        assert refusal.startswith("44/members,")
        assert json.loads(refusal.removeprefix("44/members,")) == {"message": "Not authorized", "data": {"code": "E1"}}
    await stranger.enter("/members", '{"token":"right"}')


@pytest.mark.parametrize(
    "payload", ["[]", '["a"]', '"text"', "null", "true", "false", "1.5", "{", '{"a":}', "{}x", "nil"]
)
@pytest.mark.parametrize("namespace", ["", "/custom,"])
async def test_payload_that_is_no_object(stranger: SocketClient, namespace: str, payload: str):
    """The payload of CONNECT is an object: all else closes the connection."""
    assert await stranger.is_cut(f"40{namespace}{payload}")


@pytest.mark.parametrize(
    "packet",
    [
        '42["message","too early"]',
        '42/custom,["message","too early"]',
        "41",
        "430[]",
        '44{"message":"no"}',
        '451-["message",{"_placeholder":true,"num":0}]',
        b"\x01\x02",
        "4",
        "4abc",
        "47",
        "4-1",
        pytest.param("4 0", marks=pytest.mark.node_deviates("takes a space for the type 0")),
    ],
)
async def test_anything_before_connect(stranger: SocketClient, packet: str | bytes):
    """A client that does not begin with CONNECT is cut at once."""
    attachments = [b"\x01"] if str(packet).startswith("45") else []
    assert await stranger.is_cut(packet, *attachments)


async def test_connecting_twice(client: SocketClient):
    """A second CONNECT to the same namespace closes the connection."""
    assert await client.is_cut("40")


async def test_connecting_to_a_namespace_after_another(client: SocketClient):
    """One connection reaches several namespaces, each with an id of its own."""
    assert await client.enter("/custom") != await client.enter("/members", '{"token":"right"}')


async def test_connecting_to_two_namespaces_at_once(stranger: SocketClient):
    """Two CONNECTs need not wait for each other's answer."""
    await stranger.send("40", '40/custom,{"token":"abc"}')
    packets = await stranger.receive(4)
    main = [packet for packet in packets if not str(packet).startswith(("40/", "42/"))]
    custom = [packet for packet in packets if packet not in main]
    assert str(main[0]).startswith('40{"sid":')
    assert main[1:] == ['42["auth",{}]']
    assert str(custom[0]).startswith('40/custom,{"sid":')
    assert custom[1:] == ['42/custom,["auth",{"token":"abc"}]']


async def test_disconnect_from_one_of_two(client: SocketClient):
    """Who leaves a namespace stays in the other."""
    await client.enter("/custom")
    assert await client.exchange("41/custom,", '42["message","still here"]') == '42["message-back","still here"]'
    assert await client.is_cut('42/custom,["message","gone"]')


@pytest.mark.node_deviates("drops events that come in one read with the DISCONNECT behind them")
async def test_events_before_a_disconnect(client: SocketClient):
    """What a client sent before it left is handled, also if it left at once."""
    await client.send('42["message",1]', '421["message-with-ack",2]', "41")
    async with asyncio.timeout(2):
        assert sorted(map(str, await client.receive(2))) == ['42["message-back",1]', "431[2]"]


@pytest.mark.node_deviates("drops events that come in one read with the DISCONNECT behind them")
async def test_events_before_a_disconnect_right_after_connect(stranger: SocketClient):
    """A client may come, say something and leave, all as soon as it is in."""
    assert str(await stranger.exchange("40")).startswith("40{")
    await stranger.send('42["message",1]', "41")
    async with asyncio.timeout(2):
        assert sorted(map(str, await stranger.receive(2))) == ['42["auth",{}]', '42["message-back",1]']


async def test_slow_connection_holds_up_no_other_namespace(client: SocketClient):
    """While the server still waits for a client in one namespace, it hears it in another."""
    await client.send("40/asking,")
    connected, question = await client.receive(2)
    assert str(connected).startswith("40/asking,")
    assert str(question).startswith("42/asking,")
    async with asyncio.timeout(2):
        assert await client.exchange('42["message","meanwhile"]') == '42["message-back","meanwhile"]'


async def test_disconnect_from_the_last(client: SocketClient):
    """Who leaves the last namespace keeps the connection, and may come back under a new id."""
    sids = set()
    for _ in range(3):
        await client.send("41")
        await client.settle()
        sids.add(await client.enter())
    assert len(sids) == 3
    assert await client.exchange('42["message","back"]') == '42["message-back","back"]'


@pytest.mark.node_deviates("carries out a DISCONNECT after what came with it")
async def test_coming_back_at_once(client: SocketClient):
    """A client that left need not wait before its next CONNECT, which nobody would tell it the end of."""
    await client.try_to_send("41", "40")
    packet = await client.next_packet()
    assert str(packet).startswith('40{"sid":')


@pytest.mark.parametrize("packet", ["41{}", "41[]", "411x", '41"bye"', "41/custom", "41/random"])
async def test_invalid_disconnect(client: SocketClient, packet: str):
    """DISCONNECT has no payload, and is for a namespace that one is in: all else closes the connection."""
    assert await client.is_cut(packet)


async def test_event_after_disconnect(client: SocketClient):
    """Who left is no longer heard."""
    await client.send("41")
    await client.settle()
    assert await client.is_cut('42["message","late"]')


async def test_server_disconnects_from_a_namespace(client: SocketClient):
    """The server's DISCONNECT ends one namespace only."""
    await client.enter("/custom")
    assert await client.exchange('42/custom,["disconnect-me"]') == "41/custom,"
    assert await client.exchange('42["message","still here"]') == '42["message-back","still here"]'
    await client.enter("/custom")


async def test_server_disconnects_entirely(client: SocketClient):
    """The server may end all namespaces and the connection below; a client that polls is told so too."""
    await client.enter("/custom")
    await client.send('42["disconnect-me",true]')
    assert sorted(map(str, await client.goodbye())) in (["41", "41/custom,"], ["41"], [])


async def test_poll_that_waits_when_the_server_disconnects(socket_io: Endpoint):
    """A client that polls gets DISCONNECT and the close packet; from then on its session is unknown."""
    polling = await open_long_polling(socket_io)
    await SocketClient(polling).enter()
    packets: list[str] = []
    async with polling.waiting_get() as connection:
        await polling.send('42["disconnect-me",true]')
        packets += (await connection.answer()).text.split("\x1e")
    while "1" not in packets:
        packets += (await polling.get()).text.split("\x1e")
    assert [packet for packet in packets if packet != "6"] == ["41", "1"]
    for answer in (await polling.post("3"), await polling.get()):
        assert (answer.status, answer.json()["code"]) == (400, 1)


async def test_poll_that_waits_when_the_server_closes(socket_io: Endpoint):
    """A GET that waits when an invalid packet comes is answered with the close packet, and the session unknown."""
    polling = await open_long_polling(socket_io)
    await SocketClient(polling).enter()
    async with polling.waiting_get() as connection:
        await polling.try_to_send("4abc")
        assert (await connection.answer()).text == "1"
    for answer in (await polling.post("3"), await polling.get()):
        assert (answer.status, answer.json()["code"]) == (400, 1)


@pytest.mark.parametrize("packet", ['44{"message":"no"}', '44"no"', "44"])
async def test_connect_error_of_a_client(client: SocketClient, packet: str):
    """Only servers send CONNECT_ERROR."""
    assert await client.is_cut(packet)


async def test_connect_timeout(impatient_socket_io: Endpoint, transport: TransportName):
    """Who does not connect to a namespace in time is cut; being refused one is no excuse."""

    async def cut(*packets: str) -> float:
        began = time.monotonic()
        async with socket_client(impatient_socket_io, transport) as client:
            for packet in packets:
                await client.send(packet)
                assert str((await client.receive())[0]).startswith("44")
            assert await client.goodbye() == []
            return time.monotonic() - began

    async def spared() -> None:
        async with socket_client(impatient_socket_io, transport) as client:
            await client.enter()
            await asyncio.sleep(CONNECT_TIMEOUT_SECONDS + 0.5)
            assert await client.exchange('42["message",1]') == '42["message-back",1]'

    *waited, _ = await asyncio.gather(cut(), cut("40/random"), cut("40/members,"), spared())
    for seconds in waited:
        assert seconds
        assert CONNECT_TIMEOUT_SECONDS - 0.05 <= seconds <= CONNECT_TIMEOUT_SECONDS + 1.5


async def test_heartbeat_without_a_namespace(fast_socket_io: Endpoint, transport: TransportName):
    """Pings and pongs go on below Socket.IO, after the last namespace was left too."""
    async with socket_client(fast_socket_io, transport) as client:
        await client.enter()
        await client.send("41")
        assert await client.ping() == "2"
        await client.send("3")
        await client.enter()
