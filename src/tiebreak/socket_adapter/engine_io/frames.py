"""WebSocket frames (RFC 6455), the server's side: received frames are masked, sent ones are not. No extensions.

The reader owns no socket and no timer. It is tiny while nothing is pending, for there is one per connection and most
connections are silent most of the time.
"""

from __future__ import annotations

from struct import Struct

CONTINUATION = 0x0
TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8
PING = 0x9
PONG = 0xA

FIN = 0x80  # of the first byte; below it: RSV1 to RSV3, then the opcode
OPCODE = 0x0F
CONTROL = 0x08  # of the opcode
MASKED = 0x80  # of the second byte; below it: the length

# What a frame may begin with (section 5.2): no reserved bit, a known opcode, control frames in one piece; inside a
# fragmented message its continuation (section 5.4).
CONTROL_FRAMES = frozenset((FIN | CLOSE, FIN | PING, FIN | PONG))
BETWEEN_MESSAGES = CONTROL_FRAMES | {TEXT, BINARY, FIN | TEXT, FIN | BINARY}
INSIDE_MESSAGE = CONTROL_FRAMES | {CONTINUATION, FIN | CONTINUATION}

LONGEST_CONTROL = 125
LENGTH_IN_2_BYTES = 126
LENGTH_IN_8_BYTES = 127
LONGEST_IN_2_BYTES = 0xFFFF

PROTOCOL_ERROR = 1002
NO_CODE = 1005
NOT_UTF8 = 1007
TOO_BIG = 1009

# Section 7.4 and the IANA registry: those that may stand in a frame. 1004 is reserved, 1005, 1006 and 1015 never sent.
CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))

SHORT_TEXT = tuple(bytes((FIN | TEXT, length)) for length in range(LENGTH_IN_2_BYTES))
from_bytes = int.from_bytes
HEAD_WITH_2_BYTES = Struct(">BBH").pack
HEAD_WITH_8_BYTES = Struct(">BBQ").pack


FRAGMENTS_PER_CALL = 100


