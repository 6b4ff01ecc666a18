"""Faults and refusals.

A *fault* is an exception: something of ours, or a server we stand on, did not do its work. Its ``code``
is stable and ``temporary`` says whether the same call may succeed later.

A *refusal* is a value: the caller asked for something the rules do not allow. It is a member of ``Refusal``,
and reaches the client as a problem document (HTTP, RFC 9457) or a failed acknowledgement (socket).
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class Fault(Exception):  # noqa: N818 - the word of this code base, see docs/glossary.md
    """Something did not do its work."""

    code: ClassVar[str] = "fault"
    temporary: ClassVar[bool] = False


class SettingsInvalid(Fault):
    """A setting is missing or has a value that cannot be used."""

    code = "settings_invalid"


class SchemaTooNew(Fault):
    """The database was migrated by a newer Tiebreak; start that version instead."""

    code = "schema_too_new"


class SchemaTooOld(Fault):
    """The database lacks what the command reads; migrate it first."""

    code = "schema_too_old"


class NotInDatabase(Fault):
    """What a command was asked about is not in the database."""

    code = "not_in_database"


class DatabaseUnavailable(Fault):
    """Postgres did not answer in time."""

    code = "database_unavailable"
    temporary = True


class BoardLost(Fault):
    """A board was gone again before it could be read; Redis may be short of memory, or is being emptied."""

    code = "board_lost"
    temporary = True


class CacheUnavailable(Fault):
    """Redis did not answer in time."""

    code = "cache_unavailable"
    temporary = True


class BusUnavailable(Fault):
    """The event bus did not take or give events in time."""

    code = "bus_unavailable"
    temporary = True


class BusBroken(Fault):
    """The bus's client cannot go on; the process has to start anew."""

    code = "bus_broken"


class LoopStuck(Fault):
    """A worker's loop has not gone round for a while; what it waits for is in its log."""

    code = "loop_stuck"
    temporary = True


class EventUndecodable(Fault):
    """An event on the bus does not follow the contract in events.py."""

    code = "event_undecodable"


class KeysUnavailable(Fault):
    """The auth server's public keys could not be had, so no token can be checked."""

    code = "keys_unavailable"
    temporary = True


class EmbeddedServerFailed(Fault):
    """An embedded server could not be started; the message says what to do."""

    code = "embedded_server_failed"


