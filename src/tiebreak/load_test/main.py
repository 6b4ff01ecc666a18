"""`tiebreak loadtest`: options in, report out."""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from pathlib import Path
from typing import TextIO

import msgspec

from tiebreak.load_test.display import Display, PlainDisplay
from tiebreak.load_test.http_client import HttpClient
from tiebreak.load_test.options import Options, check
from tiebreak.load_test.report import Report
from tiebreak.load_test.requests import LoadTestFailed
from tiebreak.load_test.run import LoadTest
from tiebreak.load_test.summary import summary
from tiebreak.load_test.terminal import TerminalDisplay

STANDARD_OUTPUT = "-"
# Open files beside the players'.
OF_OUR_OWN = 100


async def load_test(options: Options, json: str | None) -> int:
    """Run it, tell what was found, and return the exit status.

    `json` is a file for the report, or "-" for standard output, on which nothing else is then written.
    Raises SettingsInvalid for options that cannot be, LoadTestFailed if the players could not begin.
    """
    check(options)
    allow_descriptors(options.players)
    if json and json != STANDARD_OUTPUT:
        write(json, "")  # that it cannot be written is better known before than after
    told = sys.stderr if json == STANDARD_OUTPUT else sys.stdout
    async with HttpClient(options.url) as http:
        test = LoadTest(options, http, display_on(told))
        try:
            report = await run_until_done(test)
            print(summary(report), file=told, flush=True)
            if json == STANDARD_OUTPUT:
                print(as_json(report), flush=True)
            elif json:
                write(json, as_json(report) + "\n")
        finally:
            await test.clear()
    return report.exit_status


async def run_until_done(test: LoadTest) -> Report:
    """The report of the test, which Ctrl-C or SIGTERM ends early."""
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(test.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    interrupted = False
    try:
        await running
    except asyncio.CancelledError:
        interrupted = True
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)  # a second Ctrl-C ends it at once
    return test.report(interrupted=interrupted)


def allow_descriptors(players: int) -> None:
    """Raise the limit of open files: a player needs one for its socket and often another one for its requests.

    Raises LoadTestFailed where that is not allowed.
    """
    needed = 2 * players + OF_OUR_OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise LoadTestFailed(
            f"{players} players need {needed} open files, and this process may have {hard}: raise the limit "
            f"(`ulimit -n {needed}`, LimitNOFILE= of a unit) or ask for fewer players."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def display_on(stream: TextIO) -> Display:
    """The one that suits it."""
    return TerminalDisplay(stream) if stream.isatty() else PlainDisplay(stream)


def write(file: str, text: str) -> None:
    """Raises LoadTestFailed."""
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LoadTestFailed(f"The report could not be written to {file}: {error.strerror}.") from error


def as_json(report: Report) -> str:
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
