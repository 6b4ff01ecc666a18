"""Names for players who choose none."""

import pytest

from tiebreak.quiz.kind_names import ADJECTIVES_DE, ADJECTIVES_EN, ANIMALS_EN, COUNT, NOUNS_DE, kind_name, tongue_of
from tiebreak.quiz.model import MAX_NAME
from tiebreak.quiz.name_filter import is_decent
from tiebreak.quiz.names import name_key


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_every_number_has_a_name_of_its_own(tongue):
    """Thousands of them, short enough, and no two of one key."""
    names = [kind_name(tongue, draw) for draw in range(COUNT[tongue])]
    assert COUNT[tongue] > 4_000
    assert max(map(len, names)) <= MAX_NAME - 3
    assert len({name_key(name) for name in names}) == len(names)


def test_no_part_of_a_name_is_one_that_the_filter_refuses():
    """In both languages, alone and in company."""
    words = {*ADJECTIVES_EN, *ANIMALS_EN, *ADJECTIVES_DE, *(noun for noun, _ in NOUNS_DE)}
    assert [word for word in words for language in ("en", "de") if not is_decent(word, language)] == []
    sample = [kind_name("en", draw) for draw in range(0, COUNT["en"], 41)]
    assert [name for name in sample if not is_decent(name, "en")] == []


def test_german_adjectives_agree_with_their_animals():
    """In German they have a gender to agree with."""
    names = {kind_name("de", draw) for draw in range(COUNT["de"])}
    assert {"Flinker Otter", "Flinke Eule", "Flinkes Zebra", "Reger Biber", "Rege Ente"} <= names


def test_beyond_the_last_name_they_come_again_with_a_number():
    """However many players there are."""
    assert kind_name("en", COUNT["en"]) == f"{kind_name('en', 0)} 2"


def test_languages_without_names_of_their_own_get_english_ones():
    """Only the first part of the tag counts."""
    assert [tongue_of(it) for it in ("de", "de-AT", "DE", "en", "fr", "den")] == ["de", "de", "de", "en", "en", "en"]
