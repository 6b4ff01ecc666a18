"""Why a load test cannot be made, or a message of it is not answered."""

from __future__ import annotations

from tiebreak.errors import Fault
from tiebreak.load_test.http_client import Reply
from tiebreak.load_test.replies import Problem, decoded


class LoadTestFailed(Fault):
    """The load test could not be made; the message says what to change."""

    code = "load_test_failed"


def not_carried_out(what: str, reply: Reply) -> LoadTestFailed:
    """Says what could not be done, and what to do about it."""
    problem = decoded(reply.body, Problem) or Problem(title=f"HTTP status {reply.status}")
    said = problem.detail or problem.title or problem.code
    match reply.status:
        case 429:
            return LoadTestFailed(
                f"{what} was refused by a limit ({said}). All players come from one address: raise the gateway's "
                "limits with TIEBREAK_LIMIT_GATEWAY_PERCENT=10000 for the time of the test, or ask for fewer players."
            )
        case 404:
            return LoadTestFailed(f"{what} found nothing at this address ({said}). Is the URL that of a Tiebreak?")
        case _:
            return LoadTestFailed(f"{what} was answered with {reply.status}: {said}. The server's log says more.")


def socket_refused(code: str, said: str) -> LoadTestFailed:
    """A socket is not let in, for good."""
    return LoadTestFailed(
        f"A socket was refused: {said or code}. "
        + (
            "All players come from one address: raise TIEBREAK_LIMIT_SOCKETS_PER_ADDRESS of the app servers, "
            "or ask for fewer players."
            if code in {"too_many_sockets", "429"}
            else "The app server's log says more."
        )
    )
