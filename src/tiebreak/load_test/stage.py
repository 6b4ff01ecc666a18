"""What has to be there before anybody answers: a host with a quiz, sessions, and guests who have joined and entered."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from random import Random

from tiebreak.load_test.boards import Pacemaker, SessionBoards, Visibility
from tiebreak.load_test.content import PACEMAKERS_PER_SESSION, quiz
from tiebreak.load_test.display import Display
from tiebreak.load_test.http_client import Unanswered, pause_seconds
from tiebreak.load_test.login import Login
from tiebreak.load_test.options import Options
from tiebreak.load_test.player import Player, Session
from tiebreak.load_test.replies import Joined, Leaderboard, Opened, QuizStored, SessionQuestions, Tokens
from tiebreak.load_test.requests import LoadTestFailed, Requests, expected, for_each, not_carried_out, socket_refused
from tiebreak.load_test.socket_client import SocketRefused

ENTER_ATTEMPTS = 8
CLEAR_SECONDS = 10.0


class Stage:
    """The host, the sessions and the players of one test."""

    def __init__(
        self, requests: Requests, options: Options, visibility: Visibility, display: Display, random: Random
    ) -> None:
        self._requests = requests
        self._options = options
        self._visibility = visibility
        self._display = display
        self._random = random
        self._quiz_id = ""
        self.host: Login | None = None
        self.sessions: list[Session] = []
        self.players: list[Player] = []

    async def set(self) -> None:
        """Make everything. Raises LoadTestFailed."""
        options = self._options
        await self._open_sessions()
        self._display.begin("guests", options.players)
        await for_each(range(options.players), self._invite, self._display.advance)
        self.players.sort(key=lambda player: player.number)
        self._display.begin("joins", options.players)
        await for_each(self.players, self._join, self._display.advance)
        self._choose_pacemakers()
        if options.sockets:
            self._display.begin("sockets", options.players)
            await for_each(self.players, self._enter, self._display.advance)

    async def look_at_boards(self) -> None:
        """Have every session's board built. Raises LoadTestFailed.

        A board that is missing is built from the ledger by whoever reads it. If the check were the first to do so, it
        would compare the ledger with itself, and not notice that nobody keeps boards up to date.
        """
        for session in self.sessions:
            token = next(player.login.token for player in self.players if player.session is session)
            path = f"/quiz-session/{session.id}/leaderboard?limit={PACEMAKERS_PER_SESSION}"
            await self._requests.get("The leaderboard", path, Leaderboard, token=token)

    async def clear(self) -> None:
        """End the sessions and remove the quiz, as far as that works within CLEAR_SECONDS.

        The guests and the host stay.
        """
        for player in self.players:
            player.leave()
        with suppress(LoadTestFailed, TimeoutError):
            async with asyncio.timeout(CLEAR_SECONDS):
                await self._remove()

    async def _remove(self) -> None:
        if self.host is None:
            return
        token = self.host.token
        for session in self.sessions:
            await self._requests.reply(
                "The end of a session", "POST", f"/quiz-session/{session.id}/finish", token=token
            )
        if self._quiz_id:
            await self._requests.reply("The removal of the quiz", "DELETE", f"/quizzes/{self._quiz_id}", token=token)

    async def _open_sessions(self) -> None:
        requests = self._requests
        account = {
            "email": f"load-test-{secrets.token_hex(8)}@tiebreak.example",
            "password": secrets.token_urlsafe(16),
            "name": "Load test",
        }
        # The first request of all: whether there is a Tiebreak at this address.
        tokens = await requests.post("The host's registration", "/auth/register", account, Tokens, once=True)
        self.host = Login(requests.http, tokens)
        token = self.host.token
        stored = await requests.post("The quiz", "/quizzes", quiz(), QuizStored, token=token)
        self._quiz_id = stored.quiz_id
        body = {"quiz_id": stored.quiz_id, "mode": "self_paced"}
        for _ in range(self._options.sessions):
            opened = await requests.post("A quiz session", "/quiz-session", body, Opened, token=token)
            self.sessions.append(Session(opened.quiz_session_id, stored.question_ids, SessionBoards(self._visibility)))

    async def _invite(self, number: int) -> None:
        tokens = await self._requests.post("A guest", "/auth/guest", {"name": f"Player {number + 1}"}, Tokens)
        session = self.sessions[number % len(self.sessions)]
        login = Login(self._requests.http, tokens)
        self.players.append(Player(number, self._requests.origin, session, login, self._random))

    async def _join(self, player: Player) -> None:
        path, token = f"/quiz-session/{player.session.id}", player.login.token
        reply = await self._requests.reply("A join", "POST", f"{path}/join", token=token, body={})
        if reply.status == 409:  # this one was lost, and the one before it was not
            view = await self._requests.get("A join", f"{path}/questions", SessionQuestions, token=token)
            if view.me is None:
                raise not_carried_out("A join", reply)
            player.participant_id = view.me.quiz_session_participant_id
        else:
            player.participant_id = expected("A join", reply, Joined).quiz_session_participant_id

    def _choose_pacemakers(self) -> None:
        for player in self.players:
            boards = player.session.boards
            boards.sockets += self._options.sockets
            if len(boards.pacemakers) < PACEMAKERS_PER_SESSION:
                player.pacemaker = boards.pacemakers[player.participant_id] = Pacemaker()

    async def _enter(self, player: Player) -> None:
        attempt = 0
        while True:
            attempt += 1
            try:
                await player.enter()
                return
            except SocketRefused as refused:
                if refused.code not in {"unavailable", "503", "502"} or attempt == ENTER_ATTEMPTS:
                    raise socket_refused(refused.code, str(refused)) from refused
            except Unanswered as unanswered:
                if attempt == ENTER_ATTEMPTS:
                    raise LoadTestFailed(
                        f"A socket could not be opened ({unanswered}): the app server or the gateway is overloaded, or "
                        "lets no WebSockets through. Try fewer players first, or --no-sockets --over http."
                    ) from unanswered
            await asyncio.sleep(pause_seconds(attempt, 0, self._random))
