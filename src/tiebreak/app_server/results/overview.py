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
from tiebreak.database.results import AskedQuestion, PlayedBy, Player, PlayerAnswer
from tiebreak.quiz.answer_texts import answer_text, is_graded, right_text, type_of
from tiebreak.quiz.model import Question, QuestionId, QuizSessionId
from tiebreak.quiz.ranking import Totals, opened_at_ms
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
        correct = given.correct if is_graded(question) else None
        return question_id, AnswerResults(answer_text(question, given.answer), correct, given.score, given.response_ms)


async def read_overview(
    connection: Connection, session: QuizSession, questions: Mapping[QuestionId, Question]
) -> Overview:
    """As of the connection's moment; `questions` are the session's frozen ones."""
    played = await results.played_by(connection, session.id)
    asked = await results.asked_questions(connection, session.id)
    players = await results.players(connection, session.id)
    figures = {it.position: statistics(questions[it.id], it.tallies) for it in asked}
    return Overview(
        session=session_results(session, played, players),
        question_results=[
            QuestionResults(
                question_id=it.id,
                position=it.position,
                type=type_of(questions[it.id]),
                prompt=questions[it.id].prompt,
                right_answer=right_text(questions[it.id]) if may_be_shown(it, session, played) else None,
                points=questions[it.id].points,
                time_limit_ms=questions[it.id].time_limit_ms,
                asked=not played.is_live or it.opens_at_ms is not None,
                median_ms=it.median_ms,
                mean_ms=it.mean_ms,
                **msgspec.structs.asdict(figures[it.position]),
            )
            for it in asked
        ],
        hardest=[asked[at].id for at in places(asked, hardest_first(figures))],
        questions={it.position: (it.id, questions[it.id]) for it in asked},
        ranked=in_order(session.id, players, time_decides=not played.is_live),
    )


def may_be_shown(asked: AskedQuestion, session: QuizSession, played: PlayedBy) -> bool:
    """Whether what is right may be said: the host's screen may be the room's."""
    return not played.is_live or asked.shut_at_ms is not None or session.state == "finished"


def places(asked: Sequence[AskedQuestion], positions: Sequence[int]) -> list[int]:
    """Where the questions at these positions are in the list."""
    by_position = {it.position: at for at, it in enumerate(asked)}
    return [by_position[position] for position in positions]


def session_results(session: QuizSession, played: PlayedBy, players: Sequence[Player]) -> ResultsSession:
    return ResultsSession(
        quiz_session_id=session.id,
        title=session.title,
        language=session.language,
        mode="live" if played.is_live else "self_paced",
        state=session.state,
        scoring=played.scoring,
        teams=played.teams,
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
