"""What was measured, as a table, as JSON, and as the bench's own section of RESULTS.md."""

from __future__ import annotations

import statistics
from typing import Any, NamedTuple

from bench.fanout.processes import MESSAGE
from bench.machine import command_line, one_line
from bench.results import ratio, shown, table

OURS = "tiebreak"
NODE = "node"
LIMIT = "c-loop"
TITLES = {OURS: "ours", NODE: "Node socket.io", "python-socketio": "python-socketio", LIMIT: "C loop of send()"}


class Row(NamedTuple):
    """A line of the table: where its figure stands, and how it is shown."""

    title: str
    measurement: str
    figure: str
    format: str


def rows_of(options: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    for window in options["windows"]:
        name, title = f"saturation_{window}", f"saturation, {window} under way" if window > 1 else "one at a time"
        rows.append(Row(f"{title}: delivered/s", name, "per_second", ",.0f"))
        rows.append(Row(f"{title}: CPU µs per recipient", name, "us_per_recipient", ".2f"))
        rows.append(Row(f"{title}: share of its core, server", name, "server_share", ".0%"))
        rows.append(Row(f"{title}: share of its core, client", name, "client_share", ".0%"))
    for rate in options["rates"]:
        name = f"rate_{rate}"
        rows.append(Row(f"{rate}/s: CPU µs per recipient", name, "us_per_recipient", ".2f"))
        rows += [Row(f"{rate}/s: {q}, ms", name, f"{q}_ms", ".1f") for q in ("p50", "p99", "max")]
        rows.append(Row(f"{rate}/s: share of its core, client", name, "client_share", ".0%"))
    rows.append(Row("share of a core taken by other programs", "disturbance", "share", ".0%"))
    return rows


def medians(rounds: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, float | None]]]:
    """By server, measurement and figure, of the rounds in which the server kept up; None if most were not such."""
    result: dict[str, dict[str, dict[str, float | None]]] = {}
    for name in rounds[0]:
        result[name] = {}
        for measurement in rounds[0][name]:
            seen = [figures[name][measurement] for figures in rounds]
            good = [one for one in seen if one.get("kept_up", True) and one.get("complete", True)]
            result[name][measurement] = {
                key: statistics.median(one[key] for one in good) if 2 * len(good) > len(seen) else None
                for key, value in (good or seen)[0].items()
                if not isinstance(value, bool)
            }
    return result


class Report(NamedTuple):
    """`rounds`: by server and measurement, as the client reported them. `memory`: by server."""

    machine: dict[str, str]
    options: dict[str, Any]
    rounds: list[dict[str, Any]]
    memory: dict[str, dict[str, float]]
    medians: dict[str, dict[str, dict[str, float | None]]]

    def as_json(self) -> dict[str, Any]:
        return self._asdict()

    def _lines(self) -> list[tuple[str, str, dict[str, float | None]]]:
        """Title, format, and figure by server."""
        lines = [
            (
                row.title,
                row.format,
                {name: self.medians[name][row.measurement].get(row.figure) for name in self.medians},
            )
            for row in rows_of(self.options)
        ]
        if self.memory:
            by_server: dict[str, float | None] = {name: figures["bytes"] for name, figures in self.memory.items()}
            lines.append(("bytes per idle socket", ",.0f", by_server))
        return lines

    def table(self) -> str:
        """In Markdown; the last columns say how many times the figure of Node, and of the C loop, ours is."""
        names = list(TITLES.keys() & self.medians.keys())
        names.sort(key=list(TITLES).index)
        rivals = [name for name in (NODE, LIMIT) if name in names and OURS in names]
        heads = ["", *(TITLES[name] for name in names), *(f"ours ÷ {TITLES[name].split()[0]}" for name in rivals)]
        rows: list[list[str]] = []
        for title, form, figures in self._lines():
            figures_shown = [shown(figures[name], form) for name in names]
            # Shares say whose limit a figure is: a ratio of them says nothing.
            compared = [] if "share" in title else [ratio(figures[OURS], figures[rival]) for rival in rivals]
            rows.append([title, *figures_shown, *(compared or [""] * len(rivals))])
        return table(heads, rows)

    def section(self) -> str:
        options = self.options
        return "\n".join(
            [
                "## Fan-out: one message to many sockets",
                "",
                f"`{command_line('bench.fanout')}` (`make bench-fanout`), {self.machine['date']}: "
                f"{one_line(self.machine)}; 2 of them used, the server on one, the client on the other.",
                f"A leaderboard of {MESSAGE.stat().st_size:,} bytes to {options['sockets']:,} sockets in one room; "
                f"medians of {options['rounds']} rounds of {options['seconds']:g} s each, the order of the servers "
                f"rotated. Memory: private bytes that each of {options['idle_sockets']:,} idle sockets adds. “–”: did "
                "not keep up.",
                "",
                self.table(),
                "",
                "“Under way”: so many broadcasts are asked for and not yet received by all. What a server has queued "
                "meanwhile it may write together: ours and Node's do, the C loop calls `send()` for each message and "
                "socket. “One at a time” leaves nothing to merge. Loopback: the kernel's work for the receiver, and "
                "waking it up, count as the server's, in all alike. Ratios hold from machine to machine better than "
                "figures do.",
            ]
        )
