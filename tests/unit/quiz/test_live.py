"""The live game's state machine: what each command does in each phase, as docs/live.md has it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiebreak.errors import Refusal
from tiebreak.quiz.live import (
    COUNTDOWN_MS,
    DEFAULT_LIMIT_MS,
    PAUSED_MS,
    SETTLE_MS,
    Beat,
    Command,
    CommandName,
    Game,
    Phase,
    move_on,
    obey,
)

PAGE = Path(__file__).parents[3] / "docs" / "live.md"
ASK, POLL, SLIDE = Beat(10_000, True, True), Beat(None, True, False), Beat(5_000, False, False)
SCRIPT = [ASK, POLL, SLIDE, ASK, ASK]
NAMES: tuple[CommandName, ...] = get_args(CommandName)


def after(game: Game, *names: CommandName, at: int = 1_000, script: list[Beat] = SCRIPT) -> Game:
    for name in names:
        game = obeyed(game, name, at=at, script=script)
    return game


def obeyed(game: Game, name: CommandName, *, at: int = 1_000, script: list[Beat] = SCRIPT) -> Game:
    result = obey(game, Command(name), script, at)
    assert isinstance(result, Game), f"{name} in {game.phase}"
    return result


def moved(game: Game, at: int) -> Game:
    result = move_on(game, SCRIPT, at)
    assert result is not None
    return result


def examples() -> dict[str, Game]:
    """A game in each phase, by the words of the page."""
    countdown = after(Game(), "start")
    question = moved(countdown, 1_000 + COUNTDOWN_MS)
    reveal = after(question, "close")
    board = after(reveal, "next")
    slide = Game(step=9, phase="question", question=2)
    return {
        "lobby": Game(),
        "countdown": countdown,
        "question": question,
        "question, paused": after(question, "pause"),
        "slide": slide,
        "reveal": reveal,
        "board": board,
        "podium": after(question, "end"),
        "finished": after(question, "end", "next"),
    }


def word(before: Game, result: Game | Refusal) -> str:
    """What the page says of a command's effect."""
    if isinstance(result, Refusal):
        return "–"
    if result.phase == before.phase and result.question == before.question:
        return "same"
    return result.phase


