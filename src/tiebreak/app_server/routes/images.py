"""Images: brought by who writes quizzes, shown to whoever was told their id."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.exceptions import ClientException
from msgspec import Meta

from tiebreak.app_server.callers import identity_of
from tiebreak.app_server.images import Images
from tiebreak.app_server.pictures import MEDIA_TYPE
from tiebreak.app_server.routes.path_ids import image_id_of
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.bodies import LARGEST_IMAGE_BYTES, StrictRequest
from tiebreak.http_edge.description import FACTS, Facts
from tiebreak.quiz.model import ImageId

# Not text, as far as JSON Schema is concerned.
Bytes = Annotated[str, Meta(extra_json_schema={"format": "binary"})]
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
# An image's bytes never change under its id. Opened by itself it is an image and nothing else, whatever it holds.
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
}


class ImageStored(msgspec.Struct, frozen=True):
    """An image was stored; its size in pixels."""

    image_id: ImageId
    width: int
    height: int


@post(
    "/images",
    status_code=201,
    request_max_body_size=LARGEST_IMAGE_BYTES,
    opt={
        FACTS: Facts(
            (
                Refusal.IMAGE_INVALID,
                Refusal.IMAGE_TOO_LARGE,
                Refusal.IMAGES_TOO_MANY,
                Refusal.TOO_MANY_TRIES,
                Refusal.BUSY,
            ),
            takes=MEDIA_TYPES,
        )
    },
)
async def add_image(request: StrictRequest, images: Images) -> ImageStored:
    """Store an image: PNG, JPEG, WebP or GIF, up to 2 MB and 24 megapixels, as the body itself.

    It is kept as WebP of at most 1600 × 1600 pixels, of an animation the first picture, without anything beside the
    picture (place, camera, comments). A question shows it by `image: {image_id, alt}`.
    """
    owner_id = identity_of(request).user_id
    images.count(owner_id)
    try:
        content = await request.body()
    except ClientException as error:
        if error.status_code == Refusal.IMAGE_TOO_LARGE.status:
            raise Refused(Refusal.IMAGE_TOO_LARGE) from error
        raise
    added = await images.add(owner_id, content)
    if isinstance(added, Refusal):
        raise Refused(added)
    return ImageStored(added.id, added.width, added.height)


@get("/images/{image_id:str}", opt={FACTS: Facts((Refusal.IMAGE_NOT_FOUND,), media_type=MEDIA_TYPE, content=Bytes)})
async def show_image(image_id: str, images: Images) -> Response[bytes]:
    """An image: public, and the same for ever."""
    image = await images.of(image_id_of(image_id))
    if image is None:
        raise Refused(Refusal.IMAGE_NOT_FOUND)
    return Response(image.content, media_type=image.media_type, headers=HEADERS)
