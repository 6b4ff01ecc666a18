"""Where a request comes from, as limits count it."""

from __future__ import annotations

import ipaddress
from typing import Any

from litestar.connection import ASGIConnection

# What one customer of a provider gets at the least (RFC 6177): a whole network of addresses to choose from.
IPV6_PREFIX = 64


def address_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The client's address; behind a trusted proxy, the one it had there. Empty on a Unix socket."""
    return connection.client.host if connection.client else ""


def counted_address_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The same for limits: addresses that one client can change between as it likes are one."""
    return counted(address_of(connection))


def counted(address: str) -> str:
    """An IPv4 address as it is, of an IPv6 address its network."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found.packed, IPV6_PREFIX), strict=False))
