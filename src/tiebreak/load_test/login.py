"""A user's tokens. An access token lives for minutes; a load test may take longer."""

from __future__ import annotations

from time import perf_counter

from tiebreak.load_test.http_client import HttpClient
from tiebreak.load_test.replies import Tokens, decoded

# Tokens are renewed when so much of their life is over: early enough to try again.
RENEW_AFTER_SHARE = 0.6
TRY_AGAIN_SECONDS = 5.0


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
        """Get newer tokens; False if that has to be tried again. Raises Unanswered."""
        self._renew_at = perf_counter() + TRY_AGAIN_SECONDS
        reply = await self._http.call("POST", "/auth/refresh", body={"refresh_token": self._refresh_token})
        tokens = decoded(reply.body, Tokens) if reply.status == 200 else None
        if tokens:
            self._take(tokens)
        return tokens is not None

    def _take(self, tokens: Tokens) -> None:
        self.token = tokens.access_token
        self._refresh_token = tokens.refresh_token
        self._renew_at = perf_counter() + tokens.expires_in * RENEW_AFTER_SHARE
