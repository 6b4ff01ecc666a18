"""The phone in a live session: real Chromium at 390 x 844, led by a host at the interface."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, expect

from tests.client import Quizmaster
from tests.e2e.browser import PHONE, Person, chromium
from tests.live_room import Message, Room, live_room
from tests.system import System

SECONDS_MS = 15_000
QUESTIONS: list[Message] = [
    {"type": "choice", "prompt": "Which one?", "choices": ["This", "That"], "answer": 0, "time_limit_ms": 60_000},
    {"type": "numeric", "prompt": "How many?", "answer": 42, "tolerance": 1, "time_limit_ms": 60_000},
    {"type": "order", "prompt": "In order?", "choices": ["First", "Second"], "answer": [1, 0], "time_limit_ms": 60_000},
    {"type": "poll", "prompt": "Which do you like?", "choices": ["Tea", "Coffee"], "time_limit_ms": 60_000},
]
Arrive = Callable[..., Awaitable["Phone"]]


class Phone(Person):
    """A player's phone."""

    async def join(self, pin: str, name: str) -> None:
        await self.page.goto(f"{self.base_url}/join/{pin}")
        await self.page.get_by_label("Your name").fill(name)
        await self.press("Join")

    async def sees(self, heading: str | re.Pattern[str]) -> None:
        await expect(self.page.get_by_role("heading", name=heading)).to_be_visible(timeout=SECONDS_MS)

    async def reads(self, text: str | re.Pattern[str]) -> None:
        await expect(self.page.locator("#app")).to_contain_text(text, timeout=SECONDS_MS)


@asynccontextmanager
async def played(
    system: System, master: Quizmaster, questions: list[Message] = QUESTIONS, **options: object
) -> AsyncIterator[tuple[Room, str, Arrive]]:
    """A live session without players yet, its PIN, and how a phone comes into it. No page met an error."""
    phones: list[Phone] = []
    async with (
        live_room(system, master, questions, 0, scoring="accuracy", close_when_all_answered=False, **options) as room,
        chromium() as browser,
    ):
        pin = (await room.game())["pin"]

        async def arrive(name: str) -> Phone:
            phone = await opened(browser, system)
            phones.append(phone)
            await phone.join(pin, name)
            return phone

        yield room, pin, arrive
        assert [error for phone in phones for error in phone.errors] == []


async def to_player(room: Room, name: str, **action: object) -> None:
    """What the host does with a player."""
    players = (await room.host.get(f"/quiz-session/{room.session}/participants")).json()["participants"]
    player = next(it["quiz_session_participant_id"] for it in players if it["name"] == name)
    response = await room.host.post(f"/quiz-session/{room.session}/participants/{player}", action)
    assert response.status_code == 200, response.text


async def opened(browser: Browser, system: System) -> Phone:
    return await Phone.arrive(browser, system.base_url, PHONE, has_touch=True)


@pytest.mark.timeout(180)
async def test_game_from_the_lobby_to_a_shared_place(system: System, master: Quizmaster):
    """Two phones: one answers, reloads and has its answer still; both are told how they did, and that they tie."""
    async with played(system, master, names="free") as (room, _, arrive):
        ann = await arrive("Ann")
        await ann.sees(re.compile("You are in.*Ann"))
        ben = await arrive("ann")
        await expect(ben.page.get_by_role("alert").filter(has_text="Choose another")).to_be_visible()
        await expect(ben.page.get_by_label("Your name")).to_be_focused()
        await ben.page.get_by_label("Your name").fill("Ben")
        await ben.press("Join")
        await ben.sees(re.compile("You are in.*Ben"))
        await ann.reads("2 players are here")

        await room.lead("start")
        await ann.reads("Get ready")
        await ann.sees("Which one?")
        await room.wait("question", 0)
        await ann.press("A This")
        await ann.sees("Answer locked in")
        await ann.page.reload()
        await ann.sees("Answer locked in")
        await ann.reads("This")
        await room.lead("pause")
        await ann.reads("Your answer is safe")
        await ben.sees("Paused")
        await room.lead("resume")
        await ben.press("B That")
        await ben.sees("Answer locked in")
        await ann.reads("2 of 2 players have answered")
        await room.lead("close")
        await ann.sees("Right!")
        await ann.reads("+100 points")
        await ben.sees("Not this time")
        await room.lead("next")
        await ann.sees("Where you stand")
        await ben.reads("100 points to place 1")

        await room.ask(1)
        await ben.page.get_by_label("Your number").fill("41")
        await ben.page.keyboard.press("Enter")
        await ben.sees("Answer locked in")
        await room.lead("close")
        await ben.sees("Right!")
        await ann.sees("No answer from you")
        await room.lead("end")
        for phone in (ann, ben):
            await phone.sees("You share first place!")
            await phone.reads("Your place, shared")
        await room.lead("next")
        await expect(ann.page.get_by_role("main")).to_match_aria_snapshot("- listitem: =1 Ann You 100")


