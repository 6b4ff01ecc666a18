"""Who is in which room of a namespace, in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tiebreak.socket_adapter.engine_io.fan_out import NOBODY, Recipients
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions

if TYPE_CHECKING:
    from tiebreak.socket_adapter.socket_io.socket import Socket


class Room:
    """Sockets, and the snapshot for broadcasts to all of them, until somebody comes or goes."""

    __slots__ = ("_recipients", "sockets")

    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self._recipients: Recipients | None = None

    def add(self, socket: Socket) -> None:
        self.sockets.add(socket)
        self._recipients = None

    def discard(self, socket: Socket) -> None:
        self.sockets.discard(socket)
        self._recipients = None

    def route_changed(self) -> None:
        self._recipients = None

    @property
    def recipients(self) -> Recipients:
        if self._recipients is None:
            self._recipients = recipients_of(self.sockets)
        return self._recipients


class Rooms:
    """Joining and leaving cost the same in a room of one and of ten thousand.

    The room that every socket has for itself, named after its id, is not stored.
    """

    def __init__(self) -> None:
        self.sockets: dict[str, Socket] = {}
        self._everyone = Room()
        self._rooms: dict[str, Room] = {}

    def names(self) -> list[str]:
        """All rooms somebody has joined."""
        return list(self._rooms)

    def count(self, name: str) -> int:
        """How many sockets are in a room that was joined."""
        room = self._rooms.get(name)
        return len(room.sockets) if room else 0

    def add(self, socket: Socket) -> None:
        """A socket has connected."""
        self.sockets[socket.id] = socket
        self._everyone.add(socket)

    def remove(self, socket: Socket) -> None:
        """It is gone, from its rooms too."""
        if self.sockets.get(socket.id) is socket:
            del self.sockets[socket.id]
        self._everyone.discard(socket)
        for name in socket.joined:
            self.leave(socket, name)

    def join(self, socket: Socket, name: str) -> None:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room()
        room.add(socket)

    def leave(self, socket: Socket, name: str) -> None:
        if room := self._rooms.get(name):
            room.discard(socket)
            if not room.sockets:
                del self._rooms[name]

    def route_changed(self, socket: Socket) -> None:
        """Its session has another route now."""
        self._everyone.route_changed()
        for name in socket.joined:
            if room := self._rooms.get(name):
                room.route_changed()

    def recipients(self, opts: BroadcastOptions) -> Recipients:
        """The sessions of all who match."""
        if not opts.except_:
            if not opts.rooms:
                return self._everyone.recipients
            if len(opts.rooms) == 1 and opts.rooms[0] not in self.sockets:
                room = self._rooms.get(opts.rooms[0])
                return room.recipients if room else NOBODY
        return recipients_of(self.matching(opts))

    def matching(self, opts: BroadcastOptions) -> list[Socket]:
        """Each once, however many of the rooms it is in."""
        if opts.rooms:
            found = dict.fromkeys(socket for name in opts.rooms for socket in self._in(name))
        else:
            found = dict.fromkeys(self._everyone.sockets)
        for name in opts.except_:
            for socket in self._in(name):
                found.pop(socket, None)
        return list(found)

    def _in(self, name: str) -> Iterator[Socket]:
        if name in self.sockets:
            yield self.sockets[name]
        if room := self._rooms.get(name):
            yield from room.sockets


def recipients_of(sockets: Iterable[Socket]) -> Recipients:
    return Recipients(socket.client.session for socket in sockets)
