"""What remembering an answer costs in Redis, by kind of record: `.venv/bin/python -m bench.dedupe_memory`.

The figures behind docs/decisions/0005-what-a-board-remembers.md. Each kind has an embedded Valkey of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from redis import Redis
from redis.client import Pipeline

from tests.servers import valkey_server

PARTICIPANTS, QUESTIONS = 5_000, 20
ANSWERS = [(participant, question) for participant in range(PARTICIPANTS) for question in range(QUESTIONS)]
ROUND_TRIP = 500

KINDS: dict[str, Callable[[Pipeline, int, int], object]] = {
    "set of participant_answer_id, as text": lambda pipe, *_: pipe.sadd("answers", str(uuid4())),
    "set of participant_answer_id, as 16 bytes": lambda pipe, *_: pipe.sadd("answers", uuid4().bytes),
    "a key with time to live per participant_answer_id": lambda pipe, *_: pipe.set(f"answer:{uuid4()}", 1, ex=86_400),
    "a bit per (participant, question), numbered densely": lambda pipe, participant, question: pipe.setbit(
        "answers", participant * QUESTIONS + question, 1
    ),
}


def main() -> None:
    print(f"{len(ANSWERS)} answers of {PARTICIPANTS} participants to {QUESTIONS} questions")
    for name, remember in KINDS.items():
        with valkey_server() as url, Redis.from_url(url) as redis:
            before = redis.info("memory")["used_memory"]
            for start in range(0, len(ANSWERS), ROUND_TRIP):
                pipe = redis.pipeline(transaction=False)
                for participant, question in ANSWERS[start : start + ROUND_TRIP]:
                    remember(pipe, participant, question)
                pipe.execute()
            used = redis.info("memory")["used_memory"] - before
            print(f"{name:52} {used / len(ANSWERS):6.1f} bytes per answer")


if __name__ == "__main__":
    main()
