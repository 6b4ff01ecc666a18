"""pgbench with the same statement: what Postgres does for a client that costs next to nothing."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

from bench.answers.alone import ALONE
from bench.answers.load import WARM_SECONDS, figures_of
from bench.answers.room import POINTS, Room
from bench.answers.ways import ANSWER
from bench.cpu_time import children_seconds
from bench.postgres import MeasuredPostgres
from bench.processes import BenchFailed
from tiebreak.embedded.postgres import DATABASE, USER
from tiebreak.events import TOPIC, shard_of

# `client_id` counts from 0, and each client has a `turn` of its own: no two make the same answer.
NEXT_PLAYER = r"""
\set turn :turn + 1
\set number :turn * {clients} + :client_id
\set player :number % {players}
\set question :number / {players} + 1
"""
NEXT_PLAYERS = r"""
\set turn :turn + 1
\set number (:turn * {clients} + :client_id) * {batch}
\set player :number % {players}
\set question :number / {players} + 1
"""
USER_ID = "('00000000-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"
BATCH = """
WITH given AS (
    SELECT {user_id} AS user_id, {question_id} AS question_id, uuidv7() AS answer_id, uuidv7() AS id
    FROM generate_series(0, {batch} - 1) AS n
), players AS (
    SELECT p.id AS participant_id, p.name, given.id, given.question_id, given.answer_id
    FROM given
    JOIN quiz_session_participants p ON p.quiz_session_id = {session_id} AND p.user_id = given.user_id
    JOIN quiz_sessions s ON s.id = p.quiz_session_id
    WHERE s.state = 'open'
), recorded AS (
    INSERT INTO participant_answers
        (id, quiz_session_participant_id, question_id, answer_id, answer, correct, score, answered_at)
    SELECT id, participant_id, question_id, answer_id, '{answer}', true, {points}, now() FROM players
    ON CONFLICT (quiz_session_participant_id, question_id) DO NOTHING
    RETURNING id
), announced AS (
    INSERT INTO events (id, event_name, type, payload, quiz_session_id, shard)
    SELECT uuidv7(), '{topic}', 'ADD_ANSWER', jsonb_build_object(
        'participant_answer_id', id, 'quiz_session_id', {session_id}, 'quiz_session_participant_id', participant_id,
        'name', name, 'question_id', question_id, 'score', {points}, 'answered_at_ms', 1795000000000), {session_id},
        {shard}
    FROM players JOIN recorded USING (id)
)
SELECT participant_id, id FROM players JOIN recorded USING (id)
"""


def program(postgres: MeasuredPostgres) -> str:
    """The wheel's, or one of the machine's."""
    beside = postgres.server.folder / "pgbench"
    found = str(beside) if beside.exists() else shutil.which("pgbench")
    if found is None:
        raise BenchFailed("No pgbench: install it, for example the package postgresql-contrib.")
    return found


def question_id(room: Room) -> str:
    listed = ", ".join(f"'{one}'" for one in room.question_ids)
    return f"(ARRAY[{listed}]::uuid[])[:question::int]"


def script(room: Room, clients: int, batch: int) -> str:
    """One answer by the statement of one_statement(), or a batch of them in one."""
    players = len(room.user_ids)
    session_id = f"'{room.session_id}'::uuid"
    if batch == 1:
        values = {
            1: "uuidv7()",
            2: session_id,
            3: USER_ID.format(number=":player::int"),
            4: question_id(room),
            5: "uuidv7()",
            6: f"'{ANSWER}'",
            7: "true",
            8: str(POINTS),
            9: "1795000000000",
            10: str(shard_of(room.session_id)),
            11: f"'{TOPIC}'",
            12: "'ADD_ANSWER'",
        }
        statement = re.sub(r"\$(\d+)", lambda found: values[int(found[1])], ALONE)
        return NEXT_PLAYER.format(clients=clients, players=players) + statement.strip() + ";\n"
    statement = BATCH.format(
        user_id=USER_ID.format(number="(:player::int + n)"),
        question_id=question_id(room),
        session_id=session_id,
        batch=batch,
        answer=ANSWER,
        points=POINTS,
        topic=TOPIC,
        shard=shard_of(room.session_id),
    )
    return NEXT_PLAYERS.format(clients=clients, players=players, batch=batch) + statement.strip() + ";\n"


async def pgbench(
    postgres: MeasuredPostgres, room: Room, directory: Path, *, clients: int, batch: int, seconds: float
) -> tuple[int, dict[str, float]]:
    """How many answers it made, and its figures."""
    if batch > 1 and len(room.user_ids) % batch:
        raise ValueError("The players must be a whole number of batches.")
    file, log = directory / "answers.pgbench", directory / "pgbench_log"
    file.write_text(script(room, clients, batch))
    remove_logs(directory)
    whole_seconds = max(1, round(seconds + WARM_SECONDS))
    command = (program(postgres), "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(whole_seconds))
    options = ("-D", "turn=-1", "-f", str(file), "-l", f"--log-prefix={log}")
    place = ("-h", str(postgres.server.sockets), "-U", USER, DATABASE)
    before, children = await postgres.cost(), children_seconds()
    process = await asyncio.create_subprocess_exec(
        *command, *options, *place, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise BenchFailed(f"pgbench failed:\n{output.decode(errors='replace')}")
    cost, client = await postgres.cost() - before, children_seconds() - children
    latencies = logged_seconds(directory)
    answers = len(latencies) * batch
    return answers, figures_of(latencies, answers, whole_seconds, whole_seconds, client, cost)


def remove_logs(directory: Path) -> None:
    for log in directory.glob("pgbench_log.*"):
        log.unlink()


def logged_seconds(directory: Path) -> list[float]:
    """How long each transaction took: pgbench's per-transaction log has it in its third column, in µs."""
    lines = (line for log in directory.glob("pgbench_log.*") for line in log.read_text().splitlines())
    return [int(line.split(maxsplit=3)[2]) / 1e6 for line in lines]
