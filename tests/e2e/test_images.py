"""Images: brought by hosts, named by their quizzes, seen by everybody."""

from __future__ import annotations

import io
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests.client import Caller, Quizmaster
from tests.pictures import bomb, picture

TWO_MB = 2 * 1024 * 1024


async def bring(host: Caller, content: bytes, media_type: str = "image/png") -> httpx.Response:
    return await host.http.post("/images", content=content, headers=host.headers | {"Content-Type": media_type})


def problem(response: httpx.Response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code), response.text


def slide(image_id: str, alt: str = "A red and a blue square") -> dict[str, object]:
    return {"type": "info", "prompt": "Look!", "image": {"image_id": image_id, "alt": alt}}


async def test_an_image_from_its_host_to_its_players(master: Quizmaster) -> None:
    """Stored, named by a question, and shown to anybody who was told its id, for ever the same."""
    host, ann = await master.account(), await master.guest()
    stored = await bring(host, picture("JPEG", (1700, 850)), "image/jpeg")
    assert stored.status_code == 201
    assert (stored.json()["width"], stored.json()["height"]) == (1600, 800)
    image_id = stored.json()["image_id"]
    session, _ = await master.session(host, [slide(image_id)])
    await ann.join(session)
    [question] = (await ann.get(f"/quiz-session/{session}/questions")).json()["questions"]
    assert question["image"] == {"image_id": image_id, "alt": "A red and a blue square"}
    shown = await master.http.get(f"/images/{image_id}")
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "image/webp"
    assert shown.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert Image.open(io.BytesIO(shown.content)).size == (1600, 800)
    assert (await master.http.get(f"/images/{image_id}")).content == shown.content


async def test_what_is_not_taken(master: Quizmaster) -> None:
    """No image, too many bytes, too many pixels; whatever it says that it is."""
    host = await master.account()
    for content in (b"", b"<svg/>", b'{"a":1}', picture("BMP")):
        problem(await bring(host, content), 400, "image_invalid")
    problem(await bring(host, bomb(8_000)), 413, "image_too_large")
    problem(await bring(host, picture() + bytes(TWO_MB)), 413, "image_too_large")
    assert (await bring(host, picture(), "text/html")).status_code == 201
    padded = picture() + bytes(TWO_MB - len(picture()))
    assert (await bring(host, padded)).status_code == 201


async def test_a_body_without_a_length_ends_at_the_limit_too(master: Quizmaster) -> None:
    """It is counted as it comes."""

    async def endless():
        for _ in range(40):
            yield bytes(64 * 1024)

    host = await master.account()
    problem(await bring(host, endless()), 413, "image_too_large")  # type: ignore[arg-type]


async def test_every_other_route_keeps_its_limit(master: Quizmaster) -> None:
    """64 KB: what is large has one way in."""
    host = await master.account()
    for path in ("/quizzes", "/quiz-session"):
        response = await host.post(path, {"title": "x" * 70_000})
        problem(response, 413, "body_too_large")


async def test_who_may_bring_images(master: Quizmaster) -> None:
    """Accounts; guests and strangers may only look."""
    guest = await master.guest()
    problem(await bring(guest, picture()), 403, "account_needed")
    nobody = await master.http.post("/images", content=picture())
    problem(nobody, 401, "token_missing")


@pytest.mark.parametrize("kind", ["unknown", "another's"])
async def test_a_quiz_shows_its_owners_images_only(master: Quizmaster, kind: str) -> None:
    """400, and nothing is stored; for a new quiz and for new content of an old one."""
    host, other = await master.account(), await master.account()
    image_id = str(uuid4()) if kind == "unknown" else (await bring(other, picture())).json()["image_id"]
    body = {"title": "A quiz", "questions": [slide(image_id)]}
    problem(await host.post("/quizzes", body), 400, "image_not_found")
    quiz, _ = await master.quiz(host)
    problem(await host.put(f"/quizzes/{quiz}", body), 400, "image_not_found")
    assert len((await host.get(f"/quizzes/{quiz}")).json()["questions"]) == 4
    own = (await bring(host, picture())).json()["image_id"]
    assert (await host.put(f"/quizzes/{quiz}", {"title": "A quiz", "questions": [slide(own)]})).status_code == 200


async def test_what_is_not_there(master: Quizmaster) -> None:
    """404, and 400 for what is no id."""
    problem(await master.http.get(f"/images/{uuid4()}"), 404, "image_not_found")
    problem(await master.http.get("/images/x"), 400, "not_an_id")
