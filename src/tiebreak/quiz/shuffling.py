"""Another order of choices for each session, the same for everybody in it: shown, answered and exported alike."""

from __future__ import annotations

from hashlib import sha256

from msgspec.structs import replace

from tiebreak.quiz.model import Question, QuestionId, QuizSessionId


def shuffled(question: Question, question_id: QuestionId, quiz_session_id: QuizSessionId) -> Question:
    """The question with its choices, and its key, in the session's order; as it is if it has no choices.

    The order follows from the two ids: nothing has to be kept, and it says nothing of the key.
    """
    choices: list[str] | None = getattr(question, "choices", None)
    if choices is None:
        return question
    seed = quiz_session_id.bytes + question_id.bytes
    order = sorted(range(len(choices)), key=lambda index: sha256(seed + bytes([index])).digest())
    place = {index: at for at, index in enumerate(order)}
    shown = [choices[index] for index in order]
    answer: int | list[int] | None = getattr(question, "answer", None)
    if answer is None:
        return replace(question, choices=shown)
    key = [place[index] for index in answer] if isinstance(answer, list) else place[answer]
    return replace(question, choices=shown, answer=key)
