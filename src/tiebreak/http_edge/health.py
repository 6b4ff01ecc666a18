"""What operators and their machines ask every process: does it run, is it ready, how is it doing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal

import msgspec
import structlog
from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from tiebreak.errors import Refusal
from tiebreak.http_edge.application import application
from tiebreak.http_edge.description import FACTS, Facts
from tiebreak.http_edge.problems import problem_response
from tiebreak.http_edge.serving import serve
from tiebreak.settings import Settings

log = structlog.get_logger()

CHECK_SECONDS = 2.0

Check = Callable[[], Awaitable[object]]


class Health(msgspec.Struct, frozen=True):
    """All is well; what is not well is a problem document."""

    status: Literal["ok"] = "ok"


class Doctor:
    """Knows how to ask each thing the process stands on; a check that raises says that it is not there."""

    def __init__(self, checks: Mapping[str, Check], registry: CollectorRegistry, stop: asyncio.Event) -> None:
        self._checks = checks
        self._stop = stop
        self._under_way: dict[str, asyncio.Task[object]] = {}
        self.registry = registry

    async def missing(self) -> list[str]:
        """What does not answer within CHECK_SECONDS; "stopping" once the process has been told to stop."""
        absent = [name for name in await asyncio.gather(*map(self._absent, self._checks)) if name]
        return ["stopping", *absent] if self._stop.is_set() else absent

    async def _absent(self, name: str) -> str | None:
        """Ask once at a time. A check that hangs is left to end by itself: cancelled it may hang all the same."""
        check = self._under_way.get(name)
        if check is None:
            check = self._under_way[name] = asyncio.ensure_future(self._asked(name))
            check.add_done_callback(lambda _: self._under_way.pop(name))
        done, _ = await asyncio.wait({check}, timeout=CHECK_SECONDS)
        error = check.exception() if done else TimeoutError(f"no answer within {CHECK_SECONDS:.0f} s")
        if error is None:
            return None
        log.info("health.missing", name=name, error=f"{type(error).__name__}: {error}")
        return name

    async def _asked(self, name: str) -> object:
        return await self._checks[name]()


@get("/healthz", sync_to_thread=False, opt={FACTS: Facts(outages=False)})
def show_health() -> Health:
    """The process runs."""
    return Health()


@get("/readyz", opt={FACTS: Facts()})
async def show_readiness(doctor: Doctor) -> Health | Response[bytes]:
    """Everything it stands on answers: 200; or 503 with what does not."""
    if missing := await doctor.missing():
        return problem_response(Refusal.UNAVAILABLE, f"Missing: {', '.join(missing)}.")
    return Health()


@get(
    "/metrics",
    sync_to_thread=False,
    opt={FACTS: Facts(media_type=CONTENT_TYPE_LATEST, content=str, outages=False)},
)
def show_metrics(doctor: Doctor) -> Response[bytes]:
    """Prometheus text format."""
    return Response(generate_latest(doctor.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


HEALTH_ROUTES = [show_health, show_readiness, show_metrics]


async def serve_health(
    doctor: Doctor, settings: Settings, stop: asyncio.Event, *, outages: Sequence[type[Exception]]
) -> None:
    """For a process without HTTP of its own: these routes on TIEBREAK_HEALTH_PORT, if that is set."""
    if not settings.health_port:
        await stop.wait()
        return
    app = application(HEALTH_ROUTES, {"doctor": doctor}, outages=outages)
    await serve(app, msgspec.structs.replace(settings, port=settings.health_port, listen_fd=None), stop)
