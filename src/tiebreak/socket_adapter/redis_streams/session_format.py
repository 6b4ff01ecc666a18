"""A session as it is stored: base64 of msgpack, as Node does it.

Ours say more. Node passes that over.
"""

from __future__ import annotations

import base64
from typing import Any, cast

import msgspec

from tiebreak.socket_adapter.socket_io.adapter import LocalSocket, SavedSession


class StoredSession(SavedSession, frozen=True):
    """`holder` is the uid of the server where the socket was connected when it was saved.

    `since` is how far that server had read the stream when the socket connected: a client that comes back without an
    offset has been sent nothing that has one since then.
    """

    holder: str | None = None
    since: str | None = None


DECODER = msgspec.msgpack.Decoder(StoredSession)


def encode_session(socket: LocalSocket, *, holder: str | None, since: str) -> bytes:
    """Raises what msgspec raises for data that is no msgpack."""
    session = {
        "sid": socket.id,
        "pid": socket.pid,
        "rooms": list(socket.rooms),
        "data": cast("Any", socket.data),
        "since": since,
    }
    return base64.b64encode(msgspec.msgpack.encode(session | ({"holder": holder} if holder else {})))


def decode_session(stored: bytes) -> StoredSession | None:
    """None for what is no session."""
    try:
        return DECODER.decode(base64.b64decode(stored, validate=True))
    except (ValueError, RecursionError):
        return None
