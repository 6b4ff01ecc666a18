"""A server of ours in a process of its own, which a test can kill."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.integration.redis_streams.waiting import until
from tests.integration.socket_adapter.node import LONGEST_LINE, ROOT, NodeProcess

PROGRAM = Path(__file__).with_name("server.py")


class OurServer:
    """It understands what NodeServer does."""

    def __init__(self, process: asyncio.subprocess.Process, conversation: NodeProcess, port: int) -> None:
        self._process = process
        self._conversation = conversation
        self.url = f"http://127.0.0.1:{port}"
        self.said: list[dict[str, Any]] = []

    async def ask(self, do: str, **told: Any) -> Any:
        return await self._conversation.ask(do, **told)

    async def told(self, *message: Any) -> None:
        await until(lambda: list(message) in [said.get("told") for said in self.said])

    async def kill(self) -> None:
        """SIGKILL: no farewell to anybody."""
        self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def our_server(redis_url: str) -> AsyncIterator[OurServer]:
    """One that serves; it ends with the test."""
    said: list[dict[str, Any]] = []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), redis_url), cwd=ROOT, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE
    )
    conversation = NodeProcess(process, said.append)
    try:
        ready = await conversation.first_words()
        listening = asyncio.create_task(conversation.listen())
        server = OurServer(process, conversation, ready["port"])
        server.said = said
        yield server
    finally:
        if process.returncode is None:
            await conversation.stop()
    await listening
