"""Packets of the Socket.IO protocol, version 5: text, followed by its attachments.

Source: https://github.com/socketio/socket.io-protocol, "Packet encoding"; where it leaves a choice, as strict as
socket.io-parser for JavaScript, and stricter where said.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from itertools import chain
from typing import Any, TypeAlias

import msgspec


class PacketType(enum.IntEnum):
    """The first digit of a packet."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


TYPES = tuple(PacketType)
EVENT = PacketType.EVENT

# Of each type without attachments; and of those that can have them, with them.
PLAIN_DIGITS = "0123423"
BINARY_DIGITS = {"2": "5", "3": "6"}

# Names of what the libraries report themselves; a peer must not forge them.
RESERVED_EVENTS = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)

# Type, count of attachments, namespace, id. Everything after it is JSON.
HEAD = re.compile(r"([0-6])(?:([0-9]+)-)?(?:(/[^,]*),?)?([0-9]*)")

# Number.MAX_SAFE_INTEGER: a JavaScript peer could not tell greater ids apart.
GREATEST_ID = 2**53 - 1
LONGEST_NUMBER = 16

# A limit of its own: the interpreter's depends on who calls, and what was decoded here may be encoded elsewhere.
DEEPEST = 100

PLACEHOLDER = "_placeholder"
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | None"
Container: TypeAlias = dict[str, Json] | list[Json]
Place: TypeAlias = tuple[dict[str, Any] | list[Any], Any]  # a container, and an index or key of it
Binary: TypeAlias = bytes | bytearray | memoryview
Value: TypeAlias = (
    "dict[Any, Value] | list[Value] | tuple[Value, ...] | Binary | msgspec.Struct | str | int | float | None"
)

BINARY = (bytes, bytearray, memoryview)
PLAIN = frozenset((str, int, float, bool, type(None)))

from_json = msgspec.json.Decoder().decode
to_json = msgspec.json.Encoder().encode


class PacketInvalid(ValueError):
    """What arrived is no packet, or not the one that was due; the protocol asks to close the connection."""


class Packet(msgspec.Struct):
    """One packet, with the attachments in their places.

    `data` is a list for EVENT (name first) and ACK, a dict or None for CONNECT, a dict or str for CONNECT_ERROR, None
    for DISCONNECT. The BINARY_ types exist on the wire only.
    """

    type: PacketType
    nsp: str = "/"
    data: Any = None
    id: int | None = None


def encode(packet: Packet) -> tuple[str, list[bytes]]:
    """The packet's text, and its attachments in the order in which they must follow.

    bytes, bytearray and memoryview become attachments of an event or acknowledgement, wherever they are in its dicts,
    lists and tuples; inside Structs, sets and the other packets they become base64 strings. The rest is JSON as msgspec
    writes it: NaN and infinity as null (as in JavaScript), integers of any size (which JavaScript rounds beyond 2**53).

    Raises TypeError for what JSON has no form for, ValueError for text with lone surrogates, an integer of thousands of
    digits or a namespace that cannot be written, RecursionError for data that is too deep or contains itself.
    """
    kind = packet.type
    data = packet.data
    attachments: list[bytes] = []
    head = PLAIN_DIGITS[kind]
    if head in BINARY_DIGITS and has_binary(data):
        data = detach(data, attachments)
        head = f"{BINARY_DIGITS[head]}{len(attachments)}-"
    if packet.nsp != "/":
        head += namespace_prefix(packet.nsp)
    if packet.id is not None:
        head += str(packet.id)
    return (head if data is None else head + to_json(data).decode()), attachments


class Decoder:
    """Puts the packets of one connection together. After PacketInvalid the connection is to be closed."""

    __slots__ = ("_max_attachments", "_packet", "_places")

    def __init__(self, *, max_attachments: int) -> None:
        self._max_attachments = max_attachments
        self._packet: Packet | None = None  # waits for attachments
        self._places: list[Place] = []  # where those that are still to come belong, the next one last

    @property
    def waiting(self) -> bool:
        """Whether the next message must be an attachment."""
        return self._packet is not None

    def add(self, message: str | bytes) -> Packet | None:
        """The packet that is complete with this message; None: attachments are still to come.

        Raises PacketInvalid, and nothing else, for whatever a peer can send: also for valid JSON that Python cannot
        hold (lone surrogates, numbers beyond a float), for nesting of more than 100 levels, ids above 2**53 - 1, and
        unless each attachment is referred to exactly once.
        """
        if isinstance(message, str):
            if self._packet is not None:
                raise PacketInvalid("text where an attachment is due")
            # Nearly all that clients send: an event to the main namespace.
            if message.startswith("2["):
                return Packet(EVENT, "/", parse_data(EVENT, message[1:]))
            return self._decode(message)
        packet = self._packet
        if packet is None:
            raise PacketInvalid("an attachment where text is due")
        container, key = self._places.pop()
        container[key] = message
        if self._places:
            return None
        self._packet = None
        return packet

    def _decode(self, text: str) -> Packet | None:
        head = HEAD.match(text)
        if head is None:
            raise PacketInvalid("unknown packet type")
        digit, count, namespace, number = head.groups()
        kind = TYPES[int(digit)]
        data = parse_data(kind, text[head.end() :])
        packet = Packet(kind, namespace or "/", data, bounded(number, GREATEST_ID) if number else None)
        if digit in PLAIN_DIGITS:
            if count:
                raise PacketInvalid("attachments to a packet that has none")
            return packet
        packet.type = TYPES[int(PLAIN_DIGITS[kind])]
        self._places = places(packet.data, bounded(count or "0", self._max_attachments))
        self._packet = packet
        return None


