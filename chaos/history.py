"""What clients have sent and been told: all that the verdict knows of their side. Pure."""

from __future__ import annotations

from collections import Counter

import msgspec

from tiebreak.load_test.content import Submission


class Acknowledged(msgspec.Struct, frozen=True):
    """The 200 of an answer, by HTTP or socket."""

    participant_answer_id: str
    correct: bool
    score: int


class Given(msgspec.Struct):
    """An answer that was sent, once or often, and all that was said to it.

    `is_rival`: a second, different answer to a question: of it and the first one only one may count.
    """

    quiz_session_id: str
    participant_id: str
    question_id: str
    answer: Submission
    score: int
    answer_id: str
    is_rival: bool = False
    sent_at: float = 0.0
    attempts: int = 0
    acknowledged: list[Acknowledged] = []
    refused: list[str] = []

    @property
    def is_settled(self) -> bool:
        return bool(self.acknowledged or self.refused)


class History(msgspec.Struct):
    """Of one session, as long as it is played and checked."""

    quiz_session_id: str
    given: list[Given] = []
    # Participants by id, and their names.
    participants: dict[str, str] = {}
    # Messages that a client must not get, in words.
    strange: list[str] = []


class Figures(msgspec.Struct):
    """What a run was made of, beside its faults."""

    sessions: int = 0
    participants: int = 0
    answers: int = 0
    acknowledgements: int = 0
    attempts: int = 0
    duplicates: int = 0
    rivals: int = 0
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    retries: Counter[str] = msgspec.field(default_factory=Counter)
    connections_lost: int = 0
    boards_shown: int = 0
    late_messages: int = 0
    epochs: int = 0

    def add(self, other: Figures) -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
