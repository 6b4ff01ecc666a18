"""Log-ins that were revoked, by a log-out or a refresh token used twice: their access tokens and their sockets end.

Postgres is the truth. It is asked every second for what came since shortly before its last answer: nothing is missed
over a lost connection, a restart, or a transaction that commits late. While it does not answer, or all connections to
it are busy, what is known is held on to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

import structlog

from tiebreak.clock import Clock
from tiebreak.database.logins import revoked_logins
from tiebreak.database.pool import FAILURES, Pool
from tiebreak.metrics import TokenMetrics
from tiebreak.tokens import Verifier

log = structlog.get_logger()

POLL_SECONDS = 1.0
# With the wait for a connection.
ANSWER_SECONDS = 5.0
# A revocation may commit this long after the time it carries, which is Postgres's: 10 s at most for its statement
# (database/pool.py). The rest is for a Postgres that takes over with a clock of its own.
OVERLAP_SECONDS = 120.0


class Revocations:
    """Keeps `verifier.revoked`: every log-in that was revoked while one of its access tokens may still be good."""

    def __init__(
        self, pool: Pool, clock: Clock, verifier: Verifier, metrics: TokenMetrics, *, token_seconds: float
    ) -> None:
        """`token_seconds` is the life of an access token; if tokens turn out to live longer, that counts."""
        self._pool = pool
        self._clock = clock
        self._verifier = verifier
        self._metrics = metrics
        self._token_seconds = token_seconds
        self._asked_at: datetime | None = None
        # When they were heard of, oldest first.
        self._heard: deque[tuple[float, set[UUID]]] = deque()

    async def read(self) -> set[UUID]:
        """Ask once; the log-ins that were not known to be revoked, and whose tokens are refused from now on.

        Raises what Postgres raises, and TimeoutError; what was missed by that is read the next time.
        """
        if self._verifier.longest_life_seconds > self._token_seconds:
            # The auth server has another setting than we have: what was forgotten, or never read, is read now.
            self._token_seconds = self._verifier.longest_life_seconds
            self._asked_at = None
        matters_seconds = self._token_seconds + OVERLAP_SECONDS
        found = await revoked_logins(
            self._pool,
            self._asked_at,
            less_seconds=matters_seconds if self._asked_at is None else OVERLAP_SECONDS,
            timeout_seconds=ANSWER_SECONDS,
        )
        self._asked_at = found.asked_at
        now = self._clock.monotonic()
        new = set(found.ids) - self._verifier.revoked
        if new:
            self._verifier.revoked |= new
            self._heard.append((now, new))
        while self._heard and self._heard[0][0] + matters_seconds <= now:
            self._verifier.revoked -= self._heard.popleft()[1]
        self._metrics.revoked_logins.set(len(self._verifier.revoked))
        self._metrics.revocations_read.set_to_current_time()
        return new

    async def run(self, close_sockets: Callable[[Collection[UUID]], int]) -> None:
        """Ask every second, for ever, and have the sockets of log-ins closed that were revoked."""
        answered = True
        while True:
            await self._clock.sleep(POLL_SECONDS)
            try:
                new = await self.read()
            except FAILURES as error:
                if answered:
                    log.warning("revocations.unknown", error=repr(error), retry_seconds=POLL_SECONDS)
                answered = False
                continue
            if not answered:
                log.info("revocations.known_again")
                answered = True
            if new:
                log.info("logins.revoked", count=len(new), sockets_closed=close_sockets(new))
