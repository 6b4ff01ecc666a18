"""Connections to Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal, TypeVar

import asyncpg
import structlog
from asyncpg.pool import PoolAcquireContext, PoolConnectionProxy

from tiebreak.errors import DatabaseUnavailable

if TYPE_CHECKING:  # generic in asyncpg-stubs only
    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection | PoolConnectionProxy
Record = asyncpg.Record
UniqueViolation = asyncpg.UniqueViolationError

# What asyncpg raises when the server is gone, going, not there yet, or cannot do its work now. Retrying may help.
OUTAGES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,  # class 53: the disk or the memory is full, too many connections
    asyncpg.OperatorInterventionError,  # class 57: starting, shutting down, crashed, a statement cancelled
    asyncpg.PostgresSystemError,  # class 58: reading or writing its files failed
    asyncpg.ReadOnlySQLTransactionError,  # demoted, or set so by whoever runs it
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,  # the server has said that it ends the connection, and not ended it yet
)

# For loops that do their best and try again anyway: whatever Postgres says.
FAILURES = (*OUTAGES, asyncpg.PostgresError)

# A gateway gives up after 15 s: with the 5 s that an answer may wait for its turn, what hangs is refused before that.
STATEMENT_SECONDS = 10.0
CONNECT_SECONDS = 5.0
# For a connection while all are in use; a hung Postgres holds each of them for a statement's time and the cancelling's.
FREE_SECONDS = 10.0

log = structlog.get_logger()

Result = TypeVar("Result")


class BoundedPool(Pool):
    """A pool that nobody waits for longer than FREE_SECONDS: TimeoutError, which is an outage."""

    def acquire(self, *, timeout: float | None = None) -> PoolAcquireContext[Record]:
        # Only where somebody has to wait: asyncpg makes a task for each time limit. In its queue are the connections
        # that nobody has, those that are still to be opened included, which has a time limit of its own. Its
        # get_idle_size looks at each connection, which takes a tenth of the time that our code has for an answer alone.
        if timeout is None and self._queue.empty():
            timeout = FREE_SECONDS
        return super().acquire(timeout=timeout)


async def open_pool(
    url: str, *, size: int, connect_seconds: float = 10.0, plans: Literal["auto", "force_generic_plan"] = "auto"
) -> Pool:
    """A pool of up to `size` connections, opened as they are needed.

    With generic `plans` a statement is planned once and not for the values of each call: for statements that find
    everything by index whatever the values are, planning is most of their cost (bench/answers).
    Raises DatabaseUnavailable if the server does not answer within `connect_seconds`.
    """

    async def create() -> Pool:
        # jit: our statements take milliseconds; compiling them would take longer than running them.
        return await BoundedPool(
            url,
            min_size=1,
            max_size=size,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            reset=leave_as_it_is,
            server_settings={"jit": "off", "plan_cache_mode": plans},
        )

    return await patiently(create, connect_seconds)


async def can_write(pool: Pool) -> None:
    """A check for Doctor. Raises DatabaseUnavailable where Postgres answers and takes nothing; OUTAGES."""
    if await pool.fetchval("SELECT current_setting('transaction_read_only')") == "on":
        raise DatabaseUnavailable("Postgres is read-only: it was demoted, or set so.")


async def fetch(pool: Pool, statement: str, *arguments: object) -> list[Record]:
    """As Pool.fetch, and sooner: what it gives does not wait until the connection is back in the pool."""
    connection = await pool.acquire()
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        # Two turns of the loop later: one is over when who waits for our caller has been woken up.
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, give_back, pool, connection)


def give_back(pool: Pool, connection: PoolConnectionProxy[Record]) -> None:
    """Release a connection; nobody waits for it."""
    asyncio.create_task(pool.release(connection)).add_done_callback(released)


def released(releasing: asyncio.Task[None]) -> None:
    """A connection that could not be given back is closed by the pool."""
    if not releasing.cancelled() and (error := releasing.exception()):
        log.info("pool.connection_lost", error=str(error))


async def leave_as_it_is(_: Connection) -> None:
    """What a connection needs before its next use. asyncpg ends an open transaction itself; its reset is a round trip
    after every statement, for settings, locks and cursors of the connection, and ours are all of a transaction."""


async def patiently(attempt: Callable[[], Awaitable[Result]], seconds: float) -> Result:
    """Repeat an attempt while Postgres is not there yet, at most so long."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await attempt()
        except OUTAGES as error:
            if asyncio.get_running_loop().time() > deadline:
                raise DatabaseUnavailable(
                    f"Postgres does not answer ({error}). Check that it runs and that TIEBREAK_DATABASE_URL is right."
                ) from error
            await asyncio.sleep(0.1)
