"""`tiebreak verify`: does the log still hold what a receipt stands for?"""

from __future__ import annotations

from tiebreak.answer_log.moments import moment_text
from tiebreak.answer_log.verification import MOST_PROBLEMS, Verdict, Verification
from tiebreak.database.answer_log import log_end, logged_answers, not_logged, session_of, snapshot
from tiebreak.errors import NotInDatabase
from tiebreak.quiz.receipts import Receipt


async def verify(database_url: str, receipt: Receipt) -> Verdict:
    """Computes the log of the receipt's session again from the ledger. Raises NotInDatabase if there is none."""
    async with snapshot(database_url) as connection:
        quiz_session_id = receipt.quiz_session_id
        if await session_of(connection, quiz_session_id) is None:
            raise NotInDatabase(
                f"The receipt is of quiz session {quiz_session_id}, which this database does not have. "
                "Check that TIEBREAK_DATABASE_URL names the database that the receipt came from."
            )
        verification = Verification(receipt)
        async for answer in logged_answers(connection, quiz_session_id):
            verification.take(answer)
        end = await log_end(connection, quiz_session_id)
        return verification.verdict(end, await not_logged(connection, quiz_session_id, limit=MOST_PROBLEMS + 1))


def verdict_text(receipt: Receipt, verdict: Verdict) -> str:
    """For people."""
    answer = f"answer {receipt.answer_id} of quiz session {receipt.quiz_session_id}"
    accepted = f"accepted at {moment_text(receipt.accepted_at_ms)}, position {receipt.position}"
    if not verdict.problems:
        counts = f"{verdict.before} answers before it and {verdict.after} after it are as they were accepted, too"
        return f"held, unchanged: {answer},\n{accepted}; {counts}"
    lines = [f"NOT as it was: {answer},", f"{accepted}:", *(f"- {problem}" for problem in verdict.problems)]
    return "\n".join([*lines, *([f"- and {verdict.more_problems} more"] if verdict.more_problems else [])])
