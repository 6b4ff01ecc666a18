"""Request bodies as they reach the handlers."""

from __future__ import annotations

import time

import msgspec
import pytest

from tiebreak.auth_server.requests import (
    GuestRequest,
    LoginRequest,
    LogoutRequest,
    RegisterRequest,
    clean_email,
    clean_name,
    clean_password,
)

ACCOUNT = {"email": "ada@example.org", "password": "correct horse", "name": "Ada"}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada@Example.ORG \n", "ada@example.org"),
        ("JOSE\u0301@example.org", "jos\u00e9@example.org"),
        ("a+b@localhost", "a+b@localhost"),
        ("a" * 242 + "@example.org", "a" * 242 + "@example.org"),
    ],
)
def test_email_has_one_stored_form(typed: str, stored: str) -> None:
    """However an address is typed, it is stored and looked up in one form."""
    assert clean_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "ada",
        "@example.org",
        "ada@",
        "@",
        "ada@home@example.org",
        "ada lovelace@example.org",
        "ada@exam\u00a0ple.org",
        "ada@example.org\x00",
        "ada\x7f@example.org",
        "ada\u202e@example.org",
        "ada\ud800@example.org",
        "a" * 243 + "@example.org",
        "\u00df" * 127 + "@e.org",  # grows to two letters each in lower case
    ],
)
def test_email_that_cannot_be_one(typed: str) -> None:
    """What lacks a side, holds blanks or controls, or is too long is refused."""
    with pytest.raises(ValueError, match=r"^The e-mail "):
        clean_email(typed)


def test_password_is_the_same_from_every_keyboard() -> None:
    """A password with a composed and with a decomposed letter is one password; its blanks are kept."""
    assert clean_password(" cafe\u0301 ") == clean_password(" caf\u00e9 ") == " caf\u00e9 "


@pytest.mark.parametrize("typed", ["x" * 129, "x" * 60_000, "pass\x00word", "pass\nword", "password\ud800"])
def test_password_that_nobody_can_have(typed: str) -> None:
    """Too long, or with characters that no keyboard types."""
    with pytest.raises(ValueError, match=r"^The password "):
        clean_password(typed)


@pytest.mark.parametrize("password", ["x" * 8, "x" * 128, "\U0001f40e" * 8, " " * 8])
def test_password_of_allowed_length(password: str) -> None:
    """8 to 128 characters, of whatever kind."""
    assert msgspec.convert({**ACCOUNT, "password": password}, RegisterRequest).password == password


@pytest.mark.parametrize("password", ["", "x" * 7, "e\u0301" * 7])
def test_short_password_is_refused_only_for_a_new_account(password: str) -> None:
    """A new account needs 8 characters after composing; at log-in a short password is just a wrong one."""
    with pytest.raises(msgspec.ValidationError, match="shorter than 8"):
        msgspec.convert({**ACCOUNT, "password": password}, RegisterRequest)
    msgspec.convert({"email": ACCOUNT["email"], "password": password}, LoginRequest)


def test_names_are_cleaned() -> None:
    """A name arrives as one tidy line, for guests and accounts alike."""
    assert GuestRequest(name="  Ada \t Lovelace ").name == "Ada Lovelace"
    assert msgspec.convert({**ACCOUNT, "name": " Ada "}, RegisterRequest).name == "Ada"
    assert len(clean_name("e\u0301" * 40)) == 40


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\x00b", "\u202e"])
def test_name_that_shows_nothing_or_too_much(name: str) -> None:
    """Empty, too long and control characters are refused with a reason."""
    with pytest.raises(ValueError, match=r"^The name "):
        GuestRequest(name=name)


def test_combining_marks_do_not_hold_the_loop() -> None:
    """64 KB of combining marks, which take the better part of a second to put in order, are refused unordered."""
    marks = "a" + "\u0315\u0316" * 16_000
    started = time.process_time()
    for clean in (clean_name, clean_email, clean_password):
        with pytest.raises(ValueError, match="longer than"):
            clean(marks)
    assert time.process_time() - started < 0.05


def test_unknown_fields_are_refused() -> None:
    """A field we do not know is a mistake we tell about."""
    with pytest.raises(msgspec.ValidationError, match="unknown field `admin`"):
        msgspec.convert({**ACCOUNT, "admin": True}, RegisterRequest)


def test_logout_may_be_empty() -> None:
    """Logging out by bearer token needs no fields."""
    assert msgspec.convert({}, LogoutRequest).refresh_token is None
