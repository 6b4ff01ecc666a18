"""A client of the public interface, written from its description alone: what tests play with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import socketio

QUESTIONS = [
    {"type": "choice", "prompt": "Which is a fruit?", "choices": ["stone", "pear", "chair"], "answer": 1},
    {"type": "multi_choice", "prompt": "Which are even?", "choices": ["1", "2", "3", "4"], "answer": [1, 3]},
    {"type": "true_false", "prompt": "Ice is cold.", "answer": True},
    {"type": "typed", "prompt": "The opposite of hot?", "answer": ["cold", "chilly"], "points": 150},
]
RIGHT = [1, [3, 1], True, " COLD "]
WRONG = [0, [1], False, "warm"]


class Caller:
    """Somebody with a token."""

    def __init__(self, http: httpx.AsyncClient, tokens: dict[str, Any]) -> None:
        self.http = http
        self.tokens = tokens
        self.headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        return await self.http.get(path, headers=self.headers, params=parameters)

    async def post(self, path: str, body: object = None) -> httpx.Response:
        return await self.http.post(path, headers=self.headers, json=body)

    async def put(self, path: str, body: object) -> httpx.Response:
        return await self.http.put(path, headers=self.headers, json=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.http.delete(path, headers=self.headers)

    async def join(self, session_id: str, name: str | None = None) -> httpx.Response:
        return await self.post(f"/quiz-session/{session_id}/join", {} if name is None else {"name": name})

    async def answer(self, session_id: str, question_id: str, answer: object, answer_id: str | None = None):
        body = {"quiz_session_id": session_id, "question_id": question_id, "answer": answer}
        return await self.post("/update-score", body | ({"answer_id": answer_id} if answer_id else {}))

    async def leaderboard(self, session_id: str, **parameters: Any) -> dict[str, Any]:
        response = await self.get(f"/quiz-session/{session_id}/leaderboard", **parameters)
        assert response.status_code == 200, response.text
        return response.json()


class Quizmaster:
    """Makes hosts, players, quizzes and sessions on a running system."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def guest(self, name: str = "Guest") -> Caller:
        return Caller(self.http, await self._tokens("/auth/guest", {"name": name}))

    async def account(self, name: str = "Host") -> Caller:
        body = {"email": f"{uuid4()}@example.com", "password": "correct horse battery", "name": name}
        return Caller(self.http, await self._tokens("/auth/register", body))

    async def _tokens(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        response = await self.http.post(path, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def quiz(self, host: Caller, questions: list[dict[str, Any]] = QUESTIONS) -> tuple[str, list[str]]:
        response = await host.post("/quizzes", {"title": "A quiz", "questions": questions})
        assert response.status_code == 201, response.text
        return response.json()["quiz_id"], response.json()["question_ids"]

    async def session(self, host: Caller, questions: list[dict[str, Any]] = QUESTIONS) -> tuple[str, list[str]]:
        """An open session of a new quiz; its id and its questions' ids."""
        quiz_id, question_ids = await self.quiz(host, questions)
        response = await host.post("/quiz-session", {"quiz_id": quiz_id, "mode": "self_paced"})
        assert response.status_code == 201, response.text
        return response.json()["quiz_session_id"], question_ids


@asynccontextmanager
async def quizmaster(base_url: str, connections: int = 100) -> AsyncIterator[Quizmaster]:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx.AsyncClient(base_url=base_url, timeout=60, limits=limits) as http:
        yield Quizmaster(http)


class Screen:
    """A connected socket and everything it was sent."""

    def __init__(self, client: socketio.AsyncClient) -> None:
        self.client = client
        self.received: list[tuple[str, dict[str, Any]]] = []
        for event in ("score_update", "leaderboard_updating", "session_update"):
            client.on(event, self._keep(event))

    def _keep(self, event: str) -> Callable[[dict[str, Any]], None]:
        return lambda payload: self.received.append((event, payload))

    def of(self, event: str) -> list[dict[str, Any]]:
        """The messages of one kind."""
        return [payload for name, payload in self.received if name == event]

    async def until(self, found: Callable[[], object], seconds: float = 20) -> None:
        """Wait for a message that makes it true."""
        async with asyncio.timeout(seconds):
            while not found():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(base_url: str, token: str | None, **options: Any) -> AsyncIterator[Screen]:
    client = socketio.AsyncClient(reconnection=options.pop("reconnection", False))
    screen = Screen(client)
    await client.connect(base_url, auth={"token": token} if token is not None else None, **options)
    try:
        yield screen
    finally:
        await client.disconnect()
