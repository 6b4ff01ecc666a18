"""Tokens, passwords, e-mails and answers are in no log and no error, whatever goes wrong, and at the level "debug".

A game is played on a system of its own while everything fails that can: tables are away, log-ins are wrong, packets are
no packets. Then every byte of every log, Postgres's and Valkey's among them, is searched.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import product
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import msgspec
import pytest
import socketio

from tests.client import Caller, Quizmaster, Screen, connected, quizmaster
from tests.conformance.http_connection import connect
from tests.conformance.server_program import Endpoint
from tests.conformance.web_socket import open_engine
from tests.e2e.test_roles import TABLE, UNKNOWN, Side
from tests.system import System, running_system

# Nobody would write these by chance.
PASSWORD, WRONG_PASSWORD = "pw-9c1f-correct-horse", "pw-77ab-wrong-horse"
KEY, SHOUTED_KEY, GIVEN = "kestrel-7f3a91", "OSPREY-55d0c2", "sparrow-1e88b4"
MAILBOX = "mailbox-3d7e52"
QUESTIONS: list[dict[str, Any]] = [
    {"type": "typed", "prompt": "Say the word.", "answer": [KEY, SHOUTED_KEY]},
    {"type": "choice", "prompt": "Which?", "choices": ["stone", "pear"], "answer": 1},
]


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system(environ={"TIEBREAK_LOG_LEVEL": "debug"}) as system:
        yield system


class Secrets:
    """What must not be found, by what it is."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {
            "password": PASSWORD,
            "wrong password": WRONG_PASSWORD,
            "accepted answer": KEY,
            "other accepted answer": SHOUTED_KEY,
            "given answer": GIVEN,
            "e-mail": MAILBOX,
        }

    def keep(self, tokens: Mapping[str, str]) -> None:
        number = len(self.found)
        self.found[f"access token {number}"] = tokens["access_token"]
        # The signature alone would make a token of its claims, which are no secret.
        self.found[f"signature {number}"] = tokens["access_token"].rpartition(".")[2]
        self.found[f"refresh token {number}"] = tokens["refresh_token"]

    def in_text(self, text: str) -> list[str]:
        lower = text.lower()
        return [name for name, secret in self.found.items() if secret.lower() in lower]


@asynccontextmanager
async def table_away(system: System, *names: str) -> AsyncIterator[None]:
    """A fault of ours: statements about these tables fail."""
    database = await asyncpg.connect(system.database_url)
    for name in names:
        await database.execute(f"ALTER TABLE {name} RENAME TO {name}_away")
    try:
        yield
    finally:
        for name in names:
            await database.execute(f"ALTER TABLE {name}_away RENAME TO {name}")
        await database.close()


