"""A player who answers whatever breaks: sends again, twice at once, out of order, and tries to answer twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random
from time import perf_counter
from typing import Literal
from uuid import uuid4

from chaos.client import Again, Origins, Refused
from chaos.history import Acknowledged, Figures, Given
from chaos.sessions import Session
from chaos.viewer import Viewer
from tiebreak.load_test.answering import TEMPORARY_CODES
from tiebreak.load_test.content import QUESTIONS, answer_to, points
from tiebreak.load_test.http_client import Unanswered
from tiebreak.load_test.replies import Acknowledgement, decoded

Way = Literal["http", "socket"]
# How an answer is given, and how often.
MANNERS = {"plain": 60, "twice at once": 15, "again after its acknowledgement": 10, "with a rival": 15}
DROPS_CONNECTION = 0.02
# Answers of one player that may be under way: they overtake each other.
AT_ONCE = 3


class AnswerTaken(Acknowledgement, frozen=True, kw_only=True):
    """The acknowledgement of `update_score`."""

    participant_answer_id: str = ""
    correct: bool = False
    score: int = 0


class Player:
    """A participant with a viewer."""

    def __init__(
        self, name: str, origins: Origins, session: Session, token: str, participant_id: str, figures: Figures
    ) -> None:
        self.viewer = Viewer(name, origins, session, token)
        self._origins = origins
        self._session = session
        self._token = token
        self._participant_id = participant_id
        self._figures = figures
        self._random = Random(origins.random.random())
        self._questions: Iterator[int] = iter(range(1, QUESTIONS))
        self._under_way: set[asyncio.Task[None]] = set()

    async def play(self, pace_seconds: float, until: asyncio.Event) -> None:
        """Answer at that pace until told otherwise, or out of questions; then wait until all is settled."""
        try:
            await self._play(pace_seconds, until)
            await asyncio.gather(*self._under_way)
        finally:
            for task in self._under_way:
                task.cancel()

    async def _play(self, pace_seconds: float, until: asyncio.Event) -> None:
        turns = asyncio.Semaphore(AT_ONCE)
        while not until.is_set() and not self._session.is_quiet:
            await asyncio.sleep(self._random.expovariate(1 / pace_seconds))
            if self._random.random() < DROPS_CONNECTION:
                self.viewer.drop()
            question = next(self._questions, None)
            if question is None:
                break
            await turns.acquire()
            task = asyncio.create_task(self._answer(question))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            task.add_done_callback(lambda _: turns.release())

    async def give(self, question: int, *, right: bool) -> Given:
        """One answer, given plainly, until it is settled."""
        given = self._given(question, right=right)
        await self._insist(given, "http")
        return given

    async def _answer(self, question: int) -> None:
        given = self._given(question, right=self._random.random() < 0.6)
        [manner] = self._random.choices([*MANNERS], [*MANNERS.values()])
        way: Way = self._random.choice(("http", "socket"))
        match manner:
            case "twice at once":
                self._figures.duplicates += 1
                await asyncio.gather(self._insist(given, "http"), self._insist(given, "socket"))
            case "again after its acknowledgement":
                self._figures.duplicates += 1
                await self._insist(given, way)
                await self._insist(given, "http")
            case "with a rival":
                self._figures.rivals += 1
                rival = self._given(question, right=self._random.random() < 0.5, is_rival=True)
                both = [self._insist(given, "http"), self._insist(rival, way)]
                self._random.shuffle(both)
                await asyncio.gather(*both)
            case _:
                await self._insist(given, way)

    def _given(self, question: int, *, right: bool, is_rival: bool = False) -> Given:
        given = Given(
            self._session.id,
            self._participant_id,
            self._session.question_ids[question],
            answer_to(question, right=right),
            points(question) if right else 0,
            str(uuid4()),
            is_rival=is_rival,
            sent_at=perf_counter(),
        )
        self._session.history.given.append(given)
        self._figures.answers += 1
        return given

    async def _insist(self, given: Given, way: Way) -> None:
        """Send it until it is settled."""
        attempt = 0
        while True:
            attempt += 1
            given.attempts += 1
            self._figures.attempts += 1
            said = await (self._by_http(given) if way == "http" else self._by_socket(given))
            match said:
                case Acknowledged():
                    given.acknowledged.append(said)
                    self._figures.acknowledgements += 1
                    return
                case Refused(code):
                    given.refused.append(code)
                    self._figures.refused[code] += 1
                    return
                case Again():
                    await self._origins.pause(attempt, said)

    def _body(self, given: Given) -> dict[str, object]:
        return {
            "quiz_session_id": given.quiz_session_id,
            "question_id": given.question_id,
            "answer": given.answer,
            "answer_id": given.answer_id,
        }

    async def _by_http(self, given: Given) -> Acknowledged | Again | Refused:
        said = await self._origins.attempt("POST", "/update-score", token=self._token, body=self._body(given))
        if isinstance(said, Again | Refused):
            return said
        return decoded(said.body, Acknowledged) or Again("malformed reply")

    async def _by_socket(self, given: Given) -> Acknowledged | Again | Refused:
        try:
            taken = await self.viewer.ask("update_score", self._body(given), AnswerTaken)
        except Unanswered as unanswered:
            return Again(unanswered.reason)
        if taken.ok:
            return Acknowledged(taken.participant_answer_id, taken.correct, taken.score)
        return Again(taken.code) if taken.code in TEMPORARY_CODES else Refused(taken.code)