@pytest.mark.timeout(180)
async def test_answer_through_an_outage_and_late_comers(system: System, master: Quizmaster):
    """An answer given without a network arrives once there is one; late comers are asked at once; too late is said."""
    async with played(system, master) as (room, _, arrive):
        ann = await arrive("Ann")
        await ann.sees("You are in")
        await room.ask(0)
        await ann.sees("Which one?")
        await ann.page.context.set_offline(True)
        await ann.press("A This")
        await ann.sees("Sending your answer")
        await ann.reads("Your answer is kept and will be sent")
        ben = await arrive("Ben")
        await ben.sees("Which one?")
        await ann.page.context.set_offline(False)
        await ann.sees("Answer locked in")
        await ben.page.context.set_offline(True)
        await ben.press("B That")
        await ben.sees("Sending your answer")
        await room.lead("close")
        await ben.page.context.set_offline(False)
        await ben.sees("No answer from you")
        await ben.reads("arrived after the close")
        await ann.sees("Right!")


@pytest.mark.timeout(180)
async def test_shapes_alone_by_keyboard_and_removed(system: System, master: Quizmaster):
    """Phones without the question's text; a whole order by keyboard; a poll; and a player taken out is told."""
    async with played(system, master, phones="shapes") as (room, _, arrive):
        ann = await arrive("Ann")
        await ann.sees("You are in")
        await room.ask(0)
        await ann.reads("Look at the big screen")
        # There for those who listen, not for those who look.
        prompt = ann.page.get_by_role("heading", name="Which one?")
        assert await prompt.evaluate("element => element.getBoundingClientRect().width") == 1
        for _ in range(10):
            await ann.page.keyboard.press("Tab")
            if await ann.page.evaluate("document.activeElement.matches('.choice')"):
                break
        await ann.page.keyboard.press("Enter")
        await ann.sees("Answer locked in")
        await room.lead("close")
        await ann.sees("Right!")

        await room.ask(1)
        await room.lead("close")
        await room.ask(2)
        up = ann.page.get_by_role("button", name=re.compile("Second.*"), disabled=False).first
        await up.focus()
        await ann.page.keyboard.press("Enter")
        await ann.press("Send answer")
        await ann.sees("Answer locked in")
        await room.lead("close")
        await ann.sees("Right!")

        await room.ask(3)
        await ann.press(re.compile("Tea"))
        await room.lead("close")
        await ann.sees("Thank you!")
        await ann.reads("Your answer")

        await to_player(room, "Ann", action="kick")
        await ann.sees("You are no longer in this quiz")
        await ann.press("Join again", role="link")
        await expect(ann.page.get_by_label("Your name")).to_be_visible()


@pytest.mark.timeout(180)
async def test_extra_time(system: System, master: Quizmaster):
    """Who was given extra time answers when the time of the others is up."""
    short = [{"type": "true_false", "prompt": "Quick?", "answer": True, "time_limit_ms": 4_000}]
    async with played(system, master, short) as (room, _, arrive):
        ann, ben = await arrive("Ann"), await arrive("Ben")
        await ann.sees("You are in")
        await ben.sees("You are in")
        await to_player(room, "Ann", action="extra_time", percent=400)
        await room.ask(0)
        await ben.sees("Time is up")
        await ann.press("A True")
        await ann.sees("Answer locked in")
        await room.lead("close")
        await ann.sees("Right!")
        await ben.sees("No answer from you")
