"""What others write to the stream and the channels: read strictly, passed over alone, counted."""

import base64

import msgspec
import pytest
from redis.asyncio import Redis

from tests.integration.redis_streams.cluster import process
from tests.integration.redis_streams.waiting import until
from tiebreak.socket_adapter.redis_streams.messages import Broadcast, EventPacket, Message, MessageType, RoomChange
from tiebreak.socket_adapter.redis_streams.wire import (
    Undecodable,
    decode_entry,
    decode_payload,
    encode_entry,
    encode_payload,
    has_binary,
)
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions

SOUND = {
    "opts": {"rooms": ["a"], "except": ["b"], "flags": {"volatile": True}},
    "packet": {"type": 2, "data": ["e", 1]},
}
JSON = msgspec.json.encode(SOUND)


def entry(data, type_="3", **more):
    fields = {"uid": "u", "nsp": "/", "type": type_} | ({} if data is None else {"data": data}) | more
    return {name.encode(): value if isinstance(value, bytes) else value.encode() for name, value in fields.items()}


def test_broadcast_of_node():
    """JSON, or base64 of msgpack; fields we do not know do no harm."""
    opts = BroadcastOptions(("a",), ("b",), {"volatile": True})
    message = Message(MessageType.BROADCAST, "u", "/", Broadcast(opts, EventPacket(["e", 1])))
    assert decode_entry(entry(JSON)) == message
    assert decode_entry(entry(msgspec.json.encode(SOUND | {"new": 1}), new="field")) == message
    packed = msgspec.msgpack.encode(SOUND | {"packet": {"type": 2, "data": ["e", b"\x00"], "nsp": "/"}})
    broadcast = decode_entry(entry(base64.b64encode(packed))).data
    assert broadcast.packet.data == ["e", b"\x00"]


def test_ours_is_written_as_node_writes_it():
    """No field that Node would take for a request or an acknowledgement."""
    opts = BroadcastOptions(("a",), ("b",), {"compress": False})
    written = encode_entry(Broadcast(opts, EventPacket(["e", {"a": 1}], nsp="/")))
    assert msgspec.json.decode(written) == {
        "opts": {"rooms": ["a"], "except": ["b"], "flags": {"compress": False}},
        "packet": {"data": ["e", {"a": 1}], "type": 2, "nsp": "/"},
    }
    assert written.startswith(b"{")
    binary = encode_entry(Broadcast(opts, EventPacket(["e", {"deep": [b"\xff"]}], nsp="/")))
    assert msgspec.msgpack.decode(base64.b64decode(binary))["packet"]["data"] == ["e", {"deep": [b"\xff"]}]
    assert msgspec.json.decode(encode_entry(RoomChange(BroadcastOptions(), ("r",)))) == {
        "opts": {"rooms": [], "except": [], "flags": {}},
        "rooms": ["r"],
    }


def test_binary_is_found_anywhere():
    """Bytes of every kind, in lists, tuples and dicts."""
    for value in (b"", bytearray(), memoryview(b""), [1, [b""]], {"a": {"b": (b"",)}}):
        assert has_binary(value)
    for value in (None, 1, 0.5, "text", [], {}, {"a": [1, "b", None]}):
        assert not has_binary(value)


def test_half_a_character():
    """JavaScript cuts strings amid a pair; whole pairs stay."""
    cut = rb'{"opts":{"rooms":[]},"packet":{"type":2,"data":["e","\ud83d and \ud83d\ude00"]}}'
    assert decode_entry(entry(cut)).data.packet.data == ["e", "? and 😀"]