def parse_data(kind: PacketType, text: str) -> Json:
    """The JSON after the head, if it is what such a packet must carry. Raises PacketInvalid."""
    if not text:
        if kind > PacketType.DISCONNECT:
            raise PacketInvalid("payload missing")
        return None
    try:
        data: Json = from_json(text)
    except (ValueError, RecursionError):
        raise PacketInvalid("payload is not JSON") from None
    if not IS_PAYLOAD[kind](data) or (len(text) > 2 * DEEPEST and is_too_deep(text, data)):
        raise PacketInvalid("invalid payload")
    return data


def is_event(data: Json) -> bool:
    """Whether it is an array that begins with the name of an event: a string that is not reserved, or a number."""
    if not isinstance(data, list) or not data:
        return False
    name = data[0]
    if isinstance(name, str):
        return name not in RESERVED_EVENTS
    return isinstance(name, (int, float)) and not isinstance(name, bool)


# What a packet of each type may carry.
IS_PAYLOAD: tuple[Callable[[Json], bool], ...] = (
    lambda data: isinstance(data, dict),
    lambda data: False,
    is_event,
    lambda data: isinstance(data, list),
    lambda data: isinstance(data, (dict, str)),
    is_event,
    lambda data: isinstance(data, list),
)


def is_too_deep(text: str, data: Json) -> bool:
    """Whether arrays and objects are nested more than 100 deep. Most texts have too few of them for that."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    level: list[Json] = [data]
    for _ in range(DEEPEST):
        inner = (it.values() if isinstance(it, dict) else it for it in level if isinstance(it, (dict, list)))
        level = list(chain.from_iterable(inner))
    return any(isinstance(it, (dict, list)) for it in level)


def bounded(digits: str, greatest: int) -> int:
    """A number in a packet's head. Raises PacketInvalid if it is greater, before a huge int is made of it."""
    if len(digits) > LONGEST_NUMBER or (number := int(digits)) > greatest:
        raise PacketInvalid("number too great")
    return number


def places(data: list[Json], count: int) -> list[Place]:
    """Where in `data` the attachments belong, the first one last. Raises PacketInvalid unless each has one place."""
    found: dict[int, Place] = {}
    containers: list[Container] = [data]
    while containers:
        container = containers.pop()
        for key, value in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(value, dict) and value.get(PLACEHOLDER) is True:
                number = value.get("num")
                if type(number) is not int or not 0 <= number < count or number in found:
                    raise PacketInvalid("illegal attachments")
                found[number] = container, key
            elif isinstance(value, (dict, list)):
                containers.append(value)
    if not found or len(found) < count:
        raise PacketInvalid("illegal attachments")
    return [found[number] for number in reversed(range(count))]


def has_binary(data: Value) -> bool:
    """Whether anything in it must become an attachment."""
    if isinstance(data, dict):
        values = data.values()
    elif isinstance(data, (list, tuple)):
        values = data
    else:
        return isinstance(data, BINARY)
    # Most values are plain: that they are is asked here, where it takes no call.
    return any(type(value) not in PLAIN and has_binary(value) for value in values)


def detach(data: Value, attachments: list[bytes]) -> Value:
    """A copy with placeholders for what is moved to `attachments`."""
    if isinstance(data, dict):
        return {key: detach(value, attachments) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [detach(value, attachments) for value in data]
    if isinstance(data, BINARY):
        attachments.append(bytes(data))
        return {PLACEHOLDER: True, "num": len(attachments) - 1}
    return data


def namespace_prefix(nsp: str) -> str:
    """The namespace as it stands in a packet. Raises ValueError if it could not be read back."""
    if not nsp.startswith("/") or "," in nsp:
        raise ValueError("a namespace begins with / and contains no comma")
    nsp.encode()
    return nsp + ","
