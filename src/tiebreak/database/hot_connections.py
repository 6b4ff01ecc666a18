"""Connections for the statements of the hot path alone, for which asyncpg's pool is too dear.

The pool wraps and checks a connection whenever somebody takes it and gives it back, and sets a timer for each
statement's time limit. These stay out of it, and one timer watches over them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

import asyncpg
import msgspec
import structlog

if TYPE_CHECKING:  # generic in asyncpg-stubs only
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection
Record = asyncpg.Record

CLOSED = "These connections are closed."
# As asyncpg's pool has it: what lies between us and Postgres may have forgotten a connection that has long been idle.
LONGEST_IDLE_SECONDS = 300.0

log = structlog.get_logger()


class UnderWay(msgspec.Struct):
    """A statement, since when it runs, and how often its task had been cancelled by then."""

    connection: Connection
    since: float
    cancelled: int
    is_overdue: bool = False


class HotConnections:
    """Opened as they are needed.

    The one used last is used next: the process behind it has just done the same, and finds in the processor's caches
    what it needs. Those that are being closed are not counted: while a server hangs, there are as many again.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        *,
        most: int,
        statement_seconds: float,
        outages: tuple[type[Exception], ...],
    ) -> None:
        """`connect` opens one without a time limit for its statements.

        A connection is used again after an error of Postgres's that is not one of `outages`, and after no other.
        """
        self._connect = connect
        self._most = most
        self._statement_seconds = statement_seconds
        self._outages = outages
        # How many more calls could go on beside those under way.
        self.free = most
        # And since when.
        self._idle: list[tuple[Connection, float]] = []
        self._under_way: dict[asyncio.Task[object], UnderWay] = {}
        self._watch: asyncio.TimerHandle | None = None
        # Python 3.11 asks the kernel who it is each time somebody asks for the running loop.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed: asyncio.Future[None] | None = None

    async def fetch(self, statement: str, *arguments: object) -> list[Record]:
        """As asyncpg's, for no more callers at once than there are connections (`free`).

        Raises TimeoutError after `statement_seconds`, and what asyncpg raises.
        """
        if self._closed is not None:
            raise asyncpg.InterfaceError(CLOSED)
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        task = cast("asyncio.Task[object]", asyncio.current_task(loop))
        under_way = None
        self.free -= 1
        try:
            connection = self._take(loop.time()) or await self._connect()
            under_way = self._under_way[task] = UnderWay(connection, loop.time(), task.cancelling())
            if self._closed is not None:
                raise asyncpg.InterfaceError(CLOSED)
            if self._watch is None:
                self._watch = loop.call_later(self._statement_seconds, self._give_up)
            rows = await connection.fetch(statement, *arguments)
            self._idle.append((connection, under_way.since))
        except BaseException as error:
            if under_way is not None:
                self._put_away(under_way, error)
                if under_way.is_overdue and task.uncancel() <= under_way.cancelled:
                    limit = f"{self._statement_seconds:g} s"
                    raise TimeoutError(f"Postgres has not answered within {limit}.") from error
            raise
        finally:
            self.free += 1
            self._under_way.pop(task, None)
            if self._closed is not None:
                self._close_idle(self._closed)
        return rows

    async def close(self) -> None:
        """Close them, those in use when their statements are through."""
        closed = self._closed = self._closed or asyncio.get_running_loop().create_future()
        self._close_idle(closed)
        await asyncio.shield(closed)
        if self._leaving:
            await asyncio.wait(self._leaving)

    def terminate(self) -> None:
        """Drop them all, whatever they do."""
        self._closed = self._closed or asyncio.get_running_loop().create_future()
        for connection, _ in self._idle:
            connection.terminate()
        for under_way in self._under_way.values():
            under_way.connection.terminate()
        self._close_idle(self._closed)

    def _take(self, now: float) -> Connection | None:
        while self._idle:
            connection, since = self._idle.pop()
            if connection.is_closed():
                continue
            if since > now - LONGEST_IDLE_SECONDS:
                return connection
            self._leave(connection)
        return None

    def _put_away(self, under_way: UnderWay, error: BaseException) -> None:
        if isinstance(error, asyncpg.PostgresError) and not isinstance(error, self._outages):
            self._idle.append((under_way.connection, under_way.since))
        else:
            self._leave(under_way.connection)

    def _close_idle(self, closed: asyncio.Future[None]) -> None:
        while self._idle:
            self._leave(self._idle.pop()[0])
        if self.free == self._most and not closed.done():
            closed.set_result(None)
            if self._watch:
                self._watch.cancel()

    def _leave(self, connection: Connection) -> None:
        """Close it, what it has under way cancelled, and nobody waits for that."""
        leaving = asyncio.create_task(connection.close(timeout=self._statement_seconds))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._left)

    def _left(self, leaving: asyncio.Task[None]) -> None:
        self._leaving.discard(leaving)
        if not leaving.cancelled() and (error := leaving.exception()):
            log.info("database.connection_lost", error=f"{type(error).__name__}: {error}")

    def _give_up(self) -> None:
        """Cancel those whose time is over; look again when the next one's will be."""
        loop = asyncio.get_running_loop()
        began_before = loop.time() - self._statement_seconds
        in_time: list[float] = []
        for task, under_way in self._under_way.items():
            if under_way.is_overdue:
                continue
            if under_way.since <= began_before:
                under_way.is_overdue = True
                task.cancel()
            else:
                in_time.append(under_way.since)
        self._watch = loop.call_later(min(in_time) - began_before, self._give_up) if in_time else None
