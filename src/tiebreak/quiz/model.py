"""What a quiz is made of, parsed where it comes in: a value of these types is a valid one."""

from __future__ import annotations

from typing import Annotated, NewType, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from tiebreak.text import clean_line, line_schema

UserId = NewType("UserId", UUID)
QuizId = NewType("QuizId", UUID)
QuestionId = NewType("QuestionId", UUID)
QuizSessionId = NewType("QuizSessionId", UUID)
ParticipantId = NewType("ParticipantId", UUID)
AnswerId = NewType("AnswerId", UUID)
ImageId = NewType("ImageId", UUID)

DEFAULT_POINTS = 100
# 100 questions of 10,000 points, and half as much again for streaks (scoring.py), stay below the 2,097,151 that a
# board's score holds (ranking.py).
MAX_QUESTIONS = 100
MAX_POINTS = 10_000
MAX_NAME = 40
MAX_TITLE = 120
MAX_PROMPT = 500
MAX_CHOICE = 200
MAX_EXPLANATION = 500
MAX_ALT = 250
# Up to here, and to fifteen digits, a number means the same in JSON, JavaScript and Postgres.
MAX_NUMBER = 10**15
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"

Points = Annotated[int, Meta(ge=0, le=MAX_POINTS)]
TimeLimitMs = Annotated[int, Meta(ge=1_000, le=3_600_000)]
MAX_CHOICES = 8
Name = Annotated[str, Meta(extra_json_schema=line_schema(MAX_NAME))]
Title = Annotated[str, Meta(extra_json_schema=line_schema(MAX_TITLE))]
Prompt = Annotated[str, Meta(extra_json_schema=line_schema(MAX_PROMPT))]
Choice = Annotated[str, Meta(extra_json_schema=line_schema(MAX_CHOICE))]
Choices = Annotated[list[Choice], Meta(min_length=2, max_length=MAX_CHOICES, extra_json_schema={"uniqueItems": True})]
Index = Annotated[int, Meta(ge=0, lt=MAX_CHOICES, description="Of a choice, from 0")]
Explanation = Annotated[str, Meta(extra_json_schema=line_schema(MAX_EXPLANATION))]
Alt = Annotated[str, Meta(extra_json_schema=line_schema(MAX_ALT))]
Number: TypeAlias = (
    Annotated[int, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)] | Annotated[float, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]
)
Distance: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_NUMBER)] | Annotated[float, Meta(ge=0, le=MAX_NUMBER)]


class QuestionImage(msgspec.Struct, forbid_unknown_fields=True):
    """An image beside a question. `alt` says what it shows to who does not see it, without giving the answer away."""

    image_id: ImageId
    alt: Alt

    def __post_init__(self) -> None:
        self.alt = clean_line(self.alt, longest=MAX_ALT, what="The image's description")


class _Question(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag_field="type"):
    """What all questions have. `explanation` betrays the key: it is shown with it, never before."""

    prompt: Prompt
    points: Points = DEFAULT_POINTS
    time_limit_ms: TimeLimitMs | None = None
    image: QuestionImage | None = None
    explanation: Explanation | None = None

    def __post_init__(self) -> None:
        self.prompt = clean_line(self.prompt, longest=MAX_PROMPT, what="The prompt")
        if self.explanation is not None:
            self.explanation = clean_line(self.explanation, longest=MAX_EXPLANATION, what="The explanation")


class ChoiceQuestion(_Question, tag="choice"):
    """One of 2–8 choices is right; `answer` is its index from 0."""

    choices: Choices
    answer: Index

    def __post_init__(self) -> None:
        super().__post_init__()
        self.choices = clean_choices(self.choices)
        check_indexes([self.answer], self.choices)


class MultiChoiceQuestion(_Question, tag="multi_choice"):
    """Any number of 2–8 choices are right, at least one; `answer` holds their indexes, ascending."""

    choices: Choices
    answer: Annotated[list[Index], Meta(min_length=1, max_length=MAX_CHOICES, extra_json_schema={"uniqueItems": True})]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.choices = clean_choices(self.choices)
        check_indexes(self.answer, self.choices)
        self.answer = sorted(self.answer)


