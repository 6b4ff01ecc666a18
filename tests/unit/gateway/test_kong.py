"""The table as Kong reads it. No Kong runs here: what it would do is read from its schemas and documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.gateway.test_table import SAMPLES, first_match
from tiebreak.command_line import APP_SERVERS, AUTH_SERVERS
from tiebreak.gateway.deployment import Deployment, address
from tiebreak.gateway.kong import kong_config, kong_yaml
from tiebreak.gateway.public_keys import PublicKey
from tiebreak.gateway.table import ROUTES, STICKY_COOKIE, Access, Target

COMMITTED = Path(__file__).parents[3] / "gateway" / "kong.yml"
DEPLOYMENT = Deployment(
    app_servers=tuple(map(address, APP_SERVERS.split())), auth_servers=tuple(map(address, AUTH_SERVERS.split()))
)


@pytest.fixture
def config() -> dict[str, Any]:
    """As Kong would parse it."""
    return msgspec.yaml.decode(kong_yaml(DEPLOYMENT, [PublicKey("k1", "PEM"), PublicKey("k2", "PEM")]))


def routes(config: dict[str, Any]) -> list[dict[str, Any]]:
    return [*config["routes"], *(route for service in config["services"] for route in service["routes"])]


def plugin(owner: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((one["config"] for one in owner["plugins"] if one["name"] == name), None)


def test_committed_file() -> None:
    """gateway/kong.yml is what the table renders: `tiebreak gateway-config kong > gateway/kong.yml`."""
    assert COMMITTED.read_text() == kong_yaml(DEPLOYMENT)


def test_yaml_says_what_was_meant() -> None:
    """Nothing is lost or bent on the way through YAML."""
    assert msgspec.yaml.decode(kong_yaml(DEPLOYMENT)) == kong_config(DEPLOYMENT, [])


@pytest.mark.parametrize(("method", "path"), [sample[:2] for sample in SAMPLES])
def test_kong_chooses_as_the_table_does(config: dict[str, Any], method: str, path: str) -> None:
    """Kong's order: routes with more kinds of conditions, then regular expressions by priority, then prefixes."""

    def matched(route: dict[str, Any]) -> tuple[int, int, int] | None:
        if method not in route.get("methods", [method]):
            return None
        for one in route["paths"]:
            if one.startswith("~") and re.match(one[1:], path):
                return len(route.get("methods", [])) > 0, 1, route["regex_priority"]
            if not one.startswith("~") and path.startswith(one):
                return len(route.get("methods", [])) > 0, 0, len(one)
        return None

    best = max((order, route["name"]) for route in routes(config) if (order := matched(route)) is not None)
    assert best[1] == first_match(method, path).name


def test_every_route_is_there(config: dict[str, Any]) -> None:
    """Each once, with its own path passed on and the Host that the browser named."""
    assert sorted(route["name"] for route in routes(config)) == sorted(route.name for route in ROUTES)
    assert all(route["strip_path"] is False and route["preserve_host"] is True for route in routes(config))


def test_tokens(config: dict[str, Any]) -> None:
    """Where a token is needed it is checked: `exp` and `nbf`, not on preflights, not from addresses or cookies."""
    needed = {route.name for route in ROUTES if route.access is not Access.PUBLIC}
    checks = {route["name"]: check for route in routes(config) if (check := plugin(route, "jwt"))}
    assert set(checks) == needed
    for check in checks.values():
        assert check["claims_to_verify"] == ["exp", "nbf"]
        assert check["run_on_preflight"] is False
        assert check["uri_param_names"] == check["cookie_names"] == []


def test_keys(config: dict[str, Any]) -> None:
    """One credential per key, found by its `kid`; several while keys rotate."""
    [consumer] = config["consumers"]
    assert [(one["key"], one["algorithm"]) for one in consumer["jwt_secrets"]] == [("k1", "RS256"), ("k2", "RS256")]
    assert all(one["rsa_public_key"] for one in consumer["jwt_secrets"])


def test_upstreams(config: dict[str, Any]) -> None:
    """Every service has one, of its name, with servers; polling clients keep to theirs; all are checked."""
    upstreams = {upstream["name"]: upstream for upstream in config["upstreams"]}
    assert {service["host"] for service in config["services"]} == set(upstreams)
    for upstream in upstreams.values():
        assert upstream["targets"]
        active = upstream["healthchecks"]["active"]
        assert active["http_path"] == "/readyz"
        assert active["healthy"]["interval"] > 0
        assert active["unhealthy"]["interval"] > 0
    sticky = next(service for service in config["services"] if service["name"] == Target.APP_STICKY)
    assert upstreams[sticky["host"]]["hash_on_cookie"] == STICKY_COOKIE
    assert min(sticky["read_timeout"], sticky["write_timeout"]) > 45_000


def test_only_images_may_be_large(config: dict[str, Any]) -> None:
    """A route's own limit takes the place of the one for all."""
    own = {route["name"]: plugin(route, "request-size-limiting") for route in routes(config)}
    assert own.pop("new-images") == {"allowed_payload_size": 2 * 1024 * 1024, "size_unit": "bytes"}
    assert set(own.values()) == {None}


def test_for_all_routes(config: dict[str, Any]) -> None:
    """Ids, size and stripped headers everywhere; CORS only where origins are named, for none would mean all."""
    assert plugin(config, "request-size-limiting") == {"allowed_payload_size": 65536, "size_unit": "bytes"}
    assert plugin(config, "correlation-id")
    assert "x-consumer-username" in plugin(config, "request-transformer")["remove"]["headers"]
    assert plugin(config, "cors") is None
    friendly = msgspec.structs.replace(DEPLOYMENT, origins=("https://learn.example.org",))
    assert plugin(kong_config(friendly, []), "cors")["origins"] == ["https://learn.example.org"]


def test_limits_of_a_deployment() -> None:
    """They are a share of the table's, and never nothing."""
    low = msgspec.structs.replace(DEPLOYMENT, limits_percent=1)
    limits = [limit for route in routes(kong_config(low, [])) if (limit := plugin(route, "rate-limiting"))]
    assert min(limit["minute"] for limit in limits) == 12
