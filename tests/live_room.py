"""A live session with its host and a room of players at sockets: what tests of the live game play with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import socketio

from tests.client import Caller, Quizmaster
from tests.system import System

Message = dict[str, Any]


class Phone:
    """A player at a socket, with everything it was sent."""

    def __init__(self, caller: Caller, participant_id: str, name: str) -> None:
        self.caller = caller
        self.participant_id = participant_id
        self.name = name
        self.received: list[tuple[str, Message]] = []
        self.client = socketio.AsyncClient(reconnection=False)

    async def connect(self, base_url: str, session: str) -> Message:
        """Enter the room, anew if it was there before; the snapshot."""
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("*", self._keep)
        token = {"token": self.caller.tokens["access_token"]}
        await self.client.connect(base_url, auth=token, transports=["websocket"], wait_timeout=30)
        return await self.client.call("enter_session", {"quiz_session_id": session}, timeout=30)

    def _keep(self, event: str, payload: Message) -> None:
        self.received.append((event, payload))

    def of(self, event: str) -> list[Message]:
        return [payload for name, payload in self.received if name == event]

    async def until(self, found: Callable[[], object], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not found():
                await asyncio.sleep(0.01)

    async def drop(self) -> None:
        await self.client.disconnect()


class Room:
    """A live session. `lead` is what the host's screen does; `wait` waits as a player's screen does."""

    def __init__(self, system: System, master: Quizmaster, host: Caller, session: str, questions: list[str]) -> None:
        self.system = system
        self.master = master
        self.host = host
        self.session = session
        self.questions = questions
        self.phones: list[Phone] = []

    async def game(self) -> Message:
        response = await self.host.get(f"/quiz-session/{self.session}/game")
        assert response.status_code == 200, response.text
        return response.json()

    async def lead(self, command: str, **fields: object) -> Message:
        """Carry out a command, whatever the step."""
        step = (await self.game())["step"]
        response = await self.host.post(
            f"/quiz-session/{self.session}/game", {"command": command, "step": step, **fields}
        )
        assert response.status_code == 200, response.text
        return response.json()

    async def wait(self, phase: str, index: int | None = None, seconds: float = 20) -> Message:
        """Until the game has come there."""
        async with asyncio.timeout(seconds):
            while True:
                game = await self.game()
                if game["phase"] == phase and index in {None, game["question_index"]}:
                    return game
                await asyncio.sleep(0.05)

    async def ask(self, index: int) -> Message:
        """Lead on to a question, and wait until it takes answers."""
        game = await self.game()
        if game["phase"] == "lobby":
            await self.lead("start")
        elif game["phase"] != "countdown":
            while (await self.game())["phase"] != "countdown":
                await self.lead("next")
        return await self.wait("question", index)

    async def arrive(self, name: str, **joining: object) -> Phone:
        """A guest joins; not at a socket yet."""
        caller = await self.master.guest(name)
        response = await caller.post(f"/quiz-session/{self.session}/join", joining)
        assert response.status_code == 200, response.text
        phone = Phone(caller, response.json()["quiz_session_participant_id"], response.json()["name"])
        self.phones.append(phone)
        return phone

    async def result(self, phone: Phone) -> Message:
        response = await phone.caller.get(f"/quiz-session/{self.session}/my-result")
        assert response.status_code == 200, response.text
        return response.json()


@asynccontextmanager
async def live_room(
    system: System, master: Quizmaster, questions: list[Message], players: int, **options: object
) -> AsyncIterator[Room]:
    """A room of so many players, all at sockets, in the lobby."""
    host = await master.account()
    quiz_id, question_ids = await master.quiz(host, questions)
    response = await host.post("/quiz-session", {"quiz_id": quiz_id, "mode": "live", **options})
    assert response.status_code == 201, response.text
    room = Room(system, master, host, response.json()["quiz_session_id"], question_ids)
    async with AsyncExitStack() as leaving:
        await asyncio.gather(*(room.arrive(f"Player {at}") for at in range(players)))
        entering = asyncio.Semaphore(30)

        async def enter(phone: Phone) -> None:
            async with entering:
                assert (await phone.connect(system.base_url, room.session))["ok"]

        await asyncio.gather(*(enter(phone) for phone in room.phones))

        async def leave() -> None:
            await asyncio.gather(*(phone.drop() for phone in room.phones), return_exceptions=True)

        leaving.push_async_callback(leave)
        yield room
