"""When our processes serve."""

from __future__ import annotations

import asyncio

from tiebreak.embedded.child import Child
from tiebreak.errors import EmbeddedServerFailed

READY_SECONDS = 60.0
PROBE_SECONDS = 0.05


async def ready_or_dead(children: list[Child], host: str, port: int, path: str = "/readyz") -> None:
    """Wait until the server there says that it is ready.

    Raises EmbeddedServerFailed when one of the children ends before that or it takes too long.
    """
    ready = asyncio.create_task(is_ready(host, port, path))
    ends = {asyncio.create_task(child.ended()): child for child in children}
    try:
        done, _ = await asyncio.wait({ready, *ends}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (ready, *ends):
            task.cancel()
    if ready in done:
        return
    dead = [child for task, child in ends.items() if task in done]
    if dead:
        raise EmbeddedServerFailed(dead[0].obituary())
    logs = ", ".join(str(child.log) for child in children)
    raise EmbeddedServerFailed(f"The server on port {port} was not ready within {READY_SECONDS:.0f} s; see {logs}.")


async def is_ready(host: str, port: int, path: str) -> None:
    """Ask until the answer is 200."""
    while not (await status_line(host, port, path)).startswith(b"HTTP/1.1 200"):  # noqa: ASYNC110 - another process's state
        await asyncio.sleep(PROBE_SECONDS)


async def status_line(host: str, port: int, path: str) -> bytes:
    """The first line of the answer; empty when there is none. A whole HTTP client would take longer to import."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return b""
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        return await reader.readline()
    except OSError:
        return b""
    finally:
        writer.close()
