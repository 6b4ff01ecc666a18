"""Limits that processes share through Redis, and keep by themselves while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import structlog

from tests.redis_link import Link, redis_link
from tests.standing_clock import StandingClock
from tiebreak.cache import call_limits, limits
from tiebreak.cache.call_limits import CallLimit, CallLimits
from tiebreak.cache.limits import MissLimit
from tiebreak.errors import Refused
from tiebreak.redis_client import Redis, RedisConnectionError, open_redis
from tiebreak.settings import Settings

ADDRESS = "192.0.2.1"
PER_MINUTE, OVERALL = 20, 100


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def redis(each_redis_url: str) -> AsyncIterator[Redis]:
    redis = await open_redis(each_redis_url)
    yield redis
    await redis.aclose()


@pytest.fixture
async def gone(unused_tcp_port: int) -> AsyncIterator[Redis]:
    """Nothing listens there."""
    redis = await open_redis(f"redis://127.0.0.1:{unused_tcp_port}", retries=0)
    yield redis
    await redis.aclose()


def miss_limit(redis: Redis | None, clock: StandingClock) -> MissLimit:
    return MissLimit(redis, clock, name="pin", per_minute=PER_MINUTE, overall_per_minute=OVERALL)


async def misses_until_exhausted(limit: MissLimit, address: str) -> int:
    """As many as an address may make, each counted."""
    for found in range(PER_MINUTE + 5):
        if await limit.exhausted(address):
            return found
        await limit.miss(address)
    raise AssertionError("There is no limit.")


# --- misses ----------------------------------------------------------------------------------------------------------


async def test_misses_of_all_processes_count(redis: Redis, clock: StandingClock) -> None:
    """Half of them here, half of them there."""
    here, there = miss_limit(redis, clock), miss_limit(redis, clock)
    for _ in range(PER_MINUTE // 2):
        await here.miss(ADDRESS)
        await there.miss(ADDRESS)
    for limit in (here, there):
        seconds = await limit.exhausted(ADDRESS)
        assert seconds
        assert 1 <= seconds <= 60
        assert await limit.exhausted("192.0.2.2") is None


async def test_guessing_from_many_addresses(redis: Redis, clock: StandingClock) -> None:
    """Beyond the bound on all together each may miss a third as often; who has not missed is never refused."""
    limit = miss_limit(redis, clock)
    for number in range(OVERALL):
        await limit.miss(f"198.51.100.{number}")
    assert await misses_until_exhausted(limit, ADDRESS) == PER_MINUTE // limits.UNDER_ATTACK
    for number in range(OVERALL * 2):
        await limit.miss(f"203.0.113.{number}")
    assert await limit.exhausted("192.0.2.3") is None


async def test_a_class_that_mistypes_comes_in_during_an_attack(clock: StandingClock) -> None:
    """With the settings as they come, nine misses from one address leave its door open, whatever others do."""
    settings = Settings()
    overall = settings.limit_pin_misses_overall_per_minute
    limit = MissLimit(
        None, clock, name="pin", per_minute=settings.limit_pin_misses_per_minute, overall_per_minute=overall
    )
    for number in range(overall):
        await limit.miss(str(number))
    for _ in range(9):
        await limit.miss(ADDRESS)
    assert await limit.exhausted(ADDRESS) is None


async def test_tries_sent_at_once(redis: Redis, clock: StandingClock) -> None:
    """All have asked before the first has missed: asked again, no more pass than one after the other."""
    limit = miss_limit(redis, clock)
    all_asked = asyncio.Barrier(PER_MINUTE * 3)

    async def passes() -> bool:
        assert await limit.exhausted(ADDRESS) is None
        await all_asked.wait()
        if limit.exhausted_here(ADDRESS):
            return False
        await limit.miss(ADDRESS)
        return True

    async with asyncio.timeout(20):
        passed = await asyncio.gather(*(passes() for _ in range(all_asked.parties)))
    assert passed.count(True) == PER_MINUTE


@pytest.mark.parametrize("how", ["not set", "gone"])
async def test_without_redis_a_process_counts_by_itself(clock: StandingClock, gone: Redis, how: str) -> None:
    """Misses are limited all the same, also those of all together; a minute later all is well."""
    limit = miss_limit(None if how == "not set" else gone, clock)
    assert await misses_until_exhausted(limit, ADDRESS) == PER_MINUTE
    assert await limit.exhausted("192.0.2.2") is None
    for number in range(OVERALL):
        await limit.miss(f"198.51.100.{number}")
    assert await misses_until_exhausted(limit, "192.0.2.2") == PER_MINUTE // limits.UNDER_ATTACK
    clock.advance(minutes=1)
    assert await limit.exhausted(ADDRESS) is None


async def test_what_was_counted_before_redis_went_counts_on(
    redis: Redis, gone: Redis, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking Redis away buys nobody another round of guesses at this process."""
    limit = miss_limit(redis, clock)
    for _ in range(PER_MINUTE):
        await limit.miss(ADDRESS)
    monkeypatch.setattr(limit, "_redis", gone)
    assert await limit.exhausted(ADDRESS)


