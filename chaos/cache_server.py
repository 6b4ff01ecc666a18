"""Valkey or Redis 7, and what can be done to it: that it dies, and that it forgets."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Literal

from redis.asyncio import Redis
from redis.exceptions import RedisError

from chaos.database_server import limit_files
from chaos.process_tree import frozen
from tests.redis_server import redis_program
from tiebreak.embedded.child import Child, Program
from tiebreak.embedded.valkey import SOCKET, STOPS, binary, server_command

CacheKind = Literal["valkey", "redis"]
APPENDED = "appendonlydir"
SAMPLE_SECONDS = 0.1
SAMPLES = 150


class CacheServer:
    """One server, and its successor on a copy of its data after a failover. Every write is in its append-only file."""

    def __init__(self, kind: CacheKind, folder: Path) -> None:
        self._program = binary() if kind == "valkey" else redis_program()
        self._kind = kind
        self._folder = folder
        self._number = 0
        # How large the append-only files were lately: (when, file, bytes).
        self._sizes: deque[tuple[float, Path, int]] = deque(maxlen=SAMPLES)
        self._child = self._new_child()

    @property
    def socket(self) -> str:
        return str(self._home / SOCKET)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def _home(self) -> Path:
        return self._folder / f"cache-{self._number}"

    async def start(self) -> None:
        await self._start(self._child)
        self._sampling = asyncio.create_task(self._sample())

    async def stop(self) -> None:
        self._sampling.cancel()
        await self._child.stop()

    async def kill(self, seconds: float) -> None:
        """SIGKILL; started again so much later, with all that it ever acknowledged."""
        await self._end()
        await asyncio.sleep(seconds)
        await self._start(self._child)

    async def restart(self, seconds: float) -> None:
        await self._child.stop()
        await asyncio.sleep(seconds)
        await self._start(self._child)

    async def freeze(self, seconds: float) -> None:
        assert self._child.pid is not None
        await frozen(self._child.pid, seconds)

    async def forget(self, forgotten_seconds: float, down_seconds: float) -> None:
        """SIGKILL, and what was written in those last seconds is not there any more: a machine's end, `everysec`."""
        await self._end()
        cut_back(self._appended, self._size_at(perf_counter() - forgotten_seconds))
        await asyncio.sleep(down_seconds)
        await self._start(self._child)

    @asynccontextmanager
    async def failed_over(self, behind_seconds: float) -> AsyncGenerator[None]:
        """Another server takes its place, with a copy that is so many seconds old; it is stopped at the end."""
        old, size = self._child, self._size_at(perf_counter() - behind_seconds)
        old_home, old_file = self._home, self._appended
        self._number += 1
        self._home.mkdir()
        shutil.copytree(old_home / APPENDED, self._home / APPENDED)
        cut_back(self._home / APPENDED / old_file.name, size)
        self._sizes.clear()
        self._child = self._new_child()
        await self._start(self._child)
        yield
        await old.stop()
        shutil.rmtree(old_home)

    async def flush(self) -> None:
        async with self.client() as client:
            await client.flushall()

    async def forget_scripts(self) -> None:
        async with self.client() as client:
            await client.script_flush()

    @asynccontextmanager
    async def read_only(self) -> AsyncGenerator[None]:
        """A master that was made a replica, of one that cannot be reached: its data stay and cannot be changed."""
        await self._order("REPLICAOF", "127.0.0.1", "1")
        try:
            yield
        finally:
            await self._order("REPLICAOF", "NO", "ONE")

    @asynccontextmanager
    async def without_memory(self) -> AsyncGenerator[None]:
        """It takes nothing more, and evicts nothing."""
        await self._order("CONFIG", "SET", "maxmemory", "1")
        try:
            yield
        finally:
            await self._order("CONFIG", "SET", "maxmemory", "0")

    @asynccontextmanager
    async def without_room(self) -> AsyncGenerator[None]:
        """Its append-only file cannot grow: a disk that is full, by a limit on the size of files."""
        assert self._child.pid is not None
        pid = self._child.pid
        limit_files({pid}, max(1, self._appended.stat().st_size))
        try:
            yield
        finally:
            limit_files({pid}, resource.RLIM_INFINITY)

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[Redis]:
        """Past the proxies."""
        async with Redis.from_url(self.url, socket_timeout=20) as client:
            yield client

    async def _order(self, *words: str) -> None:
        async with self.client() as client:
            await client.execute_command(*words)

    async def _end(self) -> None:
        assert self._child.pid is not None
        os.kill(self._child.pid, signal.SIGKILL)
        await self._child.ended()

    def _new_child(self) -> Child:
        self._home.mkdir(exist_ok=True)
        command = server_command(self._program, self._home, self._home, durable=True)
        program = Program(name=self._kind, command=command, stops=STOPS, death_signal=signal.SIGKILL)
        return Child(program, self._folder / "cache.log")

    async def _start(self, child: Child) -> None:
        await child.start()
        await child.answers(self._answers)

    async def _answers(self) -> bool:
        try:
            async with self.client() as client:
                return bool(await client.ping())
        except (RedisError, OSError):
            return False

    @property
    def _appended(self) -> Path:
        """The file that it appends to now."""
        return max((self._home / APPENDED).glob("*.incr.aof"), key=lambda file: file.stat().st_mtime_ns)

    async def _sample(self) -> None:
        while True:
            if (self._home / APPENDED).is_dir() and [*(self._home / APPENDED).glob("*.incr.aof")]:
                file = self._appended
                self._sizes.append((perf_counter(), file, file.stat().st_size))
            await asyncio.sleep(SAMPLE_SECONDS)

    def _size_at(self, moment: float) -> int:
        """How large the file was then; if it is younger, as small as we have seen it."""
        file = self._appended
        seen = [(at, size) for at, name, size in self._sizes if name == file]
        before = [size for at, size in seen if at <= moment]
        return before[-1] if before else min((size for _, size in seen), default=file.stat().st_size)


def cut_back(file: Path, size: int) -> None:
    os.truncate(file, min(size, file.stat().st_size))
