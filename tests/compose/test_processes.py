"""The processes of compose.yaml, started here with its commands and settings and asked by its health checks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import asyncpg
import pytest
from ruamel.yaml import YAML

from tests.client import RIGHT, WRONG, Caller, connected, quizmaster
from tests.compose.local import PATH, Addresses, Process, names, run_healthcheck
from tests.compose.stack import PASSWORDS, services
from tests.compose.stack import environ as filled_in
from tests.kafka_server import free_port
from tests.scene import opened_pool
from tests.servers import of_database, unused_name
from tests.system import without_settings
from tiebreak.database.answers import standings

STOP_SECONDS = 15
PLAYERS = 6


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    """A database that nobody has migrated."""
    name = unused_name("compose")

    async def execute(statement: str) -> None:
        connection = await asyncpg.connect(postgres_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute(f"CREATE DATABASE {name}"))
    try:
        yield of_database(postgres_url, name)
    finally:
        asyncio.run(execute(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def addresses(empty_database: str, redis_url: str, kafka_servers: str) -> Addresses:
    return Addresses(database_url=empty_database, redis_url=redis_url, kafka_servers=kafka_servers)


def test_there_are_two_of_each() -> None:
    """Which processes the test below starts."""
    assert sorted(names()) == [
        "app-server-1/1",
        "app-server-2/1",
        "auth-server/1",
        "cache-worker/1",
        "cache-worker/2",
        "publisher-worker/1",
        "publisher-worker/2",
    ]


def test_processes_play_a_game_and_stop(addresses: Addresses, empty_database: str, tmp_path: Path) -> None:
    """Migrated, healthy, seeded, played on both app servers, board = ledger, then all end when they are asked to."""
    migrated = addresses.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    with ExitStack() as ending:
        # In the order in which compose would start them, each when what it waits for is healthy.
        waiting = names()
        running: dict[str, Process] = {}
        while waiting:
            here = {name.partition("/")[0] for name in running}
            ready = [name for name in waiting if awaited(addresses, name) <= here]
            assert ready, f"wait for each other: {waiting}"
            for name in ready:
                running[name] = Process(addresses, name, tmp_path)
                ending.callback(running[name].kill)
            for name in ready:
                running[name].wait_until_healthy()
            waiting = [name for name in waiting if name not in ready]

        check_gateway_config(addresses)
        assert addresses.run("seed").stdout.count("added ") == 3
        again = addresses.run("seed")
        assert (again.returncode, "nothing to do" in again.stdout) == (0, True), again.stderr
        asyncio.run(play(addresses, empty_database))

        for process in running.values():
            process.terminate()
        assert {name: it.exit_status(STOP_SECONDS) for name, it in running.items()} == dict.fromkeys(running, 0)


def check_gateway_config(addresses: Addresses) -> None:
    """What the gateway is given: these servers, and the key that signs tokens."""
    written = addresses.run("gateway-config")
    assert written.returncode == 0, written.stderr
    config = YAML(typ="safe", pure=True).load(written.stdout)
    assert config["_format_version"] == "3.0"
    targets = {it["target"] for upstream in config["upstreams"] for it in upstream["targets"]}
    servers = ("auth-server/1", "app-server-1/1", "app-server-2/1")
    assert targets == {addresses.url(name).removeprefix("http://") for name in servers}
    (consumer,) = config["consumers"]
    assert [key["algorithm"] for key in consumer["jwt_secrets"]] == ["RS256"]


def awaited(addresses: Addresses, name: str) -> set[str]:
    """The processes of ours that a service waits for."""
    ours = {it.partition("/")[0] for it in names()}
    return ours & set(addresses.services[name.partition("/")[0]]["depends_on"])


async def play(addresses: Addresses, database_url: str) -> None:
    """Six players on two app servers answer four questions; every screen and both servers show what the ledger has."""
    servers = [addresses.url("app-server-1/1"), addresses.url("app-server-2/1")]
    async with AsyncExitStack() as stack:
        masters = [await stack.enter_async_context(quizmaster(url)) for url in servers]
        host = await masters[0].account()
        session, questions = await masters[0].session(host)
        players = [await masters[number % 2].guest(f"Player {number}") for number in range(PLAYERS)]
        joins = await asyncio.gather(*(player.join(session) for player in players))
        assert [join.status_code for join in joins] == [200] * PLAYERS
        screens = [
            await stack.enter_async_context(connected(url, player.tokens["access_token"]))
            for url, player in zip(servers, players, strict=False)
        ]
        for screen in screens:
            entered = await screen.client.call("enter_session", {"quiz_session_id": session})
            assert entered["ok"], entered
        answers = [
            player.answer(session, question, (WRONG if (number + at) % 3 == 0 else RIGHT)[at])
            for number, player in enumerate(players)
            for at, question in enumerate(questions)
        ]
        assert [answer.status_code for answer in await asyncio.gather(*answers)] == [200] * len(answers)
        pool = await stack.enter_async_context(opened_pool(database_url))
        expected = [
            {
                "rank": row.rank,
                "quiz_session_participant_id": str(row.quiz_session_participant_id),
                "name": row.name,
                "score": row.score,
            }
            for row in await standings(pool, session)
        ]
        assert len(expected) == PLAYERS
        for screen in screens:
            await screen.until(lambda screen=screen: shows(screen.of("leaderboard_updating"), expected))
        for caller in (players[0], players[1]):
            assert await rows(caller, session) == expected


def shows(messages: list[dict[str, object]], expected: list[dict[str, object]]) -> bool:
    return bool(messages) and messages[-1]["rows"] == expected


async def rows(caller: Caller, session: str) -> list[dict[str, object]]:
    return (await caller.leaderboard(session))["rows"]


@pytest.mark.parametrize("name", ["auth-server", "app-server-1", "publisher-worker", "cache-worker"])
def test_a_health_check_notices(name: str) -> None:
    """Where nothing answers, the health check fails: it does not succeed whatever happens."""
    port = str(free_port())
    nobody = without_settings(os.environ) | {"PATH": PATH, "TIEBREAK_PORT": port, "TIEBREAK_HEALTH_PORT": port}
    assert not run_healthcheck(services(filled_in())[name], nobody)


def test_seed_password_reaches_the_command() -> None:
    """What is in .env is the demo host's password; without one, seed makes one up."""
    assert services(filled_in())["seed"]["command"][-1] == PASSWORDS["SEED_PASSWORD"]
    assert services(filled_in() | {"SEED_PASSWORD": ""})["seed"]["command"][-1] == ""
