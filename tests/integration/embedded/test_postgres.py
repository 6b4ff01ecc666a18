"""The embedded Postgres by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.servers import folder
from tiebreak.embedded import postgres as module
from tiebreak.embedded.postgres import Postgres
from tiebreak.embedded.privilege import Privilege, unprivileged
from tiebreak.errors import EmbeddedServerFailed

# Root must become somebody else, in every way this code knows; an ordinary user need not and cannot.
WAYS = [Privilege.NAMESPACE, Privilege.NOBODY] if os.geteuid() == 0 else [Privilege.KEEP]


@pytest.fixture
def place() -> Iterator[Path]:
    with folder() as directory:
        yield directory


def server(place: Path) -> Postgres:
    return Postgres(place / "postgres", place, place / "postgres.log", durable=False)


async def answer(postgres: Postgres) -> int:
    connection = await asyncpg.connect(postgres.url())
    try:
        return await connection.fetchval("SELECT 42")
    finally:
        await connection.close()


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_to_run_it(place: Path, way: Privilege, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way of not being root makes a cluster and serves it."""
    monkeypatch.setattr(module, "unprivileged", lambda: way)
    postgres = server(place)
    assert await postgres.prepare()
    try:
        await postgres.start()
        assert await answer(postgres) == 42
    finally:
        await postgres.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the owner of files")
async def test_data_changes_hands(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster made where namespaces are permitted can be served where they are not, and back."""
    for way in (Privilege.NAMESPACE, Privilege.NOBODY, Privilege.NAMESPACE):
        monkeypatch.setattr(module, "unprivileged", lambda way=way: way)
        postgres = server(place)
        await postgres.prepare()
        try:
            await postgres.start()
            assert await answer(postgres) == 42
        finally:
            await postgres.stop()


async def test_a_cut_off_start_leaves_nothing_that_counts(place: Path) -> None:
    """What an interrupted initdb left is thrown away."""
    unfinished = place / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    assert await server(place).prepare()
    assert not unfinished.exists()
    assert not await server(place).prepare()


async def test_process_id_of_somebody_else(place: Path) -> None:
    """After a crash of the machine, the old process id may be another process's by now; that is no obstacle."""
    postgres = server(place)
    await postgres.prepare()
    pid_file = postgres.directory / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n{postgres.directory}\n1700000000\n5432\n{place}\n\n")
    postgres.forget_last_run()
    try:
        await postgres.start()
        assert await answer(postgres) == 42
    finally:
        await postgres.stop()


async def test_failure_says_why(place: Path) -> None:
    """A server that ends at once is reported with its last lines."""
    postgres = server(place)
    await postgres.prepare()
    (postgres.directory / "postgresql.conf").write_text("nonsense = on\n")
    with pytest.raises(EmbeddedServerFailed, match='unrecognized configuration parameter "nonsense"'):
        await postgres.start()
    await postgres.stop()


async def test_initdb_failure_says_why(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is an initdb that fails."""
    monkeypatch.setattr(module, "INITDB", ("--nonsense",))
    with pytest.raises(EmbeddedServerFailed, match="nonsense"):
        await server(place).prepare()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_starts_again(place: Path, number: signal.Signals) -> None:
    """After a good and after a sudden end, without help."""
    postgres = server(place)
    await postgres.prepare()
    try:
        for _ in range(2):
            await postgres.start()
            assert await answer(postgres) == 42
            assert postgres.child.pid is not None
            os.kill(postgres.child.pid, number)
            await postgres.child.ended()
        await postgres.start()
        assert await answer(postgres) == 42
    finally:
        await postgres.stop()


def test_program(place: Path) -> None:
    """Without us it ends as on a fast shutdown; it is not run as root."""
    program = server(place).child.program
    assert program.death_signal == signal.SIGINT
    assert program.privilege == unprivileged()
