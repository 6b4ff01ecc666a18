"""Choices in another order: what was right still is, and nothing tells which one it was."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tiebreak.ids import new_id
from tiebreak.quiz.model import ChoiceQuestion, MultiChoiceQuestion, QuestionId, QuizSessionId, TrueFalseQuestion
from tiebreak.quiz.shuffling import shuffled


@given(st.uuids(), st.uuids(), st.integers(2, 8), st.data())
def test_key_follows(session: QuizSessionId, id_: QuestionId, count: int, data: st.DataObject):
    """The texts that were right are right in the new order, and no choice is lost."""
    choices = [f"choice {index}" for index in range(count)]
    right = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    multi = MultiChoiceQuestion(prompt="p", choices=list(choices), answer=sorted(right))
    one = ChoiceQuestion(prompt="p", choices=list(choices), answer=min(right))
    for question, expected in ((multi, {choices[it] for it in right}), (one, {choices[min(right)]})):
        other = shuffled(question, id_, session)
        assert isinstance(other, (MultiChoiceQuestion, ChoiceQuestion))
        assert sorted(other.choices) == choices
        answer = other.answer if isinstance(other.answer, list) else [other.answer]
        assert {other.choices[it] for it in answer} == expected
        assert shuffled(question, id_, session) == other


def test_places_are_equal():
    """Over many sessions the right choice is at each place about equally often."""
    question, id_ = ChoiceQuestion(prompt="p", choices=["a", "b", "c", "d"], answer=2), QuestionId(new_id())
    places = Counter(shuffled(question, id_, QuizSessionId(new_id())).answer for _ in range(2_000))
    assert all(400 < places[place] < 600 for place in range(4)), places


def test_without_choices():
    """There is nothing to shuffle."""
    question = TrueFalseQuestion(prompt="p", answer=True)
    assert shuffled(question, QuestionId(new_id()), QuizSessionId(new_id())) is question
