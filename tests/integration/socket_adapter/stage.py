"""Two app servers of ours and a Socket.IO server of Node on one Redis, and people on all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import msgspec

from tests.client import Caller, Quizmaster, quizmaster
from tests.integration.socket_adapter.app_server import AppServer
from tests.integration.socket_adapter.clients import Client, JsClient, JsClients, Message, PythonClient
from tests.integration.socket_adapter.node import NodeProcess, node_process, node_redis_options
from tests.system import System
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import Redis, open_redis
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.messages import SessionUpdate


@dataclass
class Topology:
    """A system and one more app server on its stores."""

    system: System
    second: AppServer

    @property
    def app_servers(self) -> dict[str, str]:
        return {"first": self.system.base_url, "second": self.second.base_url}


@dataclass
class Stage:
    """A topology, a server and clients of Node, and an emitter as workers have it."""

    topology: Topology
    node: NodeProcess
    node_url: str
    js: JsClients
    master: Quizmaster
    host: Caller
    redis: Redis
    emitter: Emitter
    closing: AsyncExitStack

    @property
    def servers(self) -> dict[str, str]:
        return {**self.topology.app_servers, "Node": self.node_url}

    @property
    def token(self) -> str:
        return self.host.tokens["access_token"]

    async def js_client(self, url: str, *sessions: str, name: str = "JS", **options: Any) -> JsClient:
        """A client of socket.io-client that has entered these sessions."""
        client = self.js.client(name)
        self.closing.push_async_callback(client.close)
        assert "connected" in (opened := await client.open(url, self.token, **options)), opened
        await enter(client, *sessions)
        return client

    async def python_client(self, url: str, *sessions: str, name: str = "Python", **options: Any) -> PythonClient:
        """A client of python-socketio that has entered these sessions."""
        client = PythonClient(name)
        await client.open(url, self.token, **options)
        self.closing.push_async_callback(client.close)
        await enter(client, *sessions)
        return client

    async def audience(self, *sessions: str) -> list[Client]:
        """A client of each kind on each server, in these sessions: the host's, who may enter without joining."""
        return await asyncio.gather(
            *(self.js_client(url, *sessions, name=f"JS on {name}") for name, url in self.servers.items()),
            *(self.python_client(url, *sessions, name=f"Python on {name}") for name, url in self.servers.items()),
        )

    async def player(self, session: str) -> Caller:
        """Somebody who has joined, after the room has been told so: it will not hear of that any more."""
        scout = await self.python_client(self.topology.system.base_url, session)
        player = await self.master.guest("Ann")
        assert (await player.join(session)).status_code == 200
        await scout.until(lambda: scout.received)
        await scout.close()
        return player

    async def emit(self, *states: str, to: str) -> list[Message]:
        """Send messages with these states as a worker would, one by one; as clients get them."""
        return [message for state in states for message in await self.emit_together(state, to=to)]

    async def emit_together(self, *states: str, to: str) -> list[Message]:
        """The same in one call of the emitter."""
        session = QuizSessionId(UUID(to))
        updates = [SessionUpdate(session, state, at) for at, state in enumerate(states)]
        await self.emitter.emit([(session, update) for update in updates])
        return [["session_update", msgspec.to_builtins(update)] for update in updates]

    async def node_emit(self, *messages: Message, **whom: list[str]) -> list[Message]:
        """Have Node emit messages to `rooms` but not to those in `except_`; the messages."""
        told = {"except" if name == "except_" else name: value for name, value in whom.items()}
        await self.node.ask("emit", messages=messages, **told)
        return list(messages)

    async def node_reads(self) -> None:
        """Wait until Node reads the stream: what was appended before, it never gets."""
        room = str(uuid4())
        listener = await self.js_client(self.node_url, room)
        async with asyncio.timeout(20):
            while not listener.received:
                await self.emit("anybody there?", to=room)
                await asyncio.sleep(0.02)
        await listener.close()


async def enter(client: Client, *sessions: str) -> None:
    for session in sessions:
        acknowledged = await client.call("enter_session", {"quiz_session_id": session})
        assert acknowledged["ok"] is True, acknowledged


@asynccontextmanager
async def opened_stage(topology: Topology) -> AsyncIterator[Stage]:
    """A stage on which Node hears us."""
    async with AsyncExitStack() as closing:
        redis_url = topology.system.redis_url
        node, ready = await closing.enter_async_context(node_process("server.mjs", node_redis_options(redis_url)))
        master = await closing.enter_async_context(quizmaster(topology.system.base_url))
        redis = await open_redis(redis_url)
        closing.push_async_callback(redis.aclose)
        stage = Stage(
            topology=topology,
            node=node,
            node_url=f"http://127.0.0.1:{ready['port']}",
            js=await closing.enter_async_context(JsClients().running()),
            master=master,
            host=await master.account(),
            redis=redis,
            emitter=Emitter(redis),
            closing=closing,
        )
        await stage.node_reads()
        yield stage
