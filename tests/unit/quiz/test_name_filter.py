"""Which names a class does not read on the wall."""

import pytest

from tiebreak.quiz.name_filter import is_decent


def words(text: str) -> list[str]:
    return text.split()


RUDE = [
    *words(
        """
        fuck FuckYou Fuck123 xXfuckXx fuuuck f.u.c.k f_u_c_k fսck fυck ｆｕｃｋ 𝖋𝖚𝖈𝖐 fück f*ck sh1t $hit b1tch 4ss
        a55hole asshole cunt n1gger faggot wanker Hurensohn hur3nsohn F0tze 4rschl0ch Arschloch scheiße Wichser
        MotherFucker69 f\u200buck \u0441unt Hitler пиздец
        """
    ),
    "f u c k",
    "dumb ass",
    "du Hurensohn",
    "H U R E N S O H N",
    "I am a cunt",
]
# Scunthorpe's like: places and surnames with words in them, given names of many languages, ordinary words.
FINE = [
    *words(
        """
        Scunthorpe Penistone Cockburn Hancock Hitchcock Dickens Dickinson Cassandra Bassam Essex Sussex Middlesex
        Titus Shital Dikshit Wang Kuntz Fuchs Phuc Cumberland Arsenal Matsushita Assmann Ann Bob Peter Müller
        Mohammed José François Łukasz Zoë Anne-Marie O'Brien Иван Мария 李雷 田中 Özgür Şükrü Çetin Hussein Fatima Grass
        Class Bass Assassin Button Butler Waschbär Esel Igel Montenegro Nigeria Nigel Fanny Randy Gay Gaylord Bich
        Rapeseed Sexton Raccoon Tycoon Peacock Semenov Pissarro Titanic Constitution Lolita Kimmel Regina Anita Mona
        Concha Griet Pakistan Hurrikan Fickert Ficker Bosch Poppins Wurst Rosette Ana Curaçao Saskia Analisa Niggli
        Nutter Player1 Team5
        """
    ),
    *(f"Player {number}" for number in range(1_000)),
    "Philip K. Dick",
    "Moby Dick",
    "The Great Tit",
    "Mr. Hancock",
    "Mass Effect",
    "Anna Lisa",
    "A. S. Schmidt",
]


@pytest.mark.parametrize("language", ["en", "de", "de-AT"])
def test_rude_names_are_refused(language):
    """Through digits for letters, letters of other scripts, blanks and dots between them, and what does not show."""
    assert [name for name in RUDE if is_decent(name, language)] == []


@pytest.mark.parametrize("language", ["en", "de", "x-unknown"])
def test_peoples_names_are_not(language):
    """A filter that refuses somebody's own name is worse than none."""
    assert [name for name in FINE if not is_decent(name, language)] == []


def test_a_sessions_language_has_its_own_words():
    """What is rude in one is a name in the next."""
    assert not is_decent("merde", "fr")
    assert not is_decent("cabrón", "es-MX")
    assert is_decent("Anita", "nl")
    assert is_decent("Regina", "it")
