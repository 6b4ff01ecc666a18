"""compose.yaml as Docker Compose sees it, without Docker: read, filled in, and its services one by one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "compose.yaml"
EXAMPLE = ROOT / ".env.example"
DOCKERFILE = ROOT / "Dockerfile"
# What a person fills in.
PASSWORDS = {"POSTGRES_PASSWORD": "onlyForTests1", "REDIS_PASSWORD": "onlyForTests2", "SEED_PASSWORD": "onlyForTests3"}

VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\})")


class VariableMissingError(Exception):
    """A required variable is unset or empty: Compose refuses to start."""


def raw() -> dict[str, Any]:
    """The file with its anchors resolved, variables as they stand."""
    return YAML(typ="safe", pure=True).load(COMPOSE.read_text(encoding="utf-8"))


def services(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The services with their variables filled in. Raises VariableMissingError."""
    return filled(raw(), environ)["services"]


def filled(value: Any, environ: Mapping[str, str]) -> Any:
    """`${NAME:-default}`, `${NAME:?message}` and `$$`, as the compose specification has them."""
    match value:
        case str():
            return VARIABLE.sub(lambda found: replacement(found, environ), value)
        case list():
            return [filled(item, environ) for item in value]
        case dict():
            return {key: filled(item, environ) for key, item in value.items()}
    return value


def replacement(found: re.Match[str], environ: Mapping[str, str]) -> str:
    if found["name"] is None:
        return "$"
    if given := environ.get(found["name"], ""):
        return given
    if found["kind"] == "?":
        raise VariableMissingError(found["name"])
    assert found["kind"] == "-", f"{found['name']} has neither a default nor a message"
    return found["rest"]


def read_environ(path: Path) -> dict[str, str]:
    """The variables of a .env file."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def example() -> dict[str, str]:
    """.env.example as it is."""
    return read_environ(EXAMPLE)


def environ() -> dict[str, str]:
    """.env.example, filled in."""
    return example() | PASSWORDS


def is_ours(service: Mapping[str, Any]) -> bool:
    """Whether it is a `tiebreak` command."""
    return "build" in service


def healthcheck(service: Mapping[str, Any]) -> list[str]:
    """The command line of its health check."""
    kind, *rest = service["healthcheck"]["test"]
    assert kind in {"CMD", "CMD-SHELL"}
    return ["sh", "-c", *rest] if kind == "CMD-SHELL" else rest


def arguments(service: Mapping[str, Any]) -> list[str]:
    """What `tiebreak` is given; where a shell runs it, up to where its output goes."""
    if "entrypoint" not in service:
        return service["command"]
    assert service["entrypoint"] == ["sh", "-euc"]
    (line,) = service["command"]
    program, *rest = shlex.split(line)
    assert program == "tiebreak"
    return rest[: rest.index(">")]
