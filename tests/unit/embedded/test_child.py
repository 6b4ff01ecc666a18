"""Starting, watching and stopping one process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.deadline import eventually
from tiebreak.embedded.child import LOG_BYTES, Child, Program, Stop, ending, turn_over
from tiebreak.errors import EmbeddedServerFailed

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
PATIENT = "import time; print('here', flush=True); time.sleep(600)"


def python(tmp_path: Path, code: str, *stops: Stop, pass_fds: tuple[int, ...] = ()) -> Child:
    """A child that runs this code."""
    program = Program(
        name="worker",
        command=(sys.executable, "-c", code),
        stops=stops or (Stop(signal.SIGTERM, 10),),
        death_signal=signal.SIGKILL,
        pass_fds=pass_fds,
    )
    return Child(program, tmp_path / "worker.log")


async def started(child: Child) -> None:
    """Start it and wait until it has said something."""
    await child.start()

    async def spoke() -> bool:
        return bool(child.log.read_text())

    await child.answers(spoke)


async def test_stops_gently(tmp_path: Path) -> None:
    """A process that listens ends by the first signal."""
    child = python(tmp_path, PATIENT)
    await started(child)
    await child.stop()
    assert await child.ended() == "ended by SIGTERM"


async def test_stops_surely(tmp_path: Path) -> None:
    """One that does not is killed when its time is up."""
    child = python(tmp_path, DEAF, Stop(signal.SIGTERM, 0.05))
    await started(child)
    await child.stop()
    assert await child.ended() == "ended by SIGKILL"


async def test_stops_in_a_hurry(tmp_path: Path) -> None:
    """A second Ctrl-C skips the rest of the patience, at once and at every step."""
    child = python(tmp_path, DEAF, Stop(signal.SIGTERM, 600), Stop(signal.SIGTERM, 600))
    await started(child)
    hurry = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, hurry.set)
    async with asyncio.timeout(10):
        await child.stop(hurry)
    assert await child.ended() == "ended by SIGKILL"


async def test_stop_may_be_repeated(tmp_path: Path) -> None:
    """Stopping what has ended, or never began, does nothing."""
    child = python(tmp_path, "")
    await child.stop()
    await child.start()
    assert await child.ended() == "ended with exit status 0"
    await child.stop()


async def test_ctrl_c_in_the_terminal_does_not_reach_it(tmp_path: Path) -> None:
    """It has a session of its own."""
    child = python(tmp_path, PATIENT)
    await started(child)
    assert child.pid is not None
    assert os.getsid(child.pid) == child.pid
    await child.stop()


async def test_inherits_what_it_is_given(tmp_path: Path) -> None:
    """File descriptors named in pass_fds, under the same number."""
    reading, writing = os.pipe()
    child = python(tmp_path, f"import os; os.write({writing}, b'received')", pass_fds=(writing,))
    await child.start()
    await child.ended()
    assert os.read(reading, 100) == b"received"
    os.close(reading)
    os.close(writing)


async def test_dead_before_it_answered(tmp_path: Path) -> None:
    """There is no point in waiting for a process that has ended: its last lines say why."""
    child = python(tmp_path, "print('no luck today'); raise SystemExit(3)")

    async def never() -> bool:
        return False

    await child.start()
    with pytest.raises(EmbeddedServerFailed, match=r"(?s)worker ended with exit status 3\..*no luck today"):
        await child.answers(never)


async def test_does_not_answer_in_time(tmp_path: Path) -> None:
    """Waiting has an end."""
    child = python(tmp_path, PATIENT)

    async def never() -> bool:
        return False

    await child.start()
    with pytest.raises(EmbeddedServerFailed, match="worker did not answer within 0 s"):
        await child.answers(never, seconds=0)
    await child.stop()


async def test_ends_with_its_owner(tmp_path: Path) -> None:
    """When the process that started it is killed, the child gets its death signal."""
    code = f"""
import asyncio, signal, sys
from pathlib import Path
from tiebreak.embedded.child import Child, Program
async def main():
    program = Program(name="x", command=(sys.executable, "-c", {PATIENT!r}), stops=(), death_signal=signal.SIGKILL)
    child = Child(program, Path({str(tmp_path / "grandchild.log")!r}))
    await child.start()
    print(child.pid, flush=True)
    await child.ended()
asyncio.run(main())
"""
    owner = python(tmp_path, code)
    await started(owner)
    grandchild = int(owner.log.read_text())
    assert not has_ended(grandchild)
    assert owner.pid is not None
    os.kill(owner.pid, signal.SIGKILL)
    await owner.ended()
    assert eventually(lambda: has_ended(grandchild))


def has_ended(pid: int) -> bool:
    """Gone, or a zombie that a busy init has not buried yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "ended with exit status 0"), (-9, "ended by SIGKILL"), (-200, "ended by signal 200")],
)
def test_ending(status: int, words: str) -> None:
    """An exit status in words."""
    assert ending(status) == words


def test_a_small_log_goes_on(tmp_path: Path) -> None:
    """A log is put aside only when it is large."""
    log = tmp_path / "worker.log"
    turn_over(log)
    log.write_text("a line\n")
    turn_over(log)
    assert log.read_text() == "a line\n"


def test_a_large_log_is_put_aside(tmp_path: Path) -> None:
    """One log put aside is kept."""
    log = tmp_path / "worker.log"
    for letter in b"ab":
        log.write_bytes(bytes([letter]) * (LOG_BYTES + 1))
        turn_over(log)
    assert not log.exists()
    assert (tmp_path / "worker.log.1").read_bytes()[:1] == b"b"
