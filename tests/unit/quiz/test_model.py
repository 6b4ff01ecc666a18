"""A quiz that was parsed is a valid one."""

import msgspec
import pytest

from tiebreak.quiz.model import MultiChoiceQuestion, Question, Quiz


def parse(**question):
    return msgspec.convert(question, Question)


@pytest.mark.parametrize(
    "question",
    [
        {"type": "choice", "prompt": "?", "choices": ["a"], "answer": 0},
        {"type": "choice", "prompt": "?", "choices": list("abcdefghi"), "answer": 0},
        {"type": "choice", "prompt": "?", "choices": ["a", "b"], "answer": 2},
        {"type": "choice", "prompt": "?", "choices": ["a", "b"], "answer": "0"},
        {"type": "choice", "prompt": "?", "choices": ["a", " a "], "answer": 0},
        {"type": "choice", "prompt": "?", "choices": ["a", " "], "answer": 0},
        {"type": "choice", "prompt": " ", "choices": ["a", "b"], "answer": 0},
        {"type": "choice", "prompt": "x" * 501, "choices": ["a", "b"], "answer": 0},
        {"type": "choice", "prompt": "nul \0", "choices": ["a", "b"], "answer": 0},
        {"type": "choice", "prompt": "?", "answer": 0},
        {"type": "choice", "prompt": "?", "choices": ["a", "b"], "answer": 0, "points": -1},
        {"type": "choice", "prompt": "?", "choices": ["a", "b"], "answer": 0, "points": 10_001},
        {"type": "choice", "prompt": "?", "choices": ["a", "b"], "answer": 0, "time_limit_ms": 999},
        {"type": "choice", "prompt": "?", "choices": ["a", "b"], "answer": 0, "hint": "unknown field"},
        {"type": "multi_choice", "prompt": "?", "choices": ["a", "b"], "answer": []},
        {"type": "multi_choice", "prompt": "?", "choices": ["a", "b"], "answer": [0, 0]},
        {"type": "true_false", "prompt": "?", "answer": 1},
        {"type": "typed", "prompt": "?", "answer": []},
        {"type": "typed", "prompt": "?", "answer": [" "]},
        {"type": "essay", "prompt": "?", "answer": "x"},
        {"type": "order", "prompt": "?", "choices": ["a", "b", "c"], "answer": [0, 1]},
        {"type": "order", "prompt": "?", "choices": ["a", "b"], "answer": [0, 0]},
        {"type": "order", "prompt": "?", "choices": ["a", "b"], "answer": [1, 2]},
        {"type": "order", "prompt": "?", "choices": ["a", "a"], "answer": [1, 0]},
        {"type": "numeric", "prompt": "?", "answer": "1"},
        {"type": "numeric", "prompt": "?", "answer": True},
        {"type": "numeric", "prompt": "?", "answer": 10**15 + 1},
        {"type": "numeric", "prompt": "?", "answer": -1e16},
        {"type": "numeric", "prompt": "?", "answer": float("nan")},
        {"type": "numeric", "prompt": "?", "answer": float("inf")},
        {"type": "numeric", "prompt": "?", "answer": 1, "tolerance": -0.1},
        {"type": "numeric", "prompt": "?", "answer": 1, "tolerance": None},
        {"type": "poll", "prompt": "?", "choices": ["a"]},
        {"type": "poll", "prompt": "?", "choices": ["a", "b"], "answer": 0},
        {"type": "word_cloud", "prompt": "?", "answer": ["x"]},
        {"type": "info", "prompt": "!", "answer": None},
        {"type": "info", "prompt": "!", "explanation": " "},
        {"type": "info", "prompt": "!", "explanation": "x" * 501},
        {"type": "info", "prompt": "!", "image": {"image_id": "019361d5-7c3b-7000-8000-000000000000", "alt": " "}},
        {"type": "info", "prompt": "!", "image": {"image_id": "019361d5-7c3b-7000-8000-000000000000"}},
        {"type": "info", "prompt": "!", "image": {"image_id": "tree", "alt": "A tree"}},
    ],
)
def test_invalid_questions_are_refused(question):
    """What cannot be asked or graded never becomes a question."""
    with pytest.raises(msgspec.ValidationError):
        parse(**question)


def test_question_takes_its_defaults():
    """100 points and no time limit, and texts without outer and doubled blanks."""
    question = parse(type="choice", prompt="  Which   one? ", choices=[" a", "b "], answer=0)
    assert (question.prompt, question.choices) == ("Which one?", ["a", "b"])
    assert (question.points, question.time_limit_ms) == (100, None)


def test_multi_choice_answer_is_kept_ascending():
    """The order in which an author ticks the right choices means nothing."""
    question = parse(type="multi_choice", prompt="?", choices=["a", "b", "c"], answer=[2, 0])
    assert isinstance(question, MultiChoiceQuestion)
    assert question.answer == [0, 2]


@pytest.mark.parametrize("language", ["en", "de-AT", "zh-Hant", "fil"])
def test_language_tags(language):
    """A quiz's language is a BCP 47 tag."""
    question = {"type": "true_false", "prompt": "?", "answer": True}
    assert msgspec.convert({"title": "T", "language": language, "questions": [question]}, Quiz).language == language


@pytest.mark.parametrize("fields", [{"title": ""}, {"questions": []}, {"language": "english please"}, {"extra": 1}])
def test_invalid_quizzes_are_refused(fields):
    """A quiz has a title, questions and nothing unknown."""
    quiz = {"title": "T", "questions": [{"type": "true_false", "prompt": "?", "answer": True}]}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(quiz | fields, Quiz)


def test_quiz_holds_at_most_a_hundred_questions():
    """So that the points of a whole quiz fit on a board."""
    question = {"type": "true_false", "prompt": "?", "answer": True}
    assert len(msgspec.convert({"title": "T", "questions": [question] * 100}, Quiz).questions) == 100
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"title": "T", "questions": [question] * 101}, Quiz)
