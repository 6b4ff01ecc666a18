"""The contract on the bus."""

import json

import pytest

from tiebreak.errors import EventUndecodable
from tiebreak.events import SHARDS, ParticipantScoreChange, ScoreChange, decode, encode, key_of, shard_of
from tiebreak.ids import new_id

EVENT = ParticipantScoreChange(
    id=new_id(),
    payload=ScoreChange(
        participant_answer_id=new_id(),
        quiz_session_id=new_id(),
        quiz_session_participant_id=new_id(),
        name="Zoë 🦊",
        question_id=new_id(),
        score=100,
        answered_at_ms=1_795_000_000_000,
    ),
)


def test_event_as_others_read_it():
    """Name, type, version, ids and the payload's fields are what docs/events.md says."""
    value = json.loads(encode(EVENT))
    assert {name: value[name] for name in ("event_name", "type", "version")} == {
        "event_name": "participant_score_change",
        "type": "ADD_ANSWER",
        "version": 1,
    }
    assert sorted(value["payload"]) == [
        "answered_at_ms",
        "name",
        "participant_answer_id",
        "question_id",
        "quiz_session_id",
        "quiz_session_participant_id",
        "score",
    ]
    assert decode(encode(EVENT)) == EVENT


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"event_name": "other"}, {"extra": 1}, {"payload": {}}, {"id": "no id"}]
)
def test_anything_else_is_undecodable(change):
    """An event of another shape is an error of its own, never half understood."""
    with pytest.raises(EventUndecodable):
        decode(json.dumps(json.loads(encode(EVENT)) | change).encode())


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"[" * 1000])
def test_bytes_that_are_no_json(value):
    """Whatever lies on the bus, decoding ends in the one documented error."""
    with pytest.raises(EventUndecodable):
        decode(value)


def test_shard_is_for_ever():
    """A session's shard depends on its id alone, spreads evenly, and has the key of its partition."""
    ids = [new_id() for _ in range(6_400)]
    counts = [0] * SHARDS
    for id_ in ids:
        assert shard_of(id_) == shard_of(id_)
        assert key_of(id_) == str(id_).encode()
        counts[shard_of(id_)] += 1
    assert min(counts) > 40
    assert max(counts) < 180
