"""Events and acknowledgements of Socket.IO, both ways, and what closes a connection."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.conformance.server_program import Endpoint
from tests.conformance.socket_client import SocketClient, socket_client

ARGUMENTS = {
    "none": "",
    "one": ',"hello"',
    "several": ',1,"2",{"3":[true]}',
    "null": ",null",
    "numbers": ",0,-1,1.5,1e-7,9007199254740991,-9007199254740991",
    "unicode": ',"€ 😀 \u2028é"',
    "escaped unicode": ',"\\u20ac \\ud83d\\ude00"',
    "quotes": ',"\\"\\\\ /"',
    "empty": ',"",[],{}',
    "separator of payloads": ',"a\\u001eb"',
    "control characters": ',"\\u0000\\u0007\\n\\t"',
    "looks like a packet": ',"40","/custom,","451-"',
    "looks like a placeholder": ',{"_placeholder":true,"num":0}',
    "odd keys": ',{"":1," ":2,"a.b":3}',
    "nested": "," + "[" * 50 + "]" * 50,
    "long": f',"{"x" * 100_000}"',
}


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
@pytest.mark.parametrize("namespace", ["", "/custom,"], ids=["main", "custom"])
async def test_event(stranger: SocketClient, namespace: str, arguments: str):
    """An event with any arguments goes to the server and back, in the main namespace and in another."""
    await stranger.enter(namespace.removesuffix(",") or "/")
    reply = str(await stranger.exchange(f'42{namespace}["message"{arguments}]'))
    assert reply.startswith(f'42{namespace}["message-back"')
    assert json.loads(reply.removeprefix(f"42{namespace}")) == ["message-back", *json.loads(f"[{arguments[1:]}]")]


async def test_reply_to_the_letter(client: SocketClient):
    """The server writes JSON without spaces and with characters as they are, like the reference."""
    assert (
        await client.exchange('42[ "message", 1, { "é": [ true, null ] } ]') == '42["message-back",1,{"é":[true,null]}]'
    )


@pytest.mark.parametrize("identifier", ["0", "1", "456", "2147483648", "9007199254740991"])
async def test_acknowledgement(client: SocketClient, identifier: str):
    """An event with an id is acknowledged with the same id."""
    packet = f'42{identifier}["message-with-ack",1,"2",{{"3":[false]}}]'
    assert await client.exchange(packet) == f'43{identifier}[1,"2",{{"3":[false]}}]'


async def test_acknowledgement_without_arguments(client: SocketClient):
    """The payload of an acknowledgement may be empty."""
    assert await client.exchange('427["message-with-ack"]') == "437[]"


async def test_acknowledgement_in_another_namespace(client: SocketClient):
    """The same id may be under way in two namespaces."""
    await client.enter("/custom")
    await client.send('421["message-with-ack","main"]', '42/custom,1["message-with-ack","custom"]')
    assert sorted(map(str, await client.receive(2))) == ['43/custom,1["custom"]', '431["main"]']


@pytest.mark.node_deviates("rounds ids over 2**53")
async def test_huge_id(client: SocketClient):
    """An id of 25 digits is acknowledged to the letter, or closes the connection."""
    huge = "1234567890123456789012345"
    await client.send(f'42{huge}["message-with-ack"]')
    assert await client.next_packet() in (f"43{huge}[]", None)


@pytest.mark.parametrize("digits", [20, 400, 5_000])
async def test_endless_id(client: SocketClient, socket_io: Endpoint, digits: int):
    """An id of more digits than a number has is ignored or closes the connection, and harms nobody else."""
    await client.try_to_send(f'43{"9" * digits}["x"]', f'42{"9" * digits}["message-with-ack"]')
    async with socket_client(socket_io) as other:
        await other.enter()


async def test_unasked_acknowledgement(client: SocketClient):
    """An event without an id is not acknowledged."""
    await client.send('42["unknown-event",1]', '42["message",2]')
    assert await client.receive() == ['42["message-back",2]']


async def asked(client: SocketClient, arguments: str = '1,"two"') -> str:
    """Have the server ask; the id under which it awaits the acknowledgement."""
    question = str(await client.exchange(f'42["ask",{arguments}]'))
    identifier = question.removeprefix("42").partition("[")[0]
    assert question == f'42{identifier}["question",{arguments}]'
    assert identifier.isdigit()
    return identifier


async def test_client_acknowledges(client: SocketClient):
    """The server gets a client's acknowledgement, be it empty."""
    identifier = await asked(client)
    assert await client.exchange(f'43{identifier}[{{"a":[1]}}]') == '42["answered",{"a":[1]}]'
    identifier = await asked(client)
    assert await client.exchange(f"43{identifier}[]") == '42["answered",null]'


