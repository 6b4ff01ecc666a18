"""Binary events and acknowledgements of Socket.IO: placeholders in the text, attachments behind it."""

from __future__ import annotations

import pytest

from tests.conformance.long_polling import open_long_polling
from tests.conformance.server_program import Endpoint
from tests.conformance.socket_client import SocketClient, TransportName, socket_client
from tests.conformance.web_socket import open_web_socket

ONE, TWO, THREE = b"\x01\x02\x03", b"\x04\x05\x06", b""
FIRST, SECOND, THIRD = (f'{{"_placeholder":true,"num":{number}}}' for number in range(3))
AFTER = '42["message","after"]'


@pytest.mark.parametrize("namespace", ["", "/custom,"], ids=["main", "custom"])
async def test_binary_event(stranger: SocketClient, namespace: str):
    """An event with two attachments goes to the server and back."""
    await stranger.enter(namespace.removesuffix(",") or "/")
    await stranger.send(f'452-{namespace}["message",{FIRST},{SECOND}]', ONE, TWO)
    assert await stranger.receive(3) == [f'452-{namespace}["message-back",{FIRST},{SECOND}]', ONE, TWO]


async def test_binary_acknowledgement(client: SocketClient):
    """An event with attachments and an id is acknowledged with attachments and the id."""
    await client.send(f'452-789["message-with-ack",{FIRST},{SECOND}]', ONE, TWO)
    assert await client.receive(3) == [f"462-789[{FIRST},{SECOND}]", ONE, TWO]


async def test_binary_acknowledgement_of_a_client(client: SocketClient):
    """The server gets a client's binary acknowledgement."""
    await client.send(f'451-["ask",{FIRST}]', ONE)
    question, attachment = await client.receive(2)
    identifier = str(question).removeprefix("451-").partition("[")[0]
    assert (question, attachment) == (f'451-{identifier}["question",{FIRST}]', ONE)
    await client.send(f'462-{identifier}[[{FIRST},"x",{SECOND}]]', TWO, ONE)
    assert await client.receive(3) == [f'452-["answered",[{FIRST},"x",{SECOND}]]', TWO, ONE]


async def test_nested_attachments(client: SocketClient):
    """Attachments may stand anywhere in the payload."""
    payload = f'{{"a":[1,{{"b":{FIRST}}},[[{SECOND}]]],"c":{THIRD}}},null'
    await client.send(f'453-["message",{payload}]', ONE, TWO, THREE)
    assert await client.receive(4) == [f'453-["message-back",{payload}]', ONE, TWO, THREE]


async def test_ten_attachments(client: SocketClient):
    """Ten attachments are allowed: the limit of the reference."""
    placeholders = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(10))
    attachments = [bytes([number]) * number for number in range(10)]
    await client.send(f'4510-["message",{placeholders}]', *attachments)
    assert await client.receive(11) == [f'4510-["message-back",{placeholders}]', *attachments]


async def test_attachments_out_of_order(client: SocketClient):
    """A placeholder gets the attachment of its number, wherever it stands."""
    await client.send(f'452-["message",{SECOND},{FIRST}]', ONE, TWO)
    assert await client.receive(3) == [f'452-["message-back",{FIRST},{SECOND}]', TWO, ONE]


async def test_attachment_used_twice(client: SocketClient):
    """Two placeholders of the same number get the same attachment, or close the connection."""
    await client.try_to_send(f'451-["message",{FIRST},{FIRST}]', ONE)
    assert await client.next_packet() in (f'452-["message-back",{FIRST},{SECOND}]', None)


async def test_attachment_used_never(client: SocketClient):
    """An attachment without a placeholder is awaited and lost, or closes the connection."""
    await client.try_to_send('451-["message","text"]', ONE)
    assert await client.next_packet() in ('42["message-back","text"]', None)


async def test_large_attachment(client: SocketClient):
    """An attachment of half a megabyte arrives whole."""
    large = bytes(range(256)) * 2_000
    await client.send(f'451-["message",{FIRST}]', large)
    assert await client.receive(2) == [f'451-["message-back",{FIRST}]', large]


async def test_attachments_come_one_by_one(client: SocketClient):
    """Text and attachments may come in requests of their own, with a pong between them."""
    for packet in (f'452-["message",{FIRST},{SECOND}]', "3", ONE, "3", TWO):
        await client.send(packet)
    assert await client.receive(3) == [f'452-["message-back",{FIRST},{SECOND}]', ONE, TWO]


async def test_binary_events_keep_their_order(client: SocketClient):
    """Binary events among others are answered in order, attachments right behind their text."""
    for number in range(20):
        await client.send(f'451-["message",{number},{FIRST}]', bytes([number]), f'42["message",{number}]')
    expected: list[str | bytes] = []
    for number in range(20):
        expected += [
            f'451-["message-back",{number},{FIRST}]',
            bytes([number]),
            f'42["message-back",{number}]',
        ]
    assert await client.receive(60) == expected


