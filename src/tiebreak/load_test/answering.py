"""The players' answers: sent when they are due, and sent again until they are acknowledged."""

from __future__ import annotations

import asyncio
from random import Random
from time import perf_counter
from uuid import uuid4

from tiebreak.load_test.content import HEAD_START, answer_to, points
from tiebreak.load_test.http_client import GIVE_UP_SECONDS, HttpClient, Reply, Unanswered, pause_seconds
from tiebreak.load_test.measurements import Measurements
from tiebreak.load_test.options import Way
from tiebreak.load_test.player import Given, Player
from tiebreak.load_test.replies import Again, AnswerTaken, Outcome, Problem, Recorded, Refused, decoded

TEMPORARY_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
TEMPORARY_CODES = frozenset({"busy", "internal", "too_many_tries", "token_expired", "unavailable"})


class Answering:
    """Sends answers and notes what became of them."""

    def __init__(self, http: HttpClient, way: Way, measurements: Measurements, random: Random) -> None:
        self._http = http
        self._way = way
        self._measurements = measurements
        self._random = random
        self._working: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None

    async def head_start(self, player: Player) -> bool:
        """The pacemakers' question, before the measurement; whether it was acknowledged."""
        given = self._give(player, HEAD_START, right=True, due=perf_counter())
        given.recorded = recorded = as_recorded(await self._insist(player, given))
        return recorded is not None

    def turn(self, player: Player, due: float, *, right: bool) -> None:
        """A player's next answer is due. Players give one at a time: it may have to wait for the one before.

        Raises what ended another player's answering: a test in which somebody does not play measures nothing.
        """
        self._raise_what_broke()
        self._measurements.due += 1
        player.turns.append((due, right))
        if len(player.turns) == 1:
            task = asyncio.create_task(self._play(player))
            self._working.add(task)
            task.add_done_callback(self._ended)

    async def finish(self) -> None:
        """Wait until all answers that are due are settled; after GIVE_UP_SECONDS those left never will be.

        Raises what ended a player's answering.
        """
        if self._working:
            await asyncio.wait(self._working, timeout=GIVE_UP_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
        self._raise_what_broke()
        self.abandon()
        self._measurements.unacknowledged += self._measurements.unsettled

    def abandon(self) -> None:
        """Stop at once."""
        for task in self._working:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._broken = self._broken or error

    def _raise_what_broke(self) -> None:
        if self._broken:
            raise self._broken

    async def _play(self, player: Player) -> None:
        while player.turns:
            due, right = player.turns[0]
            await self._answer(player, due, right=right or player.pacemaker is not None)
            player.turns.popleft()

    async def _answer(self, player: Player, due: float, *, right: bool) -> None:
        given = self._give(player, player.next_question, right=right, due=due)
        player.next_question += 1
        outcome = await self._insist(player, given)
        match outcome:
            case Recorded():
                given.recorded = outcome
                self._measurements.acknowledge(due, perf_counter())
                return
            case Refused(code):
                given.refused = code
                self._measurements.refused[code] += 1
            case Again():
                self._measurements.unacknowledged += 1
        if player.pacemaker:
            player.pacemaker.retire()

    def _give(self, player: Player, question: int, *, right: bool, due: float) -> Given:
        score = points(question) if right else 0
        answer = answer_to(question, right=right)
        given = Given(player.session.question_ids[question], answer, score, str(uuid4()))
        player.given.append(given)
        if player.pacemaker:
            player.pacemaker.answers(score, due)
        return given

    async def _insist(self, player: Player, given: Given) -> Outcome:
        """Try until it is settled, or for GIVE_UP_SECONDS."""
        give_up_at = perf_counter() + GIVE_UP_SECONDS
        attempt = 0
        while True:
            attempt += 1
            outcome = await self._attempt(player, given)
            if not isinstance(outcome, Again):
                return outcome
            pause = pause_seconds(attempt, outcome.after_seconds, self._random)
            if perf_counter() + pause > give_up_at:
                return outcome
            self._measurements.retries[outcome.reason] += 1
            await asyncio.sleep(pause)

    async def _attempt(self, player: Player, given: Given) -> Outcome:
        body = {
            "quiz_session_id": player.session.id,
            "question_id": given.question_id,
            "answer": given.answer,
            "answer_id": given.answer_id,
        }
        try:
            if self._way == "socket":
                await player.entered(seconds=GIVE_UP_SECONDS)
                return of_acknowledgement(await player.ask("update_score", body, AnswerTaken))
            return of_reply(await self._http.call("POST", "/update-score", token=player.login.token, body=body))
        except Unanswered as unanswered:
            return Again(unanswered.reason)


def of_acknowledgement(taken: AnswerTaken) -> Outcome:
    """What the acknowledgement of an answer means."""
    if taken.ok:
        return Recorded(taken.correct, taken.score)
    return Again(taken.code) if taken.code in TEMPORARY_CODES else Refused(taken.code)


def of_reply(reply: Reply) -> Outcome:
    """What the response to an answer means."""
    if reply.status == 200 and (recorded := decoded(reply.body, Recorded)):
        return recorded
    problem = decoded(reply.body, Problem)
    code = problem.code if problem and problem.code else f"status {reply.status}"
    if reply.status in TEMPORARY_STATUSES or code in TEMPORARY_CODES:
        return Again(code, reply.retry_after_seconds)
    return Refused(code)


def as_recorded(outcome: Outcome) -> Recorded | None:
    return outcome if isinstance(outcome, Recorded) else None
