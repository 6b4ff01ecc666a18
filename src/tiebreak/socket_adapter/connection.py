"""One client's socket, and whose it is."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar
from uuid import UUID

from tiebreak.socket_adapter.socket_io.socket import Socket


class Bearer(Protocol):
    """What a token says of its bearer; `expires_at` in seconds since the epoch."""

    @property
    def user_id(self) -> UUID: ...
    @property
    def login_id(self) -> UUID: ...
    @property
    def expires_at(self) -> int: ...


Identity = TypeVar("Identity", bound=Bearer)


class Connection(Generic[Identity]):
    """One client's socket, and who that is. It ends with the token, unless a newer one is sent in time."""

    __slots__ = ("_socket", "_tick", "identity")

    def __init__(self, socket: Socket, identity: Identity) -> None:
        self._socket = socket
        self._tick = 0
        self.identity = identity

    @property
    def is_open(self) -> bool:
        return self._socket.is_connected

    def enter_room(self, room: str) -> None:
        self._socket.join(room)

    def leave_room(self, room: str) -> None:
        self._socket.leave(room)

    def last(self, seconds: float) -> None:
        """Close it after so long, and not after what was said before."""
        wheel = self._socket.namespace.server.engine.wheel
        wheel.cancel(self._tick, self.close)
        self._tick = wheel.call_later(seconds, self.close)

    def close(self) -> None:
        """Close it, as soon as it is let in if it is not yet."""
        if self._socket.is_connected:
            self._socket.disconnect(close=True)
        else:
            # It is just being let in, or is gone, and then forgotten.
            self.last(1.0)

    @property
    def round_trip_seconds(self) -> float | None:
        """The shortest there was between a ping and its answer; None before the first one."""
        return self._socket.client.session.round_trip_seconds

    def forget(self) -> None:
        """It is gone."""
        self._socket.namespace.server.engine.wheel.cancel(self._tick, self.close)
