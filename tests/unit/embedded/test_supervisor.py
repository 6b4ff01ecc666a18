"""Signals, readiness and the end of the work, with stand-ins for the children."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tiebreak.embedded import orders as orders_module
from tiebreak.embedded import readiness
from tiebreak.embedded.child import Child, Program
from tiebreak.embedded.orders import Orders, until
from tiebreak.embedded.readiness import ready_or_dead
from tiebreak.errors import EmbeddedServerFailed


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_first_signal_stops() -> None:
    """The very next one may be the same Ctrl-C delivered twice, and does not hurry."""
    with Orders() as orders:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await orders.stop.wait()
        orders.receive()
        assert not orders.hurry.is_set()


async def test_second_signal_hurries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who presses Ctrl-C again means it."""
    monkeypatch.setattr(orders_module, "HURRY_SECONDS", -1.0)
    with Orders() as orders:
        orders.receive()
        orders.receive()
        assert orders.hurry.is_set()


async def test_work_ends_when_told() -> None:
    """A stop is no error."""
    stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(stop.set)
    async with asyncio.timeout(5):
        await until(stop, for_ever())


async def test_work_that_fails() -> None:
    """What it raised is raised."""

    async def failing() -> None:
        raise EmbeddedServerFailed("why")

    with pytest.raises(EmbeddedServerFailed, match="why"):
        await until(asyncio.Event(), failing())


def child(tmp_path: Path, code: str) -> Child:
    program = Program(name="worker", command=(sys.executable, "-c", code), stops=(), death_signal=signal.SIGKILL)
    return Child(program, tmp_path / "worker.log")


@asynccontextmanager
async def answering(answer: Callable[[], bytes]) -> AsyncGenerator[int]:
    """A server that says this to every request; its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer())
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_ready_when_it_says_so(tmp_path: Path) -> None:
    """503 means not yet, and so does a connection that is cut."""
    answers = [b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\n\r\n"]
    living = child(tmp_path, "import time; time.sleep(600)")
    await living.start()
    async with answering(lambda: answers.pop(0)) as port, asyncio.timeout(20):
        await ready_or_dead([living], "127.0.0.1", port)
    assert answers == []
    await living.stop()


async def test_dead_before_ready(tmp_path: Path) -> None:
    """A child that ends before all are ready is told with its last words."""
    dead = child(tmp_path, "raise SystemExit('no such thing')")
    await dead.start()
    async with answering(lambda: b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as port:
        with pytest.raises(EmbeddedServerFailed, match=r"(?s)worker ended with exit status 1.*no such thing"):
            await ready_or_dead([dead], "127.0.0.1", port)


async def test_never_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting has an end."""
    monkeypatch.setattr(readiness, "READY_SECONDS", 0.05)
    living = child(tmp_path, "import time; time.sleep(600)")
    await living.start()
    async with answering(lambda: b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as port:
        with pytest.raises(EmbeddedServerFailed, match="not ready within"):
            await ready_or_dead([living], "127.0.0.1", port)
    await living.stop()