async def test_client_acknowledges_in_any_order(client: SocketClient):
    """Acknowledgements are told apart by their ids."""
    identifiers = [await asked(client) for _ in range(5)]
    assert len(set(identifiers)) == 5
    for identifier in reversed(identifiers):
        assert await client.exchange(f'43{identifier}["{identifier}"]') == f'42["answered","{identifier}"]'


async def test_a_hundred_questions_at_once(client: SocketClient):
    """The server may wait for many acknowledgements of a client, and goes on reading them."""
    await client.send(*(f'42["ask",{number}]' for number in range(100)))
    for question in await client.receive(100):
        identifier, _, arguments = str(question).removeprefix("42").partition('["question",')
        await client.send(f"43{identifier}[{arguments}")
    assert await client.receive(100) == [f'42["answered",{number}]' for number in range(100)]


async def test_question_on_connection(stranger: SocketClient):
    """The server may ask a client as soon as it is in, and wait for its acknowledgement."""
    await stranger.send("40/asking,")
    connected, question = await stranger.receive(2)
    assert str(connected).startswith('40/asking,{"sid":')
    identifier = str(question).removeprefix("42/asking,").partition("[")[0]
    assert question == f'42/asking,{identifier}["question"]'
    assert await stranger.exchange(f'43/asking,{identifier}["answer"]') == '42/asking,["answered","answer"]'


async def test_client_acknowledges_twice(client: SocketClient):
    """Only the first acknowledgement counts."""
    identifier = await asked(client)
    await client.send(f'43{identifier}["first"]', f'43{identifier}["second"]', '42["message","after"]')
    assert sorted(map(str, await client.receive(2))) == ['42["answered","first"]', '42["message-back","after"]']
    assert await client.exchange('42["message","nothing else"]') == '42["message-back","nothing else"]'


async def test_acknowledgement_in_the_wrong_namespace(client: SocketClient):
    """An id means nothing in another namespace."""
    await client.enter("/custom")
    identifier = await asked(client)
    await client.send(f'43/custom,{identifier}["wrong"]', '42/custom,["message","after"]')
    assert await client.receive() == ['42/custom,["message-back","after"]']
    assert await client.exchange(f'43{identifier}["right"]') == '42["answered","right"]'


@pytest.mark.parametrize("packet", ["430[]", '4312345["x"]', '439007199254740991["x"]', "43[]", '43["no id"]'])
async def test_acknowledgement_of_nothing(client: SocketClient, packet: str):
    """An acknowledgement that nobody waits for is ignored."""
    assert await client.exchange(packet, '42["message","after"]') == '42["message-back","after"]'


async def test_events_keep_their_order(client: SocketClient):
    """A thousand events sent together are answered in order."""
    await client.send(*(f'42["message",{number}]' for number in range(1_000)))
    assert await client.receive(1_000) == [f'42["message-back",{number}]' for number in range(1_000)]


async def test_many_clients_at_once(socket_io: Endpoint):
    """A hundred clients over both transports, each with its events, do not get in each other's way."""

    async def talk(number: int) -> list[str | bytes]:
        async with socket_client(socket_io, "polling" if number % 2 else "websocket") as client:
            await client.enter()
            await client.send(*(f'42{n}["message-with-ack",{number},{n}]' for n in range(20)))
            return await client.receive(20)

    received = await asyncio.gather(*(talk(number) for number in range(100)))
    assert received == [[f"43{n}[{number},{n}]" for n in range(20)] for number in range(100)]


