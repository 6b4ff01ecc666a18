"""An answer that is alone, by each way in a process of its own, as an app server is one.

New processes for each round: where a process has its memory is chance, and makes it faster or slower by a twentieth for
as long as it lives. The ways take turns by chance.

`python -m bench.answers.idle WAY POOL_SIZE FIRST` is such a process. It reads its place, a line of JSON, and then a
line for each answer that it is to give; it writes a line when it is ready, and then how many seconds each answer took.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice

import msgspec
import uvloop

from bench.answers.ways import Place, opened_way
from bench.processes import BenchFailed

# An app server alone in the room: nudge and checkpoint of the last answer are over.
IDLE_SECONDS = 0.02
# The first ones prepare statements and load questions.
NOT_COUNTED = 20


async def answer_alone(
    place: Place, pool_sizes: Mapping[str, int], *, rounds: int, answers: int
) -> dict[str, list[float]]:
    """How many seconds each answer took, by way: so many in each round, after NOT_COUNTED others."""
    names = [*pool_sizes]
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turns = names * answers
        random.Random(number).shuffle(turns)
        async with AsyncExitStack() as closing:
            ways = {}
            for at, name in enumerate(names):
                first = (number * len(names) + at) * (answers + NOT_COUNTED)
                ways[name] = await closing.enter_async_context(process(place, name, pool_sizes[name], first))
            for counted, name in [(False, name) for name in names * NOT_COUNTED] + [(True, name) for name in turns]:
                await asyncio.sleep(IDLE_SECONDS)
                seconds = await seconds_of_one(ways[name])
                if counted:
                    found[name].append(seconds)
    return found


@asynccontextmanager
async def process(place: Place, name: str, pool_size: int, first: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """One that is ready to answer."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "bench.answers.idle", name, str(pool_size), str(first))
    child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert child.stdin
    try:
        child.stdin.write(msgspec.json.encode(place) + b"\n")
        await told(child)
        yield child
    finally:
        child.stdin.close()
        await child.wait()


async def seconds_of_one(child: asyncio.subprocess.Process) -> float:
    assert child.stdin
    child.stdin.write(b"\n")
    return float(await told(child))


async def told(child: asyncio.subprocess.Process) -> bytes:
    assert child.stdout
    line = await child.stdout.readline()
    if not line:
        raise BenchFailed("A process that gives answers alone has ended: what it said is above.")
    return line


async def give(name: str, pool_size: int, first: int) -> None:
    """An answer for each line of standard input."""
    place = msgspec.json.decode(sys.stdin.buffer.readline(), type=Place)
    answers = islice(place.room.answers(), first, None)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with opened_way(name, place, pool_size) as way:
        print(flush=True)
        while await lines.readline():
            given = next(answers)
            started = time.perf_counter()
            await way(given)
            print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    uvloop.run(give(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
