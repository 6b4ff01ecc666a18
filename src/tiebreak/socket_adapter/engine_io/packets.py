"""Packets of the Engine.IO protocol, version 4, as they stand in WebSocket messages and long-polling bodies.

Source: https://github.com/socketio/engine.io-protocol, "Packet encoding".
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

OPEN = "0"
CLOSE = "1"
PING = "2"
PONG = "3"
MESSAGE = "4"
UPGRADE = "5"
NOOP = "6"

TYPES = frozenset((OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP))

BASE64 = "b"
SEPARATOR = b"\x1e"

Message: TypeAlias = str | bytes


class PacketInvalid(ValueError):
    """What arrived is no packet; the protocol asks to close the connection, or to answer 400."""


class Packet(NamedTuple):
    """One packet: `type` is one of the constants above, `data` is bytes only for a binary MESSAGE."""

    type: str
    data: Message


def decode_packet(text: str) -> Packet:
    """The packet in one WebSocket text message, or between two separators of a long-polling body.

    "b" and base64 is a binary MESSAGE on both: clients with `forceBase64` write it into WebSocket messages too.
    (A binary WebSocket message is a MESSAGE as it is, nothing to decode.) Raises PacketInvalid.
    """
    kind = text[:1]
    if kind in TYPES:
        return Packet(kind, text[1:])
    if kind != BASE64:
        raise PacketInvalid("empty packet" if not text else "unknown packet type")
    try:
        return Packet(MESSAGE, a2b_base64(text[1:], strict_mode=True))
    except ValueError:
        raise PacketInvalid("not base64") from None


def decode_payload(body: bytes) -> list[Packet]:
    """The packets of a long-polling body: at least one, in the order they were sent.

    All or nothing: raises PacketInvalid if one of them is invalid (so is an empty one) or the body is not UTF-8.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise PacketInvalid("not UTF-8") from None
    return [decode_packet(packet) for packet in text.split("\x1e")]


def encode_payload(packets: Iterable[bytes]) -> bytes:
    """A long-polling body of packets that are in their polling form already: type and text, or `binary_for_polling`.

    The separator (U+001E) never occurs inside JSON, where it is written as an escape.
    """
    return SEPARATOR.join(packets)


def binary_for_polling(data: bytes) -> bytes:
    """A binary MESSAGE as it stands in a long-polling body: "b" and base64 with padding."""
    return b"b" + b2a_base64(data, newline=False)
