"""An image as it came, made into the one that is kept: WebP of a bounded size, and nothing in it but the picture.

What comes may be anything that somebody made to break a decoder. Four decoders are let near it, by what it holds and
not by what it says it is; how large it would become is looked at before it does; and it never leaves as it came.
"""

from __future__ import annotations

import io
import warnings

import msgspec
from PIL import Image, ImageOps

from tiebreak.errors import Refusal

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MEDIA_TYPE = "image/webp"
LONGEST_SIDE = 1_600
# 96 MB while it is decoded. A photograph of more is made smaller by our own page before it is sent.
MOST_PIXELS = 24_000_000
QUALITY = 82

# An image of too many pixels is refused by ourselves, in words; Pillow's warning would go to nobody.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


class Picture(msgspec.Struct, frozen=True, gc=False):
    """An image that is kept."""

    content: bytes
    width: int
    height: int
    media_type: str = MEDIA_TYPE


def made_of(content: bytes) -> Picture | Refusal:
    """The picture in a PNG, JPEG, WebP or GIF (of an animation, the first one). Takes up to a second of a CPU.

    Turned as its EXIF says; that, and all else that was beside the picture, is gone: place, camera, comments.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return Refusal.IMAGE_TOO_LARGE
            # JPEG can be decoded at a half, a quarter or an eighth: no smaller than is asked for.
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            turned = ImageOps.exif_transpose(opened)
            shown = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
            shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            shown.info.clear()
            written = io.BytesIO()
            shown.save(written, "WEBP", quality=QUALITY, method=4)
    except Image.DecompressionBombError:
        return Refusal.IMAGE_TOO_LARGE
    except Exception:
        return Refusal.IMAGE_INVALID
    return Picture(written.getvalue(), shown.width, shown.height)
