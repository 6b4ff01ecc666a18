"""What the headers of a response promise a browser, and that the web client can do with it."""

from __future__ import annotations

import re
from collections import Counter

import httpx
import pytest
from playwright.async_api import expect

from tests.client import Quizmaster, quizmaster
from tests.e2e.browser import PHONE, PROJECTOR, Host, Person, Player, chromium
from tests.system import System, running_system

PAGES = ("/", "/host", "/host/quiz/new", "/join/000000", "/play/018f0000-0000-7000-8000-000000000000", "/host/nothing")
OURS_ONLY = re.compile(r"'none'|'self'|data:")


def directives_of(response: httpx.Response) -> dict[str, list[str]]:
    """The Content-Security-Policy, by directive."""
    parts = [part.split() for part in response.headers["content-security-policy"].split(";")]
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("path", PAGES)
async def test_pages(master: Quizmaster, path: str) -> None:
    """Nothing from elsewhere, nothing inline, in nobody's frame; each header once."""
    response = await master.http.get(path)
    policy = directives_of(response)
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    for values in policy.values():
        assert all(OURS_ONLY.fullmatch(value) for value in values), policy
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in response.headers["permissions-policy"]
    assert max(Counter(name.lower() for name, _ in response.headers.multi_items()).values()) == 1


async def test_every_response(master: Quizmaster) -> None:
    """Nobody guesses what it is, and no other origin's page takes it in: pages, files, answers, refusals, polling."""
    ann = await master.guest()
    responses = [
        await master.http.get(path)
        for path in ("/", "/favicon.svg", "/healthz", "/nothing", "/quizzes", "/socket.io/?EIO=4&transport=polling")
    ]
    responses += [
        await ann.post("/update-score", {}),
        await ann.post("/update-score?x", {}),
        await master.http.post("/auth/login", content=b"{"),
    ]
    for response in responses:
        assert response.headers.get_list("x-content-type-options") == ["nosniff"], response.url
        assert response.headers.get_list("cross-origin-resource-policy") == ["same-origin"], response.url


async def test_no_cache_keeps_what_is_somebodys(master: Quizmaster) -> None:
    """Tokens, keys, names: no-store."""
    host = await master.account()
    quiz, _ = await master.quiz(host)
    session, _ = await master.session(host)
    for path in ("/quizzes", f"/quizzes/{quiz}", "/quiz-session", f"/quiz-session/{session}/questions", "/auth/me"):
        assert (await host.get(path)).headers["cache-control"] == "no-store", path
    refreshed = await master.http.post("/auth/refresh", json={"refresh_token": host.tokens["refresh_token"]})
    guest = await master.http.post("/auth/guest", json={"name": "Ann"})
    for response in (refreshed, guest):
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"


async def test_every_page_in_a_browser(system: System, master: Quizmaster) -> None:
    """No page asks for what its policy forbids; what is forbidden is stopped, and noticed by these tests."""
    session, _ = await master.session(await master.account())
    async with chromium() as browser:
        person = await Person.arrive(browser, system.base_url, PHONE)
        for path in (*PAGES, f"/play/{session}"):
            await person.page.goto(f"{system.base_url}{path}")
            await expect(person.page.locator("#app")).not_to_be_empty()
        assert person.errors == []
        ran = await person.page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "window.ran = true";
                document.body.append(script);
                return window.ran === true;
            }"""
        )
        assert not ran
        assert len(person.errors) == 1


async def test_a_game_in_a_browser(system: System) -> None:
    """Host and player, from the first click to the podium, without one violation; sockets and fonts work."""
    async with chromium() as browser:
        host = await Host.arrive(browser, system.base_url, PROJECTOR)
        await host.register("csp@example.com")
        await host.write_quiz("Headers")
        pin = await host.start("Headers")
        ann = await Player.arrive(browser, system.base_url, PHONE)
        await ann.join(pin, "<img src=x onerror=alert(1)>")
        for number in range(1, 5):
            await ann.answer(number, right=True)
            await ann.go_on()
        await expect(host.page.get_by_role("listitem").first).to_contain_text("<img src=x", timeout=15_000)
        await host.press("Finish quiz")
        await host.page.get_by_role("dialog").get_by_role("button", name="Finish quiz").click()
        await expect(host.page.get_by_text("Final standing")).to_be_visible()
        await expect(ann.page.get_by_text("Final standing")).to_be_visible()
        assert ann.received
        assert await ann.page.evaluate("document.fonts.status") == "loaded"
        for person in (host, ann):
            assert person.errors == []


async def test_a_company_may_show_it_in_its_page() -> None:
    """The origins of TIEBREAK_FRAME_ANCESTORS, and no others."""
    environ = {"TIEBREAK_FRAME_ANCESTORS": "https://learn.example.org, https://other.example.org"}
    with running_system(environ=environ) as system:
        async with quizmaster(system.base_url) as master:
            policy = directives_of(await master.http.get("/"))
    assert policy["frame-ancestors"] == ["https://learn.example.org", "https://other.example.org"]
