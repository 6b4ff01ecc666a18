"""Request bodies, cleaned as they are decoded; a ValueError here is the detail of a 400."""

from __future__ import annotations

import unicodedata
from typing import Annotated

import msgspec
from msgspec import Meta

from tiebreak.text import COMPOSING, Email, clean_email, clean_line, line_schema

LONGEST_NAME = 40
SHORTEST_PASSWORD = 8  # NIST SP 800-63B, which asks for no composition rules
LONGEST_PASSWORD = 128

Name = Annotated[str, Meta(extra_json_schema=line_schema(LONGEST_NAME))]
NO_CONTROLS = {"maxLength": LONGEST_PASSWORD, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}
Password = Annotated[str, Meta(extra_json_schema=NO_CONTROLS)]
NewPassword = Annotated[str, Meta(extra_json_schema={**NO_CONTROLS, "minLength": SHORTEST_PASSWORD})]


class GuestRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Someone who only plays."""

    name: Name

    def __post_init__(self) -> None:
        self.name = clean_name(self.name)


class RegisterRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A new account."""

    email: Email
    password: NewPassword
    name: Name

    def __post_init__(self) -> None:
        self.email = clean_email(self.email)
        self.password = clean_password(self.password)
        if len(self.password) < SHORTEST_PASSWORD:
            raise ValueError(f"The password is shorter than {SHORTEST_PASSWORD} characters")
        self.name = clean_name(self.name)


class LoginRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A known account. A password too short to be anyone's is simply wrong."""

    email: Email
    password: Password

    def __post_init__(self) -> None:
        self.email = clean_email(self.email)
        self.password = clean_password(self.password)


class RefreshRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The refresh token that came last."""

    refresh_token: str


class LogoutRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The log-in to end; without a token it is the one of the bearer token."""

    refresh_token: str | None = None


def clean_name(name: str) -> str:
    """A display name. Raises ValueError."""
    if len(name) > COMPOSING * LONGEST_NAME:
        raise ValueError(f"The name is longer than {LONGEST_NAME} characters")
    return clean_line(name, longest=LONGEST_NAME, what="The name")


def clean_password(text: str) -> str:
    """A password in NFC, so that it is the same from every keyboard (RFC 8265 §4.2). Raises ValueError."""
    if len(text) <= COMPOSING * LONGEST_PASSWORD:
        password = unicodedata.normalize("NFC", text)
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
            raise ValueError("The password contains control characters")
        if len(password) <= LONGEST_PASSWORD:
            return password
    raise ValueError(f"The password is longer than {LONGEST_PASSWORD} characters")
