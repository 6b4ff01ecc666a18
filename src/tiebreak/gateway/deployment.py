"""Where the servers behind a gateway are, and what their operator allows."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from tiebreak.errors import SettingsInvalid

Port = Annotated[int, Meta(ge=1, le=65535)]


class Address(Struct, frozen=True):
    """A host and a port."""

    host: str
    port: Port


class Deployment(Struct, frozen=True, kw_only=True):
    """What a configuration is rendered for. `origins` are those besides the gateway's own whose pages may call."""

    app_servers: tuple[Address, ...]
    auth_servers: tuple[Address, ...]
    origins: tuple[str, ...] = ()
    limits_percent: int = 100


def address(text: str) -> Address:
    """`host:port`, IPv6 in brackets. Raises SettingsInvalid."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise SettingsInvalid(f"{text!r} is no address of a server: write host:port.")
    return Address(host.strip("[]"), int(port))


def origins(text: str) -> tuple[str, ...]:
    """The origins of TIEBREAK_ORIGINS."""
    return tuple(origin.strip() for origin in text.split(",") if origin.strip())
