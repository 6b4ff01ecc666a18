"""What is told to whoever started it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tiebreak.embedded.terminal import Terminal, without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:secret@host:5432/d?ssl=1", "postgresql://user:***@host:5432/d?ssl=1"),
        ("redis://:secret@host/0", "redis://:***@host/0"),
        ("postgresql://user@/d?host=/tmp/x", "postgresql://user@/d?host=/tmp/x"),
        ("unix:///tmp/x/valkey.sock", "unix:///tmp/x/valkey.sock"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    """A terminal is often a projector."""
    assert without_password(url) == shown


def test_steps_have_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Seconds since the start, so that a slow step can be seen."""
    Terminal().say("starting")
    assert capsys.readouterr().out == "   0.00 s  starting\n"


def test_nobody_reads_any_more() -> None:
    """A closed pipe (`tiebreak up | head`) ends neither the process nor its clean-up."""
    code = """
import sys
from tiebreak.embedded.terminal import Terminal
terminal = Terminal()
terminal.line("first")
sys.stdin.read()
terminal.line("second")
terminal.line("third")
sys.exit(5)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"first\n"
    process.stdout.close()
    process.stdin.close()
    assert process.wait(20) == 5
    assert process.stderr.read() == b""
    process.stderr.close()
