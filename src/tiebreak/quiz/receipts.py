"""What a session's answer log is made of, and the receipt of one answer: docs/receipts.md for readers outside.

The log is a hash chain (Haber and Stornetta 1991). Each link adds a batch of answers:

    leaf   = SHA-256 of the answer's row in the ledger, written as below
    digest = SHA-256(the digest before ‖ SHA-256(leaf ‖ leaf ‖ …))

The same in SQL is `answer_leaf` and `empty_log` of migration 0004; tests/integration/database holds the two together.
"""

from __future__ import annotations

import binascii
import struct
from hashlib import sha256
from uuid import UUID

import msgspec

from tiebreak.quiz.model import AnswerId, ParticipantId, QuestionId, QuizSessionId

LEAF_BYTES = 32
# Answer, participant, question, correct, score, answered at (µs); the answer's JSON follows.
LEAF = struct.Struct(">16s16s16s?iq")
PREFIX = "tb1."
# Answer, session, accepted at (ms), position, digest; a checksum follows, which tells a slip in copying from a forgery.
# 84 bytes together: base64 without padding.
FIELDS = struct.Struct(">16s16sqq32s")
TO_URL, FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_+/", b"+/!!")


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What the log said when it took an answer: the `position`th of its session, from 1.

    `digest` is the log's after the batch that the answer came with. It stands for every answer up to there.
    """

    answer_id: AnswerId
    quiz_session_id: QuizSessionId
    accepted_at_ms: int
    position: int
    digest: bytes

    def text(self) -> str:
        """One word, to be kept and handed on: letters, digits, `-` and `_` after its version."""
        # Not `UUID.bytes`, which is Python.
        answer, quiz_session = self.answer_id.int.to_bytes(16), self.quiz_session_id.int.to_bytes(16)
        fields = FIELDS.pack(answer, quiz_session, self.accepted_at_ms, self.position, self.digest)
        checked = fields + binascii.crc32(fields).to_bytes(4)
        return PREFIX + binascii.b2a_base64(checked, newline=False).translate(TO_URL).decode()


def parse_receipt(text: str) -> Receipt:
    """The receipt of its text, blanks around it aside. Raises ValueError, which says what is wrong with it."""
    text = text.strip()
    if not text.startswith(PREFIX):
        raise ValueError(f"a receipt begins with {PREFIX}")
    try:
        encoded = text.removeprefix(PREFIX).encode("ascii").translate(FROM_URL)
        checked = binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError as error:
        raise ValueError("something in it is not of a receipt") from error
    fields, checksum = checked[: FIELDS.size], checked[FIELDS.size :]
    if len(fields) < FIELDS.size or binascii.crc32(fields).to_bytes(4) != checksum:
        raise ValueError("a part of it is missing or was mistyped")
    answer_id, quiz_session_id, accepted_at_ms, position, digest = FIELDS.unpack(fields)
    return Receipt(
        AnswerId(UUID(bytes=answer_id)),
        QuizSessionId(UUID(bytes=quiz_session_id)),
        accepted_at_ms,
        position,
        digest,
    )


def leaf_of(
    answer_id: AnswerId,
    participant_id: ParticipantId,
    question_id: QuestionId,
    *,
    correct: bool,
    score: int,
    answered_at_us: int,
    answer: str,
) -> bytes:
    """An answer's digest; `answer` is its JSON, to the letter. It alone has any length, and is last."""
    fields = LEAF.pack(answer_id.bytes, participant_id.bytes, question_id.bytes, correct, score, answered_at_us)
    return sha256(fields + answer.encode()).digest()


def empty_log(quiz_session_id: QuizSessionId) -> bytes:
    """The digest that a log's first link follows."""
    return sha256(quiz_session_id.bytes).digest()


def next_digest(digest: bytes, leaves: bytes) -> bytes:
    """The log's digest after a batch of answers with these leaves, one behind the other."""
    return sha256(digest + sha256(leaves).digest()).digest()