@pytest.mark.parametrize("flag", ['"true"', "1", "false", "null", "{}"])
async def test_what_only_looks_like_a_placeholder(client: SocketClient, flag: str):
    """Only `"_placeholder":true` stands for an attachment."""
    lookalike = f'{{"_placeholder":{flag},"num":0}}'
    await client.send(f'451-["message",{lookalike},{FIRST}]', ONE)
    assert await client.receive(2) == [f'451-["message-back",{lookalike},{FIRST}]', ONE]


@pytest.mark.parametrize("number", ["1", "-1", "99999999999999999999", '"0"', "null", "true", "[0]", None])
async def test_placeholder_without_an_attachment(client: SocketClient, number: str | None):
    """A placeholder whose number is no attachment's closes the connection."""
    placeholder = '{"_placeholder":true}' if number is None else f'{{"_placeholder":true,"num":{number}}}'
    assert await client.is_cut(f'451-["message",{placeholder}]', ONE, AFTER)


@pytest.mark.node_deviates("passes the event on with `undefined` in the place")
async def test_placeholder_with_a_fraction(client: SocketClient):
    """The number of an attachment is whole."""
    assert await client.is_cut('452-["message",{"_placeholder":true,"num":0.5}]', ONE, TWO, AFTER)


@pytest.mark.node_deviates("reads the count as JavaScript reads numbers")
@pytest.mark.parametrize("count", ["1e0", "+1", " 1", "1 ", "0x1", "1.0"])
async def test_odd_count(client: SocketClient, count: str):
    """The count of attachments is of digits."""
    assert await client.is_cut(f'45{count}-["message",{FIRST}]', ONE, AFTER)


INVALID = {
    "no number": f'45["message",{FIRST}]',
    "no digits": f'45-["message",{FIRST}]',
    "no dash": f'451["message",{FIRST}]',
    "zero": '450-["message"]',
    "negative": f'45-1-["message",{FIRST}]',
    "fraction": f'451.5-["message",{FIRST}]',
    "letters": f'45a-["message",{FIRST}]',
    "other digits": f'45\u0661-["message",{FIRST}]',
    "superscript": f'45\u00b9-["message",{FIRST}]',
    "underscore": f'451_0-["message",{FIRST}]',
    "a million": f'451000000-["message",{FIRST}]',
    "endless": f'45{"9" * 400}-["message",{FIRST}]',
    "never ends": "45" + "1" * 100_000,
    "object": f"451-{FIRST}",
    "empty": "451-[]",
    "name is an attachment": f"451-[{FIRST}]",
    "reserved name": f'451-["disconnect",{FIRST}]',
    "acknowledgement is an object": "461-1{}",
    "acknowledgement without attachments": "460-1[]",
    "cut JSON": f'451-["message",{FIRST}',
}


@pytest.mark.parametrize("packet", INVALID.values(), ids=INVALID)
async def test_invalid_binary_packet(client: SocketClient, packet: str):
    """A text that is no valid beginning of a binary packet closes the connection, before or with its attachment."""
    assert await client.is_cut(packet, ONE, AFTER)


async def test_text_in_place_of_an_attachment(client: SocketClient):
    """A text before all attachments came closes the connection: the event was never complete."""
    assert await client.is_cut(f'452-["message",{FIRST},{SECOND}]', ONE, AFTER)


async def test_one_attachment_too_many(client: SocketClient):
    """An attachment that belongs to nothing closes the connection, after the event before it."""
    await client.try_to_send(f'451-["message",{FIRST}]', ONE, TWO, AFTER)
    assert await client.goodbye() in ([f'451-["message-back",{FIRST}]', ONE], [])


async def test_attachments_that_never_come(socket_io: Endpoint, transport: TransportName):
    """A client that leaves amid a binary event harms nobody."""
    async with socket_client(socket_io, transport) as client:
        await client.enter()
        await client.send(f'452-["message",{FIRST},{SECOND}]', ONE)
    async with socket_client(socket_io, transport) as client:
        await client.enter()
        assert await client.exchange(AFTER) == '42["message-back","after"]'


async def test_packet_of_another_namespace_between(client: SocketClient):
    """Between a text and its attachments no other namespace's packet may come."""
    await client.enter("/custom")
    assert await client.is_cut(f'451-["message",{FIRST}]', '42/custom,["message","between"]', ONE)


async def test_binary_event_across_an_upgrade(socket_io: Endpoint):
    """A binary event may begin over polling and end over the WebSocket that the client upgraded to."""
    polling = await open_long_polling(socket_io)
    await SocketClient(polling).enter()
    await polling.send(f'452-["message",{FIRST},{SECOND}]', ONE)
    async with open_web_socket(socket_io, sid=polling.sid) as socket:
        await socket.send("2probe")
        assert await socket.receive() == "3probe"
        await socket.send("5", TWO)
        assert [await socket.receive() for _ in range(3)] == [f'452-["message-back",{FIRST},{SECOND}]', ONE, TWO]
