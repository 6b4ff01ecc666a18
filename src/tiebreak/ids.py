"""Ids made by the application: UUIDv7 (RFC 9562), so that an index grows at its end."""

from __future__ import annotations

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """An id of this moment."""
    return uuid_utils.compat.uuid7()


def id_of(text: str) -> UUID | None:
    """The id a caller wrote, if it is one: 36 characters, hyphens included."""
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
