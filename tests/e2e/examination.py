"""What can be measured of WCAG 2.2 on a screen, whatever it shows: each check returns its faults, in words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playwright.async_api import Page, ViewportSize

AXE = Path(__file__).parent.parent / "node/node_modules/axe-core/axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
# Off in axe by default: it may still change (https://dequeuniversity.com/rules/axe/4.14/target-size). It is 2.5.8.
ALSO = {"target-size": {"enabled": True}}


async def violations(page: Page, rules: Iterable[str] = ()) -> list[str]:
    """What axe finds against WCAG 2.2, levels A and AA; of these rules only, if some are named."""
    if not await page.evaluate("() => 'axe' in window"):
        # The page's own policy lets in no script of others; the debugger's way is open.
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    only = {"type": "rule", "values": [*rules]} if rules else {"type": "tag", "values": LEVELS}
    options = {"runOnly": only, "resultTypes": ["violations"]} | ({} if rules else {"rules": ALSO})
    found: list[dict[str, Any]] = await page.evaluate(
        "async options => (await axe.run(document, options)).violations", options
    )
    return [f"{it['id']}: {node['html'][:120]} ({node['failureSummary']})" for it in found for node in it["nodes"]]


async def wears(page: Page, **settings: object) -> None:
    """Have the page follow these settings, as when they are chosen in another tab."""
    await page.evaluate(
        """stored => {
            localStorage.setItem("tiebreak.settings", stored);
            window.dispatchEvent(new StorageEvent("storage", { key: "tiebreak.settings" }));
        }""",
        json.dumps(settings),
    )


async def overflow(page: Page) -> list[str]:
    """What makes the page, or a dialog over it, scroll sideways (1.4.10)."""
    return await page.evaluate(
        """() => {
            const boxes = [document.scrollingElement, ...document.querySelectorAll("dialog[open]")];
            const wide = boxes.filter(box => box.scrollWidth > box.clientWidth + 1);
            if (wide.length === 0) return [];
            const isOut = it => it.getBoundingClientRect().right > innerWidth + 1 && it.checkVisibility();
            // The innermost only: what is around them is wide because of them.
            return [...document.querySelectorAll("body *")]
                .filter(it => isOut(it) && ![...it.children].some(isOut))
                .map(it => [it, it.getBoundingClientRect().right])
                .map(([it, right]) => `${it.tagName} ${it.textContent.trim().slice(0, 40)} reaches ${right}`)
                .concat("scrolls sideways");
        }"""
    )


async def reflow(page: Page, large_text_at: ViewportSize) -> list[str]:
    """Faults at 320 px, and with text twice as large where the screen is at home (1.4.4)."""
    await page.set_viewport_size({"width": 320, "height": 640})
    faults = [f"320 px: {it}" for it in await overflow(page)]
    await page.set_viewport_size(large_text_at)
    await page.evaluate("() => document.documentElement.style.fontSize = '200%'")
    faults += [f"200 %: {it}" for it in await overflow(page)]
    await page.evaluate("() => document.documentElement.style.fontSize = ''")
    return faults


FOCUS = """() => {
    const it = document.activeElement;
    if (it === null || it === document.body) return null;
    const seen = window.visited ??= new Set();
    if (seen.has(it)) return null;
    seen.add(it);
    const name = `${it.tagName} ${it.getAttribute("aria-label") ?? it.textContent.trim().slice(0, 40)}`;
    const { left, top, width, height } = it.getBoundingClientRect();
    const at = document.elementFromPoint(left + width / 2, top + height / 2);
    const label = it.closest("label") ?? it;
    const faults = [];
    if (!label.contains(at)) faults.push(`${name}: hidden by ${at?.tagName} ${at?.className}`);
    const isMarked = [it, label].some(each => {
        const { outlineStyle, outlineWidth } = getComputedStyle(each);
        return outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
    });
    if (!isMarked) faults.push(`${name}: has the focus and does not show it`);
    return faults;
}"""


async def lost_focus(page: Page) -> list[str]:
    """Where somebody who goes by Tab would not see where they are (2.4.7, 2.4.11)."""
    await page.evaluate("() => { window.visited = new Set(); document.activeElement?.blur(); scrollTo(0, 0); }")
    faults: list[str] = []
    stops, misses = 0, 0
    # A blur leaves the way where it was: past the end it begins anew, with the browser's own window between.
    while misses < 2:
        await page.keyboard.press("Tab")
        found: list[str] | None = await page.evaluate(FOCUS)
        if found is None:
            misses += 1
        else:
            stops += 1
            faults += found
    return faults if stops else ["nothing is reached by Tab"]
