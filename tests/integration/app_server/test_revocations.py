"""Revoked log-ins as an app server hears of them: all that matter, soon, and only as long as they matter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from joserfc.jwk import KeySetSerialization
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from tests.integration.auth_server.detour import Detour
from tests.scene import new_user, opened_pool
from tests.standing_clock import StandingClock
from tiebreak.app_server import revocations
from tiebreak.app_server.revocations import OVERLAP_SECONDS, Revocations
from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.errors import KeysUnavailable
from tiebreak.ids import new_id
from tiebreak.metrics import TokenMetrics
from tiebreak.tokens import Verifier

TOKEN_SECONDS = 900
REVOKE = "UPDATE refresh_families SET revoked_at = now() - $2::float8 * interval '1 s' WHERE id = $1"


async def no_keys() -> KeySetSerialization:
    raise KeysUnavailable("not asked for here")


class Place:
    """A database with log-ins, and an app server that reads which were revoked."""

    def __init__(self, pool: Pool, beside: Pool) -> None:
        self.beside = beside
        self.clock = StandingClock()
        self.verifier = Verifier(no_keys, self.clock)
        self.registry = CollectorRegistry()
        self.closed: list[UUID] = []
        metrics = TokenMetrics(self.registry, self.verifier.count_remembered)
        self.revocations = Revocations(pool, self.clock, self.verifier, metrics, token_seconds=TOKEN_SECONDS)

    async def login(self, *, revoked_seconds_ago: float | None = None) -> UUID:
        login_id = new_id()
        await self.beside.execute(sql("start_login"), login_id, await new_user(self.beside))
        if revoked_seconds_ago is not None:
            await self.revoke(login_id, revoked_seconds_ago)
        return login_id

    async def revoke(self, login_id: UUID, seconds_ago: float = 0) -> None:
        await self.beside.execute(REVOKE, login_id, seconds_ago)

    def close(self, login_ids: Collection[UUID]) -> int:
        self.closed += login_ids
        return 0

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.revocations.run(self.close))
        try:
            yield
        finally:
            task.cancel()

    async def until(self, found: Callable[[], object]) -> None:
        """Wait until it is true, while the seconds pass."""
        async with asyncio.timeout(20):
            while not found():
                self.clock.advance(seconds=1)
                await asyncio.sleep(0.01)


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    async with opened_pool(database_url) as pool:
        yield Place(pool, pool)


async def test_a_revocation_is_heard_of_once(place: Place) -> None:
    """It is new the first time, holds from then on, and concerns nobody else."""
    login_id, other = await place.login(), await place.login()
    assert await place.revocations.read() == set()
    await place.revoke(login_id)
    assert await place.revocations.read() == {login_id}
    assert await place.revocations.read() == set()
    assert place.verifier.revoked == {login_id}
    assert other not in place.verifier.revoked


async def test_a_start_reads_all_that_still_matter(place: Place) -> None:
    """Those of which an access token may still be good, and a while longer; older ones do not matter."""
    recent = await place.login(revoked_seconds_ago=1)
    last = await place.login(revoked_seconds_ago=TOKEN_SECONDS + OVERLAP_SECONDS - 30)
    await place.login(revoked_seconds_ago=TOKEN_SECONDS + OVERLAP_SECONDS + 30)
    assert await place.revocations.read() == {recent, last}


async def test_a_revocation_that_commits_late(place: Place) -> None:
    """It carries the time of its statement, before questions that could not see it yet."""
    login_id = await place.login()
    async with place.beside.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(REVOKE, login_id, OVERLAP_SECONDS - 30)
        for _ in range(3):
            assert await place.revocations.read() == set()
        await transaction.commit()
    assert await place.revocations.read() == {login_id}


async def test_a_clock_that_is_ahead(place: Place) -> None:
    """What a Postgres wrote whose clock was an hour ahead holds all the same, and hides no other revocation."""
    early = await place.login(revoked_seconds_ago=-3_600)
    assert await place.revocations.read() == {early}
    other = await place.login(revoked_seconds_ago=0)
    assert await place.revocations.read() == {other}


async def test_they_are_forgotten_when_every_token_has_expired(place: Place) -> None:
    """Not before; and then nothing of them is left."""
    login_id = await place.login(revoked_seconds_ago=0)
    await place.revocations.read()
    # As if it had been long ago: the question is by the database's clock, the memory by ours.
    await place.revoke(login_id, seconds_ago=3_600)
    place.clock.advance(seconds=TOKEN_SECONDS + int(OVERLAP_SECONDS) - 1)
    await place.revocations.read()
    assert place.verifier.revoked == {login_id}
    place.clock.advance(seconds=1)
    await place.revocations.read()
    assert place.verifier.revoked == set()
    assert not place.revocations._heard


async def test_tokens_that_live_longer_than_our_setting_says(place: Place) -> None:
    """The auth server's setting counts: what was revoked before ours would have it is read, and held as long."""
    login_id = await place.login(revoked_seconds_ago=3_000)
    assert await place.revocations.read() == set()
    place.verifier.longest_life_seconds = 3_600
    assert await place.revocations.read() == {login_id}
    assert await place.revocations.read() == set()
    place.clock.advance(seconds=3_600)
    await place.revocations.read()
    assert place.verifier.revoked == {login_id}


