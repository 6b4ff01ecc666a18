"""The stage of a live game in a real browser: led by keys, on several screens, through reloads."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, expect

from tests.client import Caller, Quizmaster
from tests.e2e.browser import PHONE, PROJECTOR, Host, chromium
from tests.live_room import Phone
from tests.system import System

QUESTIONS: list[dict[str, Any]] = [
    {
        "type": "choice",
        "prompt": "Which is a fruit?",
        "choices": ["stone", "pear"],
        "answer": 1,
        "explanation": "Juicy.",
    },
    {"type": "word_cloud", "prompt": "One word, please"},
    {"type": "choice", "prompt": "Which is a stone?", "choices": ["opal", "plum"], "answer": 0},
]


def status(page: Page, text: str):
    """What a screen reader is told about where the game is."""
    return page.get_by_role("status").filter(has_text=text)


async def opened(browser: Browser, system: System, master: Quizmaster) -> tuple[Host, Caller, str, list[str]]:
    """A host before the lobby of a live session, opened by keys alone; its id and those of its questions."""
    account = await master.account()
    _, question_ids = await master.quiz(account, QUESTIONS)
    host = await Host.arrive(browser, system.base_url, PROJECTOR)
    await log_in(host, account)
    await host.page.goto(f"{system.base_url}/host")
    await host.page.get_by_role("button", name="Start A quiz").focus()
    await host.page.keyboard.press("Enter")
    lobby = host.page.get_by_role("button", name="Open the lobby")
    await expect(lobby).to_be_visible()
    await lobby.focus()
    await host.page.keyboard.press("Enter")
    await host.page.wait_for_url("**/host/session/*")
    # Only then do keys mean anything.
    await expect(host.page.get_by_role("button", name=re.compile("Host panel"))).to_be_visible(timeout=15_000)
    return host, account, host.page.url.rsplit("/", 1)[1], question_ids


async def log_in(host: Host, account: Caller) -> None:
    """As this account, which was made elsewhere."""
    tokens = account.tokens
    login = {
        "user_id": tokens["user_id"],
        "name": "Host",
        "access_token": tokens["access_token"],
        "refresh_token": tokens["refresh_token"],
        "expires_at": 10**15,
    }
    await host.page.goto(f"{host.base_url}/healthz")
    await host.page.evaluate("login => localStorage.setItem('tiebreak.host', JSON.stringify(login))", login)


@asynccontextmanager
async def joined(system: System, master: Quizmaster, session: str, *names: str) -> AsyncIterator[list[Caller]]:
    """Players who are there: a question waits for them."""
    async with AsyncExitStack() as stack:
        players: list[Caller] = []
        for name in names:
            player = await master.guest(name)
            response = await player.join(session, name)
            assert response.status_code == 200, response.text
            phone = Phone(player, response.json()["quiz_session_participant_id"], name)
            await phone.connect(system.base_url, session)
            stack.push_async_callback(phone.drop)
            players.append(player)
        yield players


async def test_a_host_leads_a_game_by_keys_alone(system: System, master: Quizmaster):
    """From the lobby to the end, and what is on the stage survives a reload in each phase."""
    async with chromium() as browser:
        host, _, session, questions = await opened(browser, system, master)
        await expect(host.page.get_by_test_id("pin")).to_be_visible()
        async with joined(system, master, session, "Ann", "Bob") as players:
            await lock_the_lobby(host.page, master, session)
            await host.page.keyboard.press("Space")
            await pause_and_go_on(host.page, players, session, questions[0])
            await show_answers_and_board(host.page)
            await host.page.keyboard.press("Enter")
            await gather_words(host.page, players, session, questions[1])
            await host.page.keyboard.press("Enter")
            await skip_to_the_end(host.page)
        assert host.errors == []


async def lock_the_lobby(page: Page, master: Quizmaster, session: str) -> None:
    names = page.get_by_role("list", name="Players").get_by_role("listitem")
    await expect(names).to_have_text(["Bob", "Ann"])
    await page.keyboard.press("l")
    await expect(page.get_by_text("Locked: nobody else can come in")).to_be_visible()
    late = await (await master.guest("Late")).join(session, "Late")
    assert (late.status_code, late.json()["code"]) == (403, "session_locked")


async def pause_and_go_on(page: Page, players: list[Caller], session: str, question: str) -> None:
    ann, bob = players
    await expect(status(page, "Get ready")).to_have_count(1)
    await expect(page.get_by_role("list", name="Choices").get_by_role("listitem")).to_have_count(2, timeout=10_000)
    assert (await ann.answer(session, question, 1)).status_code == 200
    await expect(page.get_by_text("1 of 2 answered")).to_have_count(1)
    await page.keyboard.press("p")
    paused = page.get_by_text("Paused", exact=True)
    await expect(paused.last).to_be_visible()
    await page.reload()
    await expect(paused.last).to_be_visible()
    assert (await bob.answer(session, question, 1)).json()["code"] == "question_not_open"
    await page.keyboard.press("p")
    await expect(paused).to_have_count(0)
    before = await seconds_left(page)
    await page.keyboard.press("+")
    await expect(page.get_by_role("timer")).to_have_accessible_name(
        re.compile(f"^({before + 8}|{before + 9}|{before + 10}) ")
    )
    # The last one answers, and the question closes by itself.
    assert (await bob.answer(session, question, 0)).status_code == 200


async def show_answers_and_board(page: Page) -> None:
    bars = page.get_by_role("list", name="How the room answered").get_by_role("listitem")
    await expect(bars).to_have_text([re.compile(r"stone\s*1\s*50 %"), re.compile(r"pear.*right answer\s*1\s*50 %")])
    await page.reload()
    await expect(bars).to_have_count(2)
    await expect(page.get_by_text("Juicy.")).to_be_visible()
    await page.keyboard.press("ArrowRight")
    rows = page.get_by_role("list", name="Leaderboard").get_by_role("listitem")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("Ann")
    await page.reload()
    await expect(rows).to_have_count(2)


async def gather_words(page: Page, players: list[Caller], session: str, question: str) -> None:
    await expect(page.get_by_text("Type your answer")).to_be_visible(timeout=10_000)
    for player, word in zip(players, ("fun", "Fun"), strict=True):
        assert (await player.answer(session, question, word)).status_code == 200
    words = page.get_by_role("list", name=re.compile("All words")).get_by_role("listitem")
    await expect(words).to_have_text([re.compile(r"[Ff]un: 2 times")])
    await page.reload()
    await expect(words).to_have_count(1)


async def skip_to_the_end(page: Page) -> None:
    await looked_at(page)
    await page.keyboard.press("s")
    podium = page.get_by_role("list", name="The winners").get_by_role("listitem")
    await expect(podium.first).to_contain_text("Ann")
    await page.reload()
    await expect(podium.first).to_contain_text("Ann")
    await page.keyboard.press("e")
    await expect(page.get_by_role("dialog")).to_contain_text("End the game now?")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="All results")).to_be_visible()


async def looked_at(page: Page) -> None:
    """A second has gone: a press just after the screen has changed counts as meant for what was there before."""
    await expect(page.get_by_role("timer")).to_have_accessible_name(re.compile("^1\\d seconds"), timeout=10_000)


async def seconds_left(page: Page) -> int:
    text = await page.get_by_role("timer").get_attribute("aria-label")
    assert text is not None
    return int(re.findall(r"\d+", text)[0])


async def test_two_screens_and_two_clicks_are_one_step(system: System, master: Quizmaster):
    """A projector and a remote press at once, and one of them twice: the game takes one step."""
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        host, account, session, _ = await opened(browser, system, master)
        await stack.enter_async_context(joined(system, master, session, "Ann"))
        remote = await Host.arrive(browser, system.base_url, PHONE)
        await log_in(remote, account)
        await remote.page.goto(f"{system.base_url}/host/session/{session}?view=remote")
        start = remote.page.get_by_role("button", name="Start", exact=True)
        await expect(start).to_be_visible()
        await expect(remote.page.get_by_role("button", name="Ann")).to_be_visible()
        await start.dblclick()

        close = host.page.get_by_role("button", name="Close now")
        await expect(close).to_be_visible(timeout=10_000)
        step = (await account.get(f"/quiz-session/{session}/game")).json()["step"]
        # Lobby, countdown, question.
        assert step == 2
        await looked_at(host.page)
        await close.dblclick()
        await remote.page.keyboard.press("c")
        await expect(host.page.get_by_role("button", name="Show the board")).to_be_visible()
        await expect(remote.page.get_by_role("button", name="Show the board")).to_be_visible()
        game = (await account.get(f"/quiz-session/{session}/game")).json()
        assert (game["phase"], game["step"]) == ("reveal", step + 1)


async def test_a_host_looks_after_players_and_co_hosts(system: System, master: Quizmaster):
    """Rename, extra time, remove, ban; a co-host is added by e-mail; what cannot be done says why."""
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        host, _, session, _ = await opened(browser, system, master)
        page = host.page
        _, bob = await stack.enter_async_context(joined(system, master, session, "Ann", "Bob"))
        await page.keyboard.press("u")
        panel = page.get_by_role("complementary", name="Host panel")
        await panel.get_by_role("button", name="Ann").click()
        await panel.get_by_label("Name", exact=True).fill("Bob")
        await panel.get_by_role("button", name="Rename").click()
        await expect(panel.get_by_text("Somebody here has this name")).to_be_visible()
        await panel.get_by_label("Name", exact=True).fill("Anna")
        await panel.get_by_role("button", name="Rename").click()
        names = page.get_by_role("list", name="Players").get_by_role("listitem")
        await expect(names.filter(has_text="Anna")).to_have_count(1)
        await panel.get_by_label("Extra time").select_option(value="50")
        await expect(panel.get_by_role("button", name=re.compile(r"Anna.*\+50 % time"))).to_be_visible()

        await panel.get_by_role("button", name="Anna").click()
        await panel.get_by_role("button", name="Bob").click()
        await panel.get_by_role("button", name="Ban").click()
        await page.get_by_role("dialog").get_by_role("button", name="Ban").click()
        await expect(names).to_have_count(1)
        assert (await bob.join(session, "Bobby")).json()["code"] == "banned"

        await panel.get_by_role("tab", name="Co-hosts").click()
        await panel.get_by_label("E-mail of their account").fill("nobody@example.com")
        await panel.get_by_role("button", name="Add co-host").click()
        await expect(panel.get_by_text("No account has this e-mail")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(panel).to_have_count(0)
