"""Safeguards, each with a way to break it and the test that notices: `make mutants` breaks them one by one.

docs/safeguards.md lists the same. A test in tests/unit/mutants sees to it that each text to break is there, once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """`file` below src/tiebreak, with `intact` in it replaced by `broken`: then `test` fails."""

    name: str
    safeguard: str
    file: str
    intact: str
    broken: str
    test: str


WAY = "tests/integration/test_way_of_an_answer.py"
REBUILD = "tests/integration/boards/test_rebuild.py"
CARE = "tests/integration/boards/test_care.py"
FAILOVER = "tests/integration/cache_worker/test_failover.py"
OUTBOX = "tests/integration/database/test_outbox.py"
ANSWERS = "tests/integration/database/test_answers.py"
BATCHES = "tests/integration/database/test_batches.py"
LEADERBOARD = "tests/integration/cache/test_leaderboard.py"

MUTANTS = (
    Mutant(
        "drop-the-dedupe",
        "A board counts an answer once, however often its event comes",
        "cache/board.lua",
        "if redis.call('SADD', answers, ARGV[i]) == 1 then",
        "redis.call('SADD', answers, ARGV[i])\n    do",
        f"{LEADERBOARD}::test_batch_is_applied_once",
    ),
    Mutant(
        "commit-early",
        "An offset is committed after its answers are on the board and the room was told",
        "cache_worker/projection.py",
        "        self._polled_at = self._clock.monotonic()\n",
        "        self._polled_at = self._clock.monotonic()\n        await self._consumer.commit(self._unapplied)\n",
        f"{WAY}::test_worker_dies_between_board_and_room",
    ),
    Mutant(
        "tell-nobody-again",
        "A room is told of answers that come again: whoever applied them may have died before it told",
        "cache_worker/projection.py",
        "            self._rooms.want(quiz_session_id, self._polled_at)",
        "            if result.new:\n                self._rooms.want(quiz_session_id, self._polled_at)",
        f"{WAY}::test_worker_dies_between_board_and_room",
    ),
    Mutant(
        "skip-the-version-check",
        "A relay that lost its lease removes nothing from the outbox",
        "database/queries.sql",
        "l.shard = published.shard AND l.version = published.version",
        "l.shard = published.shard",
        f"{OUTBOX}::test_late_owner_removes_nothing",
    ),
    Mutant(
        "remove-what-was-refused",
        "Only what the bus acknowledged leaves the outbox",
        "publisher_worker/relay.py",
        "if taken]",
        "]",
        f"{WAY}::test_only_what_the_bus_took_leaves_the_outbox",
    ),
    Mutant(
        "remove-before-publishing",
        "An event leaves the outbox after the bus has it",
        "publisher_worker/relay.py",
        "        acknowledged = await self._producer.publish(",
        "        await self._outbox.remove(events)\n        acknowledged = await self._producer.publish(",
        f"{WAY}::test_only_what_the_bus_took_leaves_the_outbox",
    ),
    Mutant(
        "forget-the-seek-back",
        "A cache worker that finds another Redis reads the log again from before it was there",
        "cache_worker/projection.py",
        "            self._consumer.go_back(found.since_ms - MARGIN_MS)\n",
        "",
        f"{FAILOVER}::test_a_worker_that_notices_late_goes_back_in_the_log",
    ),
    Mutant(
        "go-back-without-heirs",
        "So does whoever takes over a partition",
        "event_bus/streams.py",
        "            self._to_go_back |= assigned - self._assigned\n",
        "            pass\n",
        "tests/contract/test_event_bus.py::test_going_back_in_partitions_taken_over[streams]",
    ),
    Mutant(
        "trust-another-run",
        "A board from before Redis was started again is not trusted",
        "cache/board.lua",
        "  if known[1] ~= life()\n",
        "  if not known[1]\n",
        f"{REBUILD}::test_redis_forgets_its_last_second",
    ),
    Mutant(
        "trust-what-is-left",
        "A board with a part of it gone is not trusted",
        "cache/board.lua",
        "    or tonumber(known[2]) ~= redis.call('SCARD', answers)\n",
        "",
        f"{REBUILD}::test_a_part_of_a_board_is_gone",
    ),
    Mutant(
        "show-partial-boards",
        "Nobody is shown a board before the ledger is on it",
        "cache/read.lua",
        "if state() ~= 'whole' then",
        "if state() == 'none' then",
        f"{REBUILD}::test_an_emptied_redis",
    ),
    Mutant(
        "read-the-ledger-first",
        "A rebuild reads the ledger after the board has begun to take answers from the bus",
        "boards/rebuild.py",
        "            begun = await self._leaderboards.begin(",
        """            early = await globals()["ledger"](self._pool, quiz_session_id)

            async def ledger(*_):
                return early

            begun = await self._leaderboards.begin(""",
        f"{REBUILD}::test_an_answer_just_before_it_begins",
    ),
    Mutant(
        "fill-any-board",
        "A ledger is put only on the board that it was read for",
        "cache/fill.lua",
        "if state() == 'none' or redis.call('HGET', meta, 'epoch') ~= ARGV[1] then",
        "if false then",
        f"{REBUILD}::test_it_is_lost_again_meanwhile",
    ),
    Mutant(
        "ask-for-no-board",
        "A cache worker that begins a partial board has it built",
        "cache_worker/projection.py",
        "        await self._wanted.add(partial)\n",
        "",
        f"{FAILOVER}::test_a_worker_asks_for_boards_that_redis_lost",
    ),
    Mutant(
        "notice-nothing",
        "Another Redis is noticed though nobody answers and nobody reads",
        "boards/care.py",
        "        await self._wanted.add(sessions)\n",
        "",
        f"{CARE}::test_another_redis_has_every_board_looked_after",
    ),
    Mutant(
        "audit-blindly",
        "An audit finds whatever differs from the ledger",
        "boards/audit.py",
        "            if ledger.get(it) != board.get(it)\n",
        "            if it not in board\n",
        f"{CARE}::test_an_audit_finds_and_mends",
    ),
    Mutant(
        "forget-the-answer-id",
        "The same answer again gives the first outcome again",
        "database/answers.py",
        "if ours or (answer.answer_id is not None and row",
        "if ours or (answer.answer_id is None and row",
        f"{ANSWERS}::test_same_answer_sent_ten_times_at_once_counts_once",
    ),
    Mutant(
        "take-late-answers",
        "A finished session takes no answer",
        "database/queries.sql",
        "    FROM checked WHERE state = 'open' AND of_session\n    ON CONFLICT",
        "    FROM checked WHERE of_session\n    ON CONFLICT",
        f"{ANSWERS}::test_finished_session_takes_no_answer_but_confirms_earlier_ones",
    ),
    Mutant(
        "insert-in-any-order",
        "Batches of several app servers never wait for each other in a circle",
        "database/queries.sql",
        "    ORDER BY participant_id, question_id, place\n",
        "",
        f"{BATCHES}::test_batches_of_the_same_answers_in_any_order_do_not_block_each_other",
    ),
    Mutant(
        "make-ids-in-the-batch",
        "A batch whose commit nobody heard of is recognised when it is repeated",
        "database/answers.py",
        'ours = row["id"] == answer.id',
        "ours = False",
        f"{BATCHES}::test_batch_repeated_after_a_commit_nobody_heard_of",
    ),
)
