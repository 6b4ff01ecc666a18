"""Who counts as a socket of ours: those we have let in, not those whose token is still being checked."""

import asyncio
import json
from typing import NamedTuple
from uuid import UUID, uuid4

import httpx

from tiebreak.clock import SystemClock
from tiebreak.errors import Refusal
from tiebreak.socket_adapter.server import Limits, SocketServer
from tiebreak.socket_adapter.socket_io.adapter import BroadcastOptions

POLLING = "/socket.io/?EIO=4&transport=polling"


class Somebody(NamedTuple):
    user_id: UUID
    expires_at: int


async def test_messages_to_all_wait_for_admission():
    """A message to all sockets does not reach one before it is let in, nor one that is refused."""
    asked, answer = asyncio.Event(), asyncio.Event()

    async def authenticate(token):
        asked.set()
        await answer.wait()
        return Somebody(uuid4(), 2**40) if token == "good" else Refusal.TOKEN_INVALID

    async def not_found(scope, receive, send):
        raise AssertionError(scope["path"])

    server = SocketServer(
        origin_allowed=lambda *_: True,
        authenticate=authenticate,
        handlers={},
        limits=Limits(10, 10),
        clock=SystemClock(),
    )
    transport = httpx.ASGITransport(server.mount(not_found))
    async with httpx.AsyncClient(transport=transport, base_url="http://tiebreak") as http, asyncio.timeout(20):
        for token, greeting, last in (("good", "40{", '42["last"]'), ("bad", "44{", None)):
            asked.clear()
            answer.clear()
            address = f"{POLLING}&sid={json.loads((await http.get(POLLING)).text[1:])['sid']}"
            connecting = asyncio.create_task(http.post(address, content=f'40{{"token":"{token}"}}'))
            await asked.wait()
            server.sockets.deliver(["secret", 1], BroadcastOptions())
            answer.set()
            await connecting
            packets = (await http.get(address)).text.split("\x1e")
            assert [packet[:3] for packet in packets] == [greeting]
            server.sockets.deliver(["last"], BroadcastOptions())
            if last:
                assert (await http.get(address)).text == last
