"""What our servers under test are made of: the app server's own parts, but for the statement that records answers."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from tiebreak.app_server import commands
from tiebreak.app_server.commands import Answers
from tiebreak.app_server.frozen_questions import Questions
from tiebreak.app_server.plays import Play, Plays
from tiebreak.cache.call_limits import CallLimit
from tiebreak.clock import SystemClock
from tiebreak.database.answers import NewAnswer, Recorded
from tiebreak.errors import Refusal
from tiebreak.log_output import set_up_log_output
from tiebreak.metrics import AppServerMetrics
from tiebreak.quiz.model import ParticipantId, Question, QuestionId, QuizSessionId
from tiebreak.quiz.receipts import Receipt
from tiebreak.settings import Settings
from tiebreak.socket_adapter.garbage import tend_garbage
from tiebreak.tokens import Verifier

DIGEST = bytes(32)


class Setting(msgspec.Struct):
    """The public keys, also as PEM for Node, and the frozen questions of the session that is answered."""

    keys: dict[str, Any]
    pem: str
    quiz_session_id: QuizSessionId
    questions: dict[QuestionId, Question]


def read_setting() -> Setting:
    """From the file that the command line names. What is logged from now on goes to standard error."""
    set_up_log_output("bench", "warning")
    return msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Setting)


class PlayAtHand(Plays):
    """The one session, read already: it is self-paced."""

    def __init__(self, setting: Setting) -> None:
        play = Play(Questions(setting.questions.items()))
        self._at_hand = OrderedDict[int, Play]({setting.quiz_session_id.int: play})


async def recorded_next_turn(_: object, answers: Sequence[NewAnswer]) -> list[Recorded | Refusal]:
    """In the place of database.answers.record_answers: at the loop's next turn, sooner than any database replies.

    What comes until then is the next batch, as it is while Postgres commits.
    """
    await asyncio.sleep(0)
    return await recorded_at_once(None, answers)


async def recorded_at_once(_: object, answers: Sequence[NewAnswer]) -> list[Recorded | Refusal]:
    """The same without a turn, as no database does it. Not `new`: no room is told and no worker woken up."""
    return [
        Recorded(
            answer.id,
            ParticipantId(answer.user_id),
            answer.correct,
            answer.score,
            new=False,
            receipt=Receipt(answer.id, answer.quiz_session_id, answer.answered_at_ms, 1, DIGEST),
        )
        for answer in answers
    ]


def answers_without_ledger(setting: Setting, *, at_once: bool = False) -> Answers:
    """The real thing, queue, batches and metrics included, but for the statement."""
    commands.record_answers = recorded_at_once if at_once else recorded_next_turn
    nothing: Any = None
    return Answers(
        nothing,
        PlayAtHand(setting),
        nothing,
        nothing,
        SystemClock(),
        AppServerMetrics(CollectorRegistry()),
        CallLimit(SystemClock(), name="answers", per_minute=1_000_000_000),
        longest_queue=Settings().limit_waiting_answers,
    )


def verifier_of(setting: Setting) -> Verifier:
    """With its keys at hand."""

    async def keys() -> Any:  # noqa: ANN401 - a key set, as JSON has it
        return setting.keys

    return Verifier(keys, SystemClock())


async def serve_tidily(serving: Coroutine[Any, Any, None]) -> None:
    """With the garbage collector kept in check, as in the app server."""
    tending = asyncio.create_task(tend_garbage(lambda: 0, lambda: 0))
    await serving
    tending.cancel()


def listening() -> socket.socket:
    """A socket on a free port, which is told to whoever started us."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"port {listener.getsockname()[1]}", flush=True)
    return listener
