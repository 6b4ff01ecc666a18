"""Programs of tests/node, and how a test talks with them: a line of JSON each way."""

from __future__ import annotations

import asyncio
import itertools
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[3]
PROGRAMS = ROOT / "tests" / "node"
ANSWER_SECONDS = 40
STOP_SECONDS = 10
LONGEST_LINE = 1 << 22


class NodeProcess:
    """A running program. What it says by itself goes to `hear`; its death fails whoever waits for an answer."""

    def __init__(self, process: Process, hear: Callable[[dict[str, Any]], None]) -> None:
        self._process = process
        self._hear = hear
        self._ids = itertools.count()
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, do: str, **told: Any) -> Any:
        """What a command of the program comes to; AssertionError with what it throws."""
        assert self._process.stdin
        id_ = next(self._ids)
        answered = self._answers[id_] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": id_, "do": do, **told}).encode() + b"\n")
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await answered
        assert "error" not in answer, f"{do}: {answer['error']}"
        return answer["result"]

    async def first_words(self) -> dict[str, Any]:
        """What it says when it is ready."""
        assert self._process.stdout
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await self._process.stdout.readline()
        assert line, "The Node program ended before it was ready: what it wrote stands above."
        return json.loads(line)

    async def listen(self) -> None:
        """Take in what it says until it ends."""
        assert self._process.stdout
        async for line in self._process.stdout:
            said = json.loads(line)
            if "id" not in said:
                self._hear(said)
            else:
                settle(self._answers.pop(said["id"]), said)
        for waiting in self._answers.values():
            settle(waiting, {"error": "the Node program has ended"})

    async def stop(self) -> None:
        """Close its standard input, at which it ends."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def settle(waiting: asyncio.Future[Any], answer: dict[str, Any]) -> None:
    """Give the answer, unless nobody waits for it any more."""
    if not waiting.done():
        waiting.set_result(answer)


@asynccontextmanager
async def node_process(
    program: str, *arguments: str, hear: Callable[[dict[str, Any]], None] = lambda _: None
) -> AsyncIterator[tuple[NodeProcess, dict[str, Any]]]:
    """The program, and what it said when it was ready; stopped at the end."""
    assert (PROGRAMS / "node_modules" / ".package-lock.json").exists(), (
        "The tests' Node packages are not installed: run `make test` once, or `npm --prefix tests/node ci`."
    )
    process = await asyncio.create_subprocess_exec(
        str(ROOT / "scripts" / "with-node"),
        *("node", str(PROGRAMS / program), *arguments),
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
        limit=LONGEST_LINE,
    )
    node = NodeProcess(process, hear)
    try:
        first_words = await node.first_words()
        listening = asyncio.create_task(node.listen())
        yield node, first_words
    finally:
        await node.stop()
    await listening


def node_redis_options(redis_url: str) -> str:
    """The same Redis in the words of Node's `redis`."""
    address = urlsplit(redis_url)
    return json.dumps({"socket": {"path": address.path}} if address.scheme == "unix" else {"url": redis_url})
