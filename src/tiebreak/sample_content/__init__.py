"""Three quizzes and a demo host, so that a new installation has something to play: two of words, one of all types.

Written through the public interface, as any client would: it works against one machine and behind a gateway.
"""

from __future__ import annotations

import secrets
from importlib.resources import files
from typing import Any

import httpx
import msgspec

from tiebreak.errors import Fault

QUIZZES = ("everyday_english.json", "precise_words.json", "live_tour.json")
FILES = files("tiebreak.sample_content")
HOST_NAME = "Demo host"
HOST_EMAIL = "host@tiebreak.example"


class SeedFailed(Fault):
    """The sample content could not be stored; the message says what the server answered."""

    code = "seed_failed"


class Seeded(msgspec.Struct, frozen=True):
    """What was there to do: titles of the quizzes added now."""

    added: list[str]


def new_password() -> str:
    """A password for the demo host: nobody else's installation has it."""
    return secrets.token_urlsafe(9)


async def seed(base_url: str, *, email: str, password: str) -> Seeded:
    """Make sure that the demo host exists and has the sample quizzes.

    May be repeated, also after a run that was cut off: only what is missing is added. Raises SeedFailed.
    """
    async with httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as client:
        try:
            response = await client.post(
                "/auth/register", json={"email": email, "password": password, "name": HOST_NAME}
            )
            if response.status_code == 409:
                response = await client.post("/auth/login", json={"email": email, "password": password})
            response.raise_for_status()
            client.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
            listed = (await client.get("/quizzes")).raise_for_status().json()
            present = {quiz["title"] for quiz in listed["quizzes"]}
            added: list[str] = []
            for name in QUIZZES:
                quiz = msgspec.json.decode(FILES.joinpath(name).read_bytes())
                if quiz["title"] not in present:
                    await bring_images(client, quiz)
                    (await client.post("/quizzes", json=quiz)).raise_for_status()
                    added.append(quiz["title"])
            return Seeded(added)
        except httpx.HTTPStatusError as error:
            raise SeedFailed(f"The sample content could not be stored: {error.response.text}") from error
        except httpx.HTTPError as error:
            raise SeedFailed(f"The sample content could not be stored: {base_url} does not answer.") from error


async def bring_images(client: httpx.AsyncClient, quiz: dict[str, Any]) -> None:
    """Store the images that the quiz names by their files here, and name them by their ids."""
    for image in (question["image"] for question in quiz["questions"] if "image" in question):
        content = FILES.joinpath(image.pop("file")).read_bytes()
        stored = (
            await client.post("/images", content=content, headers={"Content-Type": "image/png"})
        ).raise_for_status()
        image["image_id"] = stored.json()["image_id"]
