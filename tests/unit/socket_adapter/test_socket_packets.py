"""Socket.IO packets: what socket.io-parser for JavaScript writes and refuses, and whatever else may come."""

import json
import math
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tiebreak.socket_adapter.socket_io.packets import Decoder, Packet, PacketInvalid, PacketType, encode

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = PacketType

# Written by socket.io-parser 4.2 from these packets.
VECTORS = [
    (Packet(CONNECT), "0", []),
    (Packet(CONNECT, "/admin", {"sid": "oSO0OpakMV_3jnilAAAA"}), '0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}', []),
    (Packet(DISCONNECT), "1", []),
    (Packet(DISCONNECT, "/admin"), "1/admin,", []),
    (Packet(CONNECT_ERROR, data={"message": "Not authorized"}), '4{"message":"Not authorized"}', []),
    (Packet(CONNECT_ERROR, data="Not authorized"), '4"Not authorized"', []),
    (Packet(EVENT, data=["foo"]), '2["foo"]', []),
    (Packet(EVENT, "/admin", ["bar"]), '2/admin,["bar"]', []),
    (Packet(EVENT, "/admin?x=1", ["bar"], 0), '2/admin?x=1,0["bar"]', []),
    (
        Packet(EVENT, data=[7, None, True, 1.5, 'é 😀 "\u2028\\ \u0001'], id=2**53 - 1),
        '29007199254740991[7,null,true,1.5,"é 😀 \\"\u2028\\\\ \\u0001"]',
        [],
    ),
    (Packet(ACK, data=[], id=12), "312[]", []),
    (Packet(ACK, "/admin", ["bar", {"a": [1]}], 13), '3/admin,13["bar",{"a":[1]}]', []),
    (Packet(EVENT, data=["baz", b"\1\2\3\4"]), '51-["baz",{"_placeholder":true,"num":0}]', [b"\1\2\3\4"]),
    (
        Packet(EVENT, "/admin", ["baz", b"\1\2", b"\3\4"]),
        '52-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
        [b"\1\2", b"\3\4"],
    ),
    (
        Packet(EVENT, data=["deep", {"a": [{"b": b"\1"}, [b""]], "c": None}, b"\xff"], id=1),
        '53-1["deep",{"a":[{"b":{"_placeholder":true,"num":0}},[{"_placeholder":true,"num":1}]],"c":null},'
        '{"_placeholder":true,"num":2}]',
        [b"\1", b"", b"\xff"],
    ),
    (Packet(ACK, data=["bar", b"\1\2\3\4"], id=15), '61-15["bar",{"_placeholder":true,"num":0}]', [b"\1\2\3\4"]),
    (Packet(ACK, "/a", [b"\t"], 0), '61-/a,0[{"_placeholder":true,"num":0}]', [b"\t"]),
]


def decode(text, *attachments, max_attachments=10):
    """The packet of these messages; None if it is not complete."""
    decoder = Decoder(max_attachments=max_attachments)
    packet = decoder.add(text)
    for attachment in attachments:
        assert packet is None
        packet = decoder.add(attachment)
    return packet


@pytest.mark.parametrize(("packet", "text", "attachments"), VECTORS)
def test_same_as_javascript(packet, text, attachments):
    """Each side reads what the other writes, to the byte."""
    assert encode(packet) == (text, attachments)
    assert decode(text, *attachments) == packet


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0{}", Packet(CONNECT, data={})),
        ("0/", Packet(CONNECT)),
        ("0/x", Packet(CONNECT, "/x")),
        ("0/x,", Packet(CONNECT, "/x")),
        ("0/x?token=1&y,", Packet(CONNECT, "/x?token=1&y")),
        ('0/x,{"t":1}', Packet(CONNECT, "/x", {"t": 1})),
        ("1/x,", Packet(DISCONNECT, "/x")),
        ("2[1]", Packet(EVENT, data=[1])),
        ("2[1.5]", Packet(EVENT, data=[1.5])),
        ('2007["a"]', Packet(EVENT, data=["a"], id=7)),
        ('2/,1["a"]', Packet(EVENT, data=["a"], id=1)),
        ('2/12,1["a"]', Packet(EVENT, "/12", ["a"], 1)),
        ('2["a",{"_placeholder":true,"num":0}]', Packet(EVENT, data=["a", {"_placeholder": True, "num": 0}])),
        ('2["a",18446744073709551616]', Packet(EVENT, data=["a", 2**64])),
        ('2["a",1e-400]', Packet(EVENT, data=["a", 0.0])),
        ('3["connect"]', Packet(ACK, data=["connect"])),
    ],
)
def test_what_else_is_valid(text, packet):
    """Accepted there, accepted here."""
    assert decode(text) == packet


