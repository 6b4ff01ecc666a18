"""A player and its connection, against a real WebSocket server that does what the test says."""

from __future__ import annotations

import asyncio
from random import Random

from aiohttp import web

from tests.unit.load_test.serving import serving
from tiebreak.load_test.boards import SessionBoards, Visibility
from tiebreak.load_test.http_client import HttpClient
from tiebreak.load_test.login import Login
from tiebreak.load_test.player import Player, Session
from tiebreak.load_test.replies import Acknowledgement, Tokens


async def test_a_board_that_cannot_be_read():
    """Is counted by its player, who does not take it for a lost connection."""

    async def handle(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str('0{"sid":"x"}')
        await socket.receive_str()
        await socket.send_str('40{"sid":"y"}')
        await socket.receive_str()
        await socket.send_str('431[{"ok":true}]')
        await socket.send_str('42["leaderboard_updating",{"rows":1}]')
        await socket.receive_str()
        await socket.send_str('432[{"ok":true}]')
        await socket.receive()
        return socket

    async with serving(handle) as url, HttpClient(url) as http, asyncio.timeout(10):
        session = Session("s", [], SessionBoards(Visibility()))
        player = Player(0, url, session, Login(http, Tokens("t", "r", 900)), Random(1))
        await player.enter()
        await player.ask("hello", {}, Acknowledgement)
        assert (player.messages_malformed, player.connections_lost, player.is_connected) == (1, 0, True)
        player.leave()
