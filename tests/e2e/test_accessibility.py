"""WCAG 2.2 AA, as far as it can be measured: every screen in every look, and a whole game by keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.client import Caller
from tests.e2e.browser import PASSWORD, PHONE, PROJECTOR, Host, Player
from tests.e2e.examination import lost_focus, reflow, violations, wears
from tests.e2e.screens import SCREENS, TYPED, Screen, asking
from tests.e2e.visit import Visit
from tests.system import System

# The first is examined as a whole, the others for what colours can do.
LOOKS = (
    {"theme": "night"},
    {"theme": "day"},
    {"theme": "night", "contrast": "more"},
    {"theme": "day", "contrast": "more"},
)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
async def test_screen(visit: Visit, screen: Screen) -> None:
    """On a phone and a projector, in each theme and contrast, at 320 px, at twice the text, and by Tab."""
    page = await screen.show(visit)
    faults: list[str] = []
    for size in (PROJECTOR, PHONE):
        await page.set_viewport_size(size)
        for number, look in enumerate(LOOKS):
            await wears(page, **look)
            found = await violations(page, ["color-contrast"] if number else [])
            faults += [f"{size['width']} px, {look}: {it}" for it in found]
    await wears(page)
    faults += await reflow(page, PROJECTOR if screen.is_projected else PHONE)
    await page.set_viewport_size(PHONE)
    faults += await lost_focus(page)
    if not await page.get_by_role("button", name="Settings", include_hidden=True).count():
        faults.append("no way to the settings")
    assert not faults, "\n".join(faults)


async def plays_by_keyboard(ann: Player, pin: str) -> None:
    """Join and answer all of QUESTIONS, the third of them wrong."""
    # Where the keyboard is after a change of screen is part of what is tested: nothing here begins at the top.
    keyboard = ann.page.keyboard
    await ann.page.goto(ann.base_url)
    await expect(ann.page.get_by_label("Game PIN")).to_be_focused()
    await keyboard.type(pin)
    await keyboard.press("Enter")
    await expect(ann.page.get_by_label("Your name")).to_be_focused()
    await keyboard.type("Ann")
    await keyboard.press("Enter")

    await expect(ann.page.get_by_role("heading", name="Which is a fruit?")).to_be_focused()
    await ann.strike("B pear", "Space")
    await expect(ann.page.get_by_role("heading", name="Right!")).to_be_visible()
    await ann.strike("Next question")
    await expect(ann.page.get_by_role("heading", name="Which are even?")).to_be_focused()
    for choice in ("B 2", "D 4"):
        await ann.strike(choice, "Space", role="checkbox")
    await ann.strike("Send answer")
    await expect(ann.page.get_by_role("heading", name="Right!")).to_be_visible()
    await ann.strike("Board")
    await expect(ann.page.get_by_role("dialog", name="Leaderboard").get_by_role("listitem")).to_have_count(1)
    await keyboard.press("Escape")
    await expect(ann.page.get_by_role("button", name="Board")).to_be_focused()
    await keyboard.press("Shift+Tab")
    await ann.strike("Next question")
    await expect(ann.page.get_by_role("heading", name="Ice is cold.")).to_be_focused()
    await ann.strike("B False")
    await expect(ann.page.get_by_role("heading", name="Not this time")).to_be_visible()
    await ann.strike("Next question")
    await expect(ann.page.get_by_role("heading", name="The opposite of hot?")).to_be_focused()
    await ann.tab_to(ann.page.get_by_label("Your answer"))
    await keyboard.type("cold")
    await keyboard.press("Enter")
    await expect(ann.page.get_by_role("heading", name="Right!")).to_be_visible()
    await ann.strike("See my result")
    await expect(ann.page.get_by_role("heading", name="All answered")).to_be_focused()


async def test_a_whole_game_by_keyboard_alone(system: System, visit: Visit) -> None:
    """Log in, start, join, answer each type of question, look at the board, finish, and read the result."""
    account = {"email": "keys@example.com", "password": PASSWORD, "name": "Ms. Host"}
    tokens = (await visit.master.http.post("/auth/register", json=account)).json()
    await visit.master.quiz(Caller(visit.master.http, tokens))

    host = await Host.arrive(visit.browser, system.base_url, PROJECTOR)
    await host.page.goto(f"{system.base_url}/host")
    await host.tab_to(host.page.get_by_label("E-mail"))
    await host.page.keyboard.type(account["email"])
    await host.tab_to(host.page.get_by_label("Password"))
    await host.page.keyboard.type(PASSWORD)
    await host.page.keyboard.press("Enter")
    await host.strike("Start A quiz")
    # Live is the choice at first; the arrow leads to the other.
    await host.strike(re.compile("^Live"), "ArrowDown", role="radio")
    await host.strike("Open the quiz")
    await host.page.wait_for_url("**/host/session/*")
    pin = await host.page.get_by_test_id("pin").inner_text()

    ann = await Player.arrive(visit.browser, system.base_url, PHONE)
    await plays_by_keyboard(ann, "".join(pin.split()))

    await host.strike("Finish quiz")
    await host.tab_to(host.page.get_by_role("dialog").get_by_role("button", name="Finish quiz"))
    await host.page.keyboard.press("Enter")
    await expect(host.page.get_by_text("Final standing")).to_be_visible()
    await expect(ann.page.get_by_role("heading", name="Final standing")).to_be_visible()
    await expect(ann.page.get_by_role("main")).to_contain_text("350 points")
    assert host.errors == ann.errors == []


async def test_settings_are_kept_and_disturb_nothing(visit: Visit) -> None:
    """In the middle of an answer: the language changes, the words typed stay, and a reload keeps the choice."""
    page = await asking(TYPED)(visit)
    answer = page.get_by_role("textbox")
    await answer.fill("half an ans")
    await page.get_by_role("button", name="Settings").click()
    dialog = page.get_by_role("dialog")
    for choice in ("Deutsch", "Hell", "Hoch", "Wenig"):
        await dialog.get_by_role("radio", name=choice).check()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Einstellungen")).to_be_focused()
    await expect(answer).to_have_value("half an ans")
    await expect(page.get_by_role("timer")).to_contain_text("noch")
    await page.reload()
    root = page.locator("html")
    for name, value in {"lang": "de", "data-theme": "day", "data-contrast": "more", "data-motion": "reduce"}.items():
        await expect(root).to_have_attribute(name, value)
    await expect(page.get_by_role("button", name="Antwort senden")).to_be_visible()


async def test_browsers_wishes_are_followed_until_somebody_chooses(visit: Visit) -> None:
    """Language, contrast and motion as the browser has them; what is chosen counts more, wherever the page is open."""
    context = await visit.browser.new_context(locale="de-AT", contrast="more", reduced_motion="reduce")
    page, other = await context.new_page(), await context.new_page()
    for each in (page, other):
        await each.goto(visit.base_url)
    root = page.locator("html")
    await expect(page.get_by_label("Spiel-PIN")).to_be_visible()
    await expect(root).to_have_attribute("lang", "de")
    await expect(root).to_have_attribute("data-contrast", "more")
    await expect(root).to_have_attribute("data-motion", "reduce")
    await page.emulate_media(contrast="no-preference", reduced_motion="no-preference")
    await expect(root).to_have_attribute("data-contrast", "standard")
    await expect(root).to_have_attribute("data-motion", "full")

    await other.get_by_role("button", name="Einstellungen").click()
    await other.get_by_role("radio", name="English").check()
    await expect(page.get_by_label("Game PIN")).to_be_visible()
    await expect(root).to_have_attribute("lang", "en")
