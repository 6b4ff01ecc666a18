"""The command line: what `tiebreak` can be told, and how it explains itself. What it then does is in cli.py."""

from __future__ import annotations

import argparse
from pathlib import Path

from tiebreak.answer_log.arguments import add_replay_arguments, add_verify_arguments
from tiebreak.load_test.arguments import add_arguments as add_load_test_arguments
from tiebreak.load_test.arguments import whole

PROCESSES = {
    "auth-server": "accounts, guests and their tokens (HTTP)",
    "app-server": "quizzes, quiz sessions and their sockets (HTTP and Socket.IO); any number of instances",
    "publisher-worker": "moves events from the outbox to the event bus; any number",
    "cache-worker": "applies events to the leaderboards in Redis; any number",
}

DATA = Path("tiebreak-data")
DEFAULT_APP_SERVERS = 2
# Where `tiebreak gateway-config` expects them unless told: the names they have in compose.yaml.
APP_SERVERS = "app-server-1:8000 app-server-2:8000"
AUTH_SERVERS = "auth-server:8001"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="tiebreak",
        description="Live quizzes with a leaderboard that is never wrong.",
        epilog="Everything else is set by TIEBREAK_* environment variables: see docs/settings.md.",
    )
    commands = found.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser(
        "up",
        help="run everything on this machine, until Ctrl-C",
        description="Run everything on this machine, until Ctrl-C: embedded Postgres and Valkey (unless "
        "TIEBREAK_DATABASE_URL and TIEBREAK_REDIS_URL name others), the servers, the workers and the web client.",
    )
    up.add_argument("--port", type=port, help="port to listen on; 0 takes a free one (default: 8000)")
    up.add_argument("--host", help="address to listen on; 0.0.0.0 lets in phones in the room (default: 127.0.0.1)")
    up.add_argument("--kafka", metavar="SERVERS", help="carry events over this Kafka instead of Redis Streams")
    up.add_argument(
        "--data",
        type=Path,
        default=DATA,
        help="directory for data and logs (default: ./tiebreak-data)",
    )
    up.add_argument("--gateway", action="store_true", help="a gateway (Envoy) in front of several app servers")
    up.add_argument("--app-servers", type=whole, metavar="N", help="how many app servers behind it (default: 2)")
    for name, purpose in PROCESSES.items():
        commands.add_parser(name, help=purpose, description=f"Run one process: {purpose}.")
    commands.add_parser("migrate", help="bring the database to this version's schema", description="Safe to repeat.")
    dead = commands.add_parser(
        "dead",
        help="list events that could not be put on a board, or send them again",
        description="Events that cannot be decoded or applied are put aside, with the reason, on a topic of their own.",
    )
    add_data(dead)
    dead.add_argument("action", choices=["list", "retry"], help="list: show them; retry: send them all again")
    rebuild = commands.add_parser(
        "rebuild",
        help="build leaderboards anew from the ledger",
        description="Build leaderboards in Redis anew from the ledger in Postgres, while the system runs. "
        "It does so by itself where Redis has lost them.",
    )
    add_data(rebuild)
    which = rebuild.add_mutually_exclusive_group(required=True)
    which.add_argument("session", nargs="?", metavar="SESSION", help="a quiz session's id")
    which.add_argument("--all", action="store_true", help="every session that is open, or ended within a day")
    audit = commands.add_parser(
        "audit",
        help="compare every leaderboard with the ledger",
        description="Compare every leaderboard with the ledger: points, order, ties, names. "
        "Exit status 1 if one differs. App servers do so by themselves every TIEBREAK_AUDIT_SECONDS.",
    )
    add_data(audit)
    audit.add_argument("--repair", action="store_true", help="build those anew that differ or are missing")
    replay = commands.add_parser(
        "replay",
        help="show a quiz session's board as it stood at a time, or after an answer",
        description="Build a quiz session's board from the ledger: as it stands, as it stood at a time, or right after "
        "an answer. Needs nothing but TIEBREAK_DATABASE_URL, and changes nothing. See docs/receipts.md.",
    )
    add_data(replay)
    add_replay_arguments(replay)
    verify = commands.add_parser(
        "verify",
        help="check by a receipt that an answer, and all before it, are as they were accepted",
        description="Compute the answer log of a receipt's quiz session again from the ledger. Needs nothing but "
        "TIEBREAK_DATABASE_URL, and changes nothing. Exit status: 0 held and unchanged, 1 not, 2 not a receipt. See "
        "docs/receipts.md.",
    )
    add_data(verify)
    add_verify_arguments(verify)
    seed = commands.add_parser(
        "seed",
        help="add a demo host and three sample quizzes to a running system",
        description="Add a demo host and three sample quizzes to a running system; "
        "may be repeated with the same password.",
    )
    seed.add_argument("--url", default="http://127.0.0.1:8000", help="where it serves (default: http://127.0.0.1:8000)")
    seed.add_argument("--password", help="the demo host's password (default: a new one)")
    load_test = commands.add_parser(
        "loadtest",
        help="let virtual players show what a running system carries, and that nothing was lost",
        description="Let virtual players join, hold sockets and answer; then check that every acknowledged answer "
        "counts, once, and that the leaderboard equals the ledger. Exit status: 0 all well, 1 something was lost, "
        "wrong or too slow. See docs/load-testing.md.",
    )
    add_load_test_arguments(load_test)
    gateway_config = commands.add_parser(
        "gateway-config",
        help="print the configuration of a gateway",
        description="Print the configuration of a gateway in front of the servers. TIEBREAK_ORIGINS and "
        "TIEBREAK_LIMIT_GATEWAY_PERCENT count.",
    )
    add_gateways(gateway_config)
    return found


def add_data(command: argparse.ArgumentParser) -> None:
    """For commands that look at a system: which."""
    command.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="the system that `tiebreak up` runs on this directory (default: that of TIEBREAK_DATABASE_URL and "
        "TIEBREAK_REDIS_URL, or else of ./tiebreak-data)",
    )


def add_gateways(command: argparse.ArgumentParser) -> None:
    """`tiebreak gateway-config kong|envoy`: see gateway/README.md."""
    kinds = command.add_subparsers(dest="kind", required=True, metavar="kong|envoy")
    kong = kinds.add_parser("kong", help="Kong 3.9, declarative (YAML)")
    kong.add_argument("--jwks", metavar="URL|FILE", help="where the public keys are; without, no token is accepted")
    envoy = kinds.add_parser("envoy", help="Envoy 1.40, static bootstrap (JSON); it fetches public keys itself")
    envoy.add_argument("--listen", default="0.0.0.0:8000", metavar="HOST:PORT", help="default: 0.0.0.0:8000")
    for kind in (kong, envoy):
        kind.add_argument(
            "--app",
            action="append",
            metavar="HOST:PORT",
            help=f"an app server; may be repeated (default: {APP_SERVERS})",
        )
        kind.add_argument(
            "--auth",
            action="append",
            metavar="HOST:PORT",
            help=f"an auth server; may be repeated (default: {AUTH_SERVERS})",
        )


def port(text: str) -> int:
    """A port number from the command line."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not between 0 and 65535")
    return number
