"""An asyncio event loop whose time jumps to the next timer, and the processes whose code it runs.

A process can be killed or stopped between any two callbacks: a killed one never runs again, and says nothing to
anybody; a stopped one finds all that came meanwhile when it goes on, late.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any


class Process:
    """What lives and dies together. Its tasks and timers are known by their context."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_alive = True
        self.is_stopped = False
        self.parked: list[Handle] = []

    @property
    def runs(self) -> bool:
        return self.is_alive and not self.is_stopped


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


class Handle:
    """A callback that waits for its turn."""

    __slots__ = ("args", "callback", "context")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context) -> None:
        self.callback: Callable[..., object] | None = callback
        self.args = args
        self.context = context

    def cancel(self) -> None:
        self.callback = None
        self.args = ()

    def cancelled(self) -> bool:
        return self.callback is None


class VirtualLoop(asyncio.AbstractEventLoop):
    """Callbacks in the order they became due; nothing else has any say in it."""

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[Handle] = deque()
        self._timers: list[tuple[float, int, Handle]] = []
        self._number = 0
        self._nobody = Context()
        self._tasks: list[tuple[asyncio.Task[Any], Process | None]] = []
        # What callbacks raised: nobody waits for it.
        self.errors: list[dict[str, Any]] = []

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Handle:  # noqa: ANN401
        handle = Handle(callback, args, context if context is not None else copy_context())
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,  # noqa: ANN401
        context: Context | None = None,
    ) -> Handle:
        handle = Handle(callback, args, context if context is not None else copy_context())
        self._number += 1
        heapq.heappush(self._timers, (when, self._number, handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,  # noqa: ANN401
        context: Context | None = None,
    ) -> Handle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def happens(self, delay: float, callback: Callable[..., object], *args: Any) -> None:  # noqa: ANN401
        """Later, and in no process: on the network or in a server."""
        self._number += 1
        heapq.heappush(self._timers, (self._now + delay, self._number, Handle(callback, args, self._nobody)))

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        process = PROCESS.get()
        if context is not None:
            # One that somebody made empty on purpose: the task is of this process all the same.
            context.run(PROCESS.set, process)
        task = asyncio.Task(coro, loop=self, name=name or "", context=context)
        self._tasks.append((task, process))
        return task

    def start(self, process: Process, main: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `main` as that process."""
        context = Context()
        context.run(PROCESS.set, process)
        return context.run(self.create_task, main)

    def stop_process(self, process: Process) -> None:
        """As SIGSTOP does."""
        process.is_stopped = True

    def continue_process(self, process: Process) -> None:
        """As SIGCONT does."""
        process.is_stopped = False
        if process.is_alive:
            self._ready.extend(process.parked)
            process.parked.clear()

    def kill_process(self, process: Process) -> None:
        """As SIGKILL does: not even its `finally` runs."""
        process.is_alive = False

    def run(self, until: asyncio.Future[Any]) -> None:
        """Go on until that is done. Raises RuntimeError if nothing can happen any more."""
        asyncio._set_running_loop(self)
        try:
            while not until.done():
                if not self._ready:
                    if not self._timers:
                        raise RuntimeError("Everybody waits for somebody else.")
                    self._now, _, handle = heapq.heappop(self._timers)
                    self._ready.append(handle)
                self._turn()
        finally:
            asyncio._set_running_loop(None)

    def _turn(self) -> None:
        ready = self._ready
        while ready:
            handle = ready.popleft()
            if handle.callback is None:
                continue
            process = handle.context.get(PROCESS)
            if process is not None and not process.runs:
                process.parked.append(handle)
                continue
            try:
                handle.context.run(handle.callback, *handle.args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self.errors.append({"exception": error})

    def wind_up(self) -> None:
        """End every task, those of killed processes too, so that nothing is left for the garbage collector to end."""
        asyncio._set_running_loop(self)
        try:
            for _ in range(5):
                pending = [(task, process) for task, process in self._tasks if not task.done()]
                if not pending:
                    break
                for task, process in pending:
                    if process is not None:
                        process.is_alive = True
                        self.continue_process(process)
                    task.cancel()
                self._turn()
            for task, _ in self._tasks:
                if task.done() and not task.cancelled():
                    task.exception()
        finally:
            asyncio._set_running_loop(None)
            self._tasks.clear()
            self._timers.clear()

    def note_failure(self, task: asyncio.Task[Any]) -> None:
        """A callback for tasks that must not fail."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append({"exception": error})

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(context)
