"""The page of results, in a real browser: found from the desk, by mouse and by keys, and taken away as a file."""

from __future__ import annotations

import io
import re

import openpyxl
from playwright.async_api import expect

from tests.client import QUESTIONS, RIGHT, WRONG
from tests.e2e.browser import PHONE, PROJECTOR, Host, chromium


async def test_results_from_the_desk(system, master):
    """Figures, the hardest question, every answer by arrow keys, the board played back, a workbook; and no error."""
    host = await master.account()
    session, questions = await master.session(host)
    for name, right in (("Ann", 4), ("Bob", 2), ("<b>Cy</b>", 1)):
        player = await master.guest(name)
        await player.join(session)
        for at, question in enumerate(questions):
            await player.answer(session, question, RIGHT[at] if at < right else WRONG[at])
    await host.post(f"/quiz-session/{session}/finish")
    async with chromium() as browser:
        for size in (PROJECTOR, PHONE):
            person = await Host.arrive(browser, system.base_url, size)
            page = person.page
            await page.goto(system.base_url)
            await page.evaluate(
                "login => localStorage.setItem('tiebreak.host', JSON.stringify(login))",
                host.tokens | {"name": "Host", "expires_at": 9_999_999_999_999},
            )
            await page.goto(f"{system.base_url}/host")
            await person.press("All results of A quiz", role="link")
            await expect(page.get_by_role("heading", name="A quiz", level=1)).to_be_visible()
            hardest = page.get_by_role("region", name="Questions").get_by_role("listitem").first
            await expect(hardest).to_contain_text(re.compile(r"33\s?% right"))

            grid = page.get_by_role("grid", name="Every answer")
            await expect(grid.get_by_role("row")).to_have_count(4)
            await page.locator("[data-cell='0-0']").focus()
            for key in ("ArrowDown", "End"):
                await page.keyboard.press(key)
            await expect(page.locator("[data-cell='1-3']")).to_be_focused()
            detail = page.get_by_role("status").filter(has_text="Question 4")
            for text in ("Bob", QUESTIONS[3]["prompt"], WRONG[3], "cold; chilly"):
                await expect(detail).to_contain_text(text)

            replay = page.get_by_role("region", name="How the board came about")
            slider = replay.get_by_role("slider")
            await slider.focus()
            await page.keyboard.press("Home")
            await expect(replay.get_by_role("list").first.get_by_role("listitem")).to_have_count(1)
            await person.press("Play")
            await expect(replay.get_by_role("list").first.get_by_role("listitem")).to_have_count(3, timeout=60_000)

            async with page.expect_download() as waiting:
                await person.press("Excel")
            download = await waiting.value
            assert download.suggested_filename.startswith("A quiz ")
            book = openpyxl.load_workbook(io.BytesIO((await download.path()).read_bytes()))
            assert [cell.value for cell in book["Ranking"]["B"]] == ["Player", "Ann", "Bob", "<b>Cy</b>"]
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert person.errors == []


async def test_results_are_not_shown_to_others(system, master):
    """Another host is told so, and shown nothing."""
    host, rival = await master.account(), await master.account("Rival")
    session, _ = await master.session(host, QUESTIONS[:1])
    async with chromium() as browser:
        person = await Host.arrive(browser, system.base_url, PROJECTOR)
        await person.page.goto(system.base_url)
        await person.page.evaluate(
            "login => localStorage.setItem('tiebreak.host', JSON.stringify(login))",
            rival.tokens | {"name": "Rival", "expires_at": 9_999_999_999_999},
        )
        await person.page.goto(f"{system.base_url}/host/session/{session}/results")
        await expect(person.page.get_by_role("alert")).to_contain_text("Only")
        await expect(person.page.get_by_text("A quiz")).to_have_count(0)
