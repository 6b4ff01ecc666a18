"""What goes on beside the answering: figures are shown, tokens renewed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from math import ceil
from time import perf_counter

from tiebreak.load_test.display import Display, Now
from tiebreak.load_test.distribution import Distribution
from tiebreak.load_test.http_client import Unanswered
from tiebreak.load_test.login import RenewalFailed
from tiebreak.load_test.measurements import Measurements
from tiebreak.load_test.stage import Stage

SHOW_SECONDS = 1.0
RENEW_SECONDS = 1.0


async def show_figures(measurements: Measurements, seconds: float, display: Display) -> None:
    """The last second's, every second; for ever."""
    display.begin("answering", ceil(seconds))
    shown = 0
    while True:
        await asyncio.sleep(SHOW_SECONDS)
        elapsed = min(ceil(perf_counter() - measurements.started_at), ceil(seconds))
        display.advance(elapsed - shown)
        shown = elapsed
        display.show(latest(measurements))


def latest(measurements: Measurements) -> Now:
    """What has come since the last call."""
    acks, measurements.recent_acknowledged = measurements.recent_acknowledged, Distribution()
    pairs, measurements.visibility.recent_pairs = measurements.visibility.recent_pairs, Distribution()
    ack, seen = acks.figures(), pairs.figures()
    return Now(
        per_second=acks.count / SHOW_SECONDS,
        ack_p50_ms=ack.p50_ms,
        ack_p99_ms=ack.p99_ms,
        board_p50_ms=seen.p50_ms,
        board_p99_ms=seen.p99_ms,
        under_way=measurements.unsettled,
        retries=measurements.retries.total(),
        failed=measurements.refused.total() + measurements.unacknowledged,
    )


async def renew_tokens(stage: Stage, measurements: Measurements) -> None:
    """Of whoever's time has come; for ever."""

    async def renew(renewal: Awaitable[object]) -> None:
        try:
            with suppress(Unanswered):  # the connection's: it ends with its token, and comes back with the new one
                await renewal
        except RenewalFailed as failed:
            measurements.renewals_failed[str(failed)] += 1

    while True:
        for player in stage.players:
            if player.login.is_due:
                await renew(player.renew_token())
        if stage.host and stage.host.is_due:
            await renew(stage.host.renew())
        await asyncio.sleep(RENEW_SECONDS)
