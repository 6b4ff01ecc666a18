"""The table as Envoy reads it; tests/gateway lets the real one read it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.unit.gateway.test_table import SAMPLES, first_match
from tiebreak.gateway.deployment import Address, Deployment
from tiebreak.gateway.envoy import envoy_json
from tiebreak.gateway.table import Access

DEPLOYMENT = Deployment(app_servers=(Address("a", 1), Address("b", 2)), auth_servers=(Address("c", 3),))


@pytest.fixture
def manager() -> dict[str, Any]:
    """The settings of HTTP on the listener."""
    config = json.loads(envoy_json(DEPLOYMENT, Address("::", 8000)))
    [listener] = config["static_resources"]["listeners"]
    assert listener["address"]["socket_address"] == {"address": "::", "port_value": 8000, "ipv4_compat": True}
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def routes(manager: dict[str, Any]) -> list[dict[str, Any]]:
    return manager["route_config"]["virtual_hosts"][0]["routes"]


@pytest.mark.parametrize(("method", "path"), [sample[:2] for sample in SAMPLES])
def test_envoy_chooses_as_the_table_does(manager: dict[str, Any], method: str, path: str) -> None:
    """The first that matches counts here too, reading and WebSockets being routes of their own."""

    def matches(route: dict[str, Any]) -> bool:
        conditions = {one["name"]: one["string_match"] for one in route["match"]["headers"]}
        if "upgrade" in conditions:
            return False
        methods = conditions.get(":method", {"safe_regex": {"regex": ".*"}})["safe_regex"]["regex"]
        return bool(re.fullmatch(route["match"]["safe_regex"]["regex"], path) and re.fullmatch(methods, method))

    chosen = next(route for route in routes(manager) if matches(route))
    assert chosen["name"].removesuffix(" (reading)") == first_match(method, path).name


def test_no_route_forgets_to_say_whether_it_needs_a_token(manager: dict[str, Any]) -> None:
    """To Envoy, no rule would mean no check."""
    for route in routes(manager):
        rule = route["typed_per_filter_config"]["envoy.filters.http.jwt_authn"]
        public = first_named(route["name"]).access is Access.PUBLIC
        assert rule.get("disabled", False) is public
        assert public or rule["requirement_name"] in manager["http_filters"][2]["typed_config"]["requirement_map"]


def first_named(name: str) -> Any:
    from tiebreak.gateway.table import ROUTES  # noqa: PLC0415

    return next(route for route in ROUTES if route.name == name.partition(" ")[0])


def test_what_is_sent_twice(manager: dict[str, Any]) -> None:
    """A request that was sent is repeated only if it reads."""
    for route in routes(manager):
        if "route" in route and "reset" in route["route"]["retry_policy"]["retry_on"].split(","):
            [methods] = [one for one in route["match"]["headers"] if one["name"] == ":method"]
            assert methods["string_match"]["safe_regex"]["regex"] == "GET|HEAD"


def test_sockets_are_given_time(manager: dict[str, Any]) -> None:
    """A WebSocket has no end, and both ways of connecting may be silent from one ping to the next and longer."""
    websocket, polling = (route["route"] for route in routes(manager) if route["name"].startswith("sockets"))
    assert websocket["timeout"] == "0s"
    for seconds in (
        websocket["idle_timeout"],
        polling["timeout"],
        polling["idle_timeout"],
        manager["stream_idle_timeout"],
    ):
        assert int(seconds.rstrip("s")) > 45
