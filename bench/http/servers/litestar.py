"""Our app server's own route, by Litestar: `python -m bench.http.servers.litestar SETTING`."""

from __future__ import annotations

import asyncio

import httpx
import uvloop
from litestar import Litestar

from bench.http.servers.parts import (
    Setting,
    answers_without_ledger,
    listening,
    read_setting,
    serve_tidily,
    verifier_of,
)
from tiebreak.app_server.app import http_app
from tiebreak.app_server.commands import Answers
from tiebreak.http_edge.serving import serve
from tiebreak.settings import Settings
from tiebreak.tokens import Verifier

# Of other routes, which nobody asks for.
OTHERS = ("pool", "doctor", "leaderboards", "pin_misses", "ticks", "questions", "boards", "joins", "counted_sessions")


def app_of(verifier: Verifier, answers: Answers) -> Litestar:
    """All routes; of their parts, those of the one for answers."""
    parts = {**dict.fromkeys(OTHERS), "answers": answers, "verifier": verifier}
    return http_app(parts, auth_client=httpx.AsyncClient(), forward_auth=False)


async def main(setting: Setting) -> None:
    app = app_of(verifier_of(setting), answers_without_ledger(setting))
    await serve_tidily(serve(app, Settings(listen_fd=listening().detach()), asyncio.Event()))


if __name__ == "__main__":
    uvloop.run(main(read_setting()))
