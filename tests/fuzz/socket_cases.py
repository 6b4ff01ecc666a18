"""What clients say over sockets: right, nearly right, and not at all."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

MESSAGES = (
    *("enter_session", "leave_session", "get_leaderboard", "update_score", "renew_token"),
    *("get_game", "get_my_result"),
)

# Text that has been trouble elsewhere, and any other.
odd_text = st.one_of(
    st.sampled_from(
        ["", "\0", "\ud7ff\ue000", "\u202e", "🦊" * 50, "__proto__", "constructor", "1e999", "null", "a" * 8_000]
    ),
    st.text(st.characters(codec="utf-8"), max_size=40),
)
numbers = st.one_of(
    st.sampled_from(
        [-1, 0, 1, 1_000, 1_001, 1_000_000, 1_000_001, 2**31, 2**53, 2**63, 2**64, 10**40, -0.0, 1.0, 1.5, 1e308]
    ),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)
leaves = st.one_of(st.none(), st.booleans(), numbers, odd_text)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(odd_text, inner, max_size=5)),
    max_leaves=12,
)


def nested(depth: int) -> Any:
    value: Any = 0
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


deep = st.integers(2, 400).map(nested)
ids = st.uuids().map(str)


def fields(known: dict[str, list[str]], tokens: list[str]) -> dict[str, st.SearchStrategy[Any]]:
    """Values that are right for each field of a message, mostly of things that exist."""
    answers = st.one_of(st.booleans(), st.integers(-1, 9), numbers, odd_text, st.lists(st.integers(-1, 9), max_size=9))
    return {
        "quiz_session_id": st.one_of(st.sampled_from(known["quiz_session_id"]), ids),
        "question_id": st.one_of(st.sampled_from(known["question_id"]), ids),
        "answer": answers,
        "answer_id": st.one_of(st.none(), ids),
        "limit": st.integers(1, 1_000),
        "offset": st.integers(0, 1_000_000),
        "around": st.sampled_from(["me", None]),
        "token": st.one_of(st.sampled_from(tokens), odd_text),
    }


NEEDED = {
    "enter_session": ("quiz_session_id",),
    "leave_session": ("quiz_session_id",),
    "get_leaderboard": ("quiz_session_id",),
    "update_score": ("quiz_session_id", "question_id", "answer"),
    "renew_token": ("token",),
    "get_game": ("quiz_session_id",),
    "get_my_result": ("quiz_session_id",),
}
OPTIONAL = {"get_leaderboard": ("limit", "offset", "around"), "update_score": ("answer_id",)}


def right(message: str, of: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Payloads of the shape that docs/messages.md describes."""
    return st.fixed_dictionaries(
        {name: of[name] for name in NEEDED[message]}, optional={name: of[name] for name in OPTIONAL.get(message, ())}
    )


@st.composite
def bent(draw: st.DrawFn, message: str, of: dict[str, st.SearchStrategy[Any]]) -> tuple[str, Any]:
    """A right payload with one thing changed: a field missing, one that is unknown, or another kind of value.

    With it, which of them; only the last may by chance be right.
    """
    payload = draw(right(message, of))
    how = draw(st.sampled_from(["missing", "unknown", "other"]))
    match how:
        case "missing":
            del payload[draw(st.sampled_from(NEEDED[message]))]
        case "unknown":
            payload["surprise"] = draw(anything)
        case _:
            payload[draw(st.sampled_from(sorted(payload)))] = draw(st.one_of(anything, deep))
    return how, payload


def packets() -> st.SearchStrategy[list[str | bytes]]:
    """Whatever may come over a connection, in and out of order: a few packets one after the other."""
    events = st.tuples(st.sampled_from([*MESSAGES, "connect", "disconnect", "nothing", ""]), anything).map(list)
    namespaces = st.sampled_from(["", "/,", "/other,", "/a/b?c=d,", "/" + "n" * 500 + ","])
    acknowledgement = st.sampled_from(["", "0", "7", "00", "9007199254740993", "1" * 40])
    whole = st.builds(
        lambda kind, space, id_, data: f"4{kind}{space}{id_}{json.dumps(data)}",
        st.integers(0, 9),
        namespaces,
        acknowledgement,
        st.one_of(events, anything),
    )
    binary = st.builds(
        lambda count, data: f"45{count}-{json.dumps(['update_score', data, {'_placeholder': True, 'num': 0}])}",
        st.integers(0, 12),
        anything,
    )
    one = st.one_of(
        whole,
        binary,
        st.binary(max_size=300),
        odd_text,
        st.sampled_from(
            [
                "0",
                "1",
                "2",
                "3",
                "2probe",
                "3probe",
                "5",
                "6",
                "40",
                "41",
                "42",
                "42[",
                "4",
                "4[]",
                "42[]",
                "x" * 17_000,
            ]
        ),
    )
    return st.lists(one, min_size=1, max_size=4)
