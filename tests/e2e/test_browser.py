"""Three players and a host play a session to the end, in a real browser, while processes die under them."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest

from playwright.async_api import expect

from tests.e2e.browser import PHONE, PROJECTOR, Host, Player, chromium
from tests.system import running_system

TITLE = "Fruit and more"


async def test_a_session_from_the_first_click_to_the_final_standing():
    """Written, opened, joined, answered, watched, reloaded, survived and finished: by clicks and keys alone."""
    with running_system() as system:
        fates = [partial(system.kill, victim) for victim in ("app-server", "cache-worker", "publisher-worker")]
        await play_a_session([system.base_url] * 4, fates)


async def play_a_session(urls: Sequence[str], fates: Sequence[Callable[[], None]]) -> None:
    """A host and three players, each at one of the `urls`; the `fates` befall the system while they answer."""
    async with chromium() as browser:
        host = await Host.arrive(browser, urls[0], PROJECTOR)
        await host.register("host@example.com")
        await host.write_quiz(TITLE)
        pin = await host.start(TITLE)

        names = ("Ann", "Bob", "Zoë 🦊")
        players = [await Player.arrive(browser, url, PHONE) for url in urls[1:]]
        for name, player in zip(names, players, strict=True):
            await player.join(pin, name)
        await expect(host.page.get_by_text(re.compile(r"3\s*players"))).to_be_visible()
        ann, bob, zoe = players

        await zoe.answer(1, right=True)
        await ann.answer(1, right=True)
        await bob.answer(1, right=False)
        await expect(host.page.get_by_role("listitem")).to_have_count(3)
        for player in players:
            await player.go_on()

        # A phone that is reloaded is where it was.
        await ann.page.reload()
        await expect(ann.page.get_by_role("heading", name="Prompt 2")).to_be_visible()

        # Processes die while answers are given. Nobody touches anything but the quiz.
        for fate, player in zip_longest(fates, players, fillvalue=lambda: None):
            fate()
            await player.answer(2, right=True)
        for player in players:
            await player.go_on()
            await player.answer(3, right=player is not bob)
            await player.go_on()
            await player.answer(4, right=player is zoe)
            await player.go_on()

        await expect(host.page.get_by_role("listitem").first).to_contain_text("400", timeout=15_000)
        assert [re.search(r"(Zoë|Ann|Bob)", row)[1] for row in await host.board()] == ["Zoë", "Ann", "Bob"]
        for player, score in ((zoe, "400"), (ann, "300"), (bob, "100")):
            await expect(player.page.get_by_role("main")).to_contain_text(score)
            await expect(player.page.get_by_role("main").get_by_role("listitem")).to_have_count(3)

        await host.press("Finish quiz")
        await host.page.get_by_role("dialog").get_by_role("button", name="Finish quiz").click()
        await expect(host.page.get_by_text("Final standing")).to_be_visible()
        for player in players:
            await expect(player.page.get_by_text("Final standing")).to_be_visible()
        for person in (host, *players):
            assert person.errors == []


async def test_key_is_in_no_byte_a_phone_received():
    """The page, its script, every response and every frame: no accepted answer before it was given."""
    with running_system() as system:
        async with chromium() as browser:
            host = await Host.arrive(browser, system.base_url, PROJECTOR)
            await host.register("host@example.com")
            await host.write_quiz(TITLE)
            pin = await host.start(TITLE)
            ann = await Player.arrive(browser, system.base_url, PHONE)
            bodies: list[bytes] = []

            async def keep(response) -> None:
                if response.request.redirected_to is None and "font" not in response.headers.get("content-type", ""):
                    bodies.append(await response.body())

            ann.page.on("response", keep)
            await ann.join(pin, "Ann")
            for number in (1, 2, 3):
                await ann.answer(number, right=True)
                await ann.go_on()
            assert len(bodies) > 5
            assert not any(b"needle" in body.lower() for body in bodies)
            assert not any("needle" in frame.lower() for frame in ann.received)
            await ann.answer(4, right=False)
            await expect(ann.page.get_by_role("main")).to_contain_text("Needle")


async def test_host_plays_by_keyboard_alone():
    """Log in, open a session and finish it without a mouse."""
    with running_system() as system:
        async with chromium() as browser:
            host = await Host.arrive(browser, system.base_url, PROJECTOR)
            await host.register("host@example.com")
            await host.write_quiz(TITLE)
            await host.page.goto(f"{system.base_url}/host")
            start = host.page.get_by_role("button", name=f"Start {TITLE}")
            await expect(start).to_be_visible()

            async def tab_to(locator) -> None:
                for _ in range(40):
                    if await locator.evaluate("element => element === document.activeElement"):
                        return
                    await host.page.keyboard.press("Tab")
                raise AssertionError("not reached by Tab")

            await tab_to(start)
            await host.page.keyboard.press("Enter")
            # Live is the choice at first; the arrow leads to the other.
            await tab_to(host.page.get_by_role("radio", name="Live"))
            await host.page.keyboard.press("ArrowDown")
            await tab_to(host.page.get_by_role("button", name="Open the quiz"))
            await host.page.keyboard.press("Enter")
            await host.page.wait_for_url("**/host/session/*")
            finish = host.page.get_by_role("button", name="Finish quiz")
            await expect(finish).to_be_visible()
            await tab_to(finish)
            await host.page.keyboard.press("Enter")
            await tab_to(host.page.get_by_role("dialog").get_by_role("button", name="Finish quiz"))
            await host.page.keyboard.press("Enter")
            await expect(host.page.get_by_text("Final standing")).to_be_visible()