class Game:
    """Plays, keeps what was granted, and every refusal and failure that came back."""

    def __init__(self, system: System, master: Quizmaster) -> None:
        self.system = system
        self.master = master
        self.secrets = Secrets()
        self.refusals: list[str] = []
        self.addresses: list[str] = []
        master.http.event_hooks["response"].append(self._keep)

    async def _keep(self, response: httpx.Response) -> None:
        self.addresses.append(str(response.url))
        if response.status_code >= 400:
            await response.aread()
            self.refusals.append(f"{response.status_code} {response.headers} {response.text}")

    async def play(self) -> None:
        email = f"{MAILBOX}@example.com"
        host = await self.caller("/auth/register", email=email, password=PASSWORD, name="Host")
        host = await self.caller("/auth/login", email=email, password=PASSWORD)
        await self.try_credentials(email)
        session, questions = await self.master.session(host, QUESTIONS)
        ann = await self.caller("/auth/guest", name="Ann")
        stranger = await self.caller("/auth/guest", name="Stranger")
        await ann.join(session)
        await self.answer_in_every_wrong_way(session, questions, ann, stranger)
        async with connected(self.system.base_url, ann.tokens["access_token"]) as screen:
            await screen.client.call("enter_session", {"quiz_session_id": session})
            await self.talk_nonsense(screen, session, questions, host)
            await self.fail(host, ann, screen, session, questions, email)
            assert (await ann.answer(session, questions[0], GIVEN)).status_code == 200
        await self.break_the_protocols(ann)
        await self.reuse(ann)
        assert (await host.post(f"/quiz-session/{session}/finish")).status_code == 200
        assert (await host.post("/auth/logout")).status_code == 204

    async def caller(self, path: str, **body: str) -> Caller:
        response = await self.master.http.post(path, json=body)
        assert response.status_code == 200, response.text
        self.secrets.keep(response.json())
        return Caller(self.master.http, response.json())

    async def try_credentials(self, email: str) -> None:
        for path, body in (
            ("/auth/login", {"email": email, "password": WRONG_PASSWORD}),
            ("/auth/login", {"email": f"no-{email}", "password": PASSWORD}),
            ("/auth/register", {"email": email, "password": PASSWORD, "name": "Host"}),
            ("/auth/register", {"email": f"{MAILBOX} @", "password": PASSWORD, "name": "Host"}),
            ("/auth/register", {"email": email, "password": PASSWORD, "name": "\x00"}),
            ("/auth/login", {"email": email, "password": PASSWORD, "surprise": PASSWORD}),
            ("/auth/login", {"email": email, "password": [PASSWORD]}),
            ("/auth/refresh", {"refresh_token": "x" + PASSWORD}),
        ):
            assert (await self.master.http.post(path, json=body)).status_code >= 400
        broken = f'{{"email":"{email}","password":"{PASSWORD}"'
        for content in (broken, broken + '\\ud800"}', broken.encode() + b"\xff"):
            assert (await self.master.http.post("/auth/login", content=content)).status_code == 400

    async def answer_in_every_wrong_way(
        self, session: str, questions: list[str], ann: Caller, stranger: Caller
    ) -> None:
        body = {"quiz_session_id": session, "question_id": questions[0], "answer": GIVEN}
        for caller in (ann, stranger):
            for path in ("/update-score", "/update-score?x"):
                await caller.post(path, body | {"question_id": questions[1]})
                await caller.post(path, body | {"surprise": GIVEN})
                await caller.post(path, body | {"answer": {GIVEN: GIVEN}})
                await caller.http.post(path, content=f'{{"answer":"{GIVEN}', headers=caller.headers)
        await stranger.post("/update-score", body)
        for token in (ann.tokens["access_token"][:-2] + "xx", ann.tokens["refresh_token"]):
            forged = Caller(self.master.http, {"access_token": token})
            assert (await forged.post("/update-score", body)).status_code == 401
            with suppress(socketio.exceptions.ConnectionError):
                async with connected(self.system.base_url, token):
                    pass

    async def talk_nonsense(self, screen: Screen, session: str, questions: list[str], host: Caller) -> None:
        for event, payload in (
            ("update_score", {"quiz_session_id": session, "question_id": questions[1], "answer": GIVEN}),
            ("update_score", {"quiz_session_id": session, "question_id": questions[0], "answer": {GIVEN: 1}}),
            ("renew_token", {"token": host.tokens["access_token"]}),
            ("renew_token", {"token": host.tokens["refresh_token"], "surprise": host.tokens["refresh_token"]}),
            (f"unknown-{'x' * 50}{PASSWORD}", {"password": PASSWORD}),
        ):
            acknowledgement = await screen.client.call(event, payload, timeout=10)
            assert acknowledgement["ok"] is False
            self.refusals.append(str(acknowledgement))

    async def fail(
        self, host: Caller, ann: Caller, screen: Screen, session: str, questions: list[str], email: str
    ) -> None:
        """Faults of ours, with the secrets in hand."""
        async with table_away(self.system, "participant_answers"):
            assert (await ann.answer(session, questions[0], GIVEN, str(uuid4()))).status_code == 500
            body = {"quiz_session_id": session, "question_id": questions[0], "answer": GIVEN}
            assert (await ann.post("/update-score?x", body)).status_code == 500
            acknowledgement = await screen.client.call("update_score", body, timeout=10)
            assert acknowledgement["code"] == "internal"
            self.refusals.append(str(acknowledgement))
        async with table_away(self.system, "questions"):
            assert (await host.post("/quizzes", {"title": "Another", "questions": QUESTIONS})).status_code == 500
        async with table_away(self.system, "users"):
            credentials = {"email": email, "password": PASSWORD}
            for path, body in (
                ("/auth/login", credentials),
                ("/auth/register", credentials | {"email": f"new-{email}", "name": "New"}),
                ("/auth/guest", {"name": "New"}),
            ):
                assert (await self.master.http.post(path, json=body)).status_code == 500
            assert (await host.get("/auth/me")).status_code == 500
        async with table_away(self.system, "refresh_tokens"):
            refresh = {"refresh_token": ann.tokens["refresh_token"]}
            assert (await self.master.http.post("/auth/refresh", json=refresh)).status_code == 500
            assert (await self.master.http.post("/auth/logout", json=refresh)).status_code == 500

    async def break_the_protocols(self, ann: Caller) -> None:
        port = urlsplit(self.system.base_url).port
        assert port
        token = ann.tokens["access_token"]
        for packet in (f'40{{"token":"{token}"', f'40{{"token":["{token}"]}}', f'42["{token}"', f"9{token}"):
            async with open_engine(Endpoint(port, "/socket.io/")) as socket:
                await socket.send(packet)
                # It is refused, or the connection is closed: either way the packet was read.
                self.refusals.append(str(await socket.next_packet()))
        for request in (
            f"GET /quizzes?token={token} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nBad\r\n\r\n",
            f"POST /update-score HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Length: x\r\n\r\n",
            f"{token} / HTTP/1.1\r\n\r\n",
        ):
            async with connect(Endpoint(port, "/")) as connection:
                await connection.send(request.encode())
                await connection.rest()

    async def reuse(self, ann: Caller) -> None:
        """Twice the same refresh token: the log-in ends."""
        refresh = {"refresh_token": ann.tokens["refresh_token"]}
        self.secrets.keep((await self.master.http.post("/auth/refresh", json=refresh)).json())
        assert (await self.master.http.post("/auth/refresh", json=refresh)).status_code == 401
        async with asyncio.timeout(20):
            while (await ann.get(f"/quiz-session/{uuid4()}/questions")).status_code != 401:
                await asyncio.sleep(0.05)


