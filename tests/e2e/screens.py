"""Every screen there is, each with a way to get there: one line in SCREENS makes a new one part of the tests of all."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.client import QUESTIONS
from tests.e2e import live_screens as live
from tests.e2e.visit import TEN_MINUTES, Visit, nobody

CHOICE, SEVERAL, TRUTH, TYPED = QUESTIONS


async def press(page: Page | Locator, name: str | re.Pattern[str], role: Any = "button") -> None:
    await page.get_by_role(role, name=name).first.click()


# Before the quiz


async def home(visit: Visit) -> Page:
    return await visit.page("/", "Join the quiz")


async def unknown_pin(visit: Visit) -> Page:
    page = await visit.page("/join/000000")
    await expect(page.get_by_text("No open quiz has the PIN")).to_be_visible()
    return page


async def not_found(visit: Visit) -> Page:
    return await visit.page("/host/nothing/here/at/all", "There is nothing here")


async def joining(visit: Visit) -> Page:
    *_, pin = await visit.session()
    return await visit.page(f"/join/{pin}", "A quiz")


async def joining_without_a_name(visit: Visit) -> Page:
    page = await joining(visit)
    await press(page, "Join")
    await expect(page.get_by_text("Enter a name")).to_be_visible()
    return page


async def settings(visit: Visit) -> Page:
    page = await home(visit)
    await press(page, "Settings")
    await expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
    return page


# On a phone


def asking(question: dict[str, Any]) -> Callable[[Visit], Awaitable[Page]]:
    """A question of this type, with time left for it."""

    async def show(visit: Visit) -> Page:
        _, session_id, *_ = await visit.session([question | {"time_limit_ms": TEN_MINUTES}])
        player = await visit.player(session_id)
        return await visit.page(f"/play/{session_id}", question["prompt"], player=player)

    return show


async def nothing_chosen(visit: Visit) -> Page:
    page = await asking(SEVERAL)(visit)
    await press(page, "Send answer")
    await expect(page.get_by_text("Choose at least one answer first.")).to_be_visible()
    return page


async def answered(
    visit: Visit, question: dict[str, Any], answer: Callable[[Page], Awaitable[object]], said: str
) -> Page:
    page = await asking(question)(visit)
    await answer(page)
    await expect(page.get_by_role("heading", name=said)).to_be_visible()
    return page


async def right(visit: Visit) -> Page:
    return await answered(visit, CHOICE, lambda page: press(page, re.compile("pear")), "Right!")


async def wrong(visit: Visit) -> Page:
    return await answered(visit, CHOICE, lambda page: press(page, re.compile("stone")), "Not this time")


async def wrong_text(visit: Visit) -> Page:
    async def answer(page: Page) -> None:
        await page.get_by_label("Your answer").fill("warm")
        await press(page, "Send answer")

    return await answered(visit, TYPED, answer, "Not this time")


async def time_up(visit: Visit) -> Page:
    _, session_id, *_ = await visit.session([CHOICE | {"time_limit_ms": 1_000}, SEVERAL])
    return await visit.page(f"/play/{session_id}", "Time is up", player=await visit.player(session_id))


async def board_over_the_question(visit: Visit) -> Page:
    _, session_id, _ = await visit.played_session()
    page = await visit.page(f"/play/{session_id}", CHOICE["prompt"], player=await visit.player(session_id))
    await press(page, "Board")
    await expect(page.get_by_role("dialog", name="Leaderboard").get_by_role("listitem")).to_have_count(5)
    return page


async def all_answered(visit: Visit) -> Page:
    _, session_id, player = await visit.played_session()
    page = await visit.page(f"/play/{session_id}", "All answered", player=player)
    await expect(page.get_by_role("listitem")).to_have_count(5)
    return page


async def final_on_a_phone(visit: Visit) -> Page:
    host, session_id, player = await visit.played_session()
    await host.post(f"/quiz-session/{session_id}/finish")
    page = await visit.page(f"/play/{session_id}", "Final standing", player=player)
    await expect(page.get_by_role("listitem")).to_have_count(5)
    return page


async def place_lost(visit: Visit) -> Page:
    _, session_id, *_ = await visit.session()
    return await visit.page(f"/play/{session_id}", "Your place in this quiz was lost", player=nobody(visit.master))


# The host's desk


async def log_in(visit: Visit) -> Page:
    return await visit.page("/host", "Host")


async def registering_with_faults(visit: Visit) -> Page:
    page = await log_in(visit)
    await press(page, "Create account", role="tab")
    await press(page, "Create account")
    await expect(page.get_by_text("Enter your e-mail address.")).to_be_visible()
    return page


async def empty_desk(visit: Visit) -> Page:
    return await visit.page("/host", "Your quizzes", host=await visit.master.account())


async def desk(visit: Visit) -> Page:
    host, session_id, _ = await visit.played_session()
    await host.post(f"/quiz-session/{session_id}/finish")
    await visit.master.session(host)
    page = await visit.page("/host", "Your quizzes", host=host)
    await expect(page.get_by_role("heading", name="Running now")).to_be_visible()
    return page


async def deleting_a_quiz(visit: Visit) -> Page:
    page = await desk(visit)
    await press(page, "Delete A quiz")
    await expect(page.get_by_role("dialog")).to_be_visible()
    return page


async def login_lapsed(visit: Visit) -> Page:
    page = await visit.page("/host", host=nobody(visit.master))
    await expect(page.get_by_role("dialog", name="Please log in again")).to_be_visible()
    return page


async def editor_with_faults(visit: Visit) -> Page:
    page = await visit.page("/host/quizzes/new", "New quiz", host=await visit.master.account())
    await press(page, "Save quiz")
    await expect(page.get_by_text("A question has 1 to 500 characters.")).to_be_visible()
    return page


async def editor(visit: Visit) -> Page:
    host = await visit.master.account()
    quiz_id, _ = await visit.master.quiz(host)
    page = await visit.page(f"/host/quizzes/{quiz_id}", "Edit quiz", host=host)
    await page.get_by_label("Title").fill("Another title")
    await expect(page.get_by_text("Unsaved changes")).to_be_visible()
    return page


# The projector


async def stage_before_answers(visit: Visit) -> Page:
    host, session_id, *_ = await visit.session()
    page = await visit.page(f"/host/session/{session_id}", "A quiz", host=host)
    await expect(page.get_by_text("Waiting for the first answer")).to_be_visible()
    return page


async def stage(visit: Visit) -> Page:
    host, session_id, _ = await visit.played_session()
    page = await visit.page(f"/host/session/{session_id}", "A quiz", host=host)
    await expect(page.get_by_role("listitem")).to_have_count(5)
    return page


async def finishing(visit: Visit) -> Page:
    page = await stage(visit)
    await press(page, "Finish quiz")
    await expect(page.get_by_role("dialog")).to_be_visible()
    return page


async def final_on_the_stage(visit: Visit) -> Page:
    host, session_id, _ = await visit.played_session()
    await host.post(f"/quiz-session/{session_id}/finish")
    page = await visit.page(f"/host/session/{session_id}", "A quiz", host=host)
    await expect(page.get_by_text("Final standing")).to_be_visible()
    await expect(page.get_by_role("listitem")).to_have_count(5)
    return page


async def results(visit: Visit) -> Page:
    host, session_id, _ = await visit.played_session()
    page = await visit.page(f"/host/session/{session_id}/results", "A quiz", host=host)
    await expect(page.get_by_role("grid")).to_be_visible()
    for summary in await page.locator("summary").all():
        await summary.click()
    return page


async def somebody_elses_stage(visit: Visit) -> Page:
    _, session_id, *_ = await visit.session()
    return await visit.page(f"/host/session/{session_id}", "That did not work", host=await visit.master.account())


@dataclass(frozen=True)
class Screen:
    name: str
    show: Callable[[Visit], Awaitable[Page]]
    # Made for a wall: on a phone it fits, but not with text at twice its size.
    is_projected: bool = False


SCREENS = [
    Screen("home", home),
    Screen("unknown PIN", unknown_pin),
    Screen("not found", not_found),
    Screen("joining", joining),
    Screen("joining without a name", joining_without_a_name),
    Screen("settings", settings),
    Screen("asking: choice", asking(CHOICE)),
    Screen("asking: several choices", asking(SEVERAL)),
    Screen("asking: true or false", asking(TRUTH)),
    Screen("asking: typed", asking(TYPED)),
    Screen("nothing chosen", nothing_chosen),
    Screen("right", right),
    Screen("wrong", wrong),
    Screen("wrong text", wrong_text),
    Screen("time up", time_up),
    Screen("board over the question", board_over_the_question),
    Screen("all answered", all_answered),
    Screen("final on a phone", final_on_a_phone),
    Screen("place lost", place_lost),
    Screen("log-in", log_in),
    Screen("registering with faults", registering_with_faults),
    Screen("empty desk", empty_desk),
    Screen("desk", desk),
    Screen("deleting a quiz", deleting_a_quiz),
    Screen("log-in lapsed", login_lapsed),
    Screen("editor with faults", editor_with_faults),
    Screen("editor", editor),
    Screen("stage before answers", stage_before_answers),
    Screen("stage", stage),
    Screen("finishing", finishing),
    Screen("final on the stage", final_on_the_stage),
    Screen("results", results),
    Screen("somebody else's stage", somebody_elses_stage),
    Screen("starting", live.starting),
    Screen("joining a team", live.joining_a_team),
    Screen("phone: lobby", live.phone(live.in_lobby, "You are in")),
    Screen("phone: get ready", live.phone(live.in_countdown, "Paused")),
    Screen("phone: choice", live.phone(live.asked, "Which is a fruit")),
    Screen("phone: shapes", live.phone(live.asked, "Look at the big screen", phones="shapes")),
    Screen("phone: order", live.phone(live.asked, "From small to large", live.ORDER)),
    Screen("phone: numeric", live.phone(live.asked, "How many legs", live.NUMERIC)),
    Screen("phone: poll", live.phone(live.asked, "Tea or coffee", live.POLL)),
    Screen("phone: word cloud", live.phone(live.asked, "One word for today", live.WORDS)),
    Screen("phone: slide", live.phone(live.asked, "A short break", live.SLIDE)),
    Screen("phone: sent", live.phone(live.answered, "Answer locked in")),
    Screen("phone: paused", live.phone(live.paused, "Paused")),
    Screen("phone: right", live.phone(live.revealed, "Right!")),
    Screen("phone: order right", live.phone(live.revealed, "Right!", live.ORDER)),
    Screen("phone: poll over", live.phone(live.revealed, "Thank you!", live.POLL)),
    Screen("phone: words over", live.phone(live.revealed, "Thank you!", live.WORDS)),
    Screen("phone: board", live.phone(live.on_the_board, "Where you stand")),
    Screen("phone: podium", live.phone(live.on_the_podium, "You won!")),
    Screen("phone: over", live.phone(live.over, "You won!")),
    Screen("phone: removed", live.removed),
    Screen("stage: lobby", live.stage(live.in_lobby, "Ann"), is_projected=True),
    Screen("stage: get ready", live.stage(live.in_countdown, "Paused"), is_projected=True),
    Screen("stage: choice", live.stage(live.asked, "Which is a fruit"), is_projected=True),
    Screen("stage: order", live.stage(live.asked, "From small to large", live.ORDER), is_projected=True),
    Screen("stage: slide", live.stage(live.asked, "A short break", live.SLIDE), is_projected=True),
    Screen("stage: paused", live.stage(live.paused, "Paused"), is_projected=True),
    Screen("stage: reveal", live.stage(live.revealed, "do not grow on trees"), is_projected=True),
    Screen("stage: poll over", live.stage(live.revealed, "Coffee", live.POLL), is_projected=True),
    Screen("stage: numbers over", live.stage(live.revealed, "8", live.NUMERIC), is_projected=True),
    Screen("stage: word cloud", live.stage(live.revealed, "[Ss]unny", live.WORDS), is_projected=True),
    Screen("stage: board", live.stage(live.on_the_board, "Ann"), is_projected=True),
    Screen("stage: board of teams", live.stage(live.on_the_board, "Reds", teams=["Reds", "Blues"]), is_projected=True),
    Screen("stage: podium", live.stage(live.on_the_podium, "Ann"), is_projected=True),
    Screen("stage: over", live.stage(live.over, "All results"), is_projected=True),
    Screen("remote: lobby", live.remote(live.in_lobby, "Ann")),
    Screen("remote: question", live.remote(live.asked, "Close now")),
    Screen("panel of players", live.panel("u", "Ann"), is_projected=True),
    Screen("shortcuts", live.panel("?", "Space"), is_projected=True),
    Screen("results of a live game", live.results),
]