class TrueFalseQuestion(_Question, tag="true_false"):
    """A statement that is true or false."""

    answer: bool


class TypedQuestion(_Question, tag="typed"):
    """The answer is typed; `answer` lists the strings that are accepted (see grading.fold)."""

    answer: Annotated[list[Choice], Meta(min_length=1, max_length=20)]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.answer = [clean_line(text, longest=MAX_CHOICE, what="An accepted answer") for text in self.answer]


class OrderQuestion(_Question, tag="order"):
    """2–8 items to put in order; `answer` holds their indexes in the right one."""

    choices: Choices
    answer: Annotated[list[Index], Meta(min_length=2, max_length=MAX_CHOICES, extra_json_schema={"uniqueItems": True})]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.choices = clean_choices(self.choices)
        check_indexes(self.answer, self.choices)
        if len(self.answer) < len(self.choices):
            raise ValueError("The answer must name every item")


class NumericQuestion(_Question, tag="numeric"):
    """A number is asked for; right is what is at most `tolerance` away from `answer`."""

    answer: Number
    tolerance: Distance = 0


class PollQuestion(_Question, tag="poll"):
    """One of 2–8 choices, and none is wrong. Earns nothing."""

    choices: Choices

    def __post_init__(self) -> None:
        super().__post_init__()
        self.choices = clean_choices(self.choices)


class WordCloudQuestion(_Question, tag="word_cloud"):
    """A few words of one's own, and none are wrong. Earns nothing."""


class InfoSlide(_Question, tag="info"):
    """Something to read: it takes no answer."""


# Whose choices are indexes to a player; with and without right and wrong answers.
ChoosingQuestion: TypeAlias = ChoiceQuestion | MultiChoiceQuestion | OrderQuestion | PollQuestion
KeyedQuestion: TypeAlias = (
    ChoiceQuestion | MultiChoiceQuestion | TrueFalseQuestion | TypedQuestion | OrderQuestion | NumericQuestion
)
UnkeyedQuestion: TypeAlias = PollQuestion | WordCloudQuestion | InfoSlide
Question: TypeAlias = KeyedQuestion | UnkeyedQuestion

# Python's `$` lets a line feed pass; JSON Schema has no `\Z`.
Language = Annotated[
    str,
    Meta(
        max_length=35,
        pattern=rf"{LANGUAGE}\Z",
        description="BCP 47, e.g. de or pt-BR",
        extra_json_schema={"pattern": f"{LANGUAGE}$"},
    ),
]

# What a participant may send: an index, indexes, a bool, a number or a string. bool first: it is an int in Python.
Submission: TypeAlias = bool | int | float | str | list[int]


class Quiz(msgspec.Struct, forbid_unknown_fields=True):
    """The content that a host writes."""

    title: Title
    questions: Annotated[list[Question], Meta(min_length=1, max_length=MAX_QUESTIONS)]
    language: Language = "en"

    def __post_init__(self) -> None:
        self.title = clean_line(self.title, longest=MAX_TITLE, what="The title")


def clean_choices(choices: list[str]) -> list[str]:
    """The choices as they will be shown. Raises ValueError if two would look the same."""
    cleaned = [clean_line(choice, longest=MAX_CHOICE, what="A choice") for choice in choices]
    if len(set(cleaned)) < len(cleaned):
        raise ValueError("Two choices are the same")
    return cleaned


def check_indexes(answer: list[int], choices: list[str]) -> None:
    """Raises ValueError unless every index names another one of the choices."""
    if len(set(answer)) < len(answer):
        raise ValueError("The answer names a choice twice")
    if any(not 0 <= index < len(choices) for index in answer):
        raise ValueError(f"The answer must be an index from 0 to {len(choices) - 1}")
