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
LIVE_ANSWERS = "tests/integration/database/test_live_answers.py"
LIVE_COMMANDS = "tests/integration/app_server/test_live_answers.py"
BATCHES = "tests/integration/database/test_batches.py"
LEADERBOARD = "tests/integration/cache/test_leaderboard.py"
OUTAGES = "tests/e2e/test_outages.py"
DATABASE_OUTAGES = "tests/integration/database/test_outages.py"
RELAY = "tests/integration/test_relay_without_database.py"
SCORING = "tests/unit/quiz/test_scoring.py"
GRADING = "tests/unit/quiz/test_grading.py"
RESULTS = "tests/integration/results/test_results.py"

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
        f"{REBUILD}::test_parts_of_a_board_are_gone",
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
        "    FROM checked WHERE gate = 'open'\n    ON CONFLICT",
        "    FROM checked WHERE gate IN ('open', 'finished')\n    ON CONFLICT",
        f"{ANSWERS}::test_finished_session_takes_no_answer_but_confirms_earlier_ones",
    ),
    Mutant(
        "keep-live-questions-open",
        "A live question takes answers within its window alone",
        "database/queries.sql",
        "WHEN $9 >= q.shut_at_ms OR $9 >= q.opens_at_ms\n",
        "WHEN $9 >= q.shut_at_ms OR false AND $9 >= q.opens_at_ms\n",
        f"{LIVE_ANSWERS}::test_window",
    ),
    Mutant(
        "keep-live-questions-open-to-batches",
        "Whether it comes alone or with others",
        "database/queries.sql",
        "OR given.answered_at_ms >= q.opens_at_ms\n",
        "OR false AND given.answered_at_ms >= q.opens_at_ms\n",
        f"{LIVE_ANSWERS}::test_window",
    ),
    Mutant(
        "ignore-the-shutting",
        "And none that comes after the host has shut it",
        "database/queries.sql",
        "WHEN $9 >= q.shut_at_ms OR $9 >= q.opens_at_ms\n",
        "WHEN $9 >= q.opens_at_ms\n",
        f"{LIVE_ANSWERS}::test_window",
    ),
    Mutant(
        "take-stale-scores",
        "A score computed with a window that has moved since is not recorded",
        "database/queries.sql",
        "WHEN $11::bigint IS DISTINCT FROM q.opens_at_ms THEN 'moved'",
        "WHEN false THEN 'moved'",
        f"{LIVE_ANSWERS}::test_score_of_another_window",
    ),
    Mutant(
        "let-the-removed-answer",
        "Who was removed has not joined",
        "database/queries.sql",
        "p.user_id = $3 AND p.removed_at IS NULL\n), recorded",
        "p.user_id = $3\n), recorded",
        f"{LIVE_ANSWERS}::test_removed_participant_has_not_joined",
    ),
    Mutant(
        "publish-live-answers-at-once",
        "Nobody learns of an answer to a live question before it is shut",
        "database/queries.sql",
        "$2, CASE WHEN is_live THEN -1 ELSE $10 END",
        "$2, $10",
        f"{LIVE_ANSWERS}::test_event_is_held_until_its_question_is_shut",
    ),
    Mutant(
        "give-receipts-at-once",
        "Nor can anybody find out by a receipt which answer is right",
        "database/answers.py",
        "            if answer.opens_at_ms is None\n            else None\n",
        "",
        f"{LIVE_ANSWERS}::test_receipt_waits_until_the_question_is_shut",
    ),
    Mutant(
        "let-time-decide",
        "In a live session equal points share a place",
        "database/queries.sql",
        "FILTER (WHERE a.score > 0 AND s.mode = 'self_paced'), 0)",
        "FILTER (WHERE a.score > 0), 0)",
        f"{LIVE_ANSWERS}::test_time_does_not_decide",
    ),
    Mutant(
        "let-time-decide-on-boards",
        "So they do on the board in Redis",
        "cache/leaderboard.py",
        "reached_ms(opened, change.answered_at_ms) if change.time_decides else 0,",
        "reached_ms(opened, change.answered_at_ms),",
        "tests/consistency/test_replay_equals_ledger.py::test_replay_equals_ledger",
    ),
    Mutant(
        "tell-right-from-wrong",
        "Nor is it told to who answered",
        "app_server/commands.py",
        "outcomes.append(Outcome(recorded.id, None, None, receipt))",
        "outcomes.append(Outcome(recorded.id, recorded.correct, recorded.score, receipt))",
        f"{LIVE_COMMANDS}::test_nobody_is_told_whether_it_was_right",
    ),
    Mutant(
        "score-by-a-stale-window",
        "An answer whose window has moved is scored anew",
        "app_server/commands.py",
        "return replace(answer, score=points, opens_at_ms=window.opens_at_ms)",
        "return replace(answer, opens_at_ms=window.opens_at_ms)",
        f"{LIVE_COMMANDS}::test_answers_to_a_window_that_moved_are_scored_anew",
    ),
    Mutant(
        "credit-what-is-measured",
        "Nobody gains more by a slow line, or one that seems so, than the published credit",
        "app_server/live/windows.py",
        "min(max(self._credit_ms(user_id), 0), MAX_CREDIT_MS)",
        "max(self._credit_ms(user_id), 0)",
        f"{LIVE_COMMANDS}::test_latency_credit_is_bounded",
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
    Mutant(
        "wait-without-end",
        "What has waited too long for the database is refused before it is begun",
        "app_server/batches.py",
        "while self._waiting and self._waiting[0][2] <= came_before:",
        "while False:",
        "tests/unit/app_server/test_batches.py::test_item_that_has_waited_too_long_is_refused_unbegun",
    ),
    Mutant(
        "let-a-check-hang",
        "Readiness is told in time, whatever hangs",
        "http_edge/health.py",
        "done, _ = await asyncio.wait({check}, timeout=CHECK_SECONDS)",
        "done, _ = await asyncio.wait({check})",
        "tests/unit/http_edge/test_health.py::test_check_that_hangs_is_missing_and_holds_up_nobody",
    ),
    Mutant(
        "call-read-only-ready",
        "Readiness is off while the database cannot be written",
        "database/pool.py",
        """if await pool.fetchval("SELECT current_setting('transaction_read_only')") == "on":""",
        """if await pool.fetchval("SELECT current_setting('transaction_read_only')") == "never":""",
        f"{OUTAGES}::test_database_away[read_only]",
    ),
    Mutant(
        "blame-ourselves-over-sockets",
        "Over a socket, too, an outage of the database is told as one",
        "socket_adapter/typed_messages.py",
        "if isinstance(error, outages) or",
        "if",
        f"{OUTAGES}::test_database_away[killed]",
    ),
    Mutant(
        "end-with-a-read-only-database",
        "A database that cannot be written is an outage, after which all goes on",
        "database/pool.py",
        "    asyncpg.ReadOnlySQLTransactionError,  # demoted, or set so by whoever runs it\n",
        "",
        f"{DATABASE_OUTAGES}::test_read_only_database_is_an_outage",
    ),
    Mutant(
        "mishear-last-words",
        "So is a connection that the server has said it ends",
        "database/pool.py",
        "    asyncpg.InternalClientError,  # the server has said that it ends the connection, and not ended it yet\n",
        "",
        f"{DATABASE_OUTAGES}::test_connection_that_the_server_ends_is_an_outage",
    ),
    Mutant(
        "take-uvloop-at-its-word",
        "So is a connection to Redis that was just lost, whatever the event loop raises",
        "redis_client.py",
        "        except RuntimeError as error:",
        "        except ZeroDivisionError as error:",
        "tests/integration/test_redis_client.py::test_connection_lost_before_a_command_is_an_outage",
    ),
    Mutant(
        "end-on-a-word-of-postgres",
        "A publisher waits, whatever Postgres says",
        "publisher_worker/relay.py",
        "            except (Fault, *FAILURES) as error:",
        "            except (Fault, OSError) as error:",
        f"{RELAY}::test_events_wait_until_postgres_works",
    ),
    Mutant(
        "insist-on-a-farewell",
        "A publisher ends well though it cannot say so",
        "publisher_worker/relay.py",
        "        except FAILURES as error:",
        "        except ZeroDivisionError as error:",
        f"{RELAY}::test_worker_that_cannot_say_that_it_leaves",
    ),
    Mutant(
        "start-only-once",
        "An auth server whose connection is lost while it starts tries again",
        "auth_server/main.py",
        "await patiently(partial(load_signing_key, pool), seconds=10)",
        "await load_signing_key(pool)",
        "tests/integration/auth_server/test_process.py::test_a_connection_lost_while_starting_is_tried_again",
    ),
    Mutant(
        "let-speed-win",
        "In `fair`, all bonuses of a quiz are worth less than one right answer",
        "quiz/scoring.py",
        "(min(points) - 1) // len(points)",
        "min(points) - 1",
        f"{SCORING}::test_one_right_answer_more_beats_all_speed",
    ),
    Mutant(
        "reward-the-slow",
        "Nobody earns more for being slower",
        "quiz/scoring.py",
        "return limit_ms - taken_ms, limit_ms",
        "return taken_ms, limit_ms",
        f"{SCORING}::test_nobody_earns_more_for_being_slower",
    ),
    Mutant(
        "pay-for-polls",
        "What has no right answer earns nothing",
        "quiz/scoring.py",
        "points = question.points if earns(question) else 0",
        "points = question.points",
        f"{SCORING}::test_what_has_no_right_answer_earns_nothing",
    ),
    Mutant(
        "compare-in-binary",
        "Numbers are compared as they are written",
        "quiz/grading.py",
        "(Decimal(str(it)) for it in",
        "(Decimal(it) for it in",
        f"{GRADING}::test_numbers_are_compared_as_they_are_written",
    ),
    Mutant(
        "reward-every-box",
        "Picking every choice earns nothing",
        "quiz/grading.py",
        "(hits * wrong - misses * right)",
        "(hits * wrong)",
        f"{GRADING}::test_share_of_several_choices",
    ),
    Mutant(
        "explain-too-early",
        "What betrays the key is shown with it, never before",
        "app_server/views.py",
        "    return SessionQuestionView(answered=answered, **shown(stored))",
        "    return SessionQuestionView(answered=answered, **shown(stored), **told_with_key(stored))",
        "tests/e2e/test_key_stays_secret.py::test_no_byte_before_the_answer",
    ),
    Mutant(
        "show-open-questions",
        "Results show no answer to a live question before it is shut",
        "database/queries.sql",
        "WHERE s.mode = 'self_paced' OR l.shut_at_ms IS NOT NULL\nGROUP BY p.id\n\n",
        "GROUP BY p.id\n\n",
        f"{RESULTS}::test_a_live_question_that_is_not_shut_shows_nothing",
    ),
    Mutant(
        "say-what-is-right",
        "Nor what is right there",
        "app_server/results/overview.py",
        "if may_be_shown(it, session) else None",
        "if earns(questions[it.id]) else None",
        f"{RESULTS}::test_a_live_question_that_is_not_shut_shows_nothing",
    ),
    Mutant(
        "let-time-rank-results",
        "Ranks in results are the board's: in a live session equal points share a place",
        "app_server/results/overview.py",
        "reached = player.reached_at_ms if time_decides else None",
        "reached = player.reached_at_ms",
        f"{RESULTS}::test_equal_points_share_a_place_in_a_live_session",
    ),
    Mutant(
        "rank-the-removed",
        "Who was removed has no rank",
        "app_server/results/overview.py",
        "if player.score is not None and not player.removed}",
        "if player.score is not None}",
        f"{RESULTS}::test_equal_points_share_a_place_in_a_live_session",
    ),
    Mutant(
        "leave-formulas",
        "A cell of a CSV never begins as a formula does",
        "app_server/results/csv_file.py",
        'return f"\'{text}" if',
        "return text if",
        "tests/integration/results/test_files.py::test_csv_is_the_ledger",
    ),
    Mutant(
        "show-anybody-results",
        "Results are for the session's host alone",
        "app_server/routes/results.py",
        "if not await is_host(pool, session.id, identity_of(request).user_id):",
        "if session.host_id is None:",
        "tests/e2e/test_roles.py::test_routes[GET-/quiz-session/{quiz_session_id}/results]",
        "keep-images-as-they-came",
        "An image is kept without what was beside the picture",
        "app_server/pictures.py",
        "return Picture(written.getvalue(), shown.width, shown.height)",
        "return Picture(content, shown.width, shown.height)",
        "tests/unit/app_server/test_pictures.py::test_a_photograph_is_turned_and_loses_what_it_knows",
    ),
    Mutant(
        "set-off-the-bomb",
        "Megapixels are counted before an image is decoded",
        "app_server/pictures.py",
        "if opened.width * opened.height > MOST_PIXELS:",
        "if len(content) > MOST_PIXELS:",
        "tests/unit/app_server/test_pictures.py::test_a_bomb_is_not_set_off",
    ),
    Mutant(
        "open-any-format",
        "Four decoders are let near what strangers send, and no others",
        "app_server/pictures.py",
        "formats=FORMATS",
        "formats=None",
        "tests/unit/app_server/test_pictures.py::test_other_decoders_are_let_near_nothing",
    ),
    Mutant(
        "show-anothers-images",
        "A quiz shows its owner's images only",
        "database/queries.sql",
        "SELECT id FROM images WHERE owner_id = $1 AND id = ANY($2::uuid[])",
        "SELECT id FROM images WHERE $1::uuid IS NOT NULL AND id = ANY($2::uuid[])",
        "tests/e2e/test_images.py::test_a_quiz_shows_its_owners_images_only",
    ),
    Mutant(
        "take-2-mb-anywhere",
        "Bodies over 64 KB are refused but for images",
        "http_edge/application.py",
        "request_max_body_size=LARGEST_BODY_BYTES",
        "request_max_body_size=32 * LARGEST_BODY_BYTES",
        "tests/e2e/test_images.py::test_every_other_route_keeps_its_limit",
    ),
)
