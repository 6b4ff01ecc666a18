"""docs/deploy.md: what it tells people to type, as far as it can be typed here."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.compose.stack import EXAMPLE, ROOT, environ, services
from tests.compose.stack import read_environ as read
from tests.scene import new_user, opened_pool
from tests.servers import folder
from tiebreak.database.migrations import migrate
from tiebreak.embedded.postgres import Postgres

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_passwords_are_filled_in(tmp_path: Path) -> None:
    """The first block makes a .env that the stack starts with: passwords of its own, letters and digits."""
    shutil.copy(EXAMPLE, tmp_path)
    before, _, _ = COMMANDS[0].partition("docker compose")
    in_shell(before, tmp_path, {"PATH": os.environ["PATH"]})
    made = read(tmp_path / ".env")
    passwords = [value for name, value in made.items() if name.endswith("_PASSWORD")]
    assert len(set(passwords)) == 3
    assert all(re.fullmatch(r"[0-9a-f]{32}", password) for password in passwords)
    assert services(made).keys() == services(environ()).keys()


async def test_a_backup_can_be_restored(tmp_path: Path) -> None:
    """Dumped and restored by the page's own command lines, what was changed in between is as it was."""
    inside = re.findall(r"docker compose exec -T postgres (pg_\w+ .*)", PAGE)
    dump, restore = inside
    with folder() as directory:
        postgres = Postgres(directory / "postgres", directory, directory / "postgres.log", durable=False)
        await postgres.prepare()
        await postgres.start()
        try:
            await migrate(postgres.url())
            async with opened_pool(postgres.url()) as pool:
                user_id = await new_user(pool, "Before")
                environ = {"PATH": f"{postgres.folder}{os.pathsep}{os.environ['PATH']}", "PGHOST": str(directory)}
                await asyncio.to_thread(in_shell, dump, tmp_path, environ)
                await pool.execute("UPDATE users SET name = 'After'")
                await asyncio.to_thread(in_shell, restore, tmp_path, environ)
                assert await pool.fetchval("SELECT name FROM users WHERE id = $1", user_id) == "Before"
        finally:
            await postgres.stop()


def test_services_are_called_by_their_names() -> None:
    """Each service, volume and profile that the page names is in compose.yaml."""
    text = "".join(COMMANDS)
    known = services(environ())
    named = re.findall(r"docker compose (?:run --rm|exec(?: -T)?) ([\w-]+)", text)
    assert set(named) == {"gateway", "gateway-config", "migrate", "postgres", "seed"}
    assert set(named) <= known.keys()
    assert {f"tiebreak_{name}" for name in ("redis", "kafka")} == set(re.findall(r"\btiebreak_\w+", text))
    scaled = set(re.findall(r"--scale ([\w-]+)=", PAGE))
    assert scaled == {name for name, service in known.items() if "deploy" in service}


def in_shell(command: str, folder: Path, environ: dict[str, str]) -> None:
    """Run what a person would type; CalledProcessError if it fails."""
    subprocess.run(["sh", "-euc", command], cwd=folder, check=True, env=environ)
