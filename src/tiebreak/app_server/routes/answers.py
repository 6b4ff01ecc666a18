"""Answers over HTTP."""

from __future__ import annotations

from litestar import post

from tiebreak.app_server.callers import identity_of
from tiebreak.app_server.commands import Answers, Outcome
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.bodies import StrictRequest
from tiebreak.http_edge.description import FACTS, Facts
from tiebreak.socket_adapter.messages import UpdateScore

REFUSALS = (
    Refusal.NOT_JOINED,
    Refusal.QUESTION_NOT_IN_QUIZ,
    Refusal.ANSWER_INVALID,
    Refusal.QUESTION_ALREADY_ANSWERED,
    Refusal.QUESTION_NOT_OPEN,
    Refusal.QUESTION_CLOSED,
    Refusal.SESSION_FINISHED,
    Refusal.TOO_MANY_TRIES,
    Refusal.BUSY,
)


@post("/update-score", status_code=200, opt={FACTS: Facts(REFUSALS)})
async def update_score(request: StrictRequest, data: UpdateScore, answers: Answers) -> Outcome:
    """Answer a question. With an `answer_id` the request may be repeated until it is acknowledged."""
    outcome = await answers.submit(identity_of(request).user_id, data)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    return outcome
