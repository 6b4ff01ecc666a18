"""How messages are written: entries of a stream, and payloads of PUB/SUB.

An entry has the fields uid, nsp, type and data: JSON, or base64 of msgpack where there is binary in it. Ours have one
more, `n`: the number of the message among those of its uid. A payload is msgpack of the whole message.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import NoReturn, cast

import msgspec

from tiebreak.socket_adapter.redis_streams.messages import (
    DATA,
    Broadcast,
    Message,
    MessageData,
    MessageType,
    ServerSideEmit,
)

# A Socket.IO client takes an event of one of these names for a broken packet and closes the connection.
RESERVED_EVENTS = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)

TYPES = {str(type_.value).encode(): type_ for type_ in MessageType}
FROM_JSON = {type_: msgspec.json.Decoder(shape) for type_, shape in DATA.items()}
ENCODER = msgspec.json.Encoder()


class Undecodable(ValueError):
    """A message nobody here can read; `kind` is short, for counting: type, data, event, envelope."""

    def __init__(self, kind: str, reason: object) -> None:
        self.kind = kind
        super().__init__(f"{kind}: {reason}")


def _no_extension(code: int, _: memoryview) -> NoReturn:
    raise ValueError(f"an extension of msgpack, {code}")


FROM_MSGPACK = {type_: msgspec.msgpack.Decoder(shape, ext_hook=_no_extension) for type_, shape in DATA.items()}


class Envelope(msgspec.Struct):
    """A payload before its data is looked at."""

    type: int
    nsp: str
    uid: str = ""
    data: msgspec.Raw = msgspec.Raw()


ENVELOPES = msgspec.msgpack.Decoder(Envelope)


def has_binary(value: object) -> bool:
    """Whether there are bytes anywhere in lists and dicts."""
    if isinstance(value, (str, int, float)) or value is None:
        return False
    if isinstance(value, (bytes, bytearray, memoryview)):
        return True
    if isinstance(value, dict):
        return any(map(has_binary, cast("dict[str, object]", value).values()))
    return isinstance(value, (list, tuple)) and any(map(has_binary, cast("list[object]", value)))


def encode_entry(data: MessageData) -> bytes:
    """The data field of an entry. Raises what msgspec raises for values that are no JSON."""
    if isinstance(data, Broadcast) and has_binary(data.packet.data):
        return base64.b64encode(msgspec.msgpack.encode(data))
    return ENCODER.encode(data)


def decode_entry(fields: dict[bytes, bytes]) -> Message:
    """The message in an entry. Raises Undecodable."""
    type_ = TYPES.get(fields.get(b"type", b""))
    if type_ is None:
        raise Undecodable("type", fields.get(b"type"))
    try:
        nsp, uid = fields[b"nsp"].decode(), fields.get(b"uid", b"").decode()
    except (KeyError, UnicodeDecodeError) as error:
        raise Undecodable("envelope", error) from error
    raw = fields.get(b"data")
    return Message(type_, uid, nsp, decode_data(type_, raw) if raw and type_ in DATA else _without_data(type_))


def decode_data(type_: MessageType, raw: bytes) -> MessageData:
    """The data field of an entry of that type. Raises Undecodable."""
    try:
        if raw.startswith(b"{"):
            return _checked(_from_json(FROM_JSON[type_], raw))
        return _checked(FROM_MSGPACK[type_].decode(base64.b64decode(raw, validate=True)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise Undecodable("data", error) if not isinstance(error, Undecodable) else error from error


def encode_payload(type_: MessageType, uid: str, nsp: str, data: MessageData) -> bytes:
    """A payload of PUB/SUB. Raises what msgspec raises for values that are no msgpack."""
    return msgspec.msgpack.encode(Message(type_, uid, nsp, data))


def decode_payload(payload: bytes) -> Message:
    """The message in a payload. Raises Undecodable."""
    try:
        envelope = ENVELOPES.decode(payload)
        type_ = MessageType(envelope.type)
    except (ValueError, RecursionError) as error:
        raise Undecodable("envelope", error) from error
    raw = bytes(envelope.data)
    try:
        data = _checked(FROM_MSGPACK[type_].decode(raw)) if raw and type_ in DATA else _without_data(type_)
    except (ValueError, RecursionError) as error:
        raise Undecodable("data", error) if not isinstance(error, Undecodable) else error from error
    return Message(type_, envelope.uid, envelope.nsp, data)


def _without_data(type_: MessageType) -> None:
    if type_ in DATA:
        raise Undecodable("data", "there is none")


def _from_json(decoder: msgspec.json.Decoder[MessageData], raw: bytes) -> MessageData:
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError:
        if b"\\ud" not in raw.lower():
            raise
        # JavaScript cuts strings amid a character; such a half is no Unicode, and what a client shows for it is "?".
        return decoder.decode(json.dumps(json.loads(raw), ensure_ascii=False).encode("utf-8", "replace"))


def _checked(data: MessageData) -> MessageData:
    if isinstance(data, (Broadcast, ServerSideEmit)):
        packet = data.packet if isinstance(data, ServerSideEmit) else data.packet.data
        event = packet[0] if packet else None
        if not isinstance(event, str) or event in RESERVED_EVENTS:
            raise Undecodable("event", f"{event!r} is no name of an event")
    return data
