"""Images beside questions. One never changes and is never removed: a session under way may show it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec

from tiebreak.database.pool import Pool
from tiebreak.database.queries import sql
from tiebreak.ids import new_id
from tiebreak.quiz.model import ImageId, UserId


class Drawn(Protocol):
    """What is kept of a picture."""

    @property
    def media_type(self) -> str: ...
    @property
    def content(self) -> bytes: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


class StoredImage(msgspec.Struct, frozen=True, gc=False):
    """An image with its id; sizes in pixels."""

    id: ImageId
    media_type: str
    width: int
    height: int
    content: bytes


async def add_image(pool: Pool, owner_id: UserId, picture: Drawn, *, most: int) -> StoredImage | None:
    """Keep a picture; None if the owner has so many already (a few more may pass that are added at once)."""
    image = StoredImage(ImageId(new_id()), picture.media_type, picture.width, picture.height, picture.content)
    added = await pool.fetchval(
        sql("insert_image"), image.id, owner_id, image.media_type, image.width, image.height, image.content, most
    )
    return image if added is not None else None


async def load_image(pool: Pool, image_id: ImageId) -> StoredImage | None:
    """An image with its bytes."""
    row = await pool.fetchrow(sql("image"), image_id)
    return StoredImage(image_id, row["media_type"], row["width"], row["height"], row["bytes"]) if row else None


async def missing_images(pool: Pool, owner_id: UserId, image_ids: Collection[ImageId]) -> list[ImageId]:
    """Those that are not there, or another's."""
    if not image_ids:
        return []
    rows = await pool.fetch(sql("images_of_owner"), owner_id, list(image_ids))
    found = {row["id"] for row in rows}
    return [image_id for image_id in image_ids if image_id not in found]
