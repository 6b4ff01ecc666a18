"""`python -m simulation.mutants`: take out one safeguard after the other, and look for a
schedule that notices. A safeguard that nobody misses is either not needed, or not simulated.

`--only NAME` takes out one. Exit status 1 if one was not missed that should be.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Any, TypeAlias
from unittest.mock import patch
from uuid import UUID

import msgspec
from msgspec.structs import replace

from simulation import scripts
from simulation.batch import Batch, silent
from simulation.bus_client import SimulatedConsumer
from simulation.keyspace import Keyspace
from simulation.tables import STATEMENTS, Tables
from tiebreak.app_server.healing import Healing
from tiebreak.boards.care import BoardCare
from tiebreak.boards.reading import Boards
from tiebreak.boards.rebuild import Rebuilder
from tiebreak.cache_worker.projection import Projection
from tiebreak.database.answers import NewAnswer, Recorded, ledger, recorded_now
from tiebreak.event_bus.bus import Message, Producer
from tiebreak.publisher_worker.relay import Relay
from tiebreak.quiz.model import QuizSessionId
from tiebreak.redis_client import OUTAGES as CACHE_OUTAGES
from tiebreak.redis_client import RedisError

Patch: TypeAlias = AbstractContextManager[Any]

FIRST_SEED = 1
MOST_SCHEDULES = 3_000


class Mutant(msgspec.Struct):
    """`is_missed`: whether some schedule is expected to notice."""

    safeguard: str
    patches: Callable[[], Sequence[Patch]]
    is_missed: bool = True


def without_dedupe(data: Keyspace, keys: scripts.Arguments, arguments: scripts.Arguments) -> int:
    data.delete(keys[1])
    new = ADD(data, keys, arguments)
    data.collection(keys[3])["answers"] = str(len(data.get(keys[1])))
    return new


def shows_partial(data: Keyspace, keys: scripts.Arguments) -> str:
    return {"partial": "whole"}.get(found := STATE(data, keys), found)


def trusts_other_runs(data: Keyspace, keys: scripts.Arguments) -> str:
    known = data.get(keys[3])
    return STATE(data, keys) if known.get("life") == data.life else "whole" if "whole" in known else "none"


def keeps_epoch(data: Keyspace, keys: scripts.Arguments, _: str) -> None:
    data.delete(*keys)
    data.collection(keys[3]).update(epoch="the same", version="0", life=data.life, answers="0")


def takes_the_callers_epoch(data: Keyspace, keys: scripts.Arguments, epoch: str) -> None:
    data.delete(*keys)
    data.collection(keys[3]).update(epoch=epoch, version="0", life=data.life, answers="0")


def looks_at_counts_only(data: Keyspace, keys: scripts.Arguments) -> str:
    board, answers, names, meta = keys
    known = data.get(meta)
    if (
        known.get("life") != data.life
        or known.get("answers") != str(len(data.get(answers)))
        or len(data.get(board)) != len(data.get(names))
    ):
        return "none"
    return "whole" if "whole" in known else "partial"


async def commits_first(self: Projection) -> None:
    await self._consumer.commit(self._unapplied)
    await APPLY(self)


async def commits_before_telling(self: Projection) -> None:
    await self._consumer.commit(self._uncommitted)
    self._uncommitted = []


async def forgets_unapplied(self: Projection) -> None:
    try:
        await APPLY(self)
    except Exception:
        self._unapplied = []
        raise


async def reads_the_ledger_first(self: Rebuilder, quiz_session_id: QuizSessionId, *, anew: bool = False) -> bool:
    answers = await ledger(self._pool, quiz_session_id)
    begun = await self._leaderboards.begin(quiz_session_id, anew=anew)
    if not begun.whole and await self._fill(quiz_session_id, begun.epoch, answers):
        await self._show(quiz_session_id)
    return True


async def opens_empty(self: Boards, quiz_session_id: QuizSessionId) -> None:
    with suppress(*CACHE_OUTAGES, RedisError):
        begun = await self._leaderboards.begin(quiz_session_id)
        if not begun.whole:
            await self._leaderboards.fill(quiz_session_id, begun.epoch, [], last=True)


def placed_as_given(answers: Sequence[NewAnswer], new: list[tuple[int, Any]]) -> list[tuple[int, Recorded]]:
    found = list(PLACED(answers, new))
    positions = sorted(it.receipt.position for _, it in found if it.receipt)
    return [
        (place, replace(it, receipt=it.receipt and replace(it.receipt, position=position)))
        for (place, it), position in zip(sorted(found, key=lambda one: one[0]), positions, strict=True)
    ]


class Trusting:
    """A producer that is believed to have sent everything."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    async def publish(self, topic: str, messages: Sequence[Message]) -> list[bool]:
        return [True] * len(await self._producer.publish(topic, messages))


async def trusts_the_bus(self: Relay) -> int:
    if not isinstance(self._producer, Trusting):
        self._producer = Trusting(self._producer)  # pyright: ignore[reportAttributeAccessIssue]
    return await STEP(self)


class NoConstraint(dict[Any, Any]):
    """A unique key that is none."""

    def __contains__(self, key: object) -> bool:
        return False


def without_constraint(self: Tables, now: Callable[[], float]) -> None:
    TABLES(self, now)
    self.answers = NoConstraint()


