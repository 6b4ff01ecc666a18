"""Connections to Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import asyncpg
import structlog
from asyncpg.pool import PoolAcquireContext, PoolConnectionProxy

from tiebreak.errors import DatabaseUnavailable

if TYPE_CHECKING:  # generic in asyncpg-stubs only
    AnyPool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    AnyPool = asyncpg.Pool
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

# Batches of answers that are under way at once.
MOST_KEPT = 2
# Then the pool has them for a moment, to renew or to close them.
KEPT_SECONDS = 60.0

log = structlog.get_logger()

Result = TypeVar("Result")


class Pool(AnyPool):
    """Nobody waits for a connection for longer than FREE_SECONDS: TimeoutError, which is an outage.

    Some are kept by `fetch_hot`, between its calls, as long as nobody has to wait for one.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **options)
        # The one used last is last, and used next.
        self._kept: list[PoolConnectionProxy[Record]] = []
        self._keeping: asyncio.TimerHandle | None = None

    def acquire(self, *, timeout: float | None = None) -> PoolAcquireContext[Record]:
        # In asyncpg's queue are the connections that nobody has, those that are still to be opened included, which has
        # a time limit of its own. Its get_idle_size looks at each connection, which takes a tenth of the time that our
        # code has for an answer alone.
        if self._queue.empty():
            self._give_back()
            # Only where somebody has to wait: asyncpg makes a task for each time limit.
            if timeout is None:
                timeout = FREE_SECONDS
        return super().acquire(timeout=timeout)

    async def fetch_hot(self, statement: str, *arguments: object) -> list[Record]:
        """As `fetch`, by a connection that does nothing else while it is needed: for the statements of the hot path.

        The process behind it has just done the same, and finds in the processor's caches what it needs; and it need not
        come out of the pool each time, and go back.
        """
        connection = None
        while connection is None:
            if not self._kept:
                connection = await self.acquire()
            elif is_open(kept := self._kept.pop()):
                connection = kept
            else:
                self._release_soon(kept)
        try:
            rows = await connection.fetch(statement, *arguments)
        except BaseException:
            self._release_soon(connection)
            raise
        # Who waits for one may be another caller of this.
        if len(self._kept) < MOST_KEPT and not self._queue._getters and not self.is_closing():
            self._kept.append(connection)
            if self._keeping is None:
                self._keeping = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._give_back)
        else:
            self._release_soon(connection)
        return rows

    async def close(self) -> None:
        self._give_back()
        await super().close()

    def _give_back(self) -> None:
        """Have the pool look after those that are kept and not in use: it closes what has long been idle."""
        if self._keeping:
            self._keeping.cancel()
            self._keeping = None
        while self._kept:
            self._release_soon(self._kept.pop())

    def _release_soon(self, connection: PoolConnectionProxy[Record]) -> None:
        asyncio.create_task(self.release(connection)).add_done_callback(released)


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
        return await Pool(
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


def is_open(connection: PoolConnectionProxy[Record]) -> bool:
    """Whether a connection that is kept can be used."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # it was lost, and the pool has taken it back
        return False


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
