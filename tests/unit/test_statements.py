"""What is said to Postgres and Redis is written in files, or in one piece in the code: never put together from parts.

Parameters travel apart from the text. This reads the source: a statement that is formatted, added up or taken from
elsewhere fails here before anybody can send one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tiebreak

SOURCE = Path(tiebreak.__file__).parent
# asyncpg's and our pool's, on whatever name a pool or connection has.
STATEMENT_FIRST = {
    "execute",
    "executemany",
    "fetch",
    "fetch_hot",
    "fetchrow",
    "fetchval",
    "cursor",
    "prepare",
    "copy_from_query",
}
SCRIPTS = {"eval", "evalsha", "script_load", "register_script", "eval_ro", "function_load", "Script"}
LUA_FILE = re.compile(
    r"(lua\('\w+\.lua'(, '\w+\.lua')*\)"
    r"|files\('tiebreak\.\w+'\)\.joinpath\('\w+\.lua'\)\.read_text\(encoding='utf-8'\))"
)
# Where text that is not a constant reaches a driver, and why that is well.
EXCEPTIONS = {
    # Passes on what it is given; its callers are looked at.
    ("database/hot_connections.py", "fetch"): "statement",
    # The migrations of the package, in files.
    ("database/migrations/__init__.py", "execute"): "statements",
    # A name of our own, from the code: parameters cannot stand there.
    ("embedded/postgres.py", "execute"): "f'CREATE DATABASE \"{name}\"'",
    # The one place that runs scripts, with the digest or the text of a file.
    ("redis_client.py", "evalsha"): "self._digest",
    ("redis_client.py", "eval"): "self._text",
}


def calls(tree: ast.AST, names: set[str]) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in names:
                yield name, node


def is_pipeline(call: ast.Call) -> bool:
    """redis-py's `pipe.execute(…)` takes no text."""
    return not call.args


def constants_of(tree: ast.Module) -> set[str]:
    """Names that are given a literal, once, at the top of a module."""
    given = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
    return {
        target.id for node in given for target in node.targets if isinstance(target, ast.Name) and target.id.isupper()
    }


def is_written_down(argument: ast.expr, constants: set[str]) -> bool:
    """A constant, `sql("name")` with a name that is one, or .lua files of the package."""
    if isinstance(argument, ast.Constant) or (isinstance(argument, ast.Name) and argument.id in constants):
        return True
    if LUA_FILE.fullmatch(ast.unparse(argument)):
        return True
    return (
        isinstance(argument, ast.Call)
        and isinstance(argument.func, ast.Name)
        and argument.func.id == "sql"
        and isinstance(argument.args[0], ast.Constant)
    )


def wrong_statements(source: str, file: str) -> list[str]:
    """Those of a module that are neither written down nor an exception."""
    found: list[str] = []
    tree = ast.parse(source)
    constants = constants_of(tree)
    for name, call in calls(tree, STATEMENT_FIRST | SCRIPTS):
        if is_pipeline(call):
            continue
        arguments = [ast.unparse(argument) for argument in call.args]
        statement = call.args[0]
        if not is_written_down(statement, constants) and EXCEPTIONS.get((file, name)) != ast.unparse(statement):
            found.append(f"{file}:{call.lineno} {name}({', '.join(arguments)})")
    return found


def modules() -> list[str]:
    return sorted(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py"))


def test_every_statement_is_written_down() -> None:
    """In all modules."""
    wrong = [line for file in modules() for line in wrong_statements((SOURCE / file).read_text(), file)]
    # Reads over HTTP or from a file: the gateway's keys.
    assert [line for line in wrong if not line.startswith("gateway/public_keys.py")] == []


@pytest.mark.parametrize(
    "source",
    [
        'pool.fetch(f"SELECT {name}")',
        'pool.execute("SELECT " + name)',
        'connection.fetchrow("SELECT %s" % name)',
        'connection.fetchval("SELECT {}".format(name))',
        "connection.execute(statement)",
        "pool.fetch(sql(name))",
        'pool.fetch_hot(f"SELECT {name}")',
        'redis.eval(f"return {name}", 0)',
        "redis.eval(text, 0)",
        "pipe.evalsha(digest, 0)",
        "redis.script_load(text)",
    ],
)
def test_it_sees_what_it_looks_for(source: str) -> None:
    """Each way to put a statement together."""
    assert wrong_statements(source, "some/module.py")


def test_no_script_puts_text_together() -> None:
    """Lua that runs Lua, or SQL that runs SQL, would be another way in."""
    scripts, statements = list(SOURCE.rglob("*.lua")), list(SOURCE.rglob("*.sql"))
    assert scripts
    assert statements
    for script in scripts:
        assert not re.search(r"\bload(string)?\b|\bdofile\b", script.read_text()), script
    for file in statements:
        assert not re.search(r"^\s*EXECUTE\b", file.read_text(), re.IGNORECASE | re.MULTILINE), file