DEEP = JSON.replace(b'"e"', b'"e",' + b"[" * 3_000 + b"]" * 3_000)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (entry(JSON, "99"), "type"),
        (entry(JSON, "three"), "type"),
        ({b"nsp": b"/"}, "type"),
        ({b"type": b"3", b"data": JSON}, "envelope"),
        (entry(JSON, nsp=b"\xff"), "envelope"),
        (entry(None), "data"),
        (entry(b""), "data"),
        (entry(b"null"), "data"),
        (entry(JSON[:-1]), "data"),
        (entry(JSON + b"}"), "data"),
        (entry(DEEP), "data"),
        (entry(JSON.replace(b'"e"', b'"\xff"')), "data"),
        (entry(JSON.replace(b'["a"]', b'"a"')), "data"),
        (entry(JSON.replace(b'["a"]', b"[1]")), "data"),
        (entry(JSON.replace(b'"type":2', b'"type":3')), "data"),
        (entry(b"AAAA"), "data"),
        (entry(b"not base64"), "data"),
        (entry(base64.b64encode(msgspec.msgpack.encode(SOUND)[:-1])), "data"),
        (entry(base64.b64encode(msgspec.msgpack.encode(SOUND | {"x": msgspec.msgpack.Ext(5, b"")}))), None),
        (entry(JSON.replace(b'["e",1]', b"[]")), "event"),
        (entry(JSON.replace(b'"e"', b"7")), "event"),
        (entry(JSON.replace(b'"e"', b'"disconnect"')), "event"),
        (entry(b'{"packet":[null]}', "9"), "event"),
    ],
)
def test_what_cannot_be_read(fields, kind):
    """It is refused under a name for counting, and with nothing else."""
    if kind is None:
        decode_entry(fields)
        return
    with pytest.raises(Undecodable) as refused:
        decode_entry(fields)
    assert refused.value.kind == kind


def test_payloads():
    """What goes through PUB/SUB comes back; what is no message is refused."""
    opts = BroadcastOptions(("a",))
    data = Broadcast(opts, EventPacket(["e", b"\x00", 2**63, 0.5, None], nsp="/"), "request")
    payload = encode_payload(MessageType.BROADCAST, "u", "/", data)
    assert decode_payload(payload) == Message(MessageType.BROADCAST, "u", "/", data)
    assert decode_payload(msgspec.msgpack.encode({"type": 2, "uid": "u", "nsp": "/"})).data is None
    sound = {"type": 3, "uid": "u", "nsp": "/", "data": SOUND}
    for strange in (
        sound | {"type": 99},
        sound | {"data": None},
        sound | {"nsp": 1},
        [sound],
        7,
        sound | {"type": "3"},
    ):
        with pytest.raises(Undecodable):
            decode_payload(msgspec.msgpack.encode(strange))
    for broken in (b"", b"\xc1", payload[:-1], b"\x93" * 2_000):
        with pytest.raises(Undecodable):
            decode_payload(broken)


async def test_the_reader_goes_on(redis_url):
    """Everything unreadable at once, in the stream and on the channels: the next message arrives."""
    async with process(redis_url) as a, Redis.from_url(redis_url) as redis:
        strange = [
            {"nothing": "known"},
            entry(b"{"),
            entry(JSON, "77"),
            entry(JSON.replace(b'"e"', b'"connect"')),
            entry(DEEP),
            entry(JSON, n="x", uid=a.streams.uid),
            *(entry(b"{}", str(type_)) for type_ in range(20)),
            *(entry(None, str(type_)) for type_ in range(20)),
        ]
        for fields in strange:
            await redis.xadd("socket.io", fields)
        for channel in ("socket.io#/#", f"socket.io#/#{a.streams.uid}#"):
            for payload in (b"", b"\xc1", b"{}", *(msgspec.msgpack.encode({"type": n, "nsp": "/"}) for n in range(20))):
                await redis.publish(channel, payload)
        await a.adapter.broadcast(["last"], BroadcastOptions())
        await a.here.got(["last"])
        await until(lambda: a.streams.counts.of["undecodable_envelope"] >= 4)
        assert [message[0] for message in a.happened] == ["e", "last"]
        assert {kind for kind, count in a.streams.counts.of.items() if count} == {
            "undecodable_data",
            "undecodable_envelope",
            "undecodable_event",
            "undecodable_type",
        }


async def test_a_namespace_that_fails(redis_url):
    """What it raises is counted; the next message is delivered."""
    async with process(redis_url) as a:
        deliver = a.here.deliver

        def once(*_, **__):
            a.here.deliver = deliver
            raise RuntimeError("no")

        a.here.deliver = once
        await a.adapter.broadcast(["lost"], BroadcastOptions())
        await a.adapter.broadcast(["next"], BroadcastOptions())
        await a.here.got(["next"])
        assert a.streams.counts.of["failed"] == 1
