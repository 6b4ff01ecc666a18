"""What a process writes about itself."""

from __future__ import annotations

import json
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
