"""`tiebreak rebuild` and `tiebreak audit`, as an operator runs them."""

from collections.abc import Mapping

import pytest

from tests.integration.boards.stage import Stage
from tests.integration.test_cli import tiebreak
from tests.system import System
from tiebreak.cache.keys import board_keys
from tiebreak.ids import new_id
from tiebreak.quiz.ranking import MS_SPAN


@pytest.fixture
def environ(database_url: str, each_redis_url: str) -> Mapping[str, str]:
    return {"TIEBREAK_DATABASE_URL": database_url, "TIEBREAK_REDIS_URL": each_redis_url}


async def test_audit_and_repair(stage: Stage, environ):
    """All well; then a board is wrong: it is named, with both numbers, and mended when asked."""
    await stage.apply(await stage.answer(0))
    well = tiebreak("audit", environ=environ)
    assert (well.returncode, well.stderr) == (0, "")
    assert well.stdout == "1 session: 0 boards differing from the ledger, 0 not in the cache\n"
    board, *_ = board_keys(stage.scene.session_id)
    [first, *_] = await stage.redis.zrevrange(board, 0, -1)
    await stage.redis.zincrby(board, 7 * MS_SPAN, first)
    wrong = tiebreak("audit", environ=environ)
    assert wrong.returncode == 1
    assert f"{stage.scene.session_id}: 1 participant differing" in wrong.stdout
    assert "ledger 100 points" in wrong.stdout
    assert "board 107 points" in wrong.stdout
    assert wrong.stdout.endswith("build them anew with `tiebreak audit --repair`\n")
    assert tiebreak("audit", "--repair", environ=environ).stdout.endswith("built 1 board anew\n")
    assert await stage.board_is_ledger()


async def test_audit_of_an_empty_cache(stage: Stage, environ):
    """Boards that are not there are no difference; they can be built at once."""
    await stage.answer(0)
    await stage.redis.flushall()
    told = tiebreak("audit", environ=environ)
    assert (told.returncode, told.stdout) == (
        0,
        "1 session: 0 boards differing from the ledger, 1 not in the cache\n",
    )
    assert tiebreak("audit", "--repair", environ=environ).returncode == 0
    assert await stage.board_is_ledger()


async def test_rebuild(stage: Stage, environ):
    """One, or all; each time in a new epoch."""
    await stage.answer(0)
    epochs = set()
    for arguments in ([str(stage.scene.session_id)], ["--all"]):
        told = tiebreak("rebuild", *arguments, environ=environ)
        assert (told.returncode, told.stdout) == (0, "built 1 board anew\n")
        assert await stage.board_is_ledger()
        epochs.add((await stage.shown()).epoch)
    assert len(epochs) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, "one of the arguments SESSION --all is required"),
        (["no-uuid"], 2, "'no-uuid' is not a quiz session's id"),
        ([str(new_id())], 1, "There is no quiz session"),
        (["--all", "--data", "/nowhere"], 2, "No `tiebreak up` runs on /nowhere"),
    ],
)
def test_bad_arguments(database_url, redis_url, arguments, status, says):
    """A sentence that says what to do, and no traceback."""
    environ = {"TIEBREAK_DATABASE_URL": database_url, "TIEBREAK_REDIS_URL": redis_url}
    told = tiebreak("rebuild", *arguments, environ=environ)
    assert (told.returncode, "Traceback" in told.stderr) == (status, False)
    assert says in told.stderr


def test_redis_does_not_answer(database_url):
    """One sentence with the setting's name."""
    environ = {"TIEBREAK_DATABASE_URL": database_url, "TIEBREAK_REDIS_URL": "redis://127.0.0.1:1/0"}
    told = tiebreak("audit", environ=environ)
    assert told.returncode == 1
    assert "TIEBREAK_REDIS_URL" in told.stderr
    assert "Traceback" not in told.stderr


def test_of_a_running_system(system: System):
    """`--data` names the directory that `tiebreak up` runs on: no URL to look for."""
    told = tiebreak("audit", "--data", str(system.data))
    assert told.returncode == 0, told.stderr
    assert "0 boards differing" in told.stdout
