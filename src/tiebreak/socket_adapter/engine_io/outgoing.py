"""What is sent: encoded once, whoever and however many it goes to."""

from __future__ import annotations

from collections.abc import Sequence

from tiebreak.socket_adapter.engine_io.frames import binary_frame, text_frame
from tiebreak.socket_adapter.engine_io.packets import binary_for_polling


class Outgoing:
    """One packet, with binary ones that follow it, as WebSocket frames and as packets for long-polling."""

    __slots__ = ("_attachments", "_text", "frames")

    def __init__(self, text: bytes, attachments: Sequence[bytes] = ()) -> None:
        self._text = text
        self._attachments = attachments
        self.frames = text_frame(text)
        if attachments:
            self.frames += b"".join(map(binary_frame, attachments))

    @property
    def packets(self) -> list[bytes]:
        """For a polling client."""
        return [self._text, *map(binary_for_polling, self._attachments)]


def message(text: str, attachments: Sequence[bytes] = ()) -> Outgoing:
    """A message of text, and the binary messages that follow it."""
    return Outgoing(b"4" + text.encode(), attachments)


class BinaryMessage(Outgoing):
    """A binary message that stands alone."""

    __slots__ = ()

    def __init__(self, data: bytes) -> None:
        self._text = b""
        self._attachments = (data,)
        self.frames = binary_frame(data)

    @property
    def packets(self) -> list[bytes]:
        return [binary_for_polling(data) for data in self._attachments]


PING = Outgoing(b"2")
PROBE_ANSWER = Outgoing(b"3probe")
NOOP = Outgoing(b"6")
CLOSE = Outgoing(b"1")
