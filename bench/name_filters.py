"""How filters for names compare (docs/decisions/0031). Those that are not ours have to be there:

.tools/uv/bin/uv run --with badwords-py==3.0.0 --with better-profanity==0.7.0 python -m bench.name_filters
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import import_module

from glin_profanity import Filter

from tiebreak.quiz.name_filter import is_decent


def words(text: str, *more: str) -> list[str]:
    return [*text.split(), *more]


RUDE = words(
    """
    fuck fuuuck f.u.c.k fսck fυck ｆｕｃｋ 𝖋𝖚𝖈𝖐 f*ck phuck sh1t $hit b1tch bitch 4ss a55hole asshole cunt n1gger nigger
    faggot wanker Hurensohn hur3nsohn Fotze F0tze arschloch 4rschl0ch scheiße Scheisse Wichser Schlampe putain merde
    connard encule puta mierda cabron cazzo vaffanculo stronzo kurwa сука блядь хуй пизда piç orospu caralho foda-se
    kut godverdomme vittu fuckface fuckyou xXfuckXx Fuck123 motherfucker MotherFucker69 fück fùck f\u200buck
    fu\xadck пи3да Hitler nazi ｆｕｃｋ
    """,
    "Fuck you",
    "hijo de puta",
    "big dick",
    "f u c k",
    "Fuck you",
    "hijo de puta",
    "dumb ass",
    "I am a cunt",
    "du Hurensohn",
    "son of a bitch",
)
FINE = words(
    """
    Scunthorpe Penistone Cockburn Hancock Hitchcock Dickens Cassandra Bassam Essex Sussex Middlesex Titus Analisa
    Shital Dikshit Wang Kuntz Fuchs Phuc Cumberland Dickinson Asseline Arsenal Shitake Matsushita Ann Bob Peter
    Müller Mohammed José François Łukasz Zoë Anne-Marie O'Brien Иван Мария 李雷 田中 Özgür Şükrü Çetin Hussein Fatima
    Aisha Grass Class Bass Assassin Assistant Button Butler Night Waschbär Esel Igel Lümmel Negro Montenegro Nigeria
    Niger Nigel Fanny Randy Dick Gay Gaylord Bich Hoa Thi Ho Dong Kok Anus Annus Rapeseed Raper Sexton Swankers
    Scatman Spice Coon Raccoon Tycoon Cocker Peacock Hoe Semenov Semen Pissarro Putin Putnam Computer Reputation
    Pussycat Titan Titanic Constitution Mist Deich Hölle Gott Lolita Bimba Kimmel Kimmy Simple Simp Hardcore Poof
    Wanka Willy Johnson Roger Pute Kanakis Kiki Paki Pakistan Spaki Bosch Kackert Hurrikan Hurz Fickert Ficker Kevin
    Chantal Muffin Twinkie Tushar Tushy Sukie Nacktmull Poppins Popel Wurst Rosette Rosetta Mufti Carmen Ana Anal
    Culo Curaçao Concha Pollo Polla Paja Cipriano Cipa
    """,
    "Moby Dick",
    "Philip K. Dick",
    "Dick Smith",
    "Super Mario",
    "Team 5",
    "Player 1",
    "Blue Whale",
    "A. S. Schmidt",
    "Bass Player",
    "The Great Tit",
    "Blue Tit",
    "Mr. Hancock",
    "Die Mäuse",
    "Käse Fuchs",
    "Ass of Spades",
    "Anna Lisa",
    "Tim S.",
    "Fu Cheng",
    "I. Ball",
    "Mass Effect",
    "Pen Is Mighty",
    "Sam is hot",
    "Who re you",
)


def filters() -> Iterator[tuple[str, Callable[[str], bool]]]:
    """Each at its best setting: whether it refuses a name."""
    for language in ("en", "de"):
        yield f"ours, {language}", lambda name, language=language: not is_decent(name, language)
    glin = Filter({"languages": ["english", "german"], "detect_leetspeak": True, "obfuscation": "standard"})
    yield "glin-profanity, en and de", glin.is_profane
    badwords = import_module("badwords")
    rust = badwords.ProfanityFilter()
    rust.init(languages=["en", "de"])
    options = badwords.Options(split_on_punctuation=True, collapse_repeats=True, leetspeak=True)
    yield "badwords-py, en and de", lambda name: rust.is_profane(name, options)
    better = import_module("better_profanity").profanity
    better.load_censor_words()
    yield "better-profanity", better.contains_profanity


def main() -> None:
    print(f"{len(RUDE)} rude names, {len(FINE)} others")
    for name, refuses in filters():
        refuses("Ann")
        started = time.perf_counter()
        missed = [it for it in RUDE if not refuses(it)]
        refused = [it for it in FINE if refuses(it)]
        us = (time.perf_counter() - started) / len(RUDE + FINE) * 1e6
        print(f"{name}: {len(missed)} missed, {len(refused)} of the others refused, {us:.0f} µs each")
        print(f"  missed: {' · '.join(missed)}\n  refused: {' · '.join(refused)}")


if __name__ == "__main__":
    main()
