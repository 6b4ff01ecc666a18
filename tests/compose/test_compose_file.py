"""compose.yaml and .env.example against the specification, the code and each other."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest

from tests.compose.stack import (
    COMPOSE,
    EXAMPLE,
    PASSWORDS,
    ROOT,
    VariableMissingError,
    arguments,
    environ,
    example,
    is_ours,
    raw,
    services,
)
from tiebreak.command_line import PROCESSES, parser
from tiebreak.settings import read_settings

SERVICES = services(environ())
OURS = {name: service for name, service in SERVICES.items() if is_ours(service)}
# Which port a service listens on, where that is not a setting of ours.
PORTS = {"postgres": "5432", "redis": "6379", "kafka": "9092", "gateway": "8000"}


def of_schema(path) -> subprocess.CompletedProcess[str]:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(check, capture_output=True, text=True, check=False)


def test_follows_the_specification():
    """The compose specification's own schema has nothing to say against it."""
    result = of_schema(COMPOSE)
    assert result.returncode == 0, result.stdout


def test_the_schema_is_strict(tmp_path):
    """A key misspelt is found, so that the test above means something."""
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("healthcheck:", "healthchek:"))
    assert of_schema(wrong).returncode != 0


def test_has_every_box():
    """Each part of the system is there, in its number."""
    count = {name: service.get("deploy", {}).get("replicas", 1) for name, service in SERVICES.items()}
    assert count == {
        "gateway": 1,
        "gateway-config": 1,
        "auth-server": 1,
        "app-server-1": 1,
        "app-server-2": 1,
        "publisher-worker": 2,
        "cache-worker": 2,
        "migrate": 1,
        "seed": 1,
        "postgres": 1,
        "redis": 1,
        "kafka": 1,
    }
    assert {arguments(service)[0] for service in OURS.values()} >= set(PROCESSES)


@pytest.mark.parametrize("name", OURS)
def test_commands_are_real(name):
    """The command line parses as `tiebreak` would parse it."""
    assert parser().parse_args(arguments(OURS[name]))


@pytest.mark.parametrize("name", OURS)
def test_settings_are_real(name):
    """Every variable is a setting with a value that it can have."""
    given = OURS[name].get("environment", {})
    assert all(variable.startswith("TIEBREAK_") for variable in given)
    read_settings(given)


def test_example_settings_are_real():
    """The TIEBREAK_* variables of .env.example are settings, with their defaults."""
    given = {name: value for name, value in example().items() if name.startswith("TIEBREAK_")}
    assert given
    assert read_settings(given) == read_settings({})


def test_example_has_every_variable_of_the_file():
    """What can be set is in .env.example, nothing else is, and its values are the defaults."""
    used = re.findall(r"\$\{(\w+):([-?])([^}]*)\}", COMPOSE.read_text())
    assert {name for name, _, _ in used} == set(example())
    defaults = {name: rest for name, kind, rest in used if kind == "-"}
    assert defaults == {name: value for name, value in example().items() if name in defaults}


@pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "REDIS_PASSWORD"])
def test_refuses_to_start_without_a_password(name):
    """A password that is unset, or empty as in .env.example, is a sentence instead of a stack."""
    assert example()[name] == ""
    with pytest.raises(VariableMissingError, match=name):
        services(environ() | {name: ""})


def test_no_secret_is_in_the_files():
    """Passwords come from the variables only, and every URL with a password takes it from there."""
    assert all(value == "" for name, value in example().items() if name in PASSWORDS)
    text = COMPOSE.read_text() + EXAMPLE.read_text()
    assert all(password.startswith("${") for password in re.findall(r"://\w*:([^@/]+)@", text))
    assigned = re.findall(r"^ +\w*(?:PASSWORD|AUTH): *(.+)$", text, re.MULTILINE)
    assert assigned
    assert all(value.startswith("${") for value in assigned)


def test_images_are_pinned():
    """Every image has an exact version; ours is this version's, and those that tests know are those that tests run."""
    images = {service["image"] for service in SERVICES.values()}
    assert all(re.fullmatch(r"[\w/]+:\d+\.\d+(\.\d+)?(-bookworm)?", image) for image in images), images
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    kafka = re.search(r"^KAFKA_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert kafka is not None
    assert {f"tiebreak:{version}", f"apache/kafka:{kafka[1]}"} <= images


def test_only_the_gateway_is_published():
    """No other service has a port on the machine, or a network that leads out of it."""
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
    inside = {name for name, network in raw()["networks"].items() if network.get("internal")}
    assert all(set(it["networks"]) <= inside for name, it in SERVICES.items() if name != "gateway")


def test_waits_for_what_it_needs():
    """Healthy is waited for where there is a health check, completion where a service ends by itself."""
    for name, service in SERVICES.items():
        for needed, condition in service.get("depends_on", {}).items():
            wanted = "service_healthy" if "healthcheck" in SERVICES[needed] else "service_completed_successfully"
            assert condition == {"condition": wanted}, (name, needed)
        assert ("healthcheck" in service) == (service.get("restart") == "unless-stopped"), name


@pytest.mark.parametrize("name", SERVICES)
def test_addresses_lead_somewhere(name):
    """A host and port in a command or a setting is a service's, on a network both are in, and it is waited for."""
    service = SERVICES[name]
    values = [*service.get("command", []), *service.get("environment", {}).values()]
    for host, port in re.findall(r"(?:\b|@)([a-z][a-z0-9-]+):(\d{4})\b", " ".join(values)):
        target = SERVICES[host]
        assert port == PORTS.get(host) or port == target["environment"]["TIEBREAK_PORT"]
        if host == name:
            continue
        assert set(target["networks"]) & set(service["networks"])
        # What gateway-config writes down is for the gateway, which waits for them.
        assert host in waits_for("gateway" if name == "gateway-config" else name)


def waits_for(name: str) -> set[str]:
    """The services that are there before this one."""
    directly = set(SERVICES[name].get("depends_on", {}))
    return directly.union(*map(waits_for, directly))


def test_processes_know_only_what_they_may():
    """No bus for the servers, no cache for the publisher, no database for the cache worker."""
    told = {name: " ".join(service.get("environment", {})) for name, service in OURS.items()}
    assert not any("KAFKA" in told[name] for name in ("auth-server", "app-server-1", "app-server-2"))
    assert "REDIS" not in told["publisher-worker"]
    assert "DATABASE" not in told["cache-worker"]


def test_the_servers_believe_the_gateway_alone():
    """The trusted proxy is the gateway's fixed address, outside the range the others get theirs from."""
    gateway = SERVICES["gateway"]["networks"]["edge"]["ipv4_address"]
    servers = [OURS[name] for name in ("auth-server", "app-server-1", "app-server-2")]
    assert {server["environment"]["TIEBREAK_TRUSTED_PROXIES"] for server in servers} == {gateway}


def test_the_gateway_reads_what_gateway_config_writes():
    """The same file in the same volume, written before the gateway starts, which cannot write to it."""
    gateway, config = SERVICES["gateway"], SERVICES["gateway-config"]
    written = config["command"][0].split()[-1]
    assert written == gateway["environment"]["KONG_DECLARATIVE_CONFIG"] == "/gateway/kong.yml"
    assert config["volumes"] == ["gateway:/gateway"]
    (mount,) = gateway["volumes"]
    assert (mount["source"], mount["target"], mount["read_only"]) == ("gateway", "/gateway", True)
    assert "gateway-config" in gateway["depends_on"]
