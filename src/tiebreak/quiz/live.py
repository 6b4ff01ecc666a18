"""The live game as a state machine: where it stands, and where a command or the clock takes it. docs/live.md draws it.

Pure: times are given, milliseconds since the epoch. What a step means to the questions' windows follows from the games
before and after it (`Game.window`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from tiebreak.errors import Refusal

Phase: TypeAlias = Literal["lobby", "countdown", "question", "reveal", "board", "podium", "finished"]
CommandName: TypeAlias = Literal[
    "start", "next", "close", "skip", "pause", "resume", "add_time", "end", "lock", "unlock", "auto_on", "auto_off"
]

COUNTDOWN_MS = 3_000
# For questions that have none of their own.
DEFAULT_LIMIT_MS = 20_000
# With auto-advance, how long a room looks at what it is shown.
SHOWN_MS = {"reveal": 6_000, "board": 6_000}
# From a question's close by the clock to its reveal: answers that came in time are committed meanwhile.
SETTLE_MS = 250
# While a game is paused its question's window lies this far ahead: nobody can answer.
PAUSED_MS = 10**13
MAX_ADDED_MS = 600_000


class Beat(msgspec.Struct, frozen=True):
    """What the game needs to know of a question. One that takes no answers is a slide."""

    limit_ms: int | None
    takes_answers: bool
    scores: bool


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a host wants. `ms` is for add_time alone."""

    name: CommandName
    ms: Annotated[int, Meta(ge=1_000, le=MAX_ADDED_MS)] = 10_000


class Window(msgspec.Struct, frozen=True):
    """When the question at `index` takes answers: from `opens_at_ms` until `closes_at_ms`."""

    index: int
    opens_at_ms: int
    closes_at_ms: int


class Game(msgspec.Struct, frozen=True):
    """Where a live session stands. `question` is the index of the question asked last.

    `due_at_ms` is when it moves on by itself; while it is paused, `left_ms` would have been left until then.
    """

    step: int = 0
    phase: Phase = "lobby"
    question: int | None = None
    opens_at_ms: int | None = None
    closes_at_ms: int | None = None
    due_at_ms: int | None = None
    paused_at_ms: int | None = None
    left_ms: int | None = None
    auto_advance: bool = False
    locked: bool = False

    @property
    def window(self) -> Window | None:
        """That of the question under way; far ahead while the game is paused."""
        if self.phase != "question" or self.question is None or self.opens_at_ms is None or self.closes_at_ms is None:
            return None
        away = PAUSED_MS if self.paused_at_ms is not None else 0
        return Window(self.question, self.opens_at_ms + away, self.closes_at_ms + away)


def obey(
    game: Game, command: Command, script: Sequence[Beat], now_ms: int, *, extra_percent: int = 0
) -> Game | Refusal:
    """The game after a host's command. COMMAND_NOT_NOW if its phase does not know it.

    `extra_percent` is the longest extra time that any player has.
    """
    after = _obey(game, command, script, now_ms, extra_percent)
    return after if isinstance(after, Refusal) else replace(after, step=game.step + 1)


def move_on(game: Game, script: Sequence[Beat], now_ms: int, *, extra_percent: int = 0) -> Game | None:
    """The game after what was due; None if nothing is."""
    if game.due_at_ms is None or now_ms < game.due_at_ms:
        return None
    match game.phase:
        case "countdown":
            after = opened(game, script, now_ms, extra_percent)
        case "question":
            end_ms = end_of(game, extra_percent)
            # Somebody was given more time since it was opened.
            is_longer = end_ms is not None and now_ms < end_ms
            after = replace(game, due_at_ms=end_ms) if is_longer else closed(game, script, now_ms)
        case _:
            after = shown(game, script, now_ms)
    return replace(after, step=game.step + 1)


def end_of(game: Game, extra_percent: int) -> int | None:
    """When a question is shut, the longest extra time included; None for a slide."""
    if game.opens_at_ms is None or game.closes_at_ms is None:
        return None
    return game.opens_at_ms + (game.closes_at_ms - game.opens_at_ms) * (100 + extra_percent) // 100 + SETTLE_MS


def _obey(game: Game, command: Command, script: Sequence[Beat], now_ms: int, extra_percent: int) -> Game | Refusal:
    if game.phase == "finished":
        return Refusal.COMMAND_NOT_NOW
    match command.name:
        case "lock" | "unlock":
            return replace(game, locked=command.name == "lock")
        case "auto_on" | "auto_off":
            return automatic(replace(game, auto_advance=command.name == "auto_on"), now_ms)
        case "pause" if game.due_at_ms is not None:
            return replace(game, paused_at_ms=now_ms, left_ms=max(game.due_at_ms - now_ms, 0), due_at_ms=None)
        case "resume" if game.paused_at_ms is not None:
            return resumed(game, now_ms)
        case "add_time" if game.closes_at_ms is not None:
            return longer(game, command.ms, extra_percent)
        case "end" if game.phase != "podium":
            return at_rest(game, "finished" if game.question is None else "podium")
        case _:
            return _led(game, command.name, script, now_ms)


