"""Postgres's tables, and each statement of queries.sql that the simulated processes use, in Python.

Every statement is carried out at one moment. tests/simulation compares them with Postgres.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from simulation.answer_log import AnswerLog, Row
from tiebreak.database.queries import sql
from tiebreak.events import HELD, SHARDS
from tiebreak.quiz.ranking import opened_at_ms, reached_ms


class Lease(msgspec.Struct):
    """A row of outbox_leases."""

    owner: UUID | None = None
    expires_at: float = float("-inf")
    version: int = 0


class LeaseTables(msgspec.Struct):
    """What a transaction that holds the lock may change, and others see only once it is committed."""

    leases: list[Lease]
    workers: dict[UUID, float]

    @classmethod
    def empty(cls) -> LeaseTables:
        return cls([Lease() for _ in range(SHARDS)], {})

    def copied(self) -> LeaseTables:
        return deepcopy(self)


class Window(msgspec.Struct):
    """When a live question takes answers."""

    opens_at_ms: int
    closes_at_ms: int
    shut_at_ms: int | None = None


class Tables:
    """Rows by their keys."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now`: Unix time in seconds."""
        self.now = now
        self.sessions: dict[UUID, Row] = {}
        self.questions: dict[UUID, list[Row]] = {}
        self.participants: dict[tuple[UUID, UUID], tuple[UUID, str]] = {}
        # Of live sessions, by session and question; and of participants, what is not as with everybody.
        self.windows: dict[tuple[UUID, UUID], Window] = {}
        self.extra_time: dict[UUID, int] = {}
        self.removed: set[UUID] = set()
        # The ledger, and by its unique key.
        self.rows: list[Row] = []
        self.answers: dict[tuple[UUID, UUID], Row] = {}
        self.logs: dict[UUID, AnswerLog] = {}
        self.events: dict[int, dict[UUID, Row]] = {}
        self.shared = LeaseTables.empty()

    # --- answers ---------------------------------------------------------------------------------------------------

    def record_answers(self, *columns: Any) -> list[Row]:  # noqa: ANN401
        *of_rows, name, kind = columns
        return self._logged(
            [
                self._record(place, *values, name, kind)
                for place, values in enumerate(zip(*of_rows, strict=True), start=1)
            ]
        )

    def record_answer(self, *values: Any) -> list[Row]:  # noqa: ANN401
        return self._logged([self._record(1, *values)])

    def _logged(self, found: Sequence[tuple[Row, Row | None] | None]) -> list[Row]:
        """Outcomes, the new ones with their places in the logs, which take the answers that came with them."""
        both = [it for it in found if it is not None]
        new: dict[UUID, list[Row]] = {}
        for _, row in both:
            if row is not None:
                new.setdefault(row["session_id"], []).append(row)
        for session_id, rows in new.items():
            self.logs.setdefault(session_id, AnswerLog(session_id)).add(rows)
        for outcome, row in both:
            if row is not None:
                log = self.logs[row["session_id"]]
                outcome.update(length=log.length, digest=log.digest)
        return [outcome for outcome, _ in both]

    def _record(
        self,
        place: int,
        id_: UUID,
        session_id: UUID,
        user_id: UUID,
        question_id: UUID,
        answer_id: UUID | None,
        answer: str,
        correct: bool,
        score: int,
        answered_at_ms: int,
        shard: int,
        opens_at_ms: int | None,
        event_name: str,
        event_type: str,
    ) -> tuple[Row, Row | None] | None:
        """What the statement says of an answer, and its row if it has one now."""
        if (session_id, user_id) not in self.participants:
            return None
        participant_id, name = self.participants[session_id, user_id]
        if participant_id in self.removed:
            return None
        gate = self._gate(session_id, question_id, participant_id, answered_at_ms, opens_at_ms)
        is_live = self._is_live(session_id)
        row: Row | None = None
        if gate == "open" and (participant_id, question_id) not in self.answers:
            row = self.answers[participant_id, question_id] = {
                "id": id_,
                "session_id": session_id,
                "participant_id": participant_id,
                "name": name,
                "question_id": question_id,
                "answer_id": answer_id,
                "answer": answer,
                "correct": correct,
                "score": score,
                "answered_at_ms": answered_at_ms,
            }
            self.rows.append(row)
            payload = {
                "participant_answer_id": id_,
                "quiz_session_id": session_id,
                "quiz_session_participant_id": participant_id,
                "name": name,
                "question_id": question_id,
                "score": score,
                "answered_at_ms": answered_at_ms,
                **({"time_decides": False} if is_live else {}),
            }
            self.events.setdefault(HELD if is_live else shard, {})[id_] = {
                "id": id_,
                "event_name": event_name,
                "type": event_type,
                "payload": msgspec.json.encode(payload).decode(),
                "quiz_session_id": session_id,
            }
        outcome = {
            "place": place,
            "participant_id": participant_id,
            "gate": gate,
            "new": row is not None,
        }
        return outcome, row

    def _is_live(self, session_id: UUID) -> bool:
        return self.sessions[session_id]["mode"] == "live"

    def _gate(
        self, session_id: UUID, question_id: UUID, participant_id: UUID, answered_at_ms: int, opens_at_ms: int | None
    ) -> str:
        """'open', or why an answer may not be taken."""
        if all(it["id"] != question_id for it in self.questions[session_id]):
            return "foreign"
        if self.sessions[session_id]["state"] != "open":
            return "finished"
        if not self._is_live(session_id):
            return "open"
        window = self.windows.get((session_id, question_id))
        if window is None or answered_at_ms < window.opens_at_ms:
            return "not_open"
        percent = 100 + self.extra_time.get(participant_id, 0)
        closes_at_ms = window.opens_at_ms + (window.closes_at_ms - window.opens_at_ms) * percent // 100
        if answered_at_ms >= closes_at_ms or (window.shut_at_ms is not None and answered_at_ms >= window.shut_at_ms):
            return "closed"
        return "open" if window.opens_at_ms == opens_at_ms else "moved"

    def _is_open(self, session_id: UUID, question_id: UUID) -> bool:
        """Whether a live question is not shut yet."""
        window = self.windows.get((session_id, question_id))
        return window is not None and window.shut_at_ms is None

    def recorded_answers(
        self, sessions: Sequence[UUID], participants: Sequence[UUID], questions: Sequence[UUID]
    ) -> list[Row]:
        found: list[Row] = []
        for place, (session_id, *key) in enumerate(zip(sessions, participants, questions, strict=True), start=1):
            if (row := self.answers.get((key[0], key[1]))) is not None:
                position, digest = self.logs[session_id].place_of(row["id"])
                if self._is_open(session_id, key[1]):
                    position = digest = None
                names = ("id", "answer_id", "correct", "score", "answered_at_ms")
                found.append({"place": place, **{it: row[it] for it in names}, "position": position, "digest": digest})
        return found

    def ledger(self, session_id: UUID) -> list[Row]:
        return [
            {**it, "time_decides": not self._is_live(session_id)}
            for it in self.rows
            if it["session_id"] == session_id
            and it["participant_id"] not in self.removed
            and not self._is_open(session_id, it["question_id"])
        ]

    def standings(self, session_id: UUID) -> list[Row]:
        opened = opened_at_ms(session_id)
        totals: dict[UUID, Row] = {}
        for it in self.ledger(session_id):
            row = totals.setdefault(
                it["participant_id"], {"id": it["participant_id"], "name": it["name"], "score": 0, "reached_ms": 0}
            )
            if it["score"] > 0:
                row["score"] += it["score"]
                if it["time_decides"]:
                    row["reached_ms"] = max(row["reached_ms"], reached_ms(opened, it["answered_at_ms"]))
        order = sorted(totals.values(), key=lambda it: (-it["score"], it["reached_ms"], -it["id"].int))
        places = [(it["score"], it["reached_ms"]) for it in order]
        return [{"rank": places.index(place) + 1, **it} for it, place in zip(order, places, strict=True)]

    # --- quiz sessions ---------------------------------------------------------------------------------------------

    def quiz_session(self, session_id: UUID) -> list[Row]:
        return [self.sessions[session_id]] if session_id in self.sessions else []

    def session_questions(self, session_id: UUID) -> list[Row]:
        return self.questions.get(session_id, [])

    def sessions_with_boards(self, live_seconds: float, kept_seconds: float) -> list[Row]:
        born, then = self.moment(self.now() - live_seconds), self.moment(self.now() - kept_seconds)
        return [
            {"id": id_}
            for id_, it in sorted(self.sessions.items(), reverse=True)
            if it["opened_at"] > born and (it["state"] != "finished" or it["closed_at"] > then)
        ]

    def participant(self, session_id: UUID, user_id: UUID) -> list[Row]:
        found = self.participants.get((session_id, user_id))
        return [{"id": found[0], "name": found[1]}] if found and found[0] not in self.removed else []

    def finish_quiz_session(self, session_id: UUID) -> list[Row]:
        session = self.sessions[session_id]
        if session["state"] == "finished":
            return []
        session.update(state="finished", closed_at=self.moment(self.now()))
        return [{"id": session_id}]

    def moment(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)

    # --- outbox ----------------------------------------------------------------------------------------------------

    def waiting_events(self, shards: Sequence[int], limit: int) -> list[Row]:
        found: list[Row] = []
        for shard in shards:
            waiting = self.events.get(shard)
            if waiting:
                found += [{**waiting[id_], "shard": shard} for id_ in sorted(waiting)]
        return found[:limit]

    def release_answers(self, session_id: UUID, shard: int) -> str:
        held = self.events.get(HELD, {})
        released = [id_ for id_, it in held.items() if it["quiz_session_id"] == session_id and self._may_go(it)]
        for id_ in released:
            self.events.setdefault(shard, {})[id_] = held.pop(id_)
        return f"UPDATE {len(released)}"

    def stragglers(self) -> list[Row]:
        sessions = {it["quiz_session_id"] for it in self.events.get(HELD, {}).values() if self._may_go(it)}
        return [{"quiz_session_id": it} for it in sorted(sessions)]

    def _may_go(self, event: Row) -> bool:
        payload = msgspec.json.decode(event["payload"])
        window = self.windows.get((event["quiz_session_id"], UUID(payload["question_id"])))
        is_shut = window is not None and window.shut_at_ms is not None
        return is_shut and UUID(payload["quiz_session_participant_id"]) not in self.removed

    def remove_published(self, ids: Sequence[UUID], shards: Sequence[int], versions: Sequence[int]) -> str:
        removed = 0
        for id_, shard, version in zip(ids, shards, versions, strict=True):
            if self.shared.leases[shard].version == version and self.events.get(shard, {}).pop(id_, None):
                removed += 1
        return f"DELETE {removed}"

    def worker_alive(self, shared: LeaseTables, id_: UUID, seconds: float) -> None:
        shared.workers[id_] = self.now() + seconds

    def worker_gone(self, shared: LeaseTables, id_: UUID) -> None:
        now = self.now()
        shared.workers = {it: until for it, until in shared.workers.items() if it != id_ and until >= now}

    def live_workers(self, shared: LeaseTables) -> list[Row]:
        now = self.now()
        return [{"count": sum(until >= now for until in shared.workers.values())}]

    def leases(self, shared: LeaseTables, owner: UUID) -> list[Row]:
        now = self.now()
        return [
            {"shard": shard, "ours": it.owner == owner, "free": it.expires_at < now}
            for shard, it in enumerate(shared.leases)
        ]

    def lease_shards(self, shared: LeaseTables, owner: UUID, seconds: float, shards: Sequence[int]) -> list[Row]:
        until = self.now() + seconds
        for shard in shards:
            it = shared.leases[shard]
            it.version += it.owner != owner
            it.owner, it.expires_at = owner, until
        return [{"shard": shard, "version": shared.leases[shard].version} for shard in shards]

    def release_shards(self, shared: LeaseTables, owner: UUID, shards: Sequence[int]) -> None:
        for shard in shards:
            it = shared.leases[shard]
            if it.owner == owner:
                it.owner, it.expires_at = None, float("-inf")


# By the statement's text: its name, and what it does.
STATEMENTS = {
    sql(name): (name, getattr(Tables, name))
    for name in (
        "record_answers",
        "record_answer",
        "recorded_answers",
        "ledger",
        "standings",
        "quiz_session",
        "session_questions",
        "sessions_with_boards",
        "participant",
        "finish_quiz_session",
        "waiting_events",
        "release_answers",
        "stragglers",
        "remove_published",
    )
}
# These are carried out within a transaction that holds the lock on the leases.
LEASE_STATEMENTS = {
    sql(name): (name, getattr(Tables, name))
    for name in ("worker_alive", "worker_gone", "live_workers", "leases", "lease_shards", "release_shards")
}
LOCK_LEASES = sql("lock_leases")
NUDGE = sql("nudge_publishers")
