"""The types with an order, a number or no key: written in the editor, answered on a phone, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.e2e.browser import PHONE, PROJECTOR, Host, Player, chromium
from tests.pictures import picture
from tests.system import System

IMAGE = {"name": "animals.png", "mimeType": "image/png", "buffer": picture(size=(2400, 1200))}
NO_IMAGE = {"name": "page.png", "mimeType": "image/png", "buffer": b"<script>alert(1)</script>"}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def ask(host: Host, number: int, kind: str, prompt: str) -> Locator:
    if number > 1:
        await host.press("Add question")
    question = host.page.get_by_role("region", name=f"Question {number}")
    await question.get_by_label("Type").select_option(value=kind)
    await question.get_by_label("Question", exact=True).fill(prompt)
    return question


async def choose_image(host: Host, question: Locator, file: dict[str, object]) -> None:
    async with host.page.expect_file_chooser() as chooser:
        await question.get_by_role("button", name="Add an image").click()
    await (await chooser.value).set_files([file])  # type: ignore[list-item]


async def write(host: Host, title: str) -> None:
    """One question of each, the first with an image and an explanation."""
    page = host.page
    await host.press("New quiz", role="link")
    await page.get_by_label("Title").fill(title)
    order = await ask(host, 1, "order", "By weight, the lightest first")
    for place, item in enumerate(["ant", "fox", "whale"], start=1):
        await order.get_by_role("textbox", name=f"Place {place}", exact=True).fill(item)
    await order.get_by_label("Points").select_option("200")
    await order.get_by_label("Explanation").fill("A whale weighs as much as 20,000 foxes.")
    await choose_image(host, order, NO_IMAGE)
    await expect(order.get_by_text("This file is no image")).to_be_visible()
    await choose_image(host, order, IMAGE)
    numeric = await ask(host, 2, "numeric", "Normal body heat?")
    await numeric.get_by_label("Right number").fill("36.6")
    await numeric.get_by_label("Tolerance").fill("0.4")
    poll = await ask(host, 3, "poll", "Which season?")
    for letter, text in zip("AB", ("spring", "autumn"), strict=True):
        await poll.get_by_role("textbox", name=f"Choice {letter}", exact=True).fill(text)
    await ask(host, 4, "word_cloud", "In a word?")
    await ask(host, 5, "info", "Have a break.")
    await host.press("Save quiz")
    await expect(page.get_by_text("Say in 1 to 250 characters what the image shows.")).to_be_visible()
    await page.get_by_label("What the image shows").fill("Three animals")
    await host.press("Save quiz")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("textbox", name="Place 3", exact=True)).to_have_value("whale")
    await expect(page.get_by_label("What the image shows")).to_have_value("Three animals")
    await expect(page.get_by_label("Points").first).to_have_value("200")


async def put_in_order(player: Player, items: list[str]) -> None:
    """By the keyboard: the focus goes with what moves."""
    for place, item in enumerate(items):
        while (shown := await player.page.get_by_role("main").get_by_role("listitem").all_inner_texts()) and (
            item not in shown[place]
        ):
            at = next(at for at, text in enumerate(shown) if item in text)
            await player.page.get_by_role("button", name=f"Move {item} up to place {at}").focus()
            await player.page.keyboard.press("Enter")


async def test_from_the_editor_to_the_phone(system: System, browser: Browser) -> None:
    """What a host writes is what a player is asked, by thumb and by keyboard, and what counts."""
    host = await Host.arrive(browser, system.base_url, PROJECTOR)
    await host.register(f"{uuid4()}@example.org")
    title = f"Types {uuid4()}"
    await write(host, title)
    pin = await host.start(title)
    player = await Player.arrive(browser, system.base_url, PHONE)
    page = player.page
    await page.goto(f"{system.base_url}/join/{pin}")
    await page.get_by_label("Your name").fill("Ann")
    await player.press("Join")
    await expect(page.get_by_role("heading", name="By weight")).to_be_visible()
    image = page.get_by_role("img", name="Three animals")
    await expect(image).to_be_visible()
    assert await image.evaluate("image => image.naturalWidth") == 1600
    await put_in_order(player, ["ant", "fox", "whale"])
    await player.press("Send answer")
    await expect(page.get_by_text("+200 points")).to_be_visible()
    await expect(page.get_by_text("A whale weighs as much as 20,000 foxes.")).to_be_visible()
    await player.press("Next question")
    await page.get_by_label("Your number").fill("37,0")
    await expect(page.get_by_text("Read as 37")).to_be_visible()
    await player.press("Send answer")
    await expect(page.get_by_text("+100 points")).to_be_visible()
    await player.press("Next question")
    await player.press(re.compile("autumn"))
    await expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    await player.press("Next question")
    await page.get_by_label("Your words").fill("Marvellous")
    await player.press("Send answer")
    await expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    await player.press("Next question")
    await expect(page.get_by_role("heading", name="Have a break.")).to_be_visible()
    await player.press("Go on")
    await expect(page.get_by_text("2 of 2 right")).to_be_visible()
    assert host.errors == player.errors == []
