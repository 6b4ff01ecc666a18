"""What a process writes about itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tiebreak.errors import SettingsInvalid
from tiebreak.log_output import set_up_log_output

# The logger is made before the set-up, as in every module of ours.
SCRIPT = """
import logging, sys, structlog
log = structlog.get_logger()
from tiebreak.log_output import set_up_log_output
set_up_log_output("worker", sys.argv[1])
log.debug("small.thing")
log.info("relay.published", count=3)
logging.getLogger("uvicorn.error").info("Started")
logging.getLogger("httpx").info("HTTP Request: GET /")
try:
    raise ValueError("why")
except ValueError:
    log.exception("relay.failed")
"""


def logged(level: str) -> list[dict[str, object]]:
    result = subprocess.run([sys.executable, "-c", SCRIPT, level], capture_output=True, text=True, check=True)
    assert result.stdout == ""
    return [json.loads(line) for line in result.stderr.splitlines()]


def test_one_object_per_line() -> None:
    """Our events and those of libraries look the same to a machine; a request is no event."""
    events = logged("info")
    assert [event["event"] for event in events] == ["relay.published", "Started", "relay.failed"]
    assert all({"process", "level", "timestamp"} <= set(event) for event in events)
    assert events[0]["count"] == 3
    assert "ValueError: why" in str(events[2]["exception"])


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 1), ("ERROR", 1)])
def test_level(level: str, count: int) -> None:
    """What is less important is left out."""
    assert len(logged(level)) == count


def test_unknown_level() -> None:
    """The message names the setting and what it may be."""
    with pytest.raises(SettingsInvalid, match="TIEBREAK_LOG_LEVEL must be one of debug, info, warning, error"):
        set_up_log_output("worker", "loud")


NASTY = "a\r\nlevel=error forged\x1b[2J\x07\x00\u2028\u202e\x9b1mz"
NASTY_SCRIPT = """
import io, sys, structlog
from tiebreak import log_output
NASTY = sys.stdin.read()
class Terminal(io.TextIOWrapper):
    def isatty(self):
        return sys.argv[1] == "terminal"
sys.stderr = Terminal(sys.stderr.buffer, encoding="utf-8", errors="backslashreplace", write_through=True)
log_output.set_up_log_output("worker", "info")
log = structlog.get_logger()
log.info("request.failed", path=NASTY)
log.info(NASTY)
try:
    raise ValueError(NASTY)
except ValueError as error:
    log.error("batch.failed", exc_info=error, reason=NASTY)
"""


@pytest.mark.parametrize("where", ["terminal", "file"])
def test_what_people_sent_stays_in_its_line(where: str) -> None:
    """Whoever reads the log, a person's terminal or a machine, sees one event as one, and nothing is carried out."""
    result = subprocess.run(
        [sys.executable, "-c", NASTY_SCRIPT, where], input=NASTY.encode(), capture_output=True, check=True
    )
    written = result.stderr.decode()
    colours = re.sub(r"\x1b\[[0-9;]*m", "", written)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", colours)
    assert not any(line.startswith("level=error forged") for line in colours.split("\n"))
    if where == "file":
        assert [json.loads(line)["event"] for line in written.splitlines()] == ["request.failed", NASTY, "batch.failed"]
