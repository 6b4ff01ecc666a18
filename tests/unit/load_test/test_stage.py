"""What is made before a test, and removed after it."""

from __future__ import annotations

import asyncio
from random import Random

from aiohttp import web

from tests.unit.load_test.serving import serving
from tiebreak.load_test.boards import SessionBoards, Visibility
from tiebreak.load_test.display import PlainDisplay
from tiebreak.load_test.http_client import HttpClient
from tiebreak.load_test.login import Login
from tiebreak.load_test.options import Options
from tiebreak.load_test.player import Player, Session
from tiebreak.load_test.replies import Tokens
from tiebreak.load_test.requests import Requests
from tiebreak.load_test.stage import Stage


def stage_at(url, http, told, sessions=("a", "b")):
    """A host and sessions with a player each."""
    stage = Stage(Requests(http, url, Random(1)), Options(url=url), Visibility(), PlainDisplay(told), Random(1))
    stage.host = login = Login(http, Tokens("t", "r", 900))
    stage.sessions = [Session(name, [], SessionBoards(Visibility())) for name in sessions]
    stage.players = [Player(at, url, session, login, Random(1)) for at, session in enumerate(stage.sessions)]
    return stage


async def test_every_board_is_looked_at_once(tmp_path):
    """So that each is there before the check, which would have a missing one built from the ledger."""
    asked = []

    async def handle(request):
        asked.append(request.path_qs)
        return web.json_response({"epoch": "e", "version": 1, "participants": 0, "rows": []})

    with (tmp_path / "told").open("w") as told:
        async with serving(handle) as url, HttpClient(url) as http:
            await stage_at(url, http, told).look_at_boards()
    assert asked == [f"/quiz-session/{name}/leaderboard?limit=10" for name in ("a", "b")]


async def test_clearing_has_an_end(tmp_path, monkeypatch):
    """Nothing of it is left running against a client that is closed."""
    monkeypatch.setattr("tiebreak.load_test.stage.CLEAR_SECONDS", 0.2)
    asked = asyncio.Event()

    async def handle(_):
        asked.set()
        await asyncio.Event().wait()

    with (tmp_path / "told").open("w") as told:
        async with serving(handle) as url, HttpClient(url) as http, asyncio.timeout(10):
            await stage_at(url, http, told).clear()
    assert asked.is_set()