async def test_it_asks_every_second_and_has_sockets_closed(place: Place) -> None:
    """The sockets of all log-ins revoked since, once each."""
    login_ids = [await place.login() for _ in range(3)]
    async with place.polling():
        for login_id in login_ids:
            await place.revoke(login_id)
        await place.until(lambda: len(place.closed) >= 3)
        last = await place.login(revoked_seconds_ago=0)
        await place.until(lambda: last in place.closed)
    assert sorted(place.closed) == sorted([*login_ids, last])


async def test_while_the_database_is_away(database_url: str) -> None:
    """What is known is held; when it is back, what was revoked meanwhile is heard of, however long that was."""
    async with (
        Detour(database_url).open() as detour,
        opened_pool(detour.url) as pool,
        opened_pool(database_url) as beside,
    ):
        place = Place(pool, beside)
        known = await place.login(revoked_seconds_ago=0)
        assert await place.revocations.read() == {known}
        read_at = place.registry.get_sample_value("tiebreak_revocations_read_timestamp_seconds")
        detour.block()
        # As if it stayed away for ten minutes: Postgres's clock cannot be moved.
        assert place.revocations._asked_at
        place.revocations._asked_at -= timedelta(minutes=10)
        meanwhile = await place.login(revoked_seconds_ago=500)
        async with place.polling():
            for _ in range(5):
                place.clock.advance(seconds=1)
                await asyncio.sleep(0.02)
            assert place.verifier.revoked == {known}
            assert place.registry.get_sample_value("tiebreak_revocations_read_timestamp_seconds") == read_at
            detour.unblock()
            await place.until(lambda: meanwhile in place.closed)
        assert place.verifier.revoked == {known, meanwhile}
        assert place.registry.get_sample_value("tiebreak_revoked_logins") == 2


async def test_while_all_connections_are_busy(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for one for ever: what is known is held, the log says so, and it asks again."""
    monkeypatch.setattr(revocations, "ANSWER_SECONDS", 0.05)
    async with opened_pool(database_url, size=1) as pool, opened_pool(database_url) as beside:
        place = Place(pool, beside)
        known = await place.login(revoked_seconds_ago=0)
        assert await place.revocations.read() == {known}
        with capture_logs() as logs:
            async with place.polling():
                async with pool.acquire():
                    meanwhile = await place.login(revoked_seconds_ago=0)
                    await place.until(lambda: any(it["event"] == "revocations.unknown" for it in logs))
                    assert place.verifier.revoked == {known}
                await place.until(lambda: meanwhile in place.closed)
        assert [it["event"] for it in logs][:2] == ["revocations.unknown", "revocations.known_again"]
        assert "TimeoutError" in logs[0]["error"]


async def test_while_an_answer_does_not_come(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something holds up the question itself: it is given up, and its connection is good for the next one."""
    monkeypatch.setattr(revocations, "ANSWER_SECONDS", 0.2)
    async with opened_pool(database_url, size=1) as pool, opened_pool(database_url) as beside:
        place = Place(pool, beside)
        login_id = await place.login(revoked_seconds_ago=0)
        async with asyncio.timeout(20):
            async with beside.acquire() as connection, connection.transaction():
                await connection.execute("LOCK TABLE refresh_families")
                with pytest.raises(TimeoutError):
                    await place.revocations.read()
            assert await place.revocations.read() == {login_id}


async def test_the_question_costs_nothing(place: Place) -> None:
    """It reads the index of revoked log-ins, not the table, of which it wants a few rows among many."""
    user_id = await new_user(place.beside)
    await place.beside.execute(
        "INSERT INTO refresh_families (id, user_id, revoked_at) SELECT gen_random_uuid(), $1, "
        "CASE WHEN n % 2 = 0 THEN now() - n * interval '1 minute' END FROM generate_series(60, 20000) AS n",
        user_id,
    )
    await place.beside.execute("ANALYZE refresh_families")
    async with place.beside.acquire() as connection:
        await connection.execute(f"PREPARE question (timestamptz, float8) AS {sql('revoked_logins')}")
        # After five executions Postgres may change to a plan for any parameters.
        for _ in range(8):
            await connection.execute("EXECUTE question (now(), 60)")
        plan = await connection.fetch("EXPLAIN EXECUTE question (now(), 60)")
        text = "\n".join(row[0] for row in plan)
    assert "refresh_families_revoked" in text, text
    assert "Seq Scan" not in text, text
