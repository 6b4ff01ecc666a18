"""Requests to the system's origin; how long to wait before another one, and when to give up."""

from __future__ import annotations

from random import Random
from types import TracebackType
from typing import Literal, NamedTuple

import aiohttp
import msgspec

# Longer than a gateway waits for its upstream (15 s) would only hide that it gave up.
ATTEMPT_SECONDS = 10.0
CONNECT_SECONDS = 5.0
# From the moment an answer is first sent. A player has put the phone away by then.
GIVE_UP_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


class Unanswered(Exception):  # noqa: N818 - the word says what happened to the request
    """No reply: the connection was lost, refused or silent for too long. The request may have been carried out.

    `reason` is one of a few words, to count by; the message is what the library says. `was_sent` is False where there
    was no connection: then it was not carried out.
    """

    def __init__(
        self,
        reason: Literal["connection lost", "malformed reply", "timeout"],
        said: str = "",
        *,
        was_sent: bool = True,
    ) -> None:
        super().__init__(said or reason)
        self.reason = reason
        self.was_sent = was_sent


class Reply(NamedTuple):
    """A response that came in whole."""

    status: int
    body: bytes
    retry_after_seconds: float


class HttpClient:
    """One user agent for all players, but without cookies: each would be led to the first one's server."""

    def __init__(self, origin: str, *, attempt_seconds: float = ATTEMPT_SECONDS) -> None:
        self._origin = origin.rstrip("/")
        self._attempt_seconds = attempt_seconds

    async def __aenter__(self) -> HttpClient:
        self._session = aiohttp.ClientSession(
            # Without a limit of its own: an answer that waits for a free connection here would wait for us.
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._attempt_seconds, connect=CONNECT_SECONDS),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, *, token: str = "", body: object = None) -> Reply:
        """One request, not repeated. Raises Unanswered."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = msgspec.json.encode(body)
        try:
            async with self._session.request(method, self._origin + path, data=data, headers=headers) as response:
                return Reply(
                    response.status, await response.read(), seconds_of(response.headers.get("Retry-After", ""))
                )
        except aiohttp.ClientConnectorError as error:
            raise Unanswered("connection lost", str(error), was_sent=False) from error
        except TimeoutError as error:
            raise Unanswered("timeout") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unanswered("connection lost", str(error)) from error


def seconds_of(retry_after: str) -> float:
    """The header's seconds; 0 without it, or where it is a date, which no Tiebreak sends."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0


def pause_seconds(attempt: int, asked_seconds: float, random: Random) -> float:
    """Before the attempt after this one (the first is 1): doubling, spread by half, not less than was asked for."""
    pause = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
    return asked_seconds + pause * (0.5 + random.random() / 2)
