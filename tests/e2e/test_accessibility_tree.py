"""What a screen reader is told, state by state: names, roles, order, and nothing that is only drawn."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e import screens
from tests.e2e.visit import Visit

TREES = {
    screens.home: """
        - banner:
          - link "Tiebreak, home page"
        - main:
          - heading "Join the quiz" [level=1]
          - text: Game PIN
          - textbox "Game PIN"
          - paragraph: 6 digits, on the host’s screen
          - button "Join"
        - contentinfo:
          - link "Host a quiz"
          - button "Settings"
        """,
    screens.joining_without_a_name: """
        - main:
          - heading "A quiz" [level=1]
          - text: Your name
          - textbox "Your name" [invalid]
          - paragraph: This is what everyone sees on the board.
          - alert: Enter a name, so that the others know who you are.
          - button "Join"
        """,
    screens.settings: """
        - dialog "Settings":
          - heading "Settings" [level=2]
          - group "Language":
            - radio "Automatic" [checked]
            - radio "English"
            - radio "Deutsch"
          - group "Look":
            - radio "As designed" [checked]
            - radio "Dark"
            - radio "Light"
          - group "Contrast"
          - group "Motion"
          - group "Sound":
            - radio "Off" [checked]
            - radio "On"
          - paragraph
          - button "Done"
        """,
    screens.asking(screens.CHOICE): """
        - banner
        - main:
          - heading "Which is a fruit?" [level=1]
          - timer: /seconds left/
          - group "Choose one answer":
            - button "A stone"
            - button "B pear"
            - button "C chair"
          - status
        - contentinfo "Your standing"
        """,
    screens.nothing_chosen: """
        - main:
          - heading "Which are even?" [level=1]
          - group "Choose all that are right":
            - checkbox "A 1"
            - checkbox "B 2"
            - checkbox "C 3"
            - checkbox "D 4"
          - alert: Choose at least one answer first.
          - button "Send answer"
        """,
    screens.wrong: """
        - main:
          - status:
            - heading "Not this time" [level=1]
            - paragraph: No points for this one
          - group "Your answer and the right one": /A stone Your answer, wrong B pear Right answer C chair/
          - button "See my result"
        """,
    screens.all_answered: """
        - main:
          - heading "All answered" [level=1]
          - list "Leaderboard":
            - listitem: 1 Ann 450
            - listitem
            - listitem
            - listitem: 4 Dana 100
            - listitem: 5 Eve You 0
        """,
    screens.registering_with_faults: """
        - main:
          - form "Create account":
            - tablist "Log in or create an account":
              - tab "Log in"
              - tab "Create account" [selected]
            - tabpanel "Create account":
              - textbox "Your name" [invalid]
              - alert: Enter your name.
              - textbox "E-mail" [invalid]
              - alert: Enter your e-mail address.
              - textbox "Password" [invalid]
              - alert: A password has 8 to 128 characters.
              - button "Create account"
        """,
    screens.desk: """
        - main:
          - heading "Running now" [level=2]
          - list:
            - listitem:
              - heading "A quiz" [level=3]
              - link "Go on with A quiz"
          - heading "Your quizzes" [level=1]
          - link "New quiz"
          - list:
            - listitem:
              - heading "A quiz" [level=2]
              - button "Delete A quiz"
              - link "Edit A quiz"
              - button "Start A quiz"
            - listitem
          - heading "Finished" [level=2]
          - list:
            - listitem:
              - link "Result of A quiz"
        """,
    screens.finishing: """
        - dialog "Finish the quiz?":
          - heading "Finish the quiz?" [level=2]
          - paragraph: No more answers are taken, and the standing becomes final.
          - button "Keep playing"
          - button "Finish quiz"
        """,
    screens.stage: """
        - main:
          - heading "A quiz" [level=1]
          - navigation:
            - link "All quizzes"
            - button "Settings"
          - paragraph:
            - text: Join at
            - link
          - paragraph: /PIN(\\s\\d){6}/
          - img "QR code of the link to join"
          - list "Leaderboard":
            - listitem: 1 Ann 450
            - listitem: /2 .* 300/
            - listitem: /Cem 300/
            - listitem: 4 Dana 100
            - listitem: 5 Eve 0
          - paragraph: 5 players
          - paragraph: 20 answers counted
          - button "Finish quiz"
        """,
}


@pytest.mark.parametrize("show", TREES, ids=lambda show: show.__name__)
async def test_tree(visit: Visit, show) -> None:
    """As it is read out."""
    page = await show(visit)
    await expect(page.locator("body")).to_match_aria_snapshot(TREES[show])
