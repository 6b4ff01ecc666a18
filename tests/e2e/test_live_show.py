"""A whole live game in four windows of Chromium: the host, the projector and two phones; by pointer, and by keys."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.client import Quizmaster
from tests.e2e.browser import PHONE, PROJECTOR, Host, Person, Player, chromium
from tests.e2e.test_live_stage import log_in
from tests.system import System

LAPTOP = {"width": 1280, "height": 800}
QUESTIONS: list[dict[str, Any]] = [
    {
        "type": "choice",
        "prompt": "Which city is the capital of Australia?",
        "choices": ["Sydney", "Canberra", "Melbourne", "Perth"],
        "answer": 1,
        "explanation": "Built for it: Sydney and Melbourne could not agree.",
    },
    {
        "type": "order",
        "prompt": "From the smallest to the largest",
        "choices": ["mouse", "cat", "cow"],
        "answer": [0, 1, 2],
    },
    {"type": "numeric", "prompt": "How many bones has a grown human?", "answer": 206, "tolerance": 2},
    {"type": "word_cloud", "prompt": "How was it, in a word?"},
]
# Where `TIEBREAK_PICTURES=docs/images pytest tests/e2e/test_live_show.py` puts the pictures of the documentation.
PICTURES = os.environ.get("TIEBREAK_PICTURES")


class Show:
    """The four windows. `by_keys`: nothing is clicked, everything is reached by Tab."""

    def __init__(self, host: Host, projector: Host, phones: dict[str, Player], by_keys: bool) -> None:
        self.host = host
        self.projector = projector
        self.phones = phones
        self.by_keys = by_keys

    async def press(self, person: Person, name: str | re.Pattern[str], role: Any = "button") -> None:
        """A button, however this show presses them."""
        if self.by_keys:
            await person.strike(name, role=role)
        else:
            await person.press(name, role=role)

    async def lead(self, name: str) -> None:
        """The host's next step. A press just after the screen has changed is taken as meant for the one before."""
        button = self.host.page.get_by_role("button", name=name, exact=True)
        await expect(button).to_be_visible(timeout=15_000)
        while await button.count():
            await self.press(self.host, name)
            with suppress(AssertionError):
                await expect(button).to_have_count(0, timeout=2_000)

    async def write(self, person: Person, label: str, text: str) -> None:
        """Into a field, and sent with Enter."""
        field = person.page.get_by_label(label, exact=True)
        if self.by_keys:
            await person.tab_to(field)
            await person.page.keyboard.type(text)
        else:
            await field.fill(text)
        await person.page.keyboard.press("Enter")

    async def everybody_sees(self, text: str | re.Pattern[str]) -> None:
        for person in (self.projector, *self.phones.values()):
            await expect(person.page.get_by_text(text).first).to_be_visible(timeout=15_000)

    async def picture(self, name: str) -> None:
        if PICTURES and not self.by_keys:
            for who, person in {"projector": self.projector, "phone": self.phones["Ann"]}.items():
                await person.page.screenshot(path=Path(PICTURES) / f"live-{name}-{who}.png")

    def errors(self) -> list[str]:
        return [error for it in (self.host, self.projector, *self.phones.values()) for error in it.errors]


@asynccontextmanager
async def on_stage(system: System, master: Quizmaster, by_keys: bool) -> AsyncIterator[Show]:
    """The lobby, opened by the host in a browser; the projector beside it, and two phones that have joined."""
    async with chromium() as browser:
        account = await master.account()
        await master.quiz(account, QUESTIONS)
        host = await Host.arrive(browser, system.base_url, LAPTOP)
        await log_in(host, account)
        await host.page.goto(f"{system.base_url}/host")
        show = Show(host, await Host.arrive(browser, system.base_url, PROJECTOR), {}, by_keys)
        await show.press(host, "Start A quiz")
        await show.press(host, "Open the lobby")
        await host.page.wait_for_url("**/host/session/*")
        await log_in(show.projector, account)
        await show.projector.page.goto(f"{host.page.url}?view=screen")
        pin = "".join((await show.projector.page.get_by_test_id("pin").inner_text()).split())
        for name in ("Ann", "Ben"):
            player = show.phones[name] = await Player.arrive(browser, system.base_url, PHONE)
            await player.page.goto(system.base_url)
            await show.write(player, "Game PIN", pin)
            await show.write(player, "Your name", name)
            await expect(player.page.get_by_text("You are in")).to_be_visible()
        yield show


