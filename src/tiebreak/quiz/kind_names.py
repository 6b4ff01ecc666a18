"""Names for players who choose none: a kind word and an animal, in English or German.

Lists of our own: a library's are English only, and not every word in them is one to be called by in front of a class.
"""

from __future__ import annotations

from typing import Literal

Tongue = Literal["en", "de"]


def words(text: str) -> list[str]:
    return text.split()


ADJECTIVES_EN = words(
    """
    Able Agile Bold Brave Breezy Bright Brisk Calm Cheerful Clever Cosy Curious Daring Dazzling Eager Fair Fearless
    Fleet Friendly Funny Gallant Gentle Glad Golden Graceful Grand Happy Hardy Helpful Hopeful Humble Jolly Joyful
    Keen Kind Lively Loyal Lucky Mellow Merry Mighty Modest Nimble Noble Patient Peppy Polite Proud Quick Quiet
    Ready Royal Shiny Silver Smart Snappy Speedy Spry Steady Sunny Swift Tidy Trusty Witty
    """
)
ANIMALS_EN = words(
    """
    Alpaca Antelope Badger Beaver Bison Bumblebee Butterfly Camel Capybara Cheetah Chinchilla Condor Crane Cricket
    Deer Dolphin Dragonfly Eagle Falcon Ferret Finch Firefly Flamingo Fox Gazelle Gecko Giraffe Hamster Hare
    Hedgehog Heron Ibex Iguana Jaguar Kingfisher Koala Ladybird Lemur Leopard Lion Lynx Magpie Marmot Meerkat Mole
    Elk Narwhal Octopus Otter Owl Panda Parrot Pelican Penguin Puffin Quokka Raccoon Robin Seal Squirrel Swan Tiger
    Turtle Wombat
    """
)
# Stems, to which the animal's gender adds its ending.
ADJECTIVES_DE = words(
    """
    Achtsam Aktiv Artig Aufgeweckt Ausdauernd Beherzt Besonnen Charmant Ehrlich Eifrig Emsig Entspannt Fair Findig
    Fleißig Flink Flott Freundlich Froh Fröhlich Furchtlos Geduldig Gelassen Genial Geschickt Gewitzt Gewandt
    Glücklich Golden Großzügig Gutgelaunt Heiter Helfend Herzlich Höflich Hurtig Interessiert Kess Klug Kühn Lebhaft
    Liebenswert Lustig Munter Mutig Nett Neugierig Pfiffig Prächtig Quirlig Rasant Rege Ruhig Sanft Schlau Schnell
    Sonnig Sportlich Strahlend Tapfer Treu Vergnügt Wach Witzig
    """
)
NOUNS_DE = [
    *(
        (noun, "er")
        for noun in words(
            """
            Biber Dachs Delfin Falke Fink Flamingo Frosch Fuchs Gepard Hase Hamster Hirsch Igel Jaguar Käfer Koala
            Kolibri Kranich Löwe Luchs Marder Maulwurf Otter Panda Papagei Pelikan Pinguin Schmetterling Schwan
            Seehund Specht Tiger Tukan Waschbär Wombat
            """
        )
    ),
    *(
        (noun, "e")
        for noun in words(
            """
            Ameise Amsel Antilope Biene Elster Ente Eule Gazelle Giraffe Grille Hummel Lerche Libelle Meise Möwe
            Nachtigall Robbe Schildkröte Schwalbe Taube
            """
        )
    ),
    *(
        (noun, "es")
        for noun in words(
            """
            Alpaka Chamäleon Eichhörnchen Einhorn Erdmännchen Faultier Glühwürmchen Kamel Känguru Lama Murmeltier
            Nilpferd Rentier Rotkehlchen Seepferdchen Zebra
            """
        )
    ),
]
COUNT = {"en": len(ADJECTIVES_EN) * len(ANIMALS_EN), "de": len(ADJECTIVES_DE) * len(NOUNS_DE)}


def tongue_of(language: str) -> Tongue:
    """The language of the names in a session of this one (BCP 47)."""
    return "de" if language.partition("-")[0].lower() == "de" else "en"


def kind_name(tongue: Tongue, draw: int) -> str:
    """The name of a number, which is drawn at random; from COUNT on the same names come again, with a number behind."""
    again, place = divmod(draw, COUNT[tongue])
    if tongue == "en":
        adjective, animal = divmod(place, len(ANIMALS_EN))
        name = f"{ADJECTIVES_EN[adjective]} {ANIMALS_EN[animal]}"
    else:
        adjective, animal = divmod(place, len(NOUNS_DE))
        noun, ending = NOUNS_DE[animal]
        name = f"{with_ending(ADJECTIVES_DE[adjective], ending)} {noun}"
    return f"{name} {again + 1}" if again else name


def with_ending(stem: str, ending: str) -> str:
    return stem[:-1] + ending if stem.endswith("e") else stem + ending