class Refusal(Enum):
    """Why a request is not carried out: ``code`` on the wire, HTTP ``status`` and ``title``.

    The name in lower case is the code. Codes are part of the interface: add, never rename.
    """

    # 400: the request itself
    JSON_MALFORMED = (400, "The body is not valid JSON")
    REQUEST_INVALID = (400, "The request does not have the expected shape")
    NOT_AN_ID = (400, "Not an id: a UUID is expected")
    SESSION_NOT_FOUND_FOR_JOIN = (400, "Session does not exist")
    SESSION_FINISHED = (400, "The quiz session is finished")
    QUESTION_NOT_IN_QUIZ = (400, "The question does not belong to this quiz")
    QUESTION_ALREADY_ANSWERED = (400, "Question already answered")
    QUESTION_NOT_OPEN = (400, "The question does not take answers yet")
    QUESTION_CLOSED = (400, "The question takes no more answers")
    ANSWER_INVALID = (400, "The answer is not what this type of question expects")
    NAME_REFUSED = (400, "This name cannot be taken into a quiz session; choose another")
    TEAM_UNKNOWN = (400, "The session has no such team")
    IMAGE_INVALID = (400, "This is no image that can be read: PNG, JPEG, WebP and GIF are")
    IMAGE_NOT_FOUND_FOR_QUIZ = (400, "The quiz names an image that does not exist, or is another's")
    MESSAGE_UNKNOWN = (400, "No such message")
    # 401: who are you
    TOKEN_MISSING = (401, "An access token is needed")
    TOKEN_INVALID = (401, "The access token is not valid")
    TOKEN_EXPIRED = (401, "The access token has expired")
    CREDENTIALS_WRONG = (401, "E-mail or password is wrong")
    REFRESH_TOKEN_INVALID = (401, "The refresh token is not valid")
    REFRESH_TOKEN_REUSED = (401, "The refresh token was used before; please log in again")
    USER_UNKNOWN = (401, "The user of this access token does not exist any more")
    # 403: you may not
    NOT_JOINED = (403, "You have not joined this quiz session")
    NOT_THE_HOST = (403, "Only the host of this quiz session may do that")
    SESSION_LOCKED = (403, "The host has locked this quiz session: nobody can join now")
    JOINING_CLOSED = (403, "The game has begun, and the host takes nobody in any more")
    BANNED = (403, "The host does not let you join this quiz session")
    HOSTS_DO_NOT_PLAY = (403, "You are a host of this quiz session: hosts do not play")
    NOT_THE_OWNER = (403, "Only the owner of this quiz may do that")
    ACCOUNT_NEEDED = (403, "Guests play; create an account to author and host quizzes")
    ORIGIN_REFUSED = (403, "Connections from this origin are not allowed")
    # 404: not there
    ROUTE_NOT_FOUND = (404, "There is nothing at this address")
    QUIZ_NOT_FOUND = (404, "Quiz does not exist")
    SESSION_NOT_FOUND = (404, "Session does not exist")
    IMAGE_NOT_FOUND = (404, "Image does not exist")
    PIN_NOT_FOUND = (404, "No open quiz session has this PIN")
    PARTICIPANT_NOT_FOUND = (404, "Nobody in this quiz session has this id")
    ACCOUNT_NOT_FOUND = (404, "No account has this e-mail")
    # 405, 409, 413, 429
    METHOD_NOT_ALLOWED = (405, "This address does not take that method")
    ALREADY_JOINED = (409, "User already joined session")
    SESSION_NOT_LIVE = (409, "The quiz session is self-paced: it has no game to lead or follow")
    COMMAND_NOT_NOW = (409, "The game is not where this command can be carried out; look at it again")
    NAME_TAKEN = (409, "Somebody in this quiz session has that name, or one that looks like it; choose another")
    PLAYS_ALREADY = (409, "This account plays, or has played, in this quiz session: players do not host")
    IMAGES_TOO_MANY = (409, "This account has as many images as it may keep")
    EMAIL_TAKEN = (409, "An account with this e-mail already exists")
    IMAGE_TOO_LARGE = (413, "The image is larger than 2 MB, or than 24 megapixels")
    BODY_TOO_LARGE = (413, "The body is larger than 64 KB")
    TOO_MANY_TRIES = (429, "Too many tries; wait before the next one")
    TOO_MANY_SOCKETS = (429, "Too many connections of this user; close some")
    # 5xx: not the caller's doing
    INTERNAL = (500, "Something went wrong on our side; the request may be sent again")
    BUSY = (503, "More is waiting than can be taken; please try again in a moment")
    UNAVAILABLE = (503, "A part of the system does not answer; please try again")

    def __init__(self, status: int, title: str) -> None:
        self.status = status
        self.title = title

    @property
    def code(self) -> str:
        """The stable word for machines, e.g. ``not_joined``."""
        return CODES.get(self.name, self.name.lower())


# Refusals that share a meaning but not a status: the seed answers 400 where a join names no session.
CODES = {"SESSION_NOT_FOUND_FOR_JOIN": "session_not_found", "IMAGE_NOT_FOUND_FOR_QUIZ": "image_not_found"}


class Refused(Exception):  # noqa: N818 - the word says what happened to the request
    """Carries a refusal out of a request handler to the edge, where it becomes the response."""

    def __init__(self, refusal: Refusal, detail: str | None = None, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(refusal.title)
        self.refusal = refusal
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
