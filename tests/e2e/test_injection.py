"""Texts that mean something to Postgres, Redis, a log, a terminal or a browser mean nothing to us.

Each goes through every field there is. It is refused with a 400 or comes back as the text it was; nothing else happens.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from playwright.async_api import expect

from tests.client import Caller, Quizmaster, connected, quizmaster
from tests.e2e.browser import PHONE, PROJECTOR, Host, Player, chromium
from tests.system import System, running_system
from tiebreak.text import DIRECTION_MARKS

MARK = "\u202e"
TEXTS = {
    "SQL": "x'); DROP TABLE users; --",
    "SQL, a comment": "'/**/OR/**/1=1--",
    "SQL, a parameter": "$1 %s :name {0}",
    "SQL, LIKE": "%_\\",
    "SQL, a dollar quote": "$$;DELETE FROM events;$$",
    "Lua": "'..redis.call('FLUSHALL')..'",
    "Lua, a long string": "]]redis.call('FLUSHALL')--[[",
    "Redis": "\r\nFLUSHALL\r\n",
    "Redis, a hash tag": "}{x}:board",
    "Redis, a pattern": "*",
    "a header": "x\r\nSet-Cookie: a=b",
    "another line of a log": 'x"\n{"event":"forged"}',
    "ANSI": "\x1b[2J\x1b]0;owned\x07",
    "NUL": "a\x00b",
    "a C1 control": "a\x9b31mb",
    "a lone surrogate": "a\ud800b",
    "direction": f"abc{MARK}gpj.exe",
    "line separators": "a\u2028b\u2029c",
    "HTML": "<script>alert(1)</script>",
    "HTML, an attribute": '"><img src=x onerror=alert(1)>',
    "HTML, entities": "&lt;b&gt;&amp;",
    "a template": "{{7*7}}${7*7}#{7*7}<%= 7*7 %>",
    "JSON": '"},"host_id":"',
    "a prototype": "__proto__",
    "a path": "../../../../etc/passwd",
    "a formula": '=HYPERLINK("http://x")',
    "a format": "%(asctime)s {self.__class__}",
    "log4j": "${jndi:ldap://x/a}",
    "many marks": "a" + "\u0301" * 60_000,
    "100 KB": "x" * 100_000,
}


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system() as system:
        yield system


def raw(body: object) -> bytes:
    """JSON in ASCII, lone surrogates included."""
    return json.dumps(body).encode()


def as_it_was(text: str) -> set[str]:
    """What may come back: the text, or without the marks that turn what stands around them, blanks being blanks."""
    plain = "".join(character for character in text if character not in DIRECTION_MARKS)
    return {text, plain, " ".join(plain.split())}


async def post(caller: Caller, path: str, body: object, method: str = "POST") -> httpx.Response:
    return await caller.http.request(method, path, content=raw(body), headers=caller.headers)


def quiz_with(**fields: Any) -> dict[str, Any]:
    question = {"type": "typed", "prompt": "P", "answer": ["a"]} | fields.pop("question", {})
    return {"title": "T", "questions": [question]} | fields


async def stored_quiz(host: Caller, response: httpx.Response) -> dict[str, Any]:
    return (await host.get(f"/quizzes/{response.json()['quiz_id']}")).json()


FIELDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "title": lambda text: quiz_with(title=text),
    "language": lambda text: quiz_with(language=text),
    "prompt": lambda text: quiz_with(question={"prompt": text}),
    "accepted answer": lambda text: quiz_with(question={"answer": [text]}),
    "choice": lambda text: quiz_with(question={"type": "choice", "choices": [text, "other"], "answer": 0}),
    "type": lambda text: quiz_with(question={"type": text}),
    "a field's name": lambda text: quiz_with(**{text: 1}),
}
SHOWN: dict[str, Callable[[dict[str, Any]], str]] = {
    "title": lambda quiz: quiz["title"],
    "language": lambda quiz: quiz["language"],
    "prompt": lambda quiz: quiz["questions"][0]["prompt"],
    "accepted answer": lambda quiz: quiz["questions"][0]["answer"][0],
    "choice": lambda quiz: quiz["questions"][0]["choices"][0],
}


@pytest.mark.parametrize("kind", TEXTS)
async def test_quizzes(master: Quizmaster, kind: str) -> None:
    """Every text of a quiz: in the list, in the quiz, and in the session that is made of it."""
    text = TEXTS[kind]
    host = await master.account()
    for field, body in FIELDS.items():
        response = await post(host, "/quizzes", body(text))
        assert response.status_code in {201, 400, 413}, f"{field}: {response.text}"
        if response.status_code != 201:
            continue
        quiz = await stored_quiz(host, response)
        assert SHOWN[field](quiz) in as_it_was(text), field
        opened = (await host.post("/quiz-session", {"quiz_id": quiz["quiz_id"], "mode": "self_paced"})).json()
        session = (await host.get(f"/quiz-session/{opened['quiz_session_id']}/questions")).json()
        assert SHOWN[field](session) in as_it_was(text), field


@pytest.mark.parametrize("kind", TEXTS)
async def test_names_and_answers(system: System, master: Quizmaster, kind: str) -> None:
    """A name on the board and in messages; an answer in the ledger; what is no id, PIN or e-mail is refused."""
    text = TEXTS[kind]
    host = await master.account()
    session, [question] = await master.session(host, quiz_with(question={"answer": ["a"]})["questions"])
    ann = await master.guest("Ann")
    named = await post(ann, "/auth/guest", {"name": text})
    assert named.status_code in {200, 400, 413}
    if named.status_code == 200:
        me = await Caller(master.http, named.json()).get("/auth/me")
        assert me.json()["name"] in as_it_was(text)
    joined = await post(ann, f"/quiz-session/{session}/join", {"name": text})
    assert joined.status_code in {200, 400, 413}
    if joined.status_code != 200:
        joined = await ann.join(session)
    name = joined.json()["name"]
    assert name in as_it_was(text) | {"Ann"}
    async with connected(system.base_url, ann.tokens["access_token"]) as screen:
        assert (await screen.client.call("enter_session", {"quiz_session_id": session}))["ok"]
        answered = await post(
            ann, "/update-score", {"quiz_session_id": session, "question_id": question, "answer": text}
        )
        assert answered.status_code in {200, 400, 413}
        if answered.status_code != 200:
            await ann.answer(session, question, "other")
        await screen.until(lambda: screen.of("leaderboard_updating"))
        [row] = screen.of("leaderboard_updating")[-1]["rows"]
        assert row["name"] == name
    shown = (await ann.get(f"/quiz-session/{session}/questions")).json()["questions"][0]["answered"]
    assert shown["correct"] is False
    if answered.status_code == 200:
        assert shown["answer"] in as_it_was(text)
    for field in ("quiz_session_id", "question_id", "answer_id"):
        ids = {"quiz_session_id": session, "question_id": question, "answer": "a", "answer_id": str(uuid4())}
        assert (await post(ann, "/update-score", ids | {field: text})).status_code in {400, 413}, field
    for path, body in (
        ("/auth/register", {"email": f"{text}@example.com", "password": "correct horse battery", "name": "N"}),
        ("/auth/register", {"email": f"{uuid4()}@example.com", "password": text, "name": "N"}),
        ("/auth/register", {"email": f"{uuid4()}@example.com", "password": "correct horse battery", "name": text}),
        ("/auth/login", {"email": f"{text}@example.com", "password": text}),
        ("/auth/refresh", {"refresh_token": text}),
    ):
        assert (await post(ann, path, body)).status_code in {200, 400, 401, 413}, path


@pytest.mark.parametrize("kind", [kind for kind in TEXTS if kind != "a lone surrogate"])
async def test_addresses_and_headers(master: Quizmaster, kind: str) -> None:
    """Path, query and headers: never a fault of ours, and no header of theirs in the response."""
    text = TEXTS[kind][:2_000]
    host = await master.account()
    path = "".join(f"%{byte:02x}" for byte in text.encode())
    for route in ("/quizzes/{}", "/quiz-session/{}", "/quiz-session/{}/questions", "/pin/{}", "/assets/{}", "/auth/{}"):
        response = await host.get(route.format(path))
        assert response.status_code in {400, 404, 405}, route
        assert "set-cookie" not in response.headers
    session, _ = await master.session(host)
    for parameter in ("limit", "offset", "around"):
        query = f"/quiz-session/{session}/leaderboard?{parameter}={path}"
        response = await master.http.get(query, headers=host.headers)
        assert response.status_code == 400, parameter
    for header in ("X-Request-Id", "User-Agent", "X-Forwarded-For", "Origin", "Content-Type", "Cookie"):
        value = re.sub(rb"[\x00-\x1f\x7f]", b"", text.encode())
        headers = [(b"Authorization", host.headers["Authorization"].encode()), (header.encode(), value)]
        response = await master.http.get("/quizzes", headers=headers)
        assert response.status_code in {200, 400}, header
        assert value.decode("latin-1") not in str(response.headers), header


async def test_what_is_left(system: System) -> None:
    """Run last: tables, boards and streams are there, no row is anybody else's, each line of a log is one event."""
    database = await asyncpg.connect(system.database_url)
    assert await database.fetchval("SELECT count(*) FROM users") > 0
    assert await database.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") >= 10
    await database.close()
    async with quizmaster(system.base_url) as master:
        session, questions = await master.session(await master.account())
        ann = await master.guest("Ann")
        await ann.join(session)
        assert (await ann.answer(session, questions[0], 1)).status_code == 200
        async with asyncio.timeout(10):
            while (await ann.leaderboard(session))["participants"] != 1:
                await asyncio.sleep(0.05)
    for name in ("app-server", "auth-server", "cache-worker", "publisher-worker"):
        log = system.data.joinpath("logs", f"{name}.log").read_bytes()
        assert log
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f-\xff]", log), name
        events = [json.loads(line) for line in log.splitlines()]
        assert not [event for event in events if event["event"] == "forged"]
        assert not [event for event in events if event["level"] == "error"], name


