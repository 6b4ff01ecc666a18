"""Where figures come from: machine, versions, commit."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

from bench.processes import ROOT

# The Node packages that are peers or parts of one, and where their versions are fixed.
NODE_PACKAGES = {
    "socket.io": ROOT / "tests" / "node" / "package.json",
    "fastify": ROOT / "bench" / "node" / "package.json",
    "@fastify/jwt": ROOT / "bench" / "node" / "package.json",
}


def machine(packages: Collection[str] = (), node_packages: Collection[str] = ()) -> dict[str, str]:
    """The machine and the versions that matter for a section; Node's if one of its packages does."""
    model = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.M)
    commit = output("git", "describe", "--always", "--dirty")
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": model[1] if model else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "commit": commit,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        **({"node": output("scripts/with-node", "node", "--print", "process.version")} if node_packages else {}),
        **{name: json.loads(NODE_PACKAGES[name].read_text())["dependencies"][name] for name in node_packages},
    }


def output(*command: str) -> str:
    """The last line a program prints; nothing if it fails."""
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip().splitlines()[-1] if ran.returncode == 0 else ""


def command_line(module: str) -> str:
    """How this program was started, but for where it puts its results."""
    arguments = list(sys.argv[1:])
    if "--results" in arguments:
        place = arguments.index("--results")
        del arguments[place : place + 2]
    return shlex.join(["python", "-m", module, *arguments])


def one_line(machine: dict[str, str]) -> str:
    """All of it but the date."""
    return ", ".join(f"{name} {value}" for name, value in machine.items() if name != "date")