async def sent(player: Player) -> None:
    await expect(
        player.page.get_by_role("heading", name=re.compile("Answer locked in|Right!|Not this"))
    ).to_be_visible()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("by_keys", [False, True], ids=["pointer", "keyboard"])
async def test_a_whole_game_in_four_windows(system: System, master: Quizmaster, by_keys: bool) -> None:
    """From the lobby to the podium: every window shows the same game, and no page meets an error."""
    async with on_stage(system, master, by_keys) as show:
        ann, ben = show.phones["Ann"], show.phones["Ben"]
        await expect(show.projector.page.get_by_role("list", name="Players").get_by_role("listitem")).to_have_count(2)
        await show.picture("lobby")
        await show.lead("Start")
        await show.everybody_sees("Get ready")
        await show.everybody_sees("Sydney")
        await show.picture("question")
        await show.press(ann, re.compile("Canberra"))
        await sent(ann)
        await show.press(ben, re.compile("Sydney"))
        # Both have answered: it closes by itself.
        await expect(ann.page.get_by_role("heading", name="Right!")).to_be_visible(timeout=15_000)
        await expect(ben.page.get_by_role("heading", name="Not this time")).to_be_visible()
        await show.everybody_sees(QUESTIONS[0]["explanation"])
        await show.picture("reveal")
        await show.lead("Show the board")
        rows = show.projector.page.get_by_role("list", name="Leaderboard").get_by_role("listitem")
        await expect(rows).to_have_count(2)
        await expect(rows.first).to_contain_text("Ann")
        await expect(ben.page.get_by_role("heading", name="Where you stand")).to_be_visible()
        await show.picture("board")

        await show.lead("Next question")
        await show.everybody_sees("cow")
        for player in (ann, ben):
            await show.press(player, "Send answer")
        await expect(ann.page.get_by_role("heading", name="Right!")).to_be_visible(timeout=15_000)
        await show.lead("Show the board")
        await show.lead("Next question")
        for player, number in ((ann, "207"), (ben, "99")):
            await expect(player.page.get_by_label("Your number", exact=True)).to_be_visible(timeout=15_000)
            await show.write(player, "Your number", number)
            await sent(player)
        await expect(ann.page.get_by_role("heading", name="Right!")).to_be_visible(timeout=15_000)
        await show.lead("Show the board")
        await show.lead("Next question")
        for player, word in ((ann, "Splendid"), (ben, "splendid")):
            await expect(player.page.get_by_role("textbox")).to_be_visible(timeout=15_000)
            if by_keys:
                await player.tab_to(player.page.get_by_role("textbox"))
            else:
                await player.page.get_by_role("textbox").click()
            await player.page.keyboard.type(word)
            await player.page.keyboard.press("Enter")
        await expect(show.projector.page.get_by_role("list", name=re.compile("All words"))).to_contain_text(
            re.compile("splendid: 2 times", re.IGNORECASE)
        )
        await show.lead("Show the winners")
        podium = show.projector.page.get_by_role("list", name="The winners").get_by_role("listitem")
        await expect(podium.first).to_contain_text("Ann")
        await expect(ann.page.get_by_text("You won!")).to_be_visible()
        await show.picture("podium")
        await show.lead("Finish")
        await expect(show.host.page.get_by_role("link", name="All results")).to_be_visible()
        assert show.errors() == []