def _led(game: Game, command: CommandName, script: Sequence[Beat], now_ms: int) -> Game | Refusal:
    """From phase to phase."""
    is_slide = game.phase == "question" and game.opens_at_ms is None
    match command, game.phase:
        case "start", "lobby":
            return asked(game, script, 0, now_ms)
        case "close", "question" if not is_slide:
            return closed(game, script, now_ms)
        case "next", "question" if is_slide:
            return shown(game, script, now_ms)
        case "next", ("reveal" | "board"):
            return shown(game, script, now_ms)
        case "skip", ("countdown" | "question"):
            return asked(game, script, (game.question or 0) + 1, now_ms)
        case (("next" | "end"), "podium"):
            return at_rest(game, "finished")
        case _:
            return Refusal.COMMAND_NOT_NOW


def asked(game: Game, script: Sequence[Beat], index: int, now_ms: int) -> Game:
    """The question at `index` is announced; a slide is shown at once. After the last one comes the podium."""
    if index >= len(script):
        return at_rest(game, "podium")
    beat = script[index]
    ready = replace(at_rest(game, "countdown"), question=index, due_at_ms=now_ms + COUNTDOWN_MS)
    if beat.takes_answers:
        return ready
    due = now_ms + (beat.limit_ms or DEFAULT_LIMIT_MS) if game.auto_advance else None
    return replace(ready, phase="question", due_at_ms=due)


def opened(game: Game, script: Sequence[Beat], now_ms: int, extra_percent: int) -> Game:
    """The announced question takes answers."""
    limit_ms = script[game.question or 0].limit_ms or DEFAULT_LIMIT_MS
    return replace(
        at_rest(game, "question"),
        opens_at_ms=now_ms,
        closes_at_ms=now_ms + limit_ms,
        due_at_ms=now_ms + limit_ms * (100 + extra_percent) // 100 + SETTLE_MS,
    )


def closed(game: Game, script: Sequence[Beat], now_ms: int) -> Game:
    """The question takes no more answers: what was right is shown. A slide has nothing to show."""
    if not script[game.question or 0].takes_answers:
        return asked(game, script, (game.question or 0) + 1, now_ms)
    return automatic(at_rest(game, "reveal"), now_ms)


def shown(game: Game, script: Sequence[Beat], now_ms: int) -> Game:
    """What comes after a slide, a reveal or a board: the board if points were to be had, but for the last question."""
    index = game.question or 0
    if game.phase == "reveal" and script[index].scores and index + 1 < len(script):
        return automatic(at_rest(game, "board"), now_ms)
    return asked(game, script, index + 1, now_ms)


def resumed(game: Game, now_ms: int) -> Game:
    """The clock goes on where it was stopped."""
    stopped_ms = now_ms - (game.paused_at_ms or now_ms)
    return replace(
        game,
        opens_at_ms=None if game.opens_at_ms is None else game.opens_at_ms + stopped_ms,
        closes_at_ms=None if game.closes_at_ms is None else game.closes_at_ms + stopped_ms,
        due_at_ms=now_ms + (game.left_ms or 0),
        paused_at_ms=None,
        left_ms=None,
    )


def longer(game: Game, ms: int, extra_percent: int) -> Game:
    """The question takes answers for so much longer."""
    longest_ms = ms * (100 + extra_percent) // 100
    return replace(
        game,
        closes_at_ms=(game.closes_at_ms or 0) + ms,
        due_at_ms=None if game.due_at_ms is None else game.due_at_ms + longest_ms,
        left_ms=None if game.left_ms is None else game.left_ms + longest_ms,
    )


def automatic(game: Game, now_ms: int) -> Game:
    """With or without a time for what is shown to end by itself."""
    if game.phase not in SHOWN_MS or game.paused_at_ms is not None:
        return game
    return replace(game, due_at_ms=now_ms + SHOWN_MS[game.phase] if game.auto_advance else None)


def at_rest(game: Game, phase: Phase) -> Game:
    """In another phase, with no clock running."""
    return replace(
        game, phase=phase, opens_at_ms=None, closes_at_ms=None, due_at_ms=None, paused_at_ms=None, left_ms=None
    )
