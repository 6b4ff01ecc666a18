"""When two names in a live session are the same to those who read them on a screen.

After UTS 39 (Unicode Security Mechanisms): the skeleton of a name, without marks and without case. Names that one could
take for each other have one key; the price is that a few that differ for a careful reader (Ali and All) have one, too.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files

# They show nothing, though Unicode does not call all of them format characters: fillers, joiners, selectors, a braille.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufff9\ufffa\ufffb") | frozenset(
    map(chr, [*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)
# Japanese voicing marks: か and が are two letters.
KEPT_MARKS = frozenset("\u3099\u309a")


def name_key(name: str) -> str:
    """What must be unique among a live session's names; "" if the name shows nothing at all.

    Not for display, and not to be compared with keys of another version of confusables.txt.
    """
    bare = without_marks(name)
    # Capitals first, for it is they that look like others' (Cyrillic В like B). A name that does not come out Latin by
    # that is of another script, in which В and в are one letter.
    latin = folded(skeleton(bare))
    key = folded(skeleton(latin if latin.isascii() else folded(bare)))
    # A capital I is an l in many a typeface, and case does not count: so all three are one.
    return " ".join(key.replace("i", "l").split())


def plain(name: str) -> str:
    """The name in the letters that it can be read as, Latin ones where they are only imitated; case as it is."""
    bare = without_marks(name)
    return "".join(it if it.isascii() else prototypes().get(it, it) for it in bare)


def folded(text: str) -> str:
    """Without case."""
    return without_marks(unicodedata.normalize("NFKC", text.casefold()).casefold())


def skeleton(text: str) -> str:
    """Each character as the one it looks like."""
    return without_marks("".join(prototypes().get(it, it) for it in text))


def without_marks(text: str) -> str:
    """In compatibility characters, without what is put onto others and what does not show.

    Marks that are letters of their own, as India's vowel signs, have the combining class 0 and stay.
    """
    parts = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    return "".join(it for it in parts if it in KEPT_MARKS or not is_dropped(it))


def is_dropped(character: str) -> bool:
    return (
        unicodedata.combining(character) != 0
        or unicodedata.category(character) in {"Me", "Cf", "Cc"}
        or character in INVISIBLE
    )


@cache
def prototypes() -> dict[str, str]:
    """confusables.txt: what each character looks like."""
    lines = files("tiebreak.quiz").joinpath("confusables.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(";") for line in lines if not line.startswith("#"))
    return {chr(int(source, 16)): "".join(chr(int(it, 16)) for it in target.split()) for source, target in pairs}
