"""The table as Envoy 1.40 reads it: a static bootstrap in JSON, with one listener and three clusters.

Public keys are fetched from the auth server by Envoy itself, again and again, so that a new key is known in seconds
and an auth server that is away does no harm. Everything is counted in each Envoy by itself.
"""

from __future__ import annotations

import ipaddress

import msgspec

from tiebreak.gateway.deployment import Address, Deployment
from tiebreak.gateway.envoy_filters import Json, connection_manager, typed
from tiebreak.gateway.table import (
    CONNECT_SECONDS,
    HEALTH_CHECK_SECONDS,
    HEALTH_CHECK_TIMEOUT_SECONDS,
    READY_PATH,
    UNHEALTHY_AFTER,
    Target,
)

# Shorter than the servers' own (75 s), so that a request is never sent into a connection about to be closed.
IDLE_SECONDS = 60
BUFFER_BYTES = 1024 * 1024


def envoy_json(deployment: Deployment, listener: Address) -> str:
    """The bootstrap, for `envoy --config-path`."""
    return msgspec.json.format(msgspec.json.encode(envoy_config(deployment, listener)), indent=2).decode() + "\n"


def envoy_config(deployment: Deployment, listener: Address) -> Json:
    """Pure: the same deployment gives the same configuration. There is no admin interface."""
    return {
        "node": {"id": "gateway", "cluster": "tiebreak"},
        "static_resources": {
            "listeners": [
                {
                    "name": "gateway",
                    "address": socket_address(listener),
                    "per_connection_buffer_limit_bytes": BUFFER_BYTES,
                    "filter_chains": [{"filters": [connection_manager(deployment)]}],
                }
            ],
            "clusters": [
                cluster(Target.AUTH, deployment.auth_servers),
                cluster(Target.APP, deployment.app_servers),
                cluster(Target.APP_STICKY, deployment.app_servers),
            ],
        },
    }


def socket_address(address: Address) -> Json:
    dual = {"ipv4_compat": True} if address.host == "::" else {}
    return {"socket_address": {"address": address.host, "port_value": address.port, **dual}}


def cluster(target: Target, servers: tuple[Address, ...]) -> Json:
    """Servers that take turns, or of which a client keeps to one, left out while they are not ready.

    Turns, and not whoever is least busy: nobody is less busy than the dead. When none is ready all are tried: a
    server that cannot reach its database still says so better than we could.
    """
    http = typed(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config={"http_protocol_options": {}},
        common_http_protocol_options={"idle_timeout": f"{IDLE_SECONDS}s"},
    )
    return {
        "name": target.value,
        "type": "STATIC" if all(is_ip(server.host) for server in servers) else "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "lb_policy": "RING_HASH" if target is Target.APP_STICKY else "ROUND_ROBIN",
        "common_lb_config": {"healthy_panic_threshold": {"value": 1}},
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "circuit_breakers": {"thresholds": [dict.fromkeys(CEILINGS, 100_000)]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http},
        "health_checks": [
            {
                "http_health_check": {"path": READY_PATH},
                "timeout": f"{HEALTH_CHECK_TIMEOUT_SECONDS}s",
                "interval": f"{HEALTH_CHECK_SECONDS}s",
                "no_traffic_interval": f"{HEALTH_CHECK_SECONDS}s",
                "unhealthy_threshold": UNHEALTHY_AFTER,
                "healthy_threshold": 1,
            }
        ],
        "load_assignment": {
            "cluster_name": target.value,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(one)}} for one in servers]}],
        },
    }


# Envoy's own, 1,024 of each and three retries, would turn away the second thousand of sockets, and all but three of the
# requests that a dying server did not get.
CEILINGS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")


def is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
