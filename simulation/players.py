"""Participants who answer, and insist until they know what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

from simulation.ids import Ids
from simulation.network import Network
from simulation.processes import AppServer
from tiebreak.app_server.commands import Outcome
from tiebreak.errors import Refusal
from tiebreak.quiz.model import QuestionId, QuizSessionId, UserId
from tiebreak.socket_adapter.messages import UpdateScore


class Witness(Protocol):
    """Hears what players are told."""

    def told(self, user_id: UserId, command: UpdateScore, outcome: Outcome | Refusal) -> None: ...


class Player:
    """One participant."""

    def __init__(
        self,
        network: Network,
        ids: Ids,
        quiz_session_id: QuizSessionId,
        user_id: UserId,
        *,
        app_server: Callable[[], AppServer | None],
        witness: Witness,
    ) -> None:
        self._network = network
        self._ids = ids
        self._quiz_session_id = quiz_session_id
        self._user_id = user_id
        self._app_server = app_server
        self._witness = witness

    async def answer(self, question_id: QuestionId) -> None:
        """In one of the ways that clients have: once, over two connections at once, or differently the second time."""
        random = self._network.random
        answer_id = self._ids.new() if random.random() < 0.9 else None
        command = UpdateScore(self._quiz_session_id, question_id, random.random() < 0.7, answer_id)
        attempts = [self._insist(command)]
        manner = random.random()
        if manner < 0.15 and answer_id is not None:
            attempts.append(self._insist(command))
        elif manner < 0.3:
            other = UpdateScore(self._quiz_session_id, question_id, not command.answer, self._ids.new())
            attempts.append(self._insist(other))
        await asyncio.gather(*attempts)

    async def _insist(self, command: UpdateScore) -> None:
        """Send it again until there is an outcome, over whichever server there is."""
        network = self._network
        while True:
            server = self._app_server()
            if server is not None:
                heard: asyncio.Future[Outcome | Refusal | None] = network.loop.create_future()
                if network.random.random() >= network.weather.request_lost:
                    reply = partial(self._reply, heard)
                    network.later(network.seconds(), server.update_score, self._user_id, command, reply)
                timer = network.loop.call_later(0.2 + network.random.random() * 2.0, hear, heard, None)
                outcome = await heard
                timer.cancel()
                if outcome is not None and outcome is not Refusal.BUSY:
                    self._witness.told(self._user_id, command, outcome)
                    return
            await asyncio.sleep(0.05 + network.random.random() * 0.3)

    def _reply(self, heard: asyncio.Future[Outcome | Refusal | None], outcome: Outcome | Refusal | None) -> None:
        network = self._network
        if network.random.random() >= network.weather.reply_lost:
            network.later(network.seconds(), hear, heard, outcome)


def hear(heard: asyncio.Future[Outcome | Refusal | None], outcome: Outcome | Refusal | None) -> None:
    if not heard.done():
        heard.set_result(outcome)
