"""Which stream a namespace's messages go to, and which streams to read."""

from __future__ import annotations

from collections.abc import Sequence

# Node's default.
STREAM = "socket.io"


def hash_code(text: str) -> int:
    """Node's `hashCode`: over UTF-16 code units, in 32 bits with a sign."""
    units = text.encode("utf-16-le", "surrogatepass")
    code = 0
    for at in range(0, len(units), 2):
        code = (code * 31 + int.from_bytes(units[at : at + 2], "little")) & 0xFFFF_FFFF
    return code - 0x1_0000_0000 if code & 0x8000_0000 else code


def stream_of(namespace: str, name: str, count: int) -> str:
    """Where to append.

    Node's remainder is negative for every other namespace, and what it appends there no Node server reads. Ours
    never is: any stream that is read will do, for every entry says which namespace it is for.
    """
    return name if count == 1 else f"{name}-{hash_code(namespace) % count}"


def streams_written(name: str, count: int) -> Sequence[str]:
    """All streams that `stream_of` can give."""
    return [name] if count == 1 else [f"{name}-{at}" for at in range(count)]


def streams_read(name: str, count: int) -> Sequence[str]:
    """All streams anybody appends to: those of negative remainders too, where Node's messages would be lost."""
    return [name] if count == 1 else [f"{name}-{at}" for at in range(1 - count, count)]
