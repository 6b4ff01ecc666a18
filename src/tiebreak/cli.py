"""The `tiebreak` command. Reads settings, sets up logging, runs one thing; knows no more than their names.

Exit status: 0 done or stopped by a signal; 1 a Fault, told in a sentence; 2 wrong arguments or settings.
`loadtest` and `verify` have more to tell by it: see docs/load-testing.md and docs/receipts.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from tiebreak.clock import SystemClock
from tiebreak.command_line import APP_SERVERS, AUTH_SERVERS, DATA, DEFAULT_APP_SERVERS, parser
from tiebreak.database.migrations import migrate
from tiebreak.errors import Fault, SettingsInvalid
from tiebreak.ids import id_of
from tiebreak.load_test.arguments import options_of
from tiebreak.log_output import set_up_log_output
from tiebreak.quiz.model import QuizSessionId
from tiebreak.settings import Settings, read_settings, required

Run = Callable[[Settings, asyncio.Event], Coroutine[None, None, None]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `tiebreak` script; exits with the status described above."""
    parsed = parser().parse_args(arguments)
    status = 0
    try:
        carry_out(parsed)
    except* SettingsInvalid as group:
        status = 2
        tell_faults(group)
    except* Fault as group:
        status = 1
        tell_faults(group)
    if status != 0:  # not above: what is raised there becomes part of a group
        sys.exit(status)


def carry_out(parsed: argparse.Namespace) -> None:
    """Run the command. Raises Faults."""
    command = cast("str", parsed.command)
    settings = read_settings(os.environ)
    set_up_log_output(command, settings.log_level)
    match command:
        case "up":
            run_up(parsed, settings)
        case "migrate":
            ran = uvloop.run(migrate(required(settings.database_url, "TIEBREAK_DATABASE_URL")))
            tell("\n".join(f"ran {name}" for name in ran) or "nothing to do: the database is up to date")
        case "seed":
            run_seed(parsed)
        case "loadtest":
            run_load_test(parsed)
        case "dead":
            uvloop.run(run_dead(cast("str", parsed.action), looked_at(parsed, settings)))
        case "rebuild":
            run_rebuild(parsed, looked_at(parsed, settings))
        case "audit":
            run_audit(parsed, looked_at(parsed, settings))
        case "replay" | "verify":
            database_url = looked_at(parsed, settings).database_url
            run_answer_log(command, parsed, required(database_url, "TIEBREAK_DATABASE_URL"))
        case "gateway-config":
            tell(gateway_config(parsed, settings))
        case _:
            uvloop.run(run_process(command, settings))


async def run_process(name: str, settings: Settings) -> None:
    """Run a process of ours until SIGTERM or SIGINT. Imported now, so that no process loads another one's code."""
    run = cast("Run", import_module(f"tiebreak.{name.replace('-', '_')}.main").run)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, stop)


def run_up(parsed: argparse.Namespace, settings: Settings) -> None:
    from tiebreak.embedded.supervisor import Options, up  # noqa: PLC0415 - needs the embedded servers' wheels

    given_port, given_host = cast("int | None", parsed.port), cast("str | None", parsed.host)
    options = Options(
        host=settings.host if given_host is None else given_host,
        port=settings.port if given_port is None else given_port,
        data=cast("Path", parsed.data),
        app_servers=app_servers(cast("bool", parsed.gateway), cast("int | None", parsed.app_servers)),
    )
    kafka = {"TIEBREAK_KAFKA_SERVERS": cast("str", parsed.kafka)} if parsed.kafka else {}
    asyncio.run(up(options, settings, os.environ | kafka))


def app_servers(gateway: bool, given: int | None) -> int:
    """How many are behind the gateway; none without one. Raises SettingsInvalid."""
    if given is not None and not gateway:
        raise SettingsInvalid("--app-servers needs --gateway: without one there is a single app server, in front.")
    return (given or DEFAULT_APP_SERVERS) if gateway else 0


def gateway_config(parsed: argparse.Namespace, settings: Settings) -> str:
    """The text of a configuration."""
    from tiebreak.gateway.deployment import Deployment, address, origins  # noqa: PLC0415
    from tiebreak.gateway.envoy import envoy_json  # noqa: PLC0415
    from tiebreak.gateway.kong import kong_yaml  # noqa: PLC0415
    from tiebreak.gateway.public_keys import read_public_keys  # noqa: PLC0415

    deployment = Deployment(
        app_servers=tuple(map(address, cast("list[str] | None", parsed.app) or APP_SERVERS.split())),
        auth_servers=tuple(map(address, cast("list[str] | None", parsed.auth) or AUTH_SERVERS.split())),
        origins=origins(settings.origins),
        limits_percent=settings.limit_gateway_percent,
    )
    if cast("str", parsed.kind) == "envoy":
        return envoy_json(deployment, address(cast("str", parsed.listen)))
    jwks = cast("str | None", parsed.jwks)
    return kong_yaml(deployment, read_public_keys(jwks) if jwks else ())


