"""Clients that connect, get so far, and are gone: each way to leave a server alone with half of something."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count

# RST instead of FIN: nothing is left in TIME_WAIT here, and the server learns of it in another way.
ABORT = struct.pack("ii", 1, 0)
# Loopback has many addresses, and each as many ports: FINs leave theirs in TIME_WAIT for a minute.
ADDRESSES = 200
HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
POLLING = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSE_FRAME = b"\x88\x82\0\0\0\0\x03\xe8"
numbers = count()


@dataclass(frozen=True)
class Target:
    """A server, and somebody who may play there."""

    port: int
    token: str
    quiz_session_id: str
    question_id: str


class Connection:
    """TCP, from one of many addresses."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def open(self, target: Target) -> None:
        address = f"127.0.{1 + next(numbers) % ADDRESSES}.1"
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", target.port, local_addr=(address, 0))

    def send(self, data: str | bytes) -> None:
        self.writer.write(data.encode() if isinstance(data, str) else data)

    def send_packet(self, packet: str) -> None:
        """In a masked frame, as clients have to; the mask is zero."""
        data = packet.encode()
        length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + len(data).to_bytes(2, "big")
        self.send(b"\x81" + length + bytes(4) + data)

    async def until(self, text: bytes) -> None:
        await self.reader.readuntil(text)

    async def leave(self, *, politely: bool) -> None:
        if not politely:
            raw = self.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            self.writer.transport.abort()
            return
        self.writer.close()
        await self.writer.wait_closed()


Step = Callable[[Connection, Target], Awaitable[None]]


async def nothing(connection: Connection, target: Target) -> None:
    """TCP alone."""


async def half_a_head(connection: Connection, target: Target) -> None:
    connection.send("GET /quiz-session/x HTTP/1.1\r\nHost: x\r\nX-Half: ")


async def half_a_body(connection: Connection, target: Target) -> None:
    """Of an answer, whose lane waits for the rest."""
    connection.send(answer_head(target, 500) + '{"quiz_session_id":')


async def no_look_at_the_answer(connection: Connection, target: Target) -> None:
    """A whole request, whose response nobody takes."""
    body = {"quiz_session_id": target.quiz_session_id, "question_id": target.question_id, "answer": 1}
    content = json.dumps(body)
    connection.send(answer_head(target, len(content)) + content)


async def half_a_handshake(connection: Connection, target: Target) -> None:
    connection.send(HANDSHAKE[:-30])


async def a_handshake(connection: Connection, target: Target) -> None:
    """A WebSocket that joins no namespace."""
    connection.send(HANDSHAKE)
    await connection.until(b'"maxPayload"')


async def half_an_upgrade(connection: Connection, target: Target) -> None:
    """Long-polling, a WebSocket beside it, and no word about changing over."""
    connection.send(POLLING)
    await connection.until(b'"sid":"')
    sid = (await connection.reader.readuntil(b'"'))[:-1].decode()
    await connection.until(b"}")
    connection.send(HANDSHAKE.replace("websocket HTTP", f"websocket&sid={sid} HTTP"))
    await connection.until(b"\r\n\r\n")
    connection.send_packet("2probe")
    await connection.until(b"3probe")


async def in_a_room(connection: Connection, target: Target) -> None:
    """A socket in its quiz session's room."""
    await a_handshake(connection, target)
    connection.send_packet("40" + json.dumps({"token": target.token}))
    await connection.until(b"40{")
    connection.send_packet('421["enter_session",' + json.dumps({"quiz_session_id": target.quiz_session_id}) + "]")
    await connection.until(b'431[{"ok":true')


async def in_a_room_and_gone(connection: Connection, target: Target) -> None:
    """The same, with a goodbye."""
    await in_a_room(connection, target)
    connection.send(CLOSE_FRAME)


def answer_head(target: Target, length: int) -> str:
    return (
        f"POST /update-score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {target.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )


STEPS: tuple[Step, ...] = (
    nothing,
    half_a_head,
    half_a_body,
    no_look_at_the_answer,
    half_a_handshake,
    a_handshake,
    half_an_upgrade,
    in_a_room,
    in_a_room_and_gone,
)
# Each step ends with RST and with FIN.
WAYS = [(step, politely) for step in STEPS for politely in (False, True)]


async def drop(target: Target, cycles: int, *, at_once: int) -> None:
    """So many connections, in every way in turn."""
    turns = iter(range(cycles))

    async def keep_dropping() -> None:
        for turn in turns:
            step, politely = WAYS[turn % len(WAYS)]
            connection = Connection()
            await connection.open(target)
            try:
                async with asyncio.timeout(30):
                    await step(connection, target)
            finally:
                await connection.leave(politely=politely)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(keep_dropping())