async def test_a_redis_that_cannot_be_written(redis: Redis, clock: StandingClock) -> None:
    """It answers that nobody has missed: what the process has counted holds, also of all together."""
    limit = miss_limit(redis, clock)
    await redis.config_set("min-replicas-to-write", 1)
    try:
        for _ in range(PER_MINUTE):
            await limit.miss(ADDRESS)
        clock.advance(seconds=limits.REST_SECONDS)
        assert await limit.exhausted(ADDRESS)
        assert await limit.exhausted("192.0.2.2") is None
        for number in range(OVERALL):
            await limit.miss(f"198.51.100.{number}")
        for _ in range(PER_MINUTE // limits.UNDER_ATTACK):
            await limit.miss("192.0.2.2")
        clock.advance(seconds=limits.REST_SECONDS)
        assert await limit.exhausted("192.0.2.2")
    finally:
        await redis.config_set("min-replicas-to-write", 0)


async def test_memory_for_misses_is_bounded(clock: StandingClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more addresses than are counted the oldest are forgotten."""
    monkeypatch.setattr(limits, "MOST_COUNTED", 10)
    own = limits.OwnMisses(clock)
    for number in range(50):
        own.add(str(number))
    assert [own.of(str(number)).missed for number in (0, 39, 40, 49)] == [0, 0, 1, 1]


@asynccontextmanager
async def hanging_redis(url: str) -> AsyncGenerator[tuple[Redis, list[bytes]]]:
    """A Redis that takes every command and never answers; and what it was sent."""
    asked: list[bytes] = []

    async def there(link: Link) -> None:
        while command := await link.asked():
            asked.append(command)

    def ways(link: Link) -> tuple[Awaitable[None], Awaitable[None]]:
        return there(link), asyncio.Event().wait()  # pyright: ignore[reportReturnType]

    async with redis_link(url, ways) as link_url:
        redis = await open_redis(link_url, retries=0)
        yield redis, asked
        await redis.aclose()


async def test_a_redis_that_hangs_is_asked_once(
    redis_url: str, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One waits for it, the others do not; it gets another chance later."""
    monkeypatch.setattr(limits, "TIMEOUT_SECONDS", 0.05)
    async with hanging_redis(redis_url) as (redis, asked), asyncio.timeout(20):
        limit = miss_limit(redis, clock)
        assert await misses_until_exhausted(limit, ADDRESS) == PER_MINUTE
        first = len(asked)
        assert first
        await misses_until_exhausted(limit, "192.0.2.2")
        assert len(asked) == first
        clock.advance(seconds=limits.REST_SECONDS)
        await limit.exhausted("192.0.2.3")
        assert len(asked) > first


# --- calls -----------------------------------------------------------------------------------------------------------


def refused(call: Callable[[], None]) -> bool:
    try:
        call()
    except Refused:
        return True
    return False


def process(redis: Redis | None, clock: StandingClock, per_minute: int = 80) -> tuple[CallLimits, CallLimit]:
    shared = CallLimits(redis, clock)
    return shared, shared.limit("answers", per_minute)


async def test_calls_at_several_processes(redis: Redis, clock: StandingClock) -> None:
    """A user who calls at each of four in turn is refused soon after its limit, and by all of them."""
    processes = [process(redis, clock) for _ in range(4)]
    for _ in range(20):
        for _, limit in processes:
            limit.count(7)
    for shared, _ in processes:
        await shared.share()
    # The limit is reached. Who heard of it before the last of them did hears so by the next call.
    for shared, limit in processes:
        refused(lambda limit=limit: limit.count(7))
        await shared.share()
    assert [refused(lambda limit=limit: limit.count(7)) for _, limit in processes] == [True] * 4
    assert [refused(lambda limit=limit: limit.count(8)) for _, limit in processes] == [False] * 4
    clock.advance(minutes=1)
    assert [refused(lambda limit=limit: limit.count(7)) for _, limit in processes] == [False] * 4


async def test_counts_go_away(redis: Redis, clock: StandingClock) -> None:
    """A minute's counts have a time to live."""
    shared, limit = process(redis, clock, per_minute=8)
    for _ in range(5):
        limit.count(7)
    await shared.share()
    [key] = await redis.keys("calls:*")
    assert 0 < await redis.ttl(key) <= call_limits.KEPT_SECONDS


@pytest.mark.parametrize("how", ["not set", "gone"])
async def test_calls_without_redis(clock: StandingClock, gone: Redis, how: str) -> None:
    """The limit of each process holds, nobody is refused before it, and a minute later all is well."""
    shared, limit = process(None if how == "not set" else gone, clock)
    for _ in range(3):
        for _ in range(20):
            limit.count(7)
        if how == "gone":
            with pytest.raises(RedisConnectionError):
                await shared.share()
        else:
            await shared.share()
    for _ in range(20):
        limit.count(7)
    assert refused(lambda: limit.count(7))
    clock.advance(minutes=1)
    assert not refused(lambda: limit.count(7))


async def test_the_background_goes_on_when_redis_is_gone(clock: StandingClock, gone: Redis) -> None:
    """It says so once, tries again, and begins each minute anew."""
    shared, limit = process(gone, clock, per_minute=8)
    with structlog.testing.capture_logs() as logged:
        running = asyncio.create_task(shared.run())
        for round_ in range(3):
            limit.count(7)
            limit.count(7)
            await asyncio.sleep(0)
            clock.advance(seconds=60)
            async with asyncio.timeout(10):
                while limit.minute != clock.now_ms() // call_limits.MINUTE_MS:
                    await asyncio.sleep(0.01)
            assert not running.done(), round_
        running.cancel()
    assert [entry["event"] for entry in logged].count("limits.not_shared") <= 1
