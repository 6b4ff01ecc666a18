"""A user's tokens. An access token lives for minutes; a load test may take longer."""

from __future__ import annotations

from math import inf
from time import perf_counter

from tiebreak.load_test.http_client import HttpClient, Unanswered
from tiebreak.load_test.replies import Tokens, decoded

# Tokens are renewed when so much of their life is over: early enough to try again.
RENEW_AFTER_SHARE = 0.6
TRY_AGAIN_SECONDS = 5.0
NOT_CARRIED_OUT = frozenset({429, 503})


class RenewalFailed(Exception):  # noqa: N818 - the word says what happened
    """A log-in could not be renewed, and is not tried again; the message says why in a few words."""


class Login:
    """One user's log-in, kept fresh."""

    def __init__(self, http: HttpClient, tokens: Tokens) -> None:
        self._http = http
        self._take(tokens)

    @property
    def is_due(self) -> bool:
        """Whether it is time to renew."""
        return perf_counter() >= self._renew_at

    async def renew(self) -> bool:
        """Get newer tokens; False if that has to be tried again. Raises RenewalFailed.

        A refresh token serves once, and a second use ends the log-in: after a reply that was lost it must not be sent
        again. That is our loss then, and not a refusal by the system.
        """
        self._renew_at = inf
        try:
            reply = await self._http.call("POST", "/auth/refresh", body={"refresh_token": self._refresh_token})
        except Unanswered as unanswered:
            if unanswered.was_sent:
                raise RenewalFailed(unanswered.reason) from unanswered
            self._renew_at = perf_counter() + TRY_AGAIN_SECONDS
            return False
        if reply.status in NOT_CARRIED_OUT:
            self._renew_at = perf_counter() + max(TRY_AGAIN_SECONDS, reply.retry_after_seconds)
            return False
        tokens = decoded(reply.body, Tokens) if reply.status == 200 else None
        if tokens is None:
            raise RenewalFailed(f"status {reply.status}")
        self._take(tokens)
        return True

    def _take(self, tokens: Tokens) -> None:
        self.token = tokens.access_token
        self._refresh_token = tokens.refresh_token
        self._renew_at = perf_counter() + tokens.expires_in * RENEW_AFTER_SHARE