def test_the_page_has_the_table():
    """Every cell of the table in docs/live.md is what the code does, and no cell is missing."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    table = {
        cells[0]: cells[1:] for cells in ([cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines)
    }
    games = examples()
    for name in NAMES:
        expected = [word(game, obey(game, Command(name), SCRIPT, 5_000)) for game in games.values()]
        assert table[name] == expected, f"{name}: {expected}"
    assert {game.phase for game in games.values()} == set(get_args(Phase))


def test_the_page_has_the_diagram():
    """Every arrow of the diagram is a way the code takes, and every way it takes is an arrow."""
    drawn = set(re.findall(r"^ +(\w+) --> (\w+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    taken: set[tuple[str, str]] = set()
    for script in (SCRIPT, [SLIDE, POLL, ASK, SLIDE, ASK]):
        seen: set[tuple[object, ...]] = set()
        todo = [Game(), Game(auto_advance=True)]
        while todo:
            game = todo.pop()
            results = [obey(game, Command(name), script, 50_000) for name in NAMES]
            results += [move_on(game, script, 10**9)]
            for result in results:
                if not isinstance(result, Game):
                    continue
                if (game.phase, game.question) != (result.phase, result.question):
                    taken.add((game.phase, result.phase))
                key = (result.phase, result.question, result.paused_at_ms is None, result.auto_advance, result.locked)
                if key not in seen:
                    seen.add(key)
                    todo.append(result)
    assert drawn == taken


def test_a_whole_game():
    """Questions with points have a board after them, but the last; a poll has none, a slide not even a reveal."""
    game = after(Game(), "start")
    phases: list[tuple[str, int | None]] = []
    now = 1_000
    while game.phase != "podium":
        phases.append((game.phase, game.question))
        if game.due_at_ms is not None:
            now = game.due_at_ms
            game = moved(game, now)
        else:
            game = obeyed(game, "next", at=now)
    assert phases == [
        *[("countdown", 0), ("question", 0), ("reveal", 0), ("board", 0)],
        *[("countdown", 1), ("question", 1), ("reveal", 1)],
        ("question", 2),
        *[("countdown", 3), ("question", 3), ("reveal", 3), ("board", 3)],
        *[("countdown", 4), ("question", 4), ("reveal", 4)],
    ]


def test_goes_on_by_itself():
    """With auto-advance nobody has to do anything until the podium."""
    game = after(Game(auto_advance=True), "start")
    while game.due_at_ms is not None:
        game = moved(game, game.due_at_ms)
    assert game.phase == "podium"


def test_windows():
    """A question takes answers from its opening for its time; none while it is paused; later by as long as it was."""
    question = moved(after(Game(), "start"), 4_000)
    assert question.window
    assert (question.window.opens_at_ms, question.window.closes_at_ms) == (4_000, 14_000)
    assert question.due_at_ms == 14_000 + SETTLE_MS
    paused = obeyed(question, "pause", at=6_000)
    assert paused.window
    assert paused.window.opens_at_ms == 4_000 + PAUSED_MS
    assert move_on(paused, SCRIPT, 10**12) is None
    longer = obeyed(paused, "add_time", at=7_000)
    resumed = obeyed(longer, "resume", at=9_000)
    assert resumed.window
    assert (resumed.window.opens_at_ms, resumed.window.closes_at_ms) == (7_000, 27_000)
    assert resumed.due_at_ms == 27_000 + SETTLE_MS


def test_extra_time():
    """The room waits for whoever has the longest extra time."""
    [countdown] = [after(Game(), "start")]
    question = move_on(countdown, SCRIPT, 4_000, extra_percent=50)
    assert question
    assert question.window
    assert question.window.closes_at_ms == 14_000
    assert question.due_at_ms == 4_000 + 15_000 + SETTLE_MS


def test_extra_time_that_is_given_during_a_question():
    """It counts for that question: the room waits for whoever has it."""
    question = moved(after(Game(), "start"), 4_000)
    assert question.due_at_ms == 14_000 + SETTLE_MS
    longer = move_on(question, SCRIPT, 14_000 + SETTLE_MS, extra_percent=100)
    assert longer
    assert (longer.phase, longer.due_at_ms) == ("question", 24_000 + SETTLE_MS)
    shut = move_on(longer, SCRIPT, 24_000 + SETTLE_MS, extra_percent=100)
    assert shut
    assert shut.phase == "reveal"


def test_default_time():
    """A question without a limit of its own has one in a live game."""
    announced = after(Game(), "start", "skip")
    question = moved(announced, 10_000)
    assert question.window
    assert question.window.closes_at_ms == 10_000 + DEFAULT_LIMIT_MS


@given(st.lists(st.tuples(st.sampled_from([*NAMES, "clock"]), st.integers(0, 30_000)), max_size=60))
def test_any_commands(steps: list[tuple[CommandName, int]]):
    """Whatever is commanded whenever: one step each, questions never come again, windows are never left open."""
    game, now = Game(), 10_000
    for name, later in steps:
        now += later
        result = move_on(game, SCRIPT, now) if name == "clock" else obey(game, Command(name), SCRIPT, now)
        if not isinstance(result, Game):
            continue
        assert result.step == game.step + 1
        assert (result.question if result.question is not None else -1) >= (game.question or -1)
        assert (result.window is None) == (result.phase != "question" or not SCRIPT[result.question or 0].takes_answers)
        if result.window:
            assert result.window.opens_at_ms < result.window.closes_at_ms
            assert result.due_at_ms is not None or result.paused_at_ms is not None
        game = result
    if game.phase == "finished":
        assert all(obey(game, Command(name), SCRIPT, now) is Refusal.COMMAND_NOT_NOW for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_finished_is_final(name: CommandName):
    """Nothing leads out of it."""
    assert obey(examples()["finished"], Command(name), SCRIPT, 5_000) is Refusal.COMMAND_NOT_NOW