async def test_no_secret_in_any_log_or_error(system: System) -> None:
    """And in no address that a client uses; each line of our servers' logs is one event."""
    async with quizmaster(system.base_url) as master:
        game = Game(system, master)
        await game.play()
    logs = {path.name: path.read_text(errors="replace") for path in system.data.rglob("*.log")}
    logs["what `tiebreak up` said"] = system.output
    # The search would find nothing in logs that are not there, nor in quiet ones.
    assert {"app-server.log", "auth-server.log", "postgres.log", "valkey.log"} <= set(logs)
    assert '"level": "debug"' in logs["app-server.log"]
    for name in ("app-server.log", "auth-server.log"):
        assert "request.failed" in logs[name]
        assert "UndefinedTableError" in logs[name]
        for line in logs[name].splitlines():
            msgspec.json.decode(line)
    assert len(game.refusals) > 40
    found = {name: game.secrets.in_text(log) for name, log in logs.items()}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}
    for text in (*game.refusals, *game.addresses):
        assert game.secrets.in_text(text) == [], text


async def test_keys_reach_nobody_else(system: System) -> None:
    """Whatever there is to read, by whoever is not the owner, before anybody has answered."""
    async with quizmaster(system.base_url) as master:
        owner, rival = await master.account(), await master.account()
        ann, stranger = await master.guest(), await master.guest()
        quiz, _ = await master.quiz(owner, QUESTIONS)
        opened = (await owner.post("/quiz-session", {"quiz_id": quiz, "mode": "self_paced"})).json()
        question = (await owner.get(f"/quizzes/{quiz}")).json()["questions"][0]["question_id"]
        live = (await owner.post("/quiz-session", {"quiz_id": quiz, "mode": "live"})).json()["quiz_session_id"]
        participant = (await ann.join(live, "Ann")).json()["quiz_session_participant_id"]
        side = Side(quiz, opened["quiz_session_id"], question, opened["pin"], live, participant)
        await ann.join(side.session)
        secrets = Secrets()
        nobody = Caller(master.http, {"access_token": "none"})
        nobody.headers = {}
        read = 0
        for (method, path), row in TABLE.items():
            for caller in (nobody, stranger, ann, rival):
                for object_ in (side, UNKNOWN):
                    if method != "GET":
                        continue
                    response = await caller.get(object_.filled(row.path or path))
                    read += 1
                    assert secrets.in_text(f"{response.headers}{response.text}") == [], path
        assert read > 100
        # And what changes something by answering with it.
        for caller in (stranger, ann, rival):
            for method, path in (("PUT", f"/quizzes/{quiz}"), ("POST", "/quiz-session")):
                body = {"title": "T", "questions": []} if method == "PUT" else {"quiz_id": quiz, "mode": "self_paced"}
                response = await master.http.request(method, path, json=body, headers=caller.headers)
                assert response.status_code in {400, 403}
                assert secrets.in_text(response.text) == []
            async with connected(system.base_url, caller.tokens["access_token"]) as screen:
                events = ("enter_session", "get_leaderboard", "update_score", "get_game", "get_my_result")
                for event, session in product(events, (side.session, side.live)):
                    payload = {"quiz_session_id": session}
                    assert secrets.in_text(str(await screen.client.call(event, payload, timeout=10))) == []
                assert secrets.in_text(str(screen.received)) == []
