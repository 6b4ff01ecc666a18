"""Everything but the single answers: the figures of a session, and its participants in the board's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tiebreak.app_server.epoch_ms import epoch_ms
from tiebreak.app_server.results.views import (
    AnswerResults,
    ParticipantResults,
    QuestionResults,
    Results,
    ResultsSession,
)
from tiebreak.database import results
from tiebreak.database.pool import Connection
from tiebreak.database.quiz_sessions import QuizSession
from tiebreak.database.results import AskedQuestion, Player, PlayerAnswer
from tiebreak.quiz.answer_texts import answer_text, right_text
from tiebreak.quiz.model import Question, QuestionId, QuizSessionId
from tiebreak.quiz.ranking import Totals, opened_at_ms
from tiebreak.quiz.scoring import earns
from tiebreak.quiz.statistics import hardest_first, statistics

ANSWERS = msgspec.json.Decoder(list[PlayerAnswer])


class Ranked(msgspec.Struct, frozen=True):
    """A participant and the rank on the board, if any."""

    rank: int | None
    player: Player


class Overview(msgspec.Struct, frozen=True):
    """Figures, and the participants in order. `questions` are those at their positions."""

    session: ResultsSession
    question_results: list[QuestionResults]
    hardest: list[QuestionId]
    questions: Mapping[int, tuple[QuestionId, Question]]
    ranked: list[Ranked]

    def results(self, participants: list[ParticipantResults]) -> Results:
        """With these of the participants."""
        return Results(self.session, self.question_results, self.hardest, len(self.ranked), participants)

    def participant(self, ranked: Ranked, answers: bytes | str | None) -> ParticipantResults:
        """With the answers that `answers` (JSON of PlayerAnswer) has."""
        player = ranked.player
        teams = self.session.teams
        return ParticipantResults(
            rank=ranked.rank,
            quiz_session_participant_id=player.id,
            name=player.name,
            team=teams[player.team] if player.team is not None and player.team < len(teams) else None,
            removed=player.removed,
            score=player.score or 0,
            right=player.correct,
            answered=player.answered,
            answers=dict(map(self._answer, ANSWERS.decode(answers or "[]"))),
        )

    def _answer(self, given: PlayerAnswer) -> tuple[QuestionId, AnswerResults]:
        question_id, question = self.questions[given.position]
        correct = given.correct if earns(question) else None
        return question_id, AnswerResults(answer_text(question, given.answer), correct, given.score, given.response_ms)


async def read_overview(
    connection: Connection, session: QuizSession, questions: Mapping[QuestionId, Question]
) -> Overview:
    """As of the connection's moment; `questions` are the session's frozen ones."""
    asked = await results.asked_questions(connection, session.id)
    players = await results.players(connection, session.id)
    figures = {it.position: statistics(questions[it.id], it.tallies) for it in asked}
    return Overview(
        session=session_results(session, players),
        question_results=[
            QuestionResults(
                question_id=it.id,
                position=it.position,
                type=str(questions[it.id].__struct_config__.tag),
                prompt=questions[it.id].prompt,
                right_answer=right_text(questions[it.id]) if may_be_shown(it, session) else None,
                points=questions[it.id].points,
                time_limit_ms=questions[it.id].time_limit_ms,
                asked=session.mode == "self_paced" or it.opens_at_ms is not None,
                median_ms=it.median_ms,
                mean_ms=it.mean_ms,
                **msgspec.structs.asdict(figures[it.position]),
            )
            for it in asked
        ],
        hardest=[asked[at].id for at in places(asked, hardest_first(figures))],
        questions={it.position: (it.id, questions[it.id]) for it in asked},
        ranked=in_order(session.id, players, time_decides=session.mode == "self_paced"),
    )


def may_be_shown(asked: AskedQuestion, session: QuizSession) -> bool:
    """Whether what is right may be said: the host's screen may be the room's."""
    return session.mode == "self_paced" or asked.shut_at_ms is not None or session.state == "finished"


def places(asked: Sequence[AskedQuestion], positions: Sequence[int]) -> list[int]:
    """Where the questions at these positions are in the list."""
    by_position = {it.position: at for at, it in enumerate(asked)}
    return [by_position[position] for position in positions]


def session_results(session: QuizSession, players: Sequence[Player]) -> ResultsSession:
    return ResultsSession(
        quiz_session_id=session.id,
        title=session.title,
        language=session.language,
        mode=session.mode,
        state=session.state,
        scoring=session.options.scoring if session.options else "accuracy",
        teams=session.options.teams if session.options else [],
        opened_at=epoch_ms(session.opened_at),
        closed_at=epoch_ms(session.closed_at) if session.closed_at else None,
        participant_count=sum(not player.removed for player in players),
    )


def in_order(quiz_session_id: QuizSessionId, players: Sequence[Player], *, time_decides: bool) -> list[Ranked]:
    """By the board's rule; then who has answered nothing, then who was removed."""
    opened = opened_at_ms(quiz_session_id)
    totals = Totals(opened)
    on_board = {player.id: player for player in players if player.score is not None and not player.removed}
    for player in on_board.values():
        reached = player.reached_at_ms if time_decides else None
        totals.add(player.id, player.name, player.score or 0, opened if reached is None else reached)
    ranked = [Ranked(row.rank, on_board[row.quiz_session_participant_id]) for row in totals.rows()]
    others = sorted((it for it in players if it.id not in on_board), key=lambda player: player.removed)
    return ranked + [Ranked(None, player) for player in others]
