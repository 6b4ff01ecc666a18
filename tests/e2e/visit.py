"""Somebody on the way to a screen, as who they are logged in."""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.client import QUESTIONS, RIGHT, WRONG, Caller, Quizmaster
from tests.e2e.browser import PHONE
from tests.system import System

TEN_MINUTES = 600_000


class Visit:
    """Somebody's way to a screen, in a browser context of their own."""

    def __init__(self, browser: Browser, master: Quizmaster, system: System) -> None:
        self.browser = browser
        self.master = master
        self.system = system
        self.base_url = str(master.http.base_url).rstrip("/")

    async def page(self, path: str, heading: str | re.Pattern[str] | None = None, **logins: Caller) -> Page:
        """The page at `path`, for who is logged in as player= or host=; shown when it has the heading."""
        items = [{"name": f"tiebreak.{role}", "value": stored_login(it)} for role, it in logins.items()]
        state: Any = {"cookies": [], "origins": [{"origin": self.base_url, "localStorage": items}]}
        context: BrowserContext = await self.browser.new_context(
            viewport=PHONE, reduced_motion="reduce", storage_state=state
        )
        page = await context.new_page()
        await page.goto(self.base_url + path)
        if heading is not None:
            await expect(page.get_by_role("heading", name=heading)).to_be_visible()
        return page

    async def session(self, questions: list[dict[str, Any]] = QUESTIONS) -> tuple[Caller, str, list[str], str]:
        """A host, an open session of theirs, its questions' ids, and its PIN."""
        host = await self.master.account("Ms. Host")
        session_id, question_ids = await self.master.session(host, questions)
        found = (await self.master.http.get(f"/quiz-session/{session_id}")).json()
        return host, session_id, question_ids, found["pin"]

    async def player(self, session_id: str, name: str = "Zoë 🦊") -> Caller:
        player = await self.master.guest(name)
        await player.join(session_id, name)
        return player

    async def played_session(self) -> tuple[Caller, str, Caller]:
        """Five have answered, two of them alike; the last of them."""
        host, session_id, question_ids, _ = await self.session()
        player = host
        for name, right in (
            ("Ann", 4),
            ("Bob with a name of forty characters, all", 3),
            ("Cem", 3),
            ("Dana", 1),
            ("Eve", 0),
        ):
            player = await self.player(session_id, name)
            for index, question_id in enumerate(question_ids):
                answer = (RIGHT if index < right else WRONG)[index]
                assert (await player.answer(session_id, question_id, answer)).status_code == 200
        return host, session_id, player


def stored_login(caller: Caller) -> str:
    """As web/src/lib/login.ts keeps it."""
    tokens = {key: caller.tokens[key] for key in ("user_id", "access_token", "refresh_token")}
    expires_at = round((time.time() + caller.tokens["expires_in"]) * 1000)
    return msgspec.json.encode(tokens | {"name": "Ms. Host", "expires_at": expires_at}).decode()


def nobody(master: Quizmaster) -> Caller:
    """Somebody whose tokens the server does not take any more."""
    tokens = {"user_id": "018f0000-0000-7000-8000-000000000000", "access_token": "x", "refresh_token": "x"}
    return Caller(master.http, tokens | {"expires_in": 900})
