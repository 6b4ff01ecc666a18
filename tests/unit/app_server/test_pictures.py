"""What comes as an image is made into ours, or refused; nothing passes as it was."""

from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image

from tests.pictures import BLUE, RED, bomb, noise, picture
from tiebreak.app_server.pictures import LONGEST_SIDE, MOST_PIXELS, Picture, made_of
from tiebreak.errors import Refusal

SECRET = b"48.8584N 2.2945E, of Ms. Host's telephone"


def opened(content: bytes) -> Image.Image:
    made = made_of(content)
    assert isinstance(made, Picture)
    image = Image.open(io.BytesIO(made.content))
    assert (image.format, image.size) == ("WEBP", (made.width, made.height))
    return image


def is_near(image: Image.Image, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    found = image.convert("RGB").getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(one - other) < 30 for one, other in zip(found, colour, strict=True))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_an_image_becomes_webp(form):
    """Of its own size and colours."""
    image = opened(picture(form))
    assert image.size == (60, 40)
    assert is_near(image, (10, 20), RED)
    assert is_near(image, (50, 20), BLUE)


@pytest.mark.parametrize(("size", "expected"), [((3200, 800), (1600, 400)), ((500, 2000), (400, 1600))])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_large_one_becomes_smaller(form, size, expected):
    """Its longer side to 1600 pixels, and its shape stays."""
    assert opened(picture(form, size)).size == expected


def test_of_an_animation_the_first_picture_is_kept():
    """Nothing on the projector moves but what we move."""
    others = [Image.new("RGB", (60, 40), BLUE)]
    image = opened(picture("GIF", save_all=True, append_images=others, duration=100))
    assert not getattr(image, "is_animated", False)
    assert is_near(image, (10, 20), RED)


def test_what_is_seen_through_stays_so():
    """A drawing on a transparent ground fits every theme."""
    written = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(written, "PNG")
    assert opened(written.getvalue()).mode == "RGBA"


def test_a_photograph_is_turned_and_loses_what_it_knows():
    """Place, camera, comment and preview are gone; what the camera said of its orientation is done."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = SECRET.decode()
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    content = picture("JPEG", exif=exif, comment=SECRET)
    assert SECRET in content
    made = made_of(content)
    assert isinstance(made, Picture)
    assert (made.width, made.height) == (40, 60)
    assert SECRET not in made.content
    assert b"EXIF" not in made.content
    assert b"XMP" not in made.content
    assert not Image.open(io.BytesIO(made.content)).getexif()


def test_no_byte_of_a_file_in_disguise_is_kept():
    """A page hidden behind an image's end, or in its text, is not there any more."""
    page = b"<script>alert(document.domain)</script>"
    for content in (picture("GIF") + page, picture("PNG") + page, picture("JPEG", comment=page)):
        made = made_of(content)
        assert isinstance(made, Picture)
        assert b"script" not in made.content


def test_a_bomb_is_not_set_off():
    """Megapixels are counted before there is memory for them, however few bytes they come in."""
    side = int(MOST_PIXELS**0.5) // 8 * 8
    assert len(bomb(side)) < 64 * 1024
    assert isinstance(made_of(bomb(side)), Picture)
    assert made_of(bomb(side + 8)) is Refusal.IMAGE_TOO_LARGE
    assert made_of(bomb(50_000)) is Refusal.IMAGE_TOO_LARGE


@pytest.mark.parametrize("form", ["BMP", "TIFF", "PPM", "TGA", "ICO", "PCX", "DDS", "PDF"])
def test_other_decoders_are_let_near_nothing(form):
    """Four are enough, and each one more is one that somebody will break."""
    assert made_of(picture(form, (32, 32))) is Refusal.IMAGE_INVALID


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a",
        b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        b"\xff\xd8\xff\xe0" + bytes(100),
        b'{"image": 1}',
        zlib.compress(bytes(10_000)),
    ],
)
def test_what_is_no_image_is_refused(content):
    """Whatever a decoder says of it."""
    assert made_of(content) is Refusal.IMAGE_INVALID


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_broken_image_is_refused_or_read_as_far_as_it_goes(form):
    """Cut off or damaged at any place, it breaks nothing."""
    whole = picture(form)
    for at in range(0, len(whole), 7):
        for broken in (whole[:at], whole[:at] + b"\x00\xff" + whole[at + 2 :]):
            assert isinstance(made_of(broken), Picture) or made_of(broken) in {
                Refusal.IMAGE_INVALID,
                Refusal.IMAGE_TOO_LARGE,
            }


def test_what_is_kept_is_bounded():
    """The least compressible image there is comes out below 2 MB."""
    made = made_of(noise((LONGEST_SIDE, LONGEST_SIDE)))
    assert isinstance(made, Picture)
    assert len(made.content) < 2 * 1024 * 1024