class FrameInvalid(Exception):
    """The peer broke the protocol: fail the connection with this close code and reason (section 7.1.7)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class FrameReader:
    """Takes bytes as they arrive, gives messages and control frames in order.

    A message that arrives whole, with nothing pending, is read where it stands: no buffer is made.
    """

    __slots__ = ("_at", "_buffer", "_fragments", "_max_message_bytes", "_opcode")

    def __init__(self, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._buffer: bytes | bytearray = b""  # unread from _at on; empty when nothing is pending
        self._at = 0
        self._opcode = CONTINUATION  # of the fragmented message under way; CONTINUATION: none
        self._fragments: bytes | bytearray = b""  # what has come of it, unmasked

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream. They are looked at when `next` is called."""
        buffer = self._buffer
        if not buffer:
            self._buffer = data
            return
        # A bytearray grows in place: a message that trickles in is not copied with every piece of it.
        if not isinstance(buffer, bytearray):
            self._buffer = buffer = bytearray(memoryview(buffer)[self._at :])
        elif self._at:
            del buffer[: self._at]
        self._at = 0
        buffer += data

    def next(self) -> tuple[int, str | bytes] | None:
        """The next message or control frame; None: feed more.

        (TEXT, str), (BINARY, bytes), or (CLOSE | PING | PONG, bytes): a control frame comes as soon as it is there,
        also between the fragments of a message. What follows a CLOSE means nothing (section 5.5.1): ask no further.

        Raises FrameInvalid, and the same again when asked again: 1002 for a breach of the protocol, 1007 for text that
        is not UTF-8, 1009 for a message beyond `max_message_bytes`, which is known from the head, before it is here.

        After many fragments it gives back (CONTINUATION, b""), for whoever calls has others to serve.
        """
        for _ in range(FRAGMENTS_PER_CALL):
            buffer = self._buffer
            at = self._at
            have = len(buffer)
            if have - at < 2:
                return None
            first = buffer[at]
            length = buffer[at + 1] - MASKED
            if length < 0 or first not in (INSIDE_MESSAGE if self._opcode else BETWEEN_MESSAGES):
                raise FrameInvalid(PROTOCOL_ERROR, "frame not masked" if length < 0 else "unknown or unexpected frame")
            key_at = at + 2
            if length > LONGEST_CONTROL:
                key_at, length = long_length(buffer, at)
            if length + len(self._fragments) > self._max_message_bytes and not first & CONTROL:
                raise FrameInvalid(TOO_BIG, "message too big")
            payload_at = key_at + 4
            end = payload_at + length
            if have < end:
                return None

            # Section 5.3, as one operation on two great integers: by far the fastest that Python itself offers.
            keys = (buffer[key_at:payload_at] * (length // 4 + 1))[:length]
            number = from_bytes(buffer[payload_at:end], "little") ^ from_bytes(keys, "little")
            payload = number.to_bytes(length, "little")

            if first == FIN | TEXT:
                frame = TEXT, utf8(payload)
            elif first > FIN:
                frame = first & OPCODE, payload
            else:
                frame = self._fragment(first, payload)
            if end == have:
                self._buffer = b""
                self._at = 0
            else:
                self._at = end
            if frame is not None:
                return frame
        return CONTINUATION, b""

    @property
    def unread_bytes(self) -> int:
        """What has come and was not looked at."""
        return len(self._buffer) - self._at

    def _fragment(self, first: int, payload: bytes) -> tuple[int, str | bytes] | None:
        """The message that ends with this fragment; None: it goes on."""
        if first < FIN:
            # One bytearray, not a list of parts: empty fragments take no room, however many there are.
            if not self._opcode:
                self._opcode = first
                self._fragments = bytearray()
            self._fragments += payload
            return None
        message = bytes(self._fragments + payload)
        frame = (TEXT, utf8(message)) if self._opcode == TEXT else (BINARY, message)
        self._opcode = CONTINUATION
        self._fragments = b""
        return frame


def long_length(buffer: bytes | bytearray, at: int) -> tuple[int, int]:
    """Where the masking key begins, and the payload's length, of a frame with a length of 2 or 8 bytes.

    While the head is incomplete the length is 0, too. Raises FrameInvalid.
    """
    if buffer[at] & CONTROL:
        raise FrameInvalid(PROTOCOL_ERROR, "control frame too long")
    in_2_bytes = buffer[at + 1] == MASKED | LENGTH_IN_2_BYTES
    key_at = at + (4 if in_2_bytes else 10)
    if len(buffer) < key_at:
        return key_at, 0
    length = int.from_bytes(buffer[at + 2 : key_at], "big")
    if length <= (LONGEST_CONTROL if in_2_bytes else LONGEST_IN_2_BYTES) or length >> 63:
        raise FrameInvalid(PROTOCOL_ERROR, "length not in its shortest form")
    return key_at, length


def utf8(payload: bytes) -> str:
    """The text. Raises FrameInvalid with 1007, as section 8.1 asks."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise FrameInvalid(NOT_UTF8, "not UTF-8") from None


def text_frame(payload: bytes) -> bytes:
    """A text message of UTF-8."""
    length = len(payload)
    if length < LENGTH_IN_2_BYTES:
        return SHORT_TEXT[length] + payload
    return frame(TEXT, payload)


def binary_frame(payload: bytes) -> bytes:
    """A binary message."""
    return frame(BINARY, payload)


def ping_frame(payload: bytes = b"") -> bytes:
    """A ping of at most 125 bytes."""
    return control_frame(PING, payload)


def pong_frame(payload: bytes = b"") -> bytes:
    """The answer to a ping, with the ping's payload."""
    return control_frame(PONG, payload)


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; the reason is cut to 123 bytes at the border of a character.

    With 1005 it is empty, so that what `parse_close` gave can be sent back. Raises ValueError for other codes that must
    not be sent.
    """
    if code == NO_CODE:
        return control_frame(CLOSE, b"")
    if code not in CLOSE_CODES:
        raise ValueError(f"{code} is not a close code that may be sent")
    text = reason.encode(errors="replace")[: LONGEST_CONTROL - 2].decode(errors="ignore")
    return control_frame(CLOSE, code.to_bytes(2, "big") + text.encode())


def parse_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame (section 5.5.1); 1005 if it has none.

    Raises FrameInvalid: 1002 for half a code or one that must not be sent, 1007 for a reason that is not UTF-8.
    """
    if not payload:
        return NO_CODE, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or code not in CLOSE_CODES:
        raise FrameInvalid(PROTOCOL_ERROR, "illegal close code")
    return code, utf8(payload[2:])


def control_frame(opcode: int, payload: bytes) -> bytes:
    """A control frame; raises ValueError beyond 125 bytes."""
    if len(payload) > LONGEST_CONTROL:
        raise ValueError("a control frame holds at most 125 bytes")
    return frame(opcode, payload)


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole message in one unmasked frame."""
    length = len(payload)
    if length < LENGTH_IN_2_BYTES:
        return bytes((FIN | opcode, length)) + payload
    if length <= LONGEST_IN_2_BYTES:
        return HEAD_WITH_2_BYTES(FIN | opcode, LENGTH_IN_2_BYTES, length) + payload
    return HEAD_WITH_8_BYTES(FIN | opcode, LENGTH_IN_8_BYTES, length) + payload
