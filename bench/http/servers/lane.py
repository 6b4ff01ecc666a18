"""Our app server's lane for answers, before Litestar: `python -m bench.http.servers.lane SETTING [at-once]`."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

import uvloop

from bench.http.servers.litestar import app_of
from bench.http.servers.parts import (
    Setting,
    answers_without_ledger,
    listening,
    read_setting,
    serve_tidily,
    verifier_of,
)
from tiebreak.app_server.answer_lane import PATH, AnswerLane
from tiebreak.app_server.app import OUTAGES
from tiebreak.clock import SystemClock
from tiebreak.http_edge.lanes import LaneConnection
from tiebreak.http_edge.serving import serve
from tiebreak.settings import Settings


async def main(setting: Setting) -> None:
    verifier, answers = verifier_of(setting), answers_without_ledger(setting, at_once="at-once" in sys.argv)
    lanes = {PATH: AnswerLane(verifier, answers, SystemClock())}
    connection = partial(LaneConnection, lanes=lanes, outages=OUTAGES)
    settings = Settings(listen_fd=listening().detach())
    await serve_tidily(serve(app_of(verifier, answers), settings, asyncio.Event(), None, connection))


if __name__ == "__main__":
    uvloop.run(main(read_setting()))
