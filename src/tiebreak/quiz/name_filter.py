"""Names that a class should not read on the wall: glin-profanity's word lists, and what gets past them in a name.

The lists of English and of the session's language. More of them would refuse people's own names: what is rude in one
language is a name in the next (Anita, Mona, Regina). It is a sieve, no judge: the host sees all names and can rename.
"""

from __future__ import annotations

import re
from functools import cache

from glin_profanity import Filter

from tiebreak.quiz.names import plain, without_marks

# By the primary subtag of BCP 47.
LISTS = {
    "ar": "arabic", "cs": "czech", "da": "danish", "de": "german", "en": "english", "es": "spanish", "fa":
    "persian", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian", "it": "italian", "ja": "japanese",
    "ko": "korean", "nb": "norwegian", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ru":
    "russian", "sv": "swedish", "th": "thai", "tr": "turkish", "zh": "chinese",
}  # fmt: skip

# On a list, but people's names, or nothing to be ashamed of on the board of a quiz.
ALLOWED = [
    "adi", "ana", "anita", "asno", "bander", "bimbo", "bitte", "bosser", "butt", "byk", "caca", "cailler",
    "cammello", "cappella", "carciofo", "carita", "carità", "cipa", "comer", "con", "concha", "coon", "del", "duro",
    "escort", "fan", "fava", "finocchio", "gay", "gol", "gott", "griet", "hardcore", "heroina", "heroína", "hoe",
    "hol", "jajko", "johny", "kimme", "knor", "lolita", "lümmel", "lummel", "lumaca", "mama", "manico", "marha",
    "martillo", "matje", "mona", "mufti", "muna", "mutta", "möpse", "negro", "nicht", "olla", "paal", "palla",
    "pano", "pele", "pesce", "peter", "pinto", "pipa", "piru", "pistola", "playboy", "poof", "popel", "quaglia",
    "regina", "rosette", "sås", "satan", "simp", "skeet", "snatch", "suck", "sucks", "swinger", "trio", "tushy",
    "twinkie", "veuve", "xx",
]  # fmt: skip

# On no list of glin-profanity's, in one form or another.
ADDED = ["hitler", "heil hitler", "nazi", "scheisse", "wanker", "wankers", "сука", "пизда", "хуй"]

# Nothing innocent has them in it, so that they are looked for inside of words.
INSIDE = re.compile(
    "fuck|motherf|nigger|faggot|cocksuck|hurens|arschl|wichser|schwuchtel|fotze|schlampe|scheiss|putain|connard"
    "|encul|filsdepute|hijodeputa|mierda|vaffanc|stronz|kurwa|godverd|klootz|orospu|caralh|пизд|блядь"
)
DIGITS = str.maketrans("013457@$!|", "oleastasil")
# A number by itself is one, and no word: Player 455.
NUMBER = re.compile(r"(?<!\w)\d+(?!\w)")
# Where a word begins within another: FuckYou, Fuck123.
SEAM = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-z])(?=[A-Z])|_+")


def is_decent(name: str, language: str) -> bool:
    """Whether a name may be shown in a session of this language (BCP 47).

    Looks through letters of other scripts, digits for letters, and blanks or marks between them.
    """
    read = plain(name)
    if any(INSIDE.search(letters_of(it)) for it in (name, read)):
        return False
    known = lists_of(LISTS.get(language.partition("-")[0].lower(), "english"))
    ways = (NUMBER.sub(" ", it) for it in (name, read, SEAM.sub(" ", read)))
    return not any(known.is_profane(it) for it in dict.fromkeys(ways) if not it.isspace())


def letters_of(text: str) -> str:
    """Without case and without what stands between them, digits read as letters."""
    return "".join(it for it in without_marks(text.casefold()).translate(DIGITS) if it.isalpha())


@cache
def lists_of(language: str) -> Filter:
    """English and this one."""
    return Filter(
        {
            "languages": list({"english": None, language: None}),
            "detect_leetspeak": True,
            "leetspeak_level": "moderate",
            "obfuscation": "standard",
            "custom_words": ADDED,
            "ignore_words": ALLOWED,
        }
    )
