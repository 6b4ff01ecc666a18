"""Listening sockets and the addresses people type."""

from __future__ import annotations

import errno
import socket
import sys

import pytest

from tiebreak.embedded.listening import addresses_in_the_room, http_url, listen, reachable, reason, reserve
from tiebreak.errors import EmbeddedServerFailed


def test_a_free_port() -> None:
    """Port 0 takes a free one, and connections are taken from then on."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert port > 0
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_a_taken_port() -> None:
    """Two cannot have it."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(EmbeddedServerFailed, match=f"Port {port} of 127.0.0.1 is taken"):
            listen("127.0.0.1", port)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody could bind a port that we keep")
def test_a_port_kept_for_a_server_that_restarts() -> None:
    """It has the port again whenever it comes, also with connections of an earlier run on it; nobody else ever has."""
    with listen("127.0.0.1", 0) as earlier:
        address = earlier.getsockname()
        leave_a_connection(earlier)
    with reserve(*address, for_reuseport=True):
        for _ in range(2):
            with pytest.raises(OSError, match="in use"):
                socket.create_server(address).close()
            with socket.create_server(address, reuse_port=True) as ours:
                leave_a_connection(ours)


def leave_a_connection(listener: socket.socket) -> None:
    """One that the listener's side closes first, so that it lingers there (TIME_WAIT)."""
    with socket.create_connection(listener.getsockname(), timeout=5) as client:
        listener.accept()[0].close()
        assert client.recv(1) == b""


def test_an_address_of_another_machine() -> None:
    """TEST-NET-1 is nobody's."""
    with pytest.raises(EmbeddedServerFailed, match=r"Cannot listen on 192\.0\.2\.1 port 0"):
        listen("192.0.2.1", 0)


def test_a_reserved_port() -> None:
    """Below 1024 only root may listen on many machines."""
    assert "above 1023" in reason("127.0.0.1", 80, OSError(errno.EACCES, "Permission denied"))


def test_a_host_without_an_address() -> None:
    """A failed look-up has no errno of the system's."""
    assert "unknown name" in reason("nowhere", 80, OSError("unknown name"))


@pytest.mark.parametrize(
    ("host", "url", "at_home"),
    [
        ("127.0.0.1", "http://127.0.0.1:80", "127.0.0.1"),
        ("0.0.0.0", "http://0.0.0.0:80", "127.0.0.1"),
        ("::", "http://[::]:80", "::1"),
    ],
)
def test_addresses(host: str, url: str, at_home: str) -> None:
    """As written in a browser, and as reached from this machine."""
    assert http_url(host, 80) == url
    assert reachable(host) == at_home


def test_no_loopback_for_phones() -> None:
    """A phone cannot reach 127.x; the same address is not told twice."""
    addresses = addresses_in_the_room()
    assert not any(address.startswith("127.") for address in addresses)
    assert len(addresses) == len(set(addresses))
