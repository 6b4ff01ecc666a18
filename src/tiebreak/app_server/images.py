"""Images: taken from hosts a few at a time, and at hand for a room that asks for one all at once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial

from tiebreak.app_server.pictures import made_of
from tiebreak.cache.call_limits import CallLimit
from tiebreak.database.images import StoredImage, add_image, load_image
from tiebreak.database.pool import Pool
from tiebreak.errors import Refusal
from tiebreak.quiz.model import ImageId, UserId
from tiebreak.single_flight import SingleFlight

# Each of them a thread, a CPU and up to 200 MB.
AT_ONCE = 2
MOST_WAITING = 20
AT_HAND_BYTES = 64 * 1024 * 1024


class Images:
    """All images. One never changes, so those read last are kept, up to so many bytes."""

    def __init__(self, pool: Pool, limit: CallLimit, *, most_per_user: int) -> None:
        """`limit` is each user's, of images brought; `most_per_user` of images kept."""
        self._pool = pool
        self._limit = limit
        self._most_per_user = most_per_user
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._at_hand: OrderedDict[ImageId, StoredImage] = OrderedDict()
        self._at_hand_bytes = 0
        self._loads = SingleFlight[ImageId, StoredImage | None]()

    def count(self, user_id: UserId) -> None:
        """Count an image that is about to be sent. Raises Refused if it is one too many."""
        self._limit.count(user_id.int)

    async def add(self, owner_id: UserId, content: bytes) -> StoredImage | Refusal:
        """Keep an image, made into our own form of it, or say why not. A retry keeps it twice."""
        if self._waiting >= MOST_WAITING:
            return Refusal.BUSY
        self._waiting += 1
        try:
            async with self._turns:
                picture = await asyncio.to_thread(made_of, content)
        finally:
            self._waiting -= 1
        if isinstance(picture, Refusal):
            return picture
        added = await add_image(self._pool, owner_id, picture, most=self._most_per_user)
        return added or Refusal.IMAGES_TOO_MANY

    async def of(self, image_id: ImageId) -> StoredImage | None:
        """The image; None if there is no such one. Asked for by many at once, it is read once."""
        image = self._at_hand.get(image_id)
        if image is not None:
            self._at_hand.move_to_end(image_id)
            return image
        return await self._loads.do(image_id, partial(self._load, image_id))

    async def _load(self, image_id: ImageId) -> StoredImage | None:
        image = await load_image(self._pool, image_id)
        if image is not None:
            self._at_hand[image_id] = image
            self._at_hand_bytes += len(image.content)
            while self._at_hand_bytes > AT_HAND_BYTES:
                _, forgotten = self._at_hand.popitem(last=False)
                self._at_hand_bytes -= len(forgotten.content)
        return image
