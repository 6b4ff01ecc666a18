"""`tiebreak up --gateway` and `tiebreak gateway-config`."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from tests.integration.test_cli import tiebreak
from tests.system import running_system


def test_what_runs(tmp_path: Path) -> None:
    """So many app servers as asked for, and a gateway on the port; killed, each is there again; the port stays ours."""
    with running_system(tmp_path, "--gateway", "--app-servers", "1") as system:
        assert {"gateway", "app-server-1", "auth-server"} <= set(system.run.children)
        assert "app-server-2" not in system.run.children
        assert httpx.get(f"{system.base_url}/healthz").headers["x-request-id"]
        system.kill("gateway")
        port = int(system.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", port), reuse_port=False).close()
        system.says("gateway ended by SIGKILL; starting it again")
        assert httpx.Client(transport=httpx.HTTPTransport(retries=8)).get(f"{system.base_url}/pin/0").status_code == 404


def test_port_taken(tmp_path: Path) -> None:
    """Told in a sentence, also where the other one would share it."""
    other = socket.socket()
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    other.bind(("127.0.0.1", 0))
    other.listen()
    with other:
        port = str(other.getsockname()[1])
        result = tiebreak("up", "--gateway", "--port", port, "--data", str(tmp_path / "data"))
    assert result.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken" in result.stderr
    assert not (tmp_path / "data").exists()


def test_app_servers_need_a_gateway(tmp_path: Path) -> None:
    """Several app servers without one could not share the port."""
    result = tiebreak("up", "--app-servers", "2", "--data", str(tmp_path / "data"))
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "--gateway" in result.stderr
    assert tiebreak("up", "--gateway", "--app-servers", "0").returncode == 2


def test_kong_with_the_keys_of_a_running_system(tmp_path: Path) -> None:
    """Keys come from a URL; addresses, origins and limits are those that were given."""
    with running_system(tmp_path) as system:
        jwks = f"{system.base_url}/.well-known/jwks.json"
        kid = httpx.get(jwks).json()["keys"][0]["kid"]
        environ = {"TIEBREAK_ORIGINS": "https://learn.example.org", "TIEBREAK_LIMIT_GATEWAY_PERCENT": "50"}
        result = tiebreak("gateway-config", "kong", "--jwks", jwks, "--app", "one:8000", environ=environ)
    assert result.returncode == 0, result.stderr
    for text in (kid, "BEGIN PUBLIC KEY", "one:8000", "auth-server:8001", "https://learn.example.org", "minute: 600"):
        assert text in result.stdout


def test_arguments_that_cannot_be_used() -> None:
    """One sentence each."""
    for arguments in (["kong", "--app", "nowhere"], ["envoy", "--listen", "8000"], ["kong", "--auth", "host:none"]):
        result = tiebreak("gateway-config", *arguments)
        assert result.returncode == 2
        assert "host:port" in result.stderr
    result = tiebreak("gateway-config", "kong", "--jwks", "/nowhere.json")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
