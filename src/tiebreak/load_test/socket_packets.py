"""Engine.IO 4 and Socket.IO 5 as a client of the namespace `/` over WebSocket needs them: text, no attachments.

https://socket.io/docs/v4/engine-io-protocol/, https://socket.io/docs/v4/socket-io-protocol/
"""

from __future__ import annotations

import msgspec

# Engine.IO packets; a message's Socket.IO type is its second character.
OPEN = b"0"
CLOSE = b"1"
PING = b"2"
PONG = b"3"
CONNECT = b"40"
DISCONNECT = b"41"
EVENT = b"42"
ACKNOWLEDGEMENT = b"43"
CONNECT_ERROR = b"44"

PATH = "/socket.io/?EIO=4&transport=websocket"


class PacketInvalid(ValueError):  # noqa: N818 - the word says what happened
    """What a server sent does not follow the protocol."""


class RefusedWhy(msgspec.Struct, frozen=True):
    """`data` of a connect error of Tiebreak's."""

    code: str = ""


class ConnectRefused(msgspec.Struct, frozen=True):
    """The server does not let a socket in."""

    message: str = ""
    data: RefusedWhy = RefusedWhy()


def socket_url(origin: str) -> str:
    """Where the WebSocket of an http(s) origin is."""
    return f"ws{origin.removeprefix('http').rstrip('/')}{PATH}"


def connect_packet(token: str) -> bytes:
    """Asks to be let into `/`."""
    return CONNECT + msgspec.json.encode({"token": token})


def event_packet(number: int, event: str, argument: object) -> bytes:
    """An event that asks for the acknowledgement `number`."""
    return b"%b%d%b" % (EVENT, number, msgspec.json.encode([event, argument]))


def event_start(event: str) -> bytes:
    """How a received event of this name begins."""
    return b'%b["%b",' % (EVENT, event.encode())


def arguments_of(payload: bytes) -> tuple[int | None, bytes]:
    """The number of an event or acknowledgement and its JSON array. Raises PacketInvalid."""
    start = payload.find(b"[")
    digits = payload[2:start]
    if start < 0 or (digits and not digits.isdigit()):
        raise PacketInvalid(f"Neither an event nor an acknowledgement: {payload[:40]!r}")
    return (int(digits) if digits else None), payload[start:]


def refusal_of(payload: bytes) -> ConnectRefused:
    """What a connect error says. Raises PacketInvalid."""
    try:
        return msgspec.json.decode(payload[2:], type=ConnectRefused)
    except msgspec.DecodeError as error:
        raise PacketInvalid(f"No connect error: {payload[:40]!r}") from error
