"""Settings, read once from ``TIEBREAK_*`` environment variables.

Every field is the variable of the same name in capitals: ``database_url`` is ``TIEBREAK_DATABASE_URL``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from tiebreak.errors import SettingsInvalid

PREFIX = "TIEBREAK_"

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an operator can set. Durations and sizes carry their unit in the name."""

    database_url: Annotated[str, Meta(description="Postgres, e.g. postgresql://user:password@host/tiebreak")] = ""
    redis_url: Annotated[str, Meta(description="Redis 7 or Valkey, e.g. redis://host:6379/0")] = ""
    host: Annotated[str, Meta(description="Address the HTTP servers listen on")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port the HTTP server listens on")] = 8000
    listen_fd: Annotated[int | None, Meta(description="Listen on this inherited socket instead of host and port")] = (
        None
    )
    health_port: Annotated[
        Port,
        Meta(description="Port of a worker's /healthz, /readyz and /metrics; 0: none. Servers have them on theirs"),
    ] = 0
    drain_seconds: Annotated[
        float,
        Meta(ge=0, description="How long a server told to stop still serves, not ready, for gateways to leave it"),
    ] = 0.0
    auth_url: Annotated[str, Meta(description="Where the auth server is; its public keys are read from there")] = (
        "http://127.0.0.1:8001"
    )
    forward_auth: Annotated[
        bool, Meta(description="The app server passes /auth/* on to the auth server (no gateway in front)")
    ] = False
    origins: Annotated[str, Meta(description="Origins besides our own that may open sockets, separated by commas")] = ""
    frame_ancestors: Annotated[
        str, Meta(description="Origins whose pages may show ours in a frame, separated by commas")
    ] = ""
    trusted_proxies: Annotated[
        str, Meta(description="Addresses whose X-Forwarded-For is believed, separated by commas")
    ] = "127.0.0.1"
    database_pool_size: Annotated[Count, Meta(description="Postgres connections of one process")] = 10
    kafka_servers: Annotated[str, Meta(description="Kafka, e.g. broker-1:9092,broker-2:9092; unset: Redis Streams")] = (
        ""
    )
    kafka_replication: Annotated[Count, Meta(description="Copies Kafka keeps of each topic; 3 in a real cluster")] = 1
    bus_partitions: Annotated[Count, Meta(description="Partitions of the topic on the Redis Streams bus")] = 8
    bus_retention_hours: Annotated[Count, Meta(description="How long the Redis Streams bus keeps events")] = 24
    audit_seconds: Annotated[
        int, Meta(ge=0, description="From one comparison of all boards with the ledger to the next; 0: none")
    ] = 300
    access_token_minutes: Annotated[Count, Meta(description="Life of an access token")] = 15
    refresh_token_days: Annotated[Count, Meta(description="Life of a refresh token that is not used")] = 60
    limit_pin_misses_per_minute: Annotated[
        Count, Meta(description="Wrong PINs one address may try in a minute; right ones do not count")
    ] = 30
    limit_pin_misses_overall_per_minute: Annotated[
        Count, Meta(description="Wrong PINs of all addresses in a minute, after which each may try a third as many")
    ] = 1_000
    limit_login_failures_per_minute: Annotated[
        Count, Meta(description="Failed log-ins one address may make in a minute; good ones do not count")
    ] = 20
    limit_logins_per_minute: Annotated[
        Count, Meta(description="Log-ins and registrations one address may begin in a minute: each costs a hash")
    ] = 1_200
    limit_waiting_logins: Annotated[
        Count,
        Meta(description="Log-ins and registrations that wait for a hasher; others are refused with 503"),
    ] = 100
    limit_guests_per_minute: Annotated[
        Count, Meta(description="Guests that come from one address in a minute; a school is often one address")
    ] = 12_000
    limit_joins_per_minute: Annotated[
        Count, Meta(description="Joins one address may ask for in a minute; a school is often one address")
    ] = 12_000
    limit_joins_per_user_per_minute: Annotated[Count, Meta(description="Joins one user may ask for in a minute")] = 600
    limit_host_calls_per_minute: Annotated[
        Count, Meta(description="What one user may ask of participants and hosts of sessions in a minute")
    ] = 600
    limit_answers_per_minute: Annotated[
        Count, Meta(description="Answers one user may send in a minute, retries among them")
    ] = 1_200
    limit_images_per_minute: Annotated[Count, Meta(description="Images one user may send in a minute")] = 60
    limit_images_kept: Annotated[Count, Meta(description="Images of one user that are kept")] = 2_000
    limit_sockets_per_address: Annotated[
        Count, Meta(description="Sockets one app server takes from one address; a school is often one address")
    ] = 5_000
    limit_sockets_per_user: Annotated[
        Count, Meta(description="Sockets one app server takes from one user: screens, tabs, phones")
    ] = 50
    limit_waiting_answers: Annotated[
        Count,
        Meta(description="Answers, and joins, one app server lets wait for the database; others are refused with 503"),
    ] = 10_000
    limit_gateway_percent: Annotated[
        Count, Meta(description="The gateway's limits per client, in percent of those in its table")
    ] = 100
    password_hashers: Annotated[Count, Meta(description="Passwords hashed at once by one auth server")] = 2
    log_level: Annotated[str, Meta(description="debug, info, warning or error")] = "info"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the environment; unset ones take their default.

    Raises SettingsInvalid, whose message names the variable and what it must be.
    """
    given: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable in OTHERS:
            continue
        field = variable.removeprefix(PREFIX).lower()
        if field not in Settings.__struct_fields__:
            raise SettingsInvalid(f"{variable} is no setting of Tiebreak; see docs/settings.md for those there are.")
        given[field] = value
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        variable = PREFIX + str(error).rpartition("$.")[2].rstrip("`").upper()
        raise SettingsInvalid(f"{variable} cannot be used: {error}. See docs/settings.md.") from error


# Read by the tests, not by the processes.
OTHERS = frozenset(
    {
        "TIEBREAK_TEST_DATABASE_URL",
        "TIEBREAK_TEST_GATEWAY_URL",
        "TIEBREAK_TEST_KAFKA_SERVERS",
        "TIEBREAK_TEST_REDIS_URL",
    }
)


def required(value: str, variable: str) -> str:
    """The value, or SettingsInvalid naming the variable that has to be set."""
    if not value:
        raise SettingsInvalid(f"{variable} is not set. Set it, or run everything with `tiebreak up`.")
    return value
