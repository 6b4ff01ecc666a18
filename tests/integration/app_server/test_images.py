"""Images at hand: read once for a room, bounded in memory, in number, and in how many are worked on."""

from __future__ import annotations

import asyncio

import pytest

from tests.pictures import picture
from tests.scene import new_user, opened_pool
from tiebreak.app_server import images as images_module
from tiebreak.app_server.images import Images
from tiebreak.cache.call_limits import CallLimits
from tiebreak.clock import SystemClock
from tiebreak.database.images import StoredImage
from tiebreak.database.pool import Pool
from tiebreak.errors import Refusal, Refused
from tiebreak.ids import new_id
from tiebreak.quiz.model import ImageId


class Watched(Images):
    """Counts how often it reads."""

    loads = 0

    async def _load(self, image_id: ImageId) -> StoredImage | None:
        self.loads += 1
        return await super()._load(image_id)


def images_of(pool: Pool, *, per_minute: int = 100, most: int = 100) -> Watched:
    limit = CallLimits(None, SystemClock()).limit("images", per_minute)
    return Watched(pool, limit, most_per_user=most)


async def test_a_room_that_asks_at_once_is_one_reading(database_url):
    """And so is everybody who comes later."""
    async with opened_pool(database_url) as pool:
        images = images_of(pool)
        added = await images.add(await new_user(pool), picture())
        assert isinstance(added, StoredImage)
        shown = await asyncio.gather(*(images.of(added.id) for _ in range(300)))
        assert shown == [added] * 300
        assert await images.of(added.id) == added
        assert images.loads == 1


async def test_those_seen_longest_ago_make_room(database_url, monkeypatch: pytest.MonkeyPatch):
    """Memory is bounded by bytes; what was forgotten is read again."""
    async with opened_pool(database_url) as pool:
        images, owner = images_of(pool), await new_user(pool)
        added = [await images.add(owner, picture(size=(60 + at, 40))) for at in range(3)]
        ids = [one.id for one in added if isinstance(one, StoredImage)]
        most = sum(len(one.content) for one in added[:2] if isinstance(one, StoredImage)) + 10
        monkeypatch.setattr(images_module, "AT_HAND_BYTES", most)
        for image_id in (ids[0], ids[1], ids[0], ids[2], ids[0]):
            assert await images.of(image_id)
        assert images.loads == 3
        assert await images.of(ids[1])
        assert images.loads == 4


async def test_an_image_that_is_not_there_is_not_remembered(database_url):
    """Who asks for made-up ids fills nothing."""
    async with opened_pool(database_url) as pool:
        images, nothing = images_of(pool), ImageId(new_id())
        assert (await images.of(nothing), await images.of(nothing)) == (None, None)
        assert images.loads == 2


async def test_an_account_keeps_so_many(database_url):
    """What is one too many is refused; another account has its own."""
    async with opened_pool(database_url) as pool:
        images, owner = images_of(pool, most=2), await new_user(pool)
        outcomes = [await images.add(owner, picture()) for _ in range(3)]
        assert [isinstance(it, StoredImage) for it in outcomes] == [True, True, False]
        assert outcomes[2] is Refusal.IMAGES_TOO_MANY
        assert isinstance(await images.add(await new_user(pool), picture()), StoredImage)


async def test_calls_are_limited_for_each_user(database_url):
    """Before the body is read."""
    async with opened_pool(database_url) as pool:
        images, owner, other = images_of(pool, per_minute=8), await new_user(pool), await new_user(pool)
        for _ in range(8):
            images.count(owner)
        with pytest.raises(Refused):
            images.count(owner)
        images.count(other)


async def test_few_are_worked_on_at_once_and_few_wait(database_url, monkeypatch: pytest.MonkeyPatch):
    """A crowd of uploads takes no more than so much of CPU and memory; what is more is told to come again."""
    async with opened_pool(database_url) as pool:
        images, owner = images_of(pool), await new_user(pool)
        made, at_once, most_at_once = images_module.made_of, 0, 0

        def watched(content: bytes):
            nonlocal at_once, most_at_once
            at_once += 1
            most_at_once = max(most_at_once, at_once)
            try:
                return made(content)
            finally:
                at_once -= 1

        monkeypatch.setattr(images_module, "made_of", watched)
        outcomes = await asyncio.gather(*(images.add(owner, picture(size=(900, 900))) for _ in range(30)))
        assert outcomes.count(Refusal.BUSY) == 30 - images_module.MOST_WAITING
        assert sum(isinstance(it, StoredImage) for it in outcomes) == images_module.MOST_WAITING
        assert most_at_once <= images_module.AT_ONCE
        assert isinstance(await images.add(owner, picture()), StoredImage)
