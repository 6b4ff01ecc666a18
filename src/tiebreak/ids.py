"""Ids made by the application: UUIDv7 (RFC 9562), so that an index grows at its end."""

from __future__ import annotations

import re
from uuid import UUID, SafeUUID

from uuid_utils import uuid7

# A UUID as uuid_utils.compat makes it, in half the time: an answer's id was a tenth of its cost to the app server.
_blank = UUID.__new__
_set_int = vars(UUID)["int"].__set__
_set_is_safe = vars(UUID)["is_safe"].__set__
_UNKNOWN = SafeUUID.unknown

WRITTEN = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def new_id() -> UUID:
    """An id of this moment."""
    made = _blank(UUID)
    _set_int(made, uuid7().int)
    _set_is_safe(made, _UNKNOWN)
    return made


def id_of(text: str) -> UUID | None:
    """The id a caller wrote, if it is one: 36 characters, hyphens included (UUID itself takes much more for one)."""
    return UUID(text) if WRITTEN.fullmatch(text) else None
