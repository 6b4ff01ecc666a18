"""What schemathesis did, counted from its report (one event a line)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Counts:
    """Cases by operation and phase, answers by status, checks by outcome."""

    cases: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        for name, counted in vars(other).items():
            getattr(self, name).update(counted)

    def __str__(self) -> str:
        parts: list[str] = []
        for name, counted in vars(self).items():
            lines = [f"{count:8,} {label}" for label, count in sorted(counted.items())]
            parts.append("\n".join([f"{name}: {sum(counted.values()):,}", *lines]))
        return "\n\n".join(parts)


def count(report: Path) -> Counts:
    counts = Counts()
    with report.open() as lines:
        for line in lines:
            scenario = json.loads(line).get("ScenarioFinished")
            recorder = scenario["recorder"] if scenario else {}
            # Requests of a check's own, to look closer, have no case that was checked.
            for id_, checks in recorder.get("checks", {}).items():
                case = recorder["cases"][id_]["value"]
                operation = f"{case['method']} {case['path']}"
                counts.cases[operation] += 1
                counts.phases[case["meta"]["phase"]["name"]] += 1
                counts.checks.update(f"{it['name']} {it['status']}" for it in checks)
                response = recorder["interactions"][id_]["response"]
                counts.statuses[str(response["status_code"]) if response else "no answer"] += 1
    return counts
