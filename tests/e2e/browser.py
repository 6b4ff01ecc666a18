"""A real Chromium, and the people who sit before it."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, async_playwright, expect

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PHONE = {"width": 390, "height": 844}
PROJECTOR = {"width": 1920, "height": 1080}
PASSWORD = "correct horse battery"


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium, or Playwright's own where there is none."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


class Person:
    """A page of their own, everything it received, and every error it met."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url
        self.errors: list[str] = []
        self.received: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note_violation)
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: self.received.append(str(frame))))

    def _note_violation(self, message: ConsoleMessage) -> None:
        """What the page's Content-Security-Policy, or another of its policies, has stopped."""
        if "Policy" in message.text:
            self.errors.append(message.text)

    @classmethod
    async def arrive(cls, browser: Browser, base_url: str, viewport: dict[str, int], **options: object):
        context = await browser.new_context(viewport=viewport, reduced_motion="reduce", **options)
        return cls(await context.new_page(), base_url)

    async def press(self, name: str | re.Pattern[str], role: str = "button") -> None:
        await self.page.get_by_role(role, name=name, exact=isinstance(name, str)).click()

    async def tab_to(self, target: Locator, at_most: int = 60) -> None:
        """Go there by the keyboard, as somebody does who uses nothing else."""
        await expect(target).to_be_visible()
        for _ in range(at_most):
            if await target.evaluate("element => element === document.activeElement"):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"not reached by Tab: {target}")

    async def strike(self, name: str | re.Pattern[str], key: str = "Enter", role: Any = "button") -> None:
        """What `press` is with a mouse."""
        await self.tab_to(self.page.get_by_role(role, name=name, exact=isinstance(name, str)).first)
        await self.page.keyboard.press(key)


class Host(Person):
    """At the projector."""

    async def register(self, email: str) -> None:
        await self.page.goto(f"{self.base_url}/host")
        await self.press("Create account", role="tab")
        await self.page.get_by_label("Your name").fill("Ms. Host")
        await self.page.get_by_label("E-mail").fill(email)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.press("Create account")
        await expect(self.page.get_by_role("heading", name="Your quizzes")).to_be_visible()

    async def write_quiz(self, title: str) -> None:
        """One question of each type, all in the editor."""
        await self.press("New quiz", role="link")
        await self.page.get_by_label("Title").fill(title)
        for number, kind in enumerate(["choice", "multi_choice", "true_false", "typed"], start=1):
            if number > 1:
                await self.press("Add question")
            question = self.page.get_by_role("region", name=f"Question {number}")
            await question.get_by_label("Type").select_option(value=kind)
            await question.get_by_label("Question", exact=True).fill(f"Prompt {number}")
            if kind in {"choice", "multi_choice"}:
                for letter in "CD":
                    await (
                        question.get_by_role("button", name=f"Remove choice {letter}")
                        .or_(question.get_by_role("button", name="Remove choice C"))
                        .first.click()
                    )
                for letter, text in zip("AB", ("Pear", "Plum"), strict=True):
                    await question.get_by_role("textbox", name=f"Choice {letter}", exact=True).fill(text)
                await question.get_by_label("Choice B is right").check()
                if kind == "multi_choice":
                    await question.get_by_label("Choice A is right").check()
            elif kind == "true_false":
                await question.get_by_label("True", exact=True).check()
            else:
                await question.get_by_label("Accepted answer 1", exact=True).fill("Needle")
        await self.press("Save quiz")
        await expect(self.page.get_by_text("Saved", exact=True)).to_be_visible()

    async def start(self, title: str) -> str:
        """Open a self-paced session; its PIN."""
        await self.page.goto(f"{self.base_url}/host")
        await self.press(f"Start {title}")
        await self.page.get_by_role("radio", name="Self-paced").check()
        await self.press("Open the quiz")
        await self.page.wait_for_url("**/host/session/*")
        pin = self.page.get_by_test_id("pin")
        await expect(pin).to_contain_text(re.compile(r"\d"))
        return "".join(re.findall(r"\d", await pin.inner_text()))

    async def board(self) -> list[str]:
        """The rows on the projector."""
        return [" ".join(text.split()) for text in await self.page.get_by_role("listitem").all_inner_texts()]


class Player(Person):
    """On a phone."""

    async def join(self, pin: str, name: str) -> None:
        await self.page.goto(self.base_url)
        await self.page.get_by_label("Game PIN").fill(pin)
        await self.press("Join")
        await self.page.get_by_label("Your name").fill(name)
        await self.press("Join")
        await expect(self.page.get_by_role("heading", name="Prompt 1")).to_be_visible()

    async def answer(self, number: int, *, right: bool) -> None:
        """Answer the question shown and see what came of it."""
        await expect(self.page.get_by_role("heading", name=f"Prompt {number}")).to_be_visible()
        match number:
            case 1:
                await self.press(re.compile("Plum" if right else "Pear"))
            case 2:
                for text in ("Pear", "Plum") if right else ("Pear",):
                    choice = self.page.get_by_role("checkbox", name=re.compile(text)).or_(
                        self.page.get_by_role("button", name=re.compile(text))
                    )
                    await choice.click()
                await self.press("Send answer")
            case 3:
                await self.press(re.compile("True$" if right else "False$"))
            case _:
                await self.page.get_by_label("Your answer").fill("  needle " if right else "pin")
                await self.press("Send answer")
        verdict = self.page.get_by_role("heading", name="Right!" if right else "Not this time")
        await expect(verdict).to_be_visible(timeout=15_000)

    async def go_on(self) -> None:
        await self.page.get_by_role("button", name=re.compile("Next question|See my result")).click()
