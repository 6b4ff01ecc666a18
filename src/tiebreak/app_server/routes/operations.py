"""For operators and machines: health, metrics, the interface's description."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from tiebreak.database.pool import OUTAGES as DATABASE_OUTAGES
from tiebreak.database.pool import Pool
from tiebreak.errors import KeysUnavailable
from tiebreak.redis_client import OUTAGES as CACHE_OUTAGES
from tiebreak.redis_client import Redis, RedisError
from tiebreak.tokens import Verifier

CHECK_SECONDS = 2.0


class Health(msgspec.Struct, frozen=True):
    """`ok`, or what does not answer."""

    status: str
    missing: list[str] = []


@get("/healthz", sync_to_thread=False)
def show_health() -> Health:
    """The process runs."""
    return Health("ok")


@get("/readyz")
async def show_readiness(pool: Pool, redis: Redis, verifier: Verifier) -> Response[Health]:
    """Postgres, Redis and the auth server's keys are at hand: 200, or 503 with what is missing."""
    checks = {"database": pool.execute("SELECT 1"), "cache": redis.ping(), "auth": verifier.ready()}

    async def missing(name: str) -> str | None:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await checks[name]
        except (*DATABASE_OUTAGES, *CACHE_OUTAGES, RedisError, KeysUnavailable):
            return name
        return None

    absent = [name for name in await asyncio.gather(*map(missing, checks)) if name]
    return Response(Health("unavailable" if absent else "ok", absent), status_code=503 if absent else 200)


@get("/metrics", include_in_schema=False, sync_to_thread=False)
def show_metrics(registry: CollectorRegistry) -> Response[bytes]:
    """Prometheus text format."""
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def show_openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """OpenAPI 3.1."""
    document = request.app.openapi_schema.to_schema()
    return Response(msgspec.json.encode(document), media_type="application/json")
