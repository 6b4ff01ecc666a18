"""Postgres and Valkey for the tests: embedded and in a hurry, or those the environment names."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tiebreak.database.migrations import migrate
from tiebreak.embedded.postgres import Postgres
from tiebreak.embedded.socket_directory import make_socket_directory
from tiebreak.embedded.valkey import Valkey

DATABASE_URL = "TIEBREAK_TEST_DATABASE_URL"
REDIS_URL = "TIEBREAK_TEST_REDIS_URL"


@contextmanager
def postgres_server() -> Generator[str]:
    """The URL of a Postgres in which databases may be made and dropped."""
    if url := os.environ.get(DATABASE_URL):
        yield url
        return
    with folder() as directory, asyncio.Runner() as runner:
        server = Postgres(directory / "postgres", directory, directory / "postgres.log", durable=False)
        runner.run(server.prepare())
        try:
            runner.run(server.start())
            yield server.url()
        finally:
            runner.run(server.stop())


@contextmanager
def valkey_server() -> Generator[str]:
    """The URL of a Valkey (or Redis) that may be emptied."""
    if url := os.environ.get(REDIS_URL):
        yield url
        return
    with folder() as directory, asyncio.Runner() as runner:
        server = Valkey(directory / "valkey", directory, directory / "valkey.log", durable=False)
        try:
            runner.run(server.start())
            yield server.url()
        finally:
            runner.run(server.stop())


@contextmanager
def folder() -> Generator[Path]:
    """A directory with a short path."""
    directory = make_socket_directory()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def of_database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


class TemplateDatabase:
    """A migrated database, copied for each test: 10 ms instead of running all migrations."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._name = unused_name("template")

    def make(self) -> None:
        asyncio.run(self._make())

    async def _make(self) -> None:
        await self._execute(f"CREATE DATABASE {self._name}")
        await migrate(of_database(self._server_url, self._name))

    def drop(self) -> None:
        asyncio.run(self._execute(f"DROP DATABASE {self._name} WITH (FORCE)"))

    @contextmanager
    def copied(self) -> Generator[str]:
        """The URL of a fresh copy, gone afterwards, with whatever is still connected to it."""
        name = unused_name("test")
        asyncio.run(self._execute(f"CREATE DATABASE {name} TEMPLATE {self._name} STRATEGY file_copy"))
        try:
            yield of_database(self._server_url, name)
        finally:
            asyncio.run(self._execute(f"DROP DATABASE {name} WITH (FORCE)"))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def unused_name(kind: str) -> str:
    return f"tiebreak_{kind}_{uuid.uuid4().hex[:12]}"
