"""Connections for the statements of the hot path alone: what a statement costs our process is half of it elsewhere.

asyncpg's pool wraps and checks a connection whenever somebody takes it and gives it back, and sets a timer for each
statement's time limit. These stay out of the pool, and one timer watches over them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

import asyncpg
import structlog

if TYPE_CHECKING:  # generic in asyncpg-stubs only
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection
Record = asyncpg.Record

log = structlog.get_logger()


class HotConnections:
    """Opened as they are needed.

    The one used last is used next: the process behind it has just done the same, and finds in the processor's caches
    what it needs.
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

        After one of `outages` a connection is not used again.
        """
        self._connect = connect
        self._most = most
        self._statement_seconds = statement_seconds
        self._outages = outages
        # How many more calls could go on beside those under way.
        self.free = most
        self._idle: list[Connection] = []
        # Whose statement is under way, and since when.
        self._under_way: dict[asyncio.Task[object], float] = {}
        # Whose time was over, and how often others had cancelled it by then.
        self._overdue: dict[asyncio.Task[object], int] = {}
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
            raise asyncpg.InterfaceError("These connections are closed.")
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        task = cast("asyncio.Task[object]", asyncio.current_task(loop))
        connection = None
        self.free -= 1
        try:
            connection = self._take() or await self._connect()
            self._under_way[task] = loop.time()
            if self._watch is None:
                self._watch = loop.call_later(self._statement_seconds, self._give_up)
            rows = await connection.fetch(statement, *arguments)
            self._idle.append(connection)
        except BaseException as error:
            if connection is not None:
                self._put_away(connection, error)
            others = self._overdue.get(task)
            if others is not None and isinstance(error, asyncio.CancelledError) and task.uncancel() <= others:
                raise TimeoutError(f"Postgres has not answered within {self._statement_seconds:g} s.") from error
            raise
        finally:
            self.free += 1
            self._under_way.pop(task, None)
            self._overdue.pop(task, None)
            if self._closed is not None:
                self._close_idle(self._closed)
        return rows

    async def close(self) -> None:
        """Close them, those in use when their statements are through."""
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
        self._close_idle(self._closed)
        await self._closed
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _take(self) -> Connection | None:
        while self._idle:
            if not (connection := self._idle.pop()).is_closed():
                return connection
        return None

    def _put_away(self, connection: Connection, error: BaseException) -> None:
        if isinstance(error, asyncpg.PostgresError) and not isinstance(error, self._outages):
            self._idle.append(connection)
        else:
            self._leave(connection)

    def _close_idle(self, closed: asyncio.Future[None]) -> None:
        while self._idle:
            self._leave(self._idle.pop())
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
        waiting: list[float] = []
        for task, began in self._under_way.items():
            if task in self._overdue:
                continue
            if began <= began_before:
                self._overdue[task] = task.cancelling()
                task.cancel()
            else:
                waiting.append(began)
        self._watch = loop.call_later(min(waiting) - began_before, self._give_up) if waiting else None