async def run_dead(action: str, settings: Settings) -> None:
    from tiebreak.cache_worker.dead_events import send_again, waiting  # noqa: PLC0415
    from tiebreak.event_bus.choice import opened_bus  # noqa: PLC0415

    async with opened_bus(settings) as bus:
        if action == "retry":
            tell(f"sent {await send_again(bus, SystemClock())} events again")
            return
        events = await waiting(bus, SystemClock())
        for event in events:
            moment = datetime.fromtimestamp(event.died_at_ms / 1000, UTC).isoformat(timespec="milliseconds")
            tell(f"{moment} {event.topic}[{event.partition}]@{event.offset} {event.reason}")
            tell(f"    {event.value.decode(errors='backslashreplace')}")
        tell(f"{len(events)} dead events; send them again with `tiebreak dead retry`" if events else "no dead events")


def looked_at(parsed: argparse.Namespace, settings: Settings) -> Settings:
    """The settings with the servers of the system that the command is to look at. Raises SettingsInvalid."""
    from tiebreak.embedded.data_directory import run_of  # noqa: PLC0415 - needs the embedded servers' wheels

    given = cast("Path | None", parsed.data)
    if given is None and settings.database_url:
        return settings
    run = run_of(given or DATA)
    if run is not None:
        kafka = {"kafka_servers": run.kafka_servers} if run.kafka_servers else {}
        return msgspec.structs.replace(settings, database_url=run.database_url, redis_url=run.redis_url, **kafka)
    if given is not None:
        raise SettingsInvalid(f"No `tiebreak up` runs on {given}: start it, or name another directory with --data.")
    return settings


def run_rebuild(parsed: argparse.Namespace, settings: Settings) -> None:
    from tiebreak.boards.command_line import rebuild  # noqa: PLC0415

    given = cast("str | None", parsed.session)
    session = id_of(given) if given else None
    if given and session is None:
        raise SettingsInvalid(f"{given!r} is not a quiz session's id: a UUID is expected.")
    tell("\n".join(uvloop.run(rebuild(settings, session and QuizSessionId(session)))))


def run_audit(parsed: argparse.Namespace, settings: Settings) -> None:
    from tiebreak.boards.command_line import audit  # noqa: PLC0415

    told, is_well = uvloop.run(audit(settings, repair=cast("bool", parsed.repair)))
    tell("\n".join(told))
    if not is_well:
        sys.exit(1)


def run_seed(parsed: argparse.Namespace) -> None:
    from tiebreak.sample_content import HOST_EMAIL, new_password, seed  # noqa: PLC0415

    password = cast("str | None", parsed.password) or new_password()
    added = uvloop.run(seed(cast("str", parsed.url), email=HOST_EMAIL, password=password)).added
    tell("\n".join(f"added {title}" for title in added) or "nothing to do: the sample quizzes are there")
    tell(f"log in as {HOST_EMAIL} with the password {password}")


def run_load_test(parsed: argparse.Namespace) -> None:
    from tiebreak.load_test.main import load_test  # noqa: PLC0415

    status = uvloop.run(load_test(options_of(parsed), cast("str | None", parsed.json)))
    if status != 0:
        sys.exit(status)


def run_answer_log(command: str, parsed: argparse.Namespace, database_url: str) -> None:
    from tiebreak.answer_log.main import run_replay, run_verify  # noqa: PLC0415

    text, status = uvloop.run((run_verify if command == "verify" else run_replay)(parsed, database_url))
    tell(text)
    if status != 0:
        sys.exit(status)


def tell_faults(group: ExceptionGroup[Fault]) -> None:
    """One sentence per fault on standard error."""
    faults: list[BaseException] = [group]
    while faults:
        fault = faults.pop(0)
        if isinstance(fault, BaseExceptionGroup):
            faults.extend(cast("BaseExceptionGroup[BaseException]", fault).exceptions)
        else:
            print(f"tiebreak: {fault}", file=sys.stderr)


def tell(text: str) -> None:
    print(text.removesuffix("\n"))
