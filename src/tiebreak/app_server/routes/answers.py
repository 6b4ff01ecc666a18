"""Answers over HTTP."""

from __future__ import annotations

from litestar import post
from litestar.openapi.datastructures import ResponseSpec

from tiebreak.app_server.callers import identity_of
from tiebreak.app_server.commands import Answers, Outcome
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.bodies import StrictRequest
from tiebreak.http_edge.problems import MEDIA_TYPE, Problem
from tiebreak.socket_adapter.messages import UpdateScore

PROBLEMS = {
    400: "The body, the answer or its moment is not right: `code` says what",
    401: "No valid access token",
    403: "Not joined",
    413: "The body is larger than 64 KB",
    429: "Too many answers of this user in a minute: send it again after Retry-After",
    503: "Too much is waiting, or a part of the system is away: send it again after Retry-After",
}


@post(
    "/update-score",
    status_code=200,
    responses={
        status: ResponseSpec(Problem, generate_examples=False, description=description, media_type=MEDIA_TYPE)
        for status, description in PROBLEMS.items()
    },
)
async def update_score(request: StrictRequest, data: UpdateScore, answers: Answers) -> Outcome:
    """Answer a question. With an `answer_id` the request may be repeated until it is acknowledged."""
    outcome = await answers.submit(identity_of(request).user_id, data)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    return outcome
