"""A Socket.IO client that sends whatever it is given, one step at a time."""

from __future__ import annotations

import json
from typing import Any

import websocket

SECONDS = 20


class Closed(Exception):  # noqa: N818 - an outcome, not an error
    """The server has ended the connection, as the protocol has it."""


class RawSocket:
    """A WebSocket to the server's main namespace."""

    def __init__(self, base_url: str, token: str | None) -> None:
        self.messages: list[list[Any]] = []
        self._ids = 0
        url = base_url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        self._socket = websocket.create_connection(url, timeout=SECONDS)
        assert self._packet()[0] == "0"
        if token is not None:
            self.send("40" + json.dumps({"token": token}))
            assert self._packet().startswith("40{"), "not let in"

    def send(self, packet: str | bytes) -> None:
        try:
            (self._socket.send_binary if isinstance(packet, bytes) else self._socket.send)(packet)
        except (websocket.WebSocketException, OSError) as error:
            raise Closed from error

    def ask(self, message: str, *arguments: Any) -> Any:
        """What a message is acknowledged with. Raises Closed."""
        self._ids += 1
        self.send(f"42{self._ids}" + json.dumps([message, *arguments]))
        return self.acknowledged(self._ids)

    def acknowledged(self, id_: int) -> Any:
        """Wait for the acknowledgement of a message; what else comes is kept. Raises Closed."""
        head = f"43{id_}["
        while not (packet := self._packet()).startswith(head):
            if packet.startswith("42"):
                self.messages.append(json.loads(packet[2:]))
        [answer] = json.loads(packet[len(head) - 1 :])
        return answer

    def is_alive(self) -> bool:
        """Whether the server still answers."""
        try:
            return self.ask("leave_session", {"quiz_session_id": "01a220bd-07c2-722d-8886-40f7d6547512"}) == {
                "ok": True
            }
        except Closed:
            return False

    def close(self) -> None:
        self._socket.close()

    def _packet(self) -> str:
        while True:
            try:
                packet = self._socket.recv()
            except (websocket.WebSocketConnectionClosedException, ConnectionError) as error:
                raise Closed from error
            if packet == "2":
                self.send("3")
            elif packet in ("", b""):
                # The close frame, or the end of the connection.
                raise Closed
            elif isinstance(packet, str):
                return packet
