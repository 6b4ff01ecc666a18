"""The command lines, settings and health checks that compose.yaml gives to Postgres, Redis and Kafka, on real ones."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from redis import Redis

from tests.compose.local import run_healthcheck
from tests.compose.stack import PASSWORDS, environ, services
from tests.deadline import eventually
from tests.kafka_server import Kafka, free_port
from tests.redis_server import redis_program
from tests.servers import folder
from tiebreak.embedded.child import Child, Program, Stop
from tiebreak.embedded.postgres import INITDB, Postgres, initdb_command, server_command
from tiebreak.event_bus.kafka import KafkaBus

SERVICES = services(environ())


async def test_postgres_is_like_the_embedded_one_and_its_health_check_works() -> None:
    """Made with the options of the embedded one; healthy when it answers on TCP, not before."""
    arguments = SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    embedded = initdb_command(Path(), Path(), durable=True)
    # -A (trust, on a socket) and -U are of the embedded one; the image has a user and a password.
    assert set(arguments) == set(embedded[3:]) - set(INITDB[:4])

    with folder() as directory:
        postgres = Postgres(directory / "postgres", directory, directory / "postgres.log", durable=False)
        await postgres.prepare()
        port = free_port()
        command = server_command(postgres.folder, postgres.directory, directory, durable=False)
        program = Program(
            name="postgres",
            command=(*command, "--listen_addresses=127.0.0.1", f"--port={port}"),
            stops=(Stop(signal.SIGINT, 30),),
            death_signal=signal.SIGINT,
            privilege=postgres.privilege,
        )
        server = Child(program, directory / "postgres.log")
        paths = {"PATH": f"{postgres.folder}{os.pathsep}{os.environ['PATH']}", "PGPORT": str(port)}
        assert not run_healthcheck(SERVICES["postgres"], paths)
        await server.start()
        try:
            await server.answers(lambda: checked("postgres", paths))
        finally:
            await server.stop()


async def checked(name: str, environ: Mapping[str, str]) -> bool:
    return await asyncio.to_thread(run_healthcheck, SERVICES[name], environ)


def test_redis_runs_and_its_health_check_works(tmp_path: Path) -> None:
    """The command line starts a Redis that keeps what it is told and asks for the password; PONG makes it healthy."""
    service = SERVICES["redis"]
    program, *options = service["command"]
    assert program == "redis-server"
    port = free_port()
    here = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    environ = {"PATH": os.environ["PATH"], **service["environment"]}
    ports = {"redis-cli": f"redis-cli -p {port}"}
    assert not run_healthcheck(service, environ, instead=ports)
    process = subprocess.Popen([redis_program(), *options, *here], stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: run_healthcheck(service, environ, instead=ports))
        assert not run_healthcheck(service, environ | {"REDISCLI_AUTH": "another"}, instead=ports)
        with Redis(port=port, password=PASSWORDS["REDIS_PASSWORD"]) as client:
            told = client.config_get("append*", "maxmemory-policy")
            assert (told["appendonly"], told["appendfsync"], told["maxmemory-policy"]) == (
                "yes",
                "everysec",
                "noeviction",
            )
    finally:
        process.terminate()
        assert process.wait(20) == 0


async def test_kafka_runs_and_its_health_check_works() -> None:
    """The variables, made properties as the image makes them, start a broker on which our topics can be made."""
    service = SERVICES["kafka"]
    with folder() as directory:
        kafka = Kafka(directory)
        instead = {"9092": str(kafka.port), "9093": str(free_port())}
        settings = {
            name: translated(value, instead | {"/var/lib/kafka/data": str(directory / "data"), "kafka:": "127.0.0.1:"})
            for name, value in properties(service["environment"]).items()
        }
        text = "".join(f"{name}={value}\n" for name, value in settings.items())
        (directory / "server.properties").write_text(text, encoding="utf-8")
        environ = {"PATH": os.environ["PATH"]}
        assert not run_healthcheck(service, environ, instead=instead)
        await kafka.start()
        try:
            assert run_healthcheck(service, environ, instead=instead)
            await KafkaBus(kafka.servers, replication=1).create_topics()
        finally:
            await kafka.stop()


def properties(environ: Mapping[str, str]) -> dict[str, str]:
    """What the apache/kafka image makes of its environment: KAFKA_A_B is a.b; what the start script reads is none."""
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in environ.items()
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
    }


def translated(text: str, instead: Mapping[str, str]) -> str:
    for there, here in instead.items():
        text = text.replace(there, here)
    return text


def test_kafka_cluster_id_is_one() -> None:
    """16 bytes in base64 for URLs, as Kafka asks for."""
    assert re.fullmatch(r"[\w-]{22}", SERVICES["kafka"]["environment"]["CLUSTER_ID"])


@pytest.mark.parametrize(
    ("service", "path"),
    [("postgres", "/var/lib/postgresql"), ("redis", "/data"), ("kafka", "/var/lib/kafka/data")],
)
def test_data_outlives_its_container(service: str, path: str) -> None:
    """A named volume is where the image keeps its data."""
    assert SERVICES[service]["volumes"] == [f"{service}:{path}"]
