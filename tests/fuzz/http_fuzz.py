"""Schemathesis over the whole HTTP interface, as host, as guest and as nobody: `python -m tests.fuzz.http_fuzz`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from tests.fuzz.http_report import Counts, count
from tests.system import System, running_system

HERE = Path(__file__).parent
FAULTS = (
    "request.failed",
    "request.unavailable",
    "auth.unavailable",
    "message.failed",
    "Traceback",
    "never retrieved",
    "Unhandled",
    "Exception in",
)
IDENTITIES = ("host", "guest", "nobody")
# Requests come from one address, and a fuzz is more than any limit allows.
UNLIMITED = {"TIEBREAK_LIMIT_WAITING_ANSWERS": "1000000"}


@dataclass
class Outcome:
    """One run of schemathesis."""

    exit_status: int
    output: str
    counts: Counts


def fuzz(base_url: str, identity: str, *, seed: int, examples: int) -> Outcome:
    """Every phase and check, as this caller; the same seed makes the same cases of an unchanged document."""
    with tempfile.TemporaryDirectory(prefix="tiebreak-fuzz-") as folder:
        directory = Path(folder)
        document = httpx.get(f"{base_url}/openapi.json").raise_for_status().json()
        close(document)
        (directory / "openapi.json").write_text(json.dumps(document))
        settings = (HERE / "schemathesis.toml").read_text().replace("HOOKS", "tests.fuzz.http_hooks")
        (directory / "schemathesis.toml").write_text(settings)
        report = directory / "report.ndjson"
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(directory / "schemathesis.toml")]
        command += ["run", str(directory / "openapi.json"), "--url", base_url, "--no-color", "--warnings", "off"]
        command += ["--seed", str(seed), "--max-examples", str(examples)]
        command += ["--report", "ndjson", "--report-ndjson-path", str(report)]
        environ = {"FUZZ_BASE_URL": base_url, "FUZZ_IDENTITY": identity, "PYTHONPATH": str(HERE.parent.parent)}
        ran = subprocess.run(
            command,
            cwd=directory,
            env=os.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Outcome(ran.returncode, ran.stdout, count(report) if report.exists() else Counts())


def close(schema: Any) -> None:
    """Responses may gain fields in later versions, so the document leaves them open; today's have no others."""
    for it in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        close(it)
    if isinstance(schema, dict) and schema.get("type") == "object" and schema.get("properties"):
        schema.setdefault("additionalProperties", False)


def faults_in(system: System) -> list[str]:
    """Lines of the processes' logs that tell of an exception nobody expected."""
    logs = [line for log in (system.data / "logs").glob("*.log") for line in log.read_text().splitlines()]
    return [line for line in logs if any(sign in line for sign in FAULTS)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=250, help="cases per operation, phase and caller, at most")
    parser.add_argument("--as", dest="identities", nargs="*", choices=IDENTITIES, default=IDENTITIES)
    arguments = parser.parse_args()
    total = Counts()
    status = 0
    with running_system(environ=UNLIMITED) as system:
        for identity in arguments.identities:
            outcome = fuzz(system.base_url, identity, seed=arguments.seed, examples=arguments.examples)
            print(f"--- as {identity}: exit status {outcome.exit_status}\n{outcome.output}", file=sys.stderr)
            status |= outcome.exit_status
            total.add(outcome.counts)
        if faults := faults_in(system):
            print("\n".join(["--- faults in the logs", *faults]), file=sys.stderr)
            status |= 1
    print(f"schemathesis {version('schemathesis')}, seed {arguments.seed}, exit status {status}\n\n{total}")
    return status


if __name__ == "__main__":
    sys.exit(main())