def without_version(self: Tables, ids: Sequence[UUID], shards: Sequence[int], _: Sequence[int]) -> str:
    for id_, shard in zip(ids, shards, strict=True):
        self.events.get(shard, {}).pop(id_, None)
    return f"DELETE {len(ids)}"


async def nothing(*_: object, **__: object) -> None:
    pass


async def no_earlier(*_: object) -> dict[int, object]:
    return {}


def statement(name: str, function: Callable[..., Any]) -> Patch:
    """Another meaning for one of the database's statements."""
    [text] = [it for it, (known, _) in STATEMENTS.items() if known == name]
    return patch.dict(STATEMENTS, {text: (name, function)})


ADD, STATE, APPLY, STEP, TABLES = scripts.add, scripts.state, Projection._apply, Relay.step, Tables.__init__
PLACED = recorded_now

MUTANTS = {
    "dedupe": Mutant("an answer counts once on its board", lambda: [patch.object(scripts, "add", without_dedupe)]),
    "commit-before-apply": Mutant(
        "offsets are committed after the boards have the answers",
        lambda: [patch.object(Projection, "_apply", commits_first)],
    ),
    "commit-before-tell": Mutant(
        "offsets are committed after the rooms were told",
        lambda: [patch.object(Projection, "_commit", commits_before_telling)],
    ),
    "unapplied-dropped": Mutant(
        "what was polled is kept over an outage", lambda: [patch.object(Projection, "_apply", forgets_unapplied)]
    ),
    "removes-unacknowledged": Mutant(
        "the relay removes only what the bus acknowledged", lambda: [patch.object(Relay, "step", trusts_the_bus)]
    ),
    "removes-without-version": Mutant(
        "a removal names the version of the lease",
        lambda: [statement("remove_published", without_version)],
        is_missed=False,
    ),
    "no-go-back": Mutant(
        "a worker that sees another Redis goes back in the log",
        lambda: [patch.object(SimulatedConsumer, "go_back", lambda *_: None)],
    ),
    "shows-partial": Mutant("only whole boards are shown", lambda: [patch.object(scripts, "state", shows_partial)]),
    "ledger-before-begin": Mutant(
        "the ledger is read after the board was begun",
        lambda: [patch.object(Rebuilder, "make_whole", reads_the_ledger_first)],
    ),
    "opens-empty": Mutant("a board is opened from the ledger", lambda: [patch.object(Boards, "open", opens_empty)]),
    "no-sweep": Mutant(
        "readers of a stream sweep up what was given to them too late",
        lambda: [patch("simulation.bus_client.SWEEP_SECONDS", float("inf"))],
    ),
    "placed-as-given": Mutant(
        "receipts of a batch follow the order of the log",
        lambda: [patch("tiebreak.database.answers.recorded_now", placed_as_given)],
    ),
    "same-epoch": Mutant("a board built anew has a new epoch", lambda: [patch.object(scripts, "begin", keeps_epoch)]),
    "callers-epoch": Mutant(
        "a repeated call begins another epoch", lambda: [patch.object(scripts, "begin", takes_the_callers_epoch)]
    ),
    "other-run-trusted": Mutant(
        "a board of another run of Redis is not trusted",
        lambda: [patch.object(scripts, "state", trusts_other_runs)],
    ),
    "parts-not-compared": Mutant(
        "a board whose places and names are gone together is not trusted",
        lambda: [patch.object(scripts, "state", looks_at_counts_only)],
    ),
    "claims-for-ever": Mutant(
        "a claim on a wanted board ends", lambda: [patch("tiebreak.cache.wanted_boards.CLAIM_MS", 10**12)]
    ),
    "no-watch": Mutant(
        "app servers see that Redis is another one", lambda: [patch.object(BoardCare, "watch", nothing)]
    ),
    "no-audits": Mutant(
        "boards are compared with the ledger once Redis is another one",
        lambda: [patch.object(BoardCare, "audit", nothing)],
    ),
    "no-healing": Mutant(
        "rooms that missed messages are shown their board", lambda: [patch.object(Healing, "_heal", nothing)]
    ),
    "unique-key": Mutant(
        "one answer of a participant to a question",
        lambda: [patch.object(Tables, "__init__", without_constraint)],
    ),
    "retry-unknown": Mutant(
        "a retry is given the first outcome", lambda: [patch("tiebreak.database.answers.recorded_before", no_earlier)]
    ),
}


def hunted(mutant: Mutant, first_seed: int = FIRST_SEED, most: int = MOST_SCHEDULES) -> tuple[int, str] | None:
    """The first seed that notices, and what it says."""
    with ExitStack() as stack:
        for it in mutant.patches():
            stack.enter_context(it)
        batch = Batch()
        for seed in range(first_seed, first_seed + most):
            if violations := batch.run(seed).violations:
                return seed, violations[0]
    return None


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m simulation.mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=sorted(MUTANTS), default=list(MUTANTS), metavar="NAME")
    parser.add_argument("--most", type=int, default=MOST_SCHEDULES, help="schedules for each (default 3000)")
    options = parser.parse_args()
    status = 0
    print("| safeguard | mutant | first seed of those from 1 | what it sees |\n|---|---|---|---|")
    with silent():
        for name in options.only:
            mutant = MUTANTS[name]
            found = hunted(mutant, most=options.most)
            seed, seen = found or (f"none of {options.most}", "")
            print(f"| {mutant.safeguard} | `{name}` | {seed} | {seen[:90]} |", flush=True)
            if mutant.is_missed and not found:
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
