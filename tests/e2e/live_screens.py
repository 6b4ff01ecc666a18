"""The screens of a live game: each is a phase that a game was led to, seen on a phone, the stage or the remote."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Page, expect

from tests.e2e.visit import TEN_MINUTES, Visit
from tests.live_room import Room

Question = dict[str, Any]
Lead = Callable[[Room], Awaitable[object]]
Show = Callable[[Visit], Awaitable[Page]]

CHOICE: Question = {
    "type": "choice",
    "prompt": "Which is a fruit?",
    "choices": ["stone", "pear", "chair"],
    "answer": 1,
    "explanation": "Stones and chairs do not grow on trees.",
}
ORDER: Question = {
    "type": "order",
    "prompt": "From small to large",
    "choices": ["ant", "cat", "cow"],
    "answer": [0, 1, 2],
}
NUMERIC: Question = {"type": "numeric", "prompt": "How many legs has a spider?", "answer": 8, "tolerance": 0}
POLL: Question = {"type": "poll", "prompt": "Tea or coffee?", "choices": ["Tea", "Coffee"]}
WORDS: Question = {"type": "word_cloud", "prompt": "One word for today"}
SLIDE: Question = {"type": "info", "prompt": "A short break"}
ANSWERS: dict[str, list[object]] = {
    "choice": [1, 0],
    "order": [[0, 1, 2], [2, 1, 0]],
    "numeric": [8, 6],
    "poll": [0, 1],
    "word_cloud": ["sunny", "Sunny"],
}


async def in_lobby(_: Room) -> None:
    """Where a game begins."""


async def in_countdown(room: Room) -> None:
    await room.lead("start")
    await room.lead("pause")


async def asked(room: Room) -> None:
    await room.ask(0)


async def paused(room: Room) -> None:
    await room.ask(0)
    await room.lead("pause")


async def answered(room: Room) -> None:
    """By both players, of whom the first is right."""
    game = await room.ask(0)
    for phone, answer in zip(room.phones, ANSWERS[game["question"]["type"]], strict=True):
        response = await phone.caller.answer(room.session, room.questions[0], answer)
        assert response.status_code == 200, response.text


async def revealed(room: Room) -> None:
    await answered(room)
    await room.lead("close")


async def on_the_board(room: Room) -> None:
    await revealed(room)
    await room.lead("next")


async def on_the_podium(room: Room) -> None:
    await revealed(room)
    await room.lead("end")


async def over(room: Room) -> None:
    await on_the_podium(room)
    await room.lead("next")


async def room_of(visit: Visit, question: Question, **options: object) -> Room:
    """A live session of this question and another one, with two players in its lobby."""
    host = await visit.master.account("Ms. Host")
    quiz_id, question_ids = await visit.master.quiz(host, [question | {"time_limit_ms": TEN_MINUTES}, CHOICE])
    body = {"quiz_id": quiz_id, "mode": "live", "close_when_all_answered": False, **options}
    response = await host.post("/quiz-session", body)
    assert response.status_code == 201, response.text
    room = Room(visit.system, visit.master, host, response.json()["quiz_session_id"], question_ids)
    for name in ("Ann", "Bob with a name of forty characters, all"):
        await room.arrive(name)
    return room


def phone(lead: Lead, said: str, question: Question = CHOICE, **options: object) -> Show:
    """The first player's, when the game has been led there and says this."""

    async def show(visit: Visit) -> Page:
        room = await room_of(visit, question, **options)
        await lead(room)
        page = await visit.page(f"/play/{room.session}", player=room.phones[0].caller)
        await expect(page.locator("#app")).to_contain_text(re.compile(said), timeout=15_000)
        return page

    return show


def stage(lead: Lead, said: str, question: Question = CHOICE, *, query: str = "", **options: object) -> Show:
    """The projector, or the host's remote."""

    async def show(visit: Visit) -> Page:
        room = await room_of(visit, question, **options)
        await lead(room)
        page = await visit.page(f"/host/session/{room.session}{query}", host=room.host)
        await expect(page.locator("#app")).to_contain_text(re.compile(said), timeout=15_000)
        return page

    return show


def remote(lead: Lead, said: str) -> Show:
    return stage(lead, said, query="?view=remote")


def panel(key: str, name: str) -> Show:
    """What a key opens over the lobby."""

    async def show(visit: Visit) -> Page:
        page = await stage(in_lobby, "Ann")(visit)
        await page.keyboard.press(key)
        await expect(page.get_by_role("dialog").or_(page.get_by_role("complementary")).first).to_contain_text(name)
        return page

    return show


async def removed(visit: Visit) -> Page:
    """Somebody was there, and then the host took them out."""
    room = await room_of(visit, CHOICE)
    page = await visit.page(f"/play/{room.session}", player=room.phones[0].caller)
    await expect(page.locator("#app")).to_contain_text("You are in")
    player = room.phones[0].participant_id
    await room.host.post(f"/quiz-session/{room.session}/participants/{player}", {"action": "kick"})
    await expect(page.get_by_role("heading", name="You are no longer in this quiz")).to_be_visible()
    return page


async def joining_a_team(visit: Visit) -> Page:
    """The door of a session with teams."""
    room = await room_of(visit, CHOICE, teams=["Reds", "Blues"])
    pin = (await room.game())["pin"]
    return await visit.page(f"/join/{pin}", "A quiz")


async def starting(visit: Visit) -> Page:
    """The dialog that opens a session."""
    host = await visit.master.account()
    await visit.master.quiz(host)
    page = await visit.page("/host", "Your quizzes", host=host)
    await page.get_by_role("button", name="Start A quiz").click()
    await expect(page.get_by_role("dialog", name="A quiz")).to_be_visible()
    return page


async def results(visit: Visit) -> Page:
    """The page after the game."""
    room = await room_of(visit, CHOICE)
    await over(room)
    page = await visit.page(f"/host/session/{room.session}/results", host=room.host)
    await expect(page.get_by_text("How the board came about")).to_be_visible()
    return page
