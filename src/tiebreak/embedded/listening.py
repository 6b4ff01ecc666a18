"""The sockets the HTTP servers inherit, and the addresses people type."""

from __future__ import annotations

import errno
import os
import socket

from tiebreak.errors import EmbeddedServerFailed

BACKLOG = 2048
ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    We hold it while a server restarts, so that connections queue instead of being refused.
    Raises EmbeddedServerFailed, in words.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port), family=family, backlog=BACKLOG, dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6()
        )
    except OSError as error:
        raise EmbeddedServerFailed(reason(host, port, error)) from error


def reserve(host: str, port: int, *, for_reuseport: bool = False) -> socket.socket:
    """A port for a server of ours that binds it itself; port 0 takes a free one.

    As long as we hold it no other program is given it by chance. With `for_reuseport` no other program gets it by
    asking either, only one of this user's that sets SO_REUSEPORT: without, one that sets SO_REUSEADDR, as most do,
    could have it while our server restarts. Connections are refused meanwhile, for nobody listens: a gateway in front
    tries the next server at once. Raises EmbeddedServerFailed, in words.
    """
    with listen(host, port) as probe:  # fails where somebody listens, whom SO_REUSEPORT would join
        family, port = probe.family, int(probe.getsockname()[1])
    place = socket.socket(family, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier run may linger on it
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        place.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
    place.bind((host, port))
    if for_reuseport:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return place


def reason(host: str, port: int, error: OSError) -> str:
    """Why the port cannot be had and what to do."""
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"Port {port} of {host} is taken by another program (another `tiebreak up`?): "
                "end that one, or choose another port with --port."
            )
        case errno.EACCES:
            return f"Port {port} is reserved for root: choose one above 1023 with --port."
        case _:
            return f"Cannot listen on {host} port {port}: {os.strerror(error.errno) if error.errno else error}."


def http_url(host: str, port: int) -> str:
    """The origin of a server bound there."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reachable(host: str) -> str:
    """The address at which this machine reaches a server of its own bound to `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def addresses_in_the_room() -> list[str]:
    """This machine's addresses as its neighbours see them, best first; empty without a network."""
    found = [routed_address(), *named_addresses()]
    return list(dict.fromkeys(address for address in found if address and not address.startswith("127.")))


def routed_address() -> str | None:
    """The address packets to elsewhere would leave from. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737
        except OSError:
            return None
        return str(probe.getsockname()[0])


def named_addresses() -> list[str]:
    """What this machine's name resolves to."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(address[0]) for *_, address in found]
