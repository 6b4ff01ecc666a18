"""The check after a run: reads over the public interface what the system has, and compares."""

from __future__ import annotations

import asyncio
from time import perf_counter

from tiebreak.load_test.content import PACEMAKERS_PER_SESSION
from tiebreak.load_test.display import Display
from tiebreak.load_test.player import Player, Session
from tiebreak.load_test.replies import Leaderboard, Row, SessionQuestions, SessionView
from tiebreak.load_test.requests import Requests, for_each
from tiebreak.load_test.stage import Stage
from tiebreak.load_test.verdict import Verdict, compare_answers, compare_board

PAGE_ROWS = 1_000
TOP_ROWS = PACEMAKERS_PER_SESSION
CATCH_UP_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.25


class Inspection:
    """Of one run."""

    def __init__(self, requests: Requests, stage: Stage, display: Display) -> None:
        self._requests = requests
        self._stage = stage
        self._display = display
        # By session: the answers in the ledger, and the totals of those who gave them.
        self._counted: dict[str, int] = {}
        self._totals: dict[str, dict[str, int]] = {}

    async def inspect(self) -> Verdict:
        """The ledger of every player, then every session's board and screens. Raises LoadTestFailed."""
        verdict = Verdict()

        async def check_answers(player: Player) -> None:
            await self._check_answers(player, verdict)

        self._display.begin("checking answers", len(self._stage.players))
        await for_each(self._stage.players, check_answers, self._display.advance)
        give_up_at = perf_counter() + CATCH_UP_SECONDS
        self._display.begin("checking boards", len(self._stage.sessions))
        for session in self._stage.sessions:
            view = await self._requests.get("A session's counts", f"/quiz-session/{session.id}", SessionView)
            verdict.doubled += abs(view.answer_count - self._counted.get(session.id, 0))
            found = await self._board_and_screens(session)
            while not found.is_good and perf_counter() < give_up_at:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                found = await self._board_and_screens(session)
            verdict.add(found)
            self._display.advance()
        return verdict

    async def _check_answers(self, player: Player, verdict: Verdict) -> None:
        session_id = player.session.id
        path = f"/quiz-session/{session_id}/questions"
        view = await self._requests.get("A player's answers", path, SessionQuestions, token=player.login.token)
        found = {question.question_id: question.answered for question in view.questions if question.answered}
        total = compare_answers(verdict, f"Player {player.number + 1}", player.given, found)
        self._counted[session_id] = self._counted.get(session_id, 0) + len(found)
        if found:
            self._totals.setdefault(session_id, {})[player.participant_id] = total

    async def _board_and_screens(self, session: Session) -> Verdict:
        """How the board stands at this moment."""
        found = Verdict()
        board = await self._whole_board(session)
        compare_board(found, self._totals.get(session.id, {}), board.participants, board.rows)
        if session.boards.sockets and board.rows:
            found.screens_behind = sum(
                player.session is session and not shows(player, board) for player in self._stage.players
            )
        return found

    async def _whole_board(self, session: Session) -> Leaderboard:
        """All rows; they differ from the ledger if the board changes between two pages, and are then read again."""
        token = next(player.login.token for player in self._stage.players if player.session is session)
        rows: list[Row] = []
        while True:
            path = f"/quiz-session/{session.id}/leaderboard?limit={PAGE_ROWS}&offset={len(rows)}"
            page = await self._requests.get("The leaderboard", path, Leaderboard, token=token)
            rows += page.rows
            if len(page.rows) < PAGE_ROWS:
                return Leaderboard(page.epoch, page.version, page.participants, rows)


def shows(player: Player, final: Leaderboard) -> bool:
    """Whether the player's last board has the top rows of the final one."""
    last = player.screen.board
    return last is not None and last.leaderboard.rows == final.rows[:TOP_ROWS]