@pytest.mark.parametrize(
    "text",
    [
        *("7", "a", "-1", " 2[1]", "\uff12[1]", "٢[1]"),  # types
        *('2["a"', '2["a"]]', "2NaN", '2["a",NaN]', "2['a']", '2["a",]', '2["\x01"]', '2\ufeff["a"]'),  # JSON
        *("2{}", "2[]", '2"a"', "2null", "2[null]", "2[true]", "2[{}]", "2[[]]"),  # an event begins with its name
        *("0[]", '0"a"', "0null", "1{}", "1null", "1[]", "3{}", "3null", "4[]", "4null", "41"),
        *('2["connect"]', '2["connect_error"]', '2["disconnect"]', '2["disconnecting"]'),
        *('2["newListener"]', '2["removeListener"]', '51-["connect",{"_placeholder":true,"num":0}]'),
        *('201/a["b"]', '2/a,/b,["c"]', '2-1["a"]', '2+1["a"]', '21.5["a"]', '2\uff11["a"]', '2١["a"]'),  # ids
        *(
            "5",
            "6",
            '5["a"]',
            '51["a"]',
            '50-["a"]',
            '5-["a"]',
            '5a-["a"]',
            '51.5-["a"]',
            "51-",
            '21-["a"]',
            "01-",
            "11-",
        ),
        *('5-1-["a"]', '5١-["a",{"_placeholder":true,"num":0}]', '51 -["a",{"_placeholder":true,"num":0}]'),
    ],
)
def test_what_javascript_refuses(text):
    """Refused there, refused here."""
    with pytest.raises(PacketInvalid):
        decode(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        *("2", "212", "2/admin", "2/admin,", '2/admin["a"]', "3", "312", "4"),  # the protocol: the payload is mandatory
        '29007199254740992["a"]',
        "2" + "9" * 1_000_000 + '["a"]',
        "5" + "9" * 1_000_000 + '-["a"]',
        '2["\\ud800"]',
        '2["\\udc00\\ud800"]',
        '2["\ud800"]',
        '2/\ud800,["\ud800"]',
        '2["a",1e400]',
        '2["a",' + "9" * 100_000 + "]",
        "2" + "[" * 100_000,
        '2["a",' + "[" * 5_000 + "]" * 5_000 + "]",
        '2["a",' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "]",
        '51-["a",' + "[" * 5_000 + '{"_placeholder":true,"num":0}' + "]" * 5_000 + "]",
    ],
)
def test_what_is_refused_besides(text):
    """What the protocol forbids and JavaScript lets pass, and what Python could not hold."""
    with pytest.raises(PacketInvalid):
        decode(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_depth(opening, closing):
    """100 levels pass, and what passed can be sent on; 101 do not."""
    levels = 99 // len(opening.replace('"a":', ""))

    def nested(times):
        return f'2["a",{opening * times}{closing * times}]'.replace(":}", ":1}")

    text = nested(levels)
    assert encode(decode(text)) == (text, [])
    assert decode('2["a"' + ",[]" * 1_000 + "]").data == ["a", *([[]] * 1_000)]
    with pytest.raises(PacketInvalid):
        decode(nested(levels + 1))


def placeholders(*numbers):
    """An event with these placeholders, and the attachments it announces."""
    data = ["a", *({"_placeholder": True, "num": number} for number in numbers)]
    return f"5{len(numbers)}-{json.dumps(data)}"


@pytest.mark.parametrize("number", [-1, 1, 10**30, 0.5, 0.0, "0", None, True, False, [], {}])
def test_placeholders_out_of_place(number):
    """A placeholder must name an attachment by its number, before anything is waited for."""
    decoder = Decoder(max_attachments=10)
    with pytest.raises(PacketInvalid, match="illegal attachments"):
        decoder.add(placeholders(number))
    assert not decoder.waiting


@pytest.mark.parametrize(
    "text",
    [
        placeholders(0, 0),
        placeholders(1, 2),
        '52-["a",{"_placeholder":true,"num":0}]',
        '51-["a"]',
        '61-["a"]',
        '51-["a",{"_placeholder":true}]',
        '51-["a",{"_placeholder":1,"num":0}]',
        '51-["a",{"_placeholder":"true","num":0}]',
    ],
)
def test_each_attachment_has_one_place(text):
    """No attachment twice, none for nothing."""
    with pytest.raises(PacketInvalid, match="illegal attachments"):
        decode(text)


def test_attachments_in_any_order():
    """Numbers count, not the order in the text."""
    assert decode(placeholders(1, 0), b"zero", b"one") == Packet(EVENT, data=["a", b"one", b"zero"])


def test_too_many_attachments():
    """The limit is the caller's."""
    assert decode(placeholders(0, 1), b"", b"", max_attachments=2) == Packet(EVENT, data=["a", b"", b""])
    with pytest.raises(PacketInvalid):
        decode(placeholders(0, 1), max_attachments=1)
    with pytest.raises(PacketInvalid):
        decode(placeholders(0), max_attachments=0)


def test_waiting():
    """While attachments are due nothing else may come, and they may come only then."""
    decoder = Decoder(max_attachments=10)
    with pytest.raises(PacketInvalid):
        decoder.add(b"\1")
    assert decoder.add(placeholders(0, 1)) is None
    assert decoder.waiting
    with pytest.raises(PacketInvalid):
        decoder.add('2["a"]')
    assert decoder.add(b"\1") is None
    assert decoder.waiting
    assert decoder.add(b"\2") == Packet(EVENT, data=["a", b"\1", b"\2"])
    assert not decoder.waiting
    assert decoder.add('2["a"]') == Packet(EVENT, data=["a"])


class Score(msgspec.Struct):
    """Something an application sends."""

    participant: UUID
    points: int


def test_encode_what_applications_send():
    """Structs, UUIDs and tuples as msgspec writes them, beside attachments or without."""
    score = Score(UUID(int=1), 7)
    written = '{"participant":"00000000-0000-0000-0000-000000000001","points":7}'
    assert encode(Packet(EVENT, data=("score", score, (1, {2: score})))) == (
        f'2["score",{written},[1,{{"2":{written}}}]]',
        [],
    )
    assert encode(Packet(ACK, data=[score, bytearray(b"a"), {"b": (memoryview(b"b"),)}], id=1)) == (
        f'62-1[{written},{{"_placeholder":true,"num":0}},{{"b":[{{"_placeholder":true,"num":1}}]}}]',
        [b"a", b"b"],
    )


def test_encode_leaves_data_alone():
    """The same data can be sent again."""
    data = ["a", {"b": [b"\1"]}]
    assert encode(Packet(EVENT, data=data)) == encode(Packet(EVENT, data=data))
    assert data == ["a", {"b": [b"\1"]}]


def test_encode_chooses_the_binary_types():
    """Whether a packet is binary depends on its data alone."""
    assert encode(Packet(BINARY_EVENT, data=["a"])) == ('2["a"]', [])
    assert encode(Packet(BINARY_ACK, data=[], id=1)) == ("31[]", [])
    assert encode(Packet(BINARY_ACK, data=[b""], id=1))[0].startswith("61-1")
    assert encode(Packet(BINARY_EVENT, data=["a", b""]))[0].startswith("51-")


def test_bytes_where_there_are_no_attachments():
    """Inside Structs and in a CONNECT packet bytes are base64, as msgspec writes them."""

    class Blob(msgspec.Struct):
        data: bytes

    assert encode(Packet(EVENT, data=["a", Blob(b"\1")])) == ('2["a",{"data":"AQ=="}]', [])
    assert encode(Packet(CONNECT, data={"a": b"\1"})) == ('0{"a":"AQ=="}', [])


def test_encode_numbers_json_has_no_form_for():
    """NaN and infinity are null, as JSON.stringify writes them."""
    assert encode(Packet(EVENT, data=["a", math.nan, math.inf, -math.inf, 2**70])) == (
        '2["a",null,null,null,1180591620717411303424]',
        [],
    )


@pytest.mark.parametrize(
    ("packet", "error"),
    [
        (Packet(EVENT, data=["\ud800"]), ValueError),
        (Packet(EVENT, data=["a", {"\ud800": 1}]), ValueError),
        (Packet(EVENT, data=["\ud800", b""]), ValueError),
        (Packet(EVENT, data=["a", 10**5000]), ValueError),
        (Packet(EVENT, data=["a", msgspec.Raw(b'"\xff"')]), ValueError),
        (Packet(EVENT, "/\ud800", ["a"]), ValueError),
        (Packet(EVENT, "/a,b", ["a"]), ValueError),
        (Packet(EVENT, "", ["a"]), ValueError),
        (Packet(EVENT, "admin", ["a"]), ValueError),
        (Packet(EVENT, data=["a", object()]), TypeError),
        (Packet(EVENT, data=["a", {(1, 2): 3}]), TypeError),
    ],
)
def test_encode_refuses(packet, error):
    """Better an error than a packet that nobody can read."""
    with pytest.raises(error):
        encode(packet)


def test_encode_refuses_what_never_ends():
    """Data that contains itself."""
    endless = ["a"]
    endless.append(endless)
    with pytest.raises(RecursionError):
        encode(Packet(EVENT, data=endless))


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
keys = st.text().filter(lambda key: key != "_placeholder")
values = st.recursive(
    scalars | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
names = (st.text() | st.integers()).filter(
    lambda name: (
        name not in {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
    )
)
namespaces = st.just("/") | st.text(st.characters(exclude_characters=",", codec="utf-8")).map("/".__add__)
ids = st.none() | st.integers(0, 2**53 - 1)
arguments = st.lists(values, max_size=4)
events = st.builds(Packet, st.just(EVENT), namespaces, st.tuples(names, arguments).map(lambda it: [it[0], *it[1]]), ids)
acks = st.builds(Packet, st.just(ACK), namespaces, arguments, ids)
others = st.builds(Packet, st.just(CONNECT), namespaces, st.none() | st.dictionaries(keys, scalars), st.none())


@given(events | acks | others)
def test_packets_come_back(packet):
    """What is encoded is what is decoded, attachments in their places; and it is UTF-8 and JSON for everyone."""
    text, attachments = encode(packet)
    text.encode()
    if packet.nsp == "/" and not attachments and packet.data is not None and packet.id is None:
        json.loads(text[1:])
    assert decode(text, *attachments, max_attachments=100) == packet


pieces = st.sampled_from(
    [
        *"0123456",
        "-",
        "/",
        ",",
        "/a,",
        '["a"',
        ",",
        '{"_placeholder":true,"num":',
        "0",
        "1",
        "}",
        "]",
        "{}",
        '"a"',
        "\\ud800",
    ]
)
messages = (
    st.text(st.characters())
    | st.lists(pieces, max_size=12).map("".join)
    | st.sampled_from([text for _, text, _ in VECTORS])
    | st.binary(max_size=5)
)


@given(st.lists(messages))
@example(['51-["a",{"_placeholder":true,"num":0}]', "2", b"", b""])
def test_add_raises_nothing_else(received):
    """Any sequence of messages gives valid packets or PacketInvalid, and what is decoded can be encoded."""
    decoder = Decoder(max_attachments=3)
    for message in received:
        try:
            packet = decoder.add(message)
        except PacketInvalid:
            continue
        if packet is None:
            assert decoder.waiting
            continue
        assert packet.type in (CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR)
        assert packet.nsp.startswith("/")
        if packet.nsp.isprintable():
            assert encode(packet)[0]
