"""How long results of a crowd take, and how long the event loop waits for them meanwhile.

`.venv/bin/python -m bench.results_export --players 5000 --questions 100`: a finished session in a Postgres of its own,
read and written as the app server does; beside it, something that wants to run every millisecond.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import time
from collections.abc import Awaitable, Callable

from tests.scene import new_user, opened_pool
from tests.servers import TemplateDatabase, postgres_server
from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.results.csv_file import CSV
from tiebreak.app_server.results.export import Format
from tiebreak.app_server.results.json_file import JSON
from tiebreak.app_server.results.reading import SessionResults
from tiebreak.app_server.results.workbook import XLSX
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import QuizSession, finish_session, load_session, open_session
from tiebreak.database.quizzes import create_quiz
from tiebreak.quiz.model import ChoiceQuestion, Quiz

PLAYERS = """
INSERT INTO quiz_session_participants (id, quiz_session_id, user_id, name)
SELECT gen_random_uuid(), $1, u.id, u.name FROM users u WHERE u.kind = 'guest' AND u.id <> $2
"""
USERS = (
    "INSERT INTO users (id, kind, name) SELECT gen_random_uuid(), 'guest', 'Player ' || n FROM generate_series(1, $1) n"
)
ANSWERS = """
INSERT INTO participant_answers (id, quiz_session_participant_id, question_id, answer, correct, score, answered_at)
SELECT gen_random_uuid(), p.id, l.question_id, (hashtext(p.id::text || l.position) & 3)::text,
       hashtext(p.id::text || l.position) & 3 = 1, (hashtext(p.id::text || l.position) & 3 = 1)::int * 100,
       s.opened_at + l.position * interval '30 seconds' + (hashtext(p.id::text) & 8191) * interval '1 ms'
FROM quiz_sessions s JOIN quiz_session_participants p ON p.quiz_session_id = s.id
JOIN quiz_session_questions l ON l.quiz_session_id = s.id WHERE s.id = $1
"""


async def crowd(pool: Pool, players: int, questions: int) -> QuizSession:
    """A session in which everybody has answered everything."""
    host_id = await new_user(pool, "Host")
    asked = [ChoiceQuestion(prompt=f"Question {at}", choices=["a", "b", "c", "d"], answer=1) for at in range(questions)]
    quiz_id, _ = await create_quiz(pool, host_id, Quiz(title="A crowd", questions=[*asked]))
    opened = await open_session(pool, host_id, quiz_id)
    assert opened
    await pool.execute(USERS, players)
    await pool.execute(PLAYERS, opened[0], host_id)
    await pool.execute(ANSWERS, opened[0], timeout=300)
    await pool.execute("ANALYZE", timeout=300)
    await finish_session(pool, opened[0])
    session = await load_session(pool, opened[0])
    assert session
    return session


async def loop_waits(waits: list[float]) -> None:
    """Notes how much later than a millisecond it runs, again and again."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        waits.append(time.perf_counter() - began - 0.001)


async def measured(what: str, work: Callable[[], Awaitable[int]]) -> None:
    waits: list[float] = []
    watch = asyncio.create_task(loop_waits(waits))
    await asyncio.sleep(0.05)
    began, worked = time.perf_counter(), time.process_time()
    size = await work()
    took, cpu = time.perf_counter() - began, time.process_time() - worked
    watch.cancel()
    waits.sort()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"| {what} | {took:.1f} s | {cpu:.1f} s | {size / 1e6:.1f} MB | {waits[len(waits) // 2] * 1e3:.1f} ms "
        f"| {waits[len(waits) * 99 // 100] * 1e3:.1f} ms | {waits[-1] * 1e3:.0f} ms | {peak} MB |"
    )


async def main(url: str, players: int, questions: int) -> None:
    async with opened_pool(url) as pool:
        session = await crowd(pool, players, questions)
        results = SessionResults(pool, FrozenQuestions(pool))

        async def file(format_: Format) -> int:
            with await results.file(session, format_) as written:
                return len(written.read())

        async def part() -> int:
            return len(await results.part(session, limit=200, offset=0))

        async def history() -> int:
            return len(await results.history(session))

        print(f"{players} players, {questions} questions\n")
        print("| what | takes | CPU of the app server | size | the loop waits: p50 | p99 | longest | memory, at most |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|")
        await measured("the page's first 200 players", part)
        await measured("board history", history)
        await measured("results.csv", lambda: file(CSV))
        await measured("results.json", lambda: file(JSON))
        await measured("results.xlsx", lambda: file(XLSX))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--players", type=int, default=5_000)
    parser.add_argument("--questions", type=int, default=100)
    arguments = parser.parse_args()
    with postgres_server() as server:
        template = TemplateDatabase(server)
        template.make()
        with template.copied() as database:
            asyncio.run(main(database, arguments.players, arguments.questions))
        template.drop()