INVALID = {
    "unknown type": "4abc",
    "type 7": '47["message"]',
    "type 9": "49",
    "no type": "4",
    "a space": '4 2["message"]',
    "other digits": '4\u0662["message"]',
    "object": "42{}",
    "object with an event": '42{"0":"message"}',
    "text": '42"message"',
    "null": "42null",
    "true": "42true",
    "empty array": "42[]",
    "name is null": "42[null]",
    "name is an array": '42[["message"]]',
    "name is an object": '42[{"message":1}]',
    "name is true": "42[true]",
    "id is no number": '42abc["message-with-ack",1,"2",{"3":[false]}]',
    "id is negative": '42-1["message"]',
    "id in other digits": '42\u0661["message"]',
    "id is superscript": '42\u00b9["message"]',
    "id with an underscore": '421_0["message"]',
    "id with a sign": '42+1["message"]',
    "id is hexadecimal": '420x1["message"]',
    "id is a fraction": '421.5["message"]',
    "cut JSON": '42["message"',
    "more after the JSON": '42["message"]x',
    "two arrays": '42["message"]["message"]',
    "trailing comma": '42["message",]',
    "single quotes": "42['message']",
    "NaN": '42["message",NaN]',
    "Infinity": '42["message",-Infinity]',
    "comment": '42["message"/**/]',
    "bare control character": '42["message","\n"]',
    "leading zeros": '42["message",007]',
    "acknowledgement is an object": "431{}",
    "acknowledgement is a text": '431"x"',
    "acknowledgement is null": "431null",
    "namespace without a comma": '42/["message"]',
    "namespace one is not in": '42/custom,["message"]',
    "namespace that is not there": '42/random,["message"]',
    "connect": '42["connect"]',
    "connect_error": '42["connect_error"]',
    "disconnect": '42["disconnect"]',
    "disconnecting": '42["disconnecting"]',
    "reserved with an id": '421["disconnect"]',
    "binary without attachments": b"\x01\x02",
}


@pytest.mark.node_deviates("takes any white space for the digit 0")
@pytest.mark.parametrize("space", [" ", "\t", "\n", "\u00a0", "\ufeff"], ids=ascii)
async def test_id_after_a_space(client: SocketClient, space: str):
    """An id is of digits: all else closes the connection."""
    assert await client.is_cut(f'42{space}1["message"]', '42["message","after"]')


@pytest.mark.parametrize("packet", INVALID.values(), ids=INVALID)
async def test_invalid_packet(client: SocketClient, packet: str | bytes):
    """A packet of no valid form closes the connection, and what follows it is not taken."""
    assert await client.is_cut(packet, '42["message","after"]')


@pytest.mark.node_deviates("takes an event without a payload, although the protocol makes it mandatory")
@pytest.mark.parametrize("packet", ["42", "421"])
async def test_event_without_a_payload(client: SocketClient, packet: str):
    """The payload of an event is mandatory: without one the connection is closed."""
    assert await client.is_cut(packet, '42["message","after"]')


@pytest.mark.node_deviates("takes an acknowledgement without a payload, although the protocol makes it mandatory")
async def test_acknowledgement_without_a_payload(client: SocketClient):
    """The payload of an acknowledgement is mandatory: without one the connection is closed."""
    identifier = await asked(client)
    assert await client.is_cut(f"43{identifier}", '42["message","after"]')


@pytest.mark.parametrize(
    "name", ['"newListener"', '"removeListener"', "1", "0", "-1.5", '""', '"__proto__"', '"constructor"']
)
async def test_names_that_nobody_listens_to(client: SocketClient, name: str):
    """An odd name of an event is ignored, or closes the connection: it reaches nothing inside the server."""
    await client.try_to_send(f'42[{name},"x"]', '42["message","after"]')
    assert await client.next_packet() in ('42["message-back","after"]', None)


ODD = {
    "deep arrays": '42["unknown-event",' + "[" * 100_000 + "]" * 100_000 + "]",
    "deep objects": '42["unknown-event",' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "]",
    "deep and cut": '42["unknown-event",' + "[" * 200_000,
    "huge integer": f'42["unknown-event",{"9" * 100_000}]',
    "huge exponent": '42["unknown-event",1e400,-1e400,1e-400]',
    "lone surrogate": '42["unknown-event","\\ud800"]',
    "prototype": '42["unknown-event",{"__proto__":{"a":1},"constructor":{"prototype":1}}]',
    "same key twice": '42["unknown-event",{"a":1,"a":2}]',
    "many keys": '42["unknown-event",{' + ",".join(f'"{n}":1' for n in range(50_000)) + "}]",
    "deep and binary": '451-["unknown-event",' + "[" * 50_000 + '{"_placeholder":true,"num":0}' + "]" * 50_000 + "]",
}


@pytest.mark.parametrize("packet", ODD.values(), ids=ODD)
async def test_odd_json(client: SocketClient, socket_io: Endpoint, packet: str):
    """JSON that strains a parser is taken or closes the connection; nobody else notices."""
    attachments = [b"\x01"] if packet.startswith("45") else []
    await client.try_to_send(packet, *attachments)
    async with socket_client(socket_io) as other:
        await other.enter()
        assert await other.exchange('42["message",1]') == '42["message-back",1]'
