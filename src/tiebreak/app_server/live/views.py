"""What screens are shown of a live game. The key leaves with the reveal, and here alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tiebreak.app_server.views import choices_of, key_of, type_of
from tiebreak.database.live_games import AnswerCount, Figures
from tiebreak.database.quiz_sessions import QuizSession
from tiebreak.database.quizzes import StoredQuestion
from tiebreak.quiz.grading import fold
from tiebreak.quiz.live import DEFAULT_LIMIT_MS, Game
from tiebreak.quiz.model import (
    ChoiceQuestion,
    InfoSlide,
    MultiChoiceQuestion,
    OrderQuestion,
    PollQuestion,
    Submission,
    TrueFalseQuestion,
    WordCloudQuestion,
)
from tiebreak.quiz.options import Options
from tiebreak.quiz.scoring import earns
from tiebreak.quiz.teams import TeamRow
from tiebreak.socket_adapter.live_messages import Count, GameView, LiveQuestion, Reveal

# Of what was typed, the most frequent ones.
MOST_FREQUENT = 10
MOST_FREQUENT_WORDS = 50

# Not the podium: a game that is ended may have announced a question that was never asked.
SHOWN = ("reveal", "board")
WITH_TEAMS = ("board", "podium", "finished")


def game_view(
    session: QuizSession,
    options: Options,
    game: Game,
    questions: Sequence[StoredQuestion],
    now_ms: int,
    figures: Figures,
    *,
    counts: Sequence[AnswerCount] | None,
    team_board: list[TeamRow] | None,
) -> GameView:
    """The game as every screen may see it. `counts`: of the question that is revealed."""
    asked = questions[game.question] if game.question is not None else None
    stopped_at_ms = game.paused_at_ms if game.paused_at_ms is not None else now_ms
    due_at_ms = game.due_at_ms if game.left_ms is None else stopped_at_ms + game.left_ms
    return GameView(
        quiz_session_id=session.id,
        step=game.step,
        phase=game.phase,
        title=session.title,
        language=session.language,
        question_index=game.question,
        question_count=len(questions),
        question=live_question(asked, is_announced=game.phase == "countdown") if asked else None,
        opens_in_ms=until(due_at_ms, stopped_at_ms) if game.phase == "countdown" else None,
        closes_in_ms=until(game.closes_at_ms, stopped_at_ms),
        next_in_ms=until(due_at_ms, stopped_at_ms),
        paused=game.paused_at_ms is not None,
        auto_advance=game.auto_advance,
        locked=game.locked,
        answered=figures.answered,
        players=figures.players,
        scoring=options.scoring,
        phones=options.phones,
        teams=options.teams,
        reveal=reveal_of(asked, counts) if asked and counts is not None else None,
        team_board=team_board,
        pin=session.pin if session.state == "open" else None,
    )


def until(at_ms: int | None, now_ms: int) -> int | None:
    return None if at_ms is None else max(at_ms - now_ms, 0)


def live_question(stored: StoredQuestion, *, is_announced: bool) -> LiveQuestion:
    question = stored.question
    return LiveQuestion(
        question_id=stored.id,
        type=type_of(question),
        prompt=question.prompt,
        choices=None if is_announced else choices_of(question),
        image=question.image,
        points=question.points if earns(question) else 0,
        time_limit_ms=question.time_limit_ms or DEFAULT_LIMIT_MS,
    )


def reveal_of(stored: StoredQuestion, counts: Sequence[AnswerCount]) -> Reveal:
    return Reveal(
        right_answer=key_of(stored),
        explanation=stored.question.explanation,
        distribution=distribution_of(stored, counts),
        answered=sum(it.count for it in counts),
        right=sum(it.count for it in counts if it.correct) if earns(stored.question) else 0,
    )


def distribution_of(stored: StoredQuestion, counts: Sequence[AnswerCount]) -> list[Count]:
    """How often each choice was made, or what was typed most often."""
    given: Counter[Submission] = Counter()
    for it in counts:
        for answer in it.answer if isinstance(it.answer, list) else [it.answer]:
            given[answer] += it.count
    match stored.question:
        case ChoiceQuestion() | MultiChoiceQuestion() | PollQuestion() as question:
            return [Count(index, given[index]) for index in range(len(question.choices))]
        case TrueFalseQuestion():
            return [Count(truth, given[truth]) for truth in (True, False)]
        case OrderQuestion() | InfoSlide():
            return []
        case WordCloudQuestion():
            return most_frequent(given, MOST_FREQUENT_WORDS)
        case _:
            return most_frequent(given, MOST_FREQUENT)


def most_frequent(given: Counter[Submission], longest: int) -> list[Count]:
    """Written alike counts as the same; shown as it was written most often."""
    alike: dict[str, Counter[str]] = {}
    for answer, count in given.items():
        alike.setdefault(fold(str(answer)), Counter())[" ".join(str(answer).split())] += count
    sums = Counter({key: writings.total() for key, writings in alike.items()})
    return [Count(alike[key].most_common(1)[0][0], count) for key, count in sums.most_common(longest)]
