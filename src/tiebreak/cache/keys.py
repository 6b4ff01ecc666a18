"""Every key of the cache: its type, members, scores and time to live.

A session's keys share the hash tag `{quiz_session_id}`, so Redis Cluster keeps them on one node, where one
Lua call may touch them all.

key                    type        member → value                               lives
{id}:board             sorted set  participant id → standing (quiz/ranking.py)  LIVE_SECONDS after its first
{id}:answers           set         participant_answer_id                        answer; KEPT_SECONDS from the
{id}:names             hash        participant id → name                        session's end
{id}:meta              hash        epoch, version, life (of Redis, that it was  (all four alike)
                                   begun in), answers (how many), whole (1 or
                                   not there: partial)
{id}:present           sorted set  user id of a screen in a live session's      a minute after the last
                                   room → ms until which that is believed
boards:wanted          sorted set  session whose board has to be built → ms     for ever; empty but after a loss
                                   from which on it may be taken up
cache:incarnation      hash        life, id, since_ms                           for ever
turn:{name}            string      "taken"                                      until the next turn
misses:{name}:{who}    string      count of misses in the current minute        a minute
calls:{name}:{minute}  hash        who → calls in that minute since the epoch   three minutes
"""

from __future__ import annotations

from tiebreak.quiz.model import QuizSessionId

# A standing tells 49.7 days apart; a session left open longer has its board built from the ledger when asked for.
LIVE_SECONDS = 50 * 24 * 3600
KEPT_SECONDS = 24 * 3600

WANTED = "boards:wanted"
INCARNATION = "cache:incarnation"


def board_keys(quiz_session_id: QuizSessionId) -> tuple[str, str, str, str]:
    """board, answers, names, meta: in the order the Lua scripts expect."""
    tag = f"{{{quiz_session_id}}}"
    return f"{tag}:board", f"{tag}:answers", f"{tag}:names", f"{tag}:meta"


def presence_key(quiz_session_id: QuizSessionId) -> str:
    """Whose screens are in a live session's room."""
    return f"{{{quiz_session_id}}}:present"


def misses_key(name: str, who: str) -> str:
    """How often `who` missed at `name` in the current minute."""
    return f"misses:{name}:{who}"


def turn_key(name: str) -> str:
    """There while the last turn at `name` lasts."""
    return f"turn:{name}"


def calls_key(name: str, minute: int) -> str:
    """How often each has called `name` in a minute, counted since the epoch."""
    return f"calls:{name}:{minute}"