async def test_in_a_browser(system: System) -> None:
    """Title, prompt, choices and names of another's making are shown as text, on the projector and on the phone."""
    title = '<img src=x onerror="alert(1)">'
    question = {"type": "choice", "prompt": "<b>Prompt 1</b><script>alert(2)</script>", "answer": 1}
    question |= {"choices": ["<svg onload=alert(3)>", "{{7*7}}"]}
    async with quizmaster(system.base_url) as master, chromium() as browser:
        host = await Host.arrive(browser, system.base_url, PROJECTOR)
        await host.register("html@example.com")
        login = (
            await master.http.post(
                "/auth/login", json={"email": "html@example.com", "password": "correct horse battery"}
            )
        ).json()
        created = await Caller(master.http, login).post("/quizzes", {"title": title, "questions": [question]})
        assert created.status_code == 201
        # It is on the screen twice: once to be seen, once to be read out.
        pin = await host.start(title)
        ann = await Player.arrive(browser, system.base_url, PHONE)
        dialogs: list[str] = []
        for person in (host, ann):
            person.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        await ann.page.goto(f"{system.base_url}/join/{pin[:6]}")
        await ann.page.get_by_label("Your name").fill("</script><script>alert(4)</script>")
        await ann.press("Join")
        await expect(ann.page.get_by_role("heading", name="<b>Prompt 1</b>")).to_be_visible()
        await ann.press(re.compile("7\\*7"))
        await expect(host.page.get_by_role("listitem").first).to_contain_text(
            "</script><script>alert(4)", timeout=15_000
        )
        await expect(host.page.get_by_text(title).first).to_be_visible()
        for person in (host, ann):
            assert person.errors == []
            for tag in ("h1 b", "h2 b", "svg[onload]", "img[onerror]"):
                assert await person.page.locator(tag).count() == 0
        assert dialogs == []
