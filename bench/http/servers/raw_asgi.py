"""A callable without a framework on uvicorn: `python -m bench.http.servers.raw_asgi SETTING`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
import uvloop

from bench.http.servers.parts import listening

REPLY = (
    b'{"participant_answer_id":"019aaf3e-9a6b-7cc0-8a35-0242ac120002","correct":true,"score":100,"receipt":"tb1.%b"}'
    % (b"A" * 112)
)
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(REPLY)).encode())]


async def app(
    _: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Read the body, send the reply."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": REPLY})


if __name__ == "__main__":
    config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_level="error", access_log=False)
    uvloop.run(uvicorn.Server(config).serve([listening()]))
