-- Every statement of the app server and the publisher worker, by name. See docs/architecture.md for the tables.

-- name: insert_quiz
INSERT INTO quizzes (id, owner_id, title, language) VALUES ($1, $2, $3, $4)

-- name: insert_questions
-- $1 ids, $2 owner, $3 types, $4 prompts, $5 bodies
INSERT INTO questions (id, owner_id, type, prompt, body)
SELECT q.id, $2, q.type, q.prompt, q.body::jsonb
FROM unnest($1::uuid[], $3::text[], $4::text[], $5::text[]) AS q (id, type, prompt, body)

-- name: insert_question_quiz
-- $1 quiz, $2 question ids in order, $3 points, $4 time limits
INSERT INTO question_quiz (quiz_id, question_id, position, points, time_limit_ms)
SELECT $1, q.id, q.position, q.points, q.time_limit_ms
FROM unnest($2::uuid[], $3::int[], $4::int[]) WITH ORDINALITY AS q (id, points, time_limit_ms, position)

-- name: update_quiz
UPDATE quizzes SET title = $2, language = $3, updated_at = now() WHERE id = $1

-- name: unlink_questions
DELETE FROM question_quiz WHERE quiz_id = $1 RETURNING question_id

-- name: delete_quiz
DELETE FROM quizzes WHERE id = $1

-- name: delete_unused_questions
-- Those of $1 that neither a quiz nor a session has any more.
DELETE FROM questions q
WHERE q.id = ANY($1::uuid[])
  AND NOT EXISTS (SELECT FROM question_quiz WHERE question_id = q.id)
  AND NOT EXISTS (SELECT FROM quiz_session_questions WHERE question_id = q.id)

-- name: quiz_owner
SELECT owner_id FROM quizzes WHERE id = $1

-- name: lock_quiz
SELECT owner_id FROM quizzes WHERE id = $1 FOR UPDATE

-- name: quizzes_of_owner
SELECT z.id, z.title, z.language, z.created_at, z.updated_at,
       (SELECT count(*) FROM question_quiz WHERE quiz_id = z.id) AS question_count
FROM quizzes z WHERE z.owner_id = $1 ORDER BY z.updated_at DESC, z.id DESC

-- name: quiz
SELECT id, owner_id, title, language, created_at, updated_at FROM quizzes WHERE id = $1

-- name: questions_of_quiz
SELECT q.id, q.type, q.prompt, q.body, l.points, l.time_limit_ms
FROM question_quiz l JOIN questions q ON q.id = l.question_id
WHERE l.quiz_id = $1 ORDER BY l.position

-- name: insert_quiz_session
-- No row if an open session has the PIN already.
INSERT INTO quiz_sessions (id, quiz_id, host_id, title, language, pin, mode, scoring, state, opened_at)
SELECT $1, z.id, $3, z.title, z.language, $4, $5, $6, 'open', timestamptz 'epoch' + $7::bigint * interval '1 ms'
FROM quizzes z WHERE z.id = $2
ON CONFLICT (pin) WHERE state <> 'finished' DO NOTHING
RETURNING id

-- name: freeze_questions
INSERT INTO quiz_session_questions (quiz_session_id, question_id, position, points, time_limit_ms)
SELECT $1, question_id, position, points, time_limit_ms FROM question_quiz WHERE quiz_id = $2

-- name: quiz_session
SELECT id, host_id, title, language, pin, mode, state, opened_at, closed_at FROM quiz_sessions WHERE id = $1

-- name: quiz_sessions_of_host
SELECT id, host_id, title, language, pin, mode, state, opened_at, closed_at
FROM quiz_sessions WHERE host_id = $1 ORDER BY (state = 'finished'), id DESC LIMIT 50

-- name: session_counts
-- In the order of $1.
SELECT (SELECT count(*) FROM quiz_session_questions WHERE quiz_session_id = s.id) AS question_count,
       (SELECT count(*) FROM quiz_session_participants WHERE quiz_session_id = s.id) AS participant_count,
       (SELECT count(*) FROM participant_answers a
        JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
        WHERE p.quiz_session_id = s.id) AS answer_count
FROM unnest($1::uuid[]) WITH ORDINALITY AS s (id, position) ORDER BY s.position

-- name: session_news
SELECT id, state, (SELECT count(*) FROM quiz_session_participants WHERE quiz_session_id = s.id) AS participant_count
FROM quiz_sessions s WHERE id = ANY($1::uuid[])

-- name: quiz_session_by_pin
SELECT id FROM quiz_sessions WHERE pin = $1 AND state <> 'finished'

-- name: finish_quiz_session
UPDATE quiz_sessions SET state = 'finished', closed_at = now() WHERE id = $1 AND state <> 'finished' RETURNING id

-- name: session_questions
SELECT q.id, q.type, q.prompt, q.body, l.points, l.time_limit_ms
FROM quiz_session_questions l JOIN questions q ON q.id = l.question_id
WHERE l.quiz_session_id = $1 ORDER BY l.position

-- name: join_session
-- One row if the session exists: its state, and the new participant or null if the user had joined before.
WITH session AS (
    SELECT s.id, s.state, COALESCE($4, u.name) AS name
    FROM quiz_sessions s LEFT JOIN users u ON u.id = $3
    WHERE s.id = $2
), joined AS (
    INSERT INTO quiz_session_participants (id, quiz_session_id, user_id, name)
    SELECT $1, id, $3, name FROM session WHERE state <> 'finished' AND name IS NOT NULL
    ON CONFLICT (quiz_session_id, user_id) DO NOTHING
    RETURNING id
)
SELECT session.state, session.name, (SELECT id FROM joined) AS participant_id FROM session

-- name: participant
SELECT id, name FROM quiz_session_participants WHERE quiz_session_id = $1 AND user_id = $2

-- name: answers_of_participant
SELECT question_id, answer, correct, score FROM participant_answers WHERE quiz_session_participant_id = $1

-- name: record_answer
-- The answer and its event, or neither. No row: the user has not joined. `participant_answer_id` is null if the
-- session is finished or the question was answered before.
-- $1 session, $2 user, $3 answer's id, $4 question, $5 client's answer_id, $6 answer as JSON, $7 correct, $8 score,
-- $9 answered at (ms), $10 event's id, $11 event name, $12 event type, $13 shard
WITH player AS (
    SELECT p.id, p.name, s.state
    FROM quiz_session_participants p JOIN quiz_sessions s ON s.id = p.quiz_session_id
    WHERE p.quiz_session_id = $1 AND p.user_id = $2
), recorded AS (
    INSERT INTO participant_answers
        (id, quiz_session_participant_id, question_id, answer_id, answer, correct, score, answered_at)
    SELECT $3, player.id, $4, $5, $6, $7, $8, timestamptz 'epoch' + $9::bigint * interval '1 ms'
    FROM player WHERE player.state = 'open'
    ON CONFLICT (quiz_session_participant_id, question_id) DO NOTHING
    RETURNING id
), announced AS (
    INSERT INTO events (id, event_name, type, payload, quiz_session_id, shard)
    SELECT $10, $11, $12, jsonb_build_object(
        'participant_answer_id', recorded.id, 'quiz_session_id', $1::uuid, 'quiz_session_participant_id', player.id,
        'name', player.name, 'question_id', $4::uuid, 'score', $8::int, 'answered_at_ms', $9::bigint), $1, $13
    FROM recorded, player
)
SELECT player.id AS participant_id, player.state, (SELECT id FROM recorded) AS participant_answer_id FROM player

-- name: recorded_answer
SELECT id, answer_id, correct, score
FROM participant_answers WHERE quiz_session_participant_id = $1 AND question_id = $2

-- name: ledger
-- Every answer of a session, as its event said it.
SELECT a.id, p.id AS participant_id, p.name, a.question_id, a.score,
       floor(extract(epoch FROM a.answered_at) * 1000)::bigint AS answered_at_ms
FROM participant_answers a JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
WHERE p.quiz_session_id = $1

-- name: standings
-- The leaderboard as the ledger has it: the order that quiz/ranking.py describes.
WITH totals AS (
    SELECT p.id, p.name, sum(a.score)::int AS score,
           COALESCE(max(least(greatest(
               floor(extract(epoch FROM a.answered_at - s.opened_at) * 1000), 0), 4294967295))
               FILTER (WHERE a.score > 0), 0)::bigint AS reached_ms
    FROM participant_answers a
    JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
    JOIN quiz_sessions s ON s.id = p.quiz_session_id
    WHERE p.quiz_session_id = $1
    GROUP BY p.id, p.name
)
SELECT rank() OVER (ORDER BY score DESC, reached_ms)::int AS rank, id, name, score
FROM totals ORDER BY score DESC, reached_ms, id DESC

-- name: lock_leases
-- One worker shares out at a time, for milliseconds. One that freezes in the middle is ended by Postgres.
SELECT set_config('lock_timeout', '2s', true), set_config('idle_in_transaction_session_timeout', '3s', true),
       pg_advisory_xact_lock(7598)

-- name: worker_alive
INSERT INTO outbox_workers (id, alive_until) VALUES ($1, now() + $2::float8 * interval '1 second')
ON CONFLICT (id) DO UPDATE SET alive_until = EXCLUDED.alive_until

-- name: worker_gone
DELETE FROM outbox_workers WHERE id = $1 OR alive_until < now()

-- name: live_workers
SELECT count(*) FROM outbox_workers WHERE alive_until >= now()

-- name: leases
SELECT shard, owner = $1 IS TRUE AS ours, expires_at < now() AS free FROM outbox_leases ORDER BY shard

-- name: lease_shards
-- $1 owner, $2 seconds, $3 shards: a new owner is a new version.
UPDATE outbox_leases SET
    version = version + (owner IS DISTINCT FROM $1)::int,
    owner = $1, expires_at = now() + $2::float8 * interval '1 second'
WHERE shard = ANY($3::smallint[])
RETURNING shard, version

-- name: release_shards
UPDATE outbox_leases SET owner = NULL, expires_at = '-infinity' WHERE owner = $1 AND shard = ANY($2::smallint[])

-- name: waiting_events
-- The oldest of each shard, shard by shard, $2 in all: each an index scan from the shard's oldest row, whatever the
-- statistics say. Not by "id > the last one": an id is taken before its transaction commits.
SELECT e.id, e.event_name, e.type, e.payload, e.quiz_session_id, mine.shard
FROM unnest($1::smallint[]) AS mine (shard)
CROSS JOIN LATERAL (
    SELECT id, event_name, type, payload, quiz_session_id
    FROM events WHERE shard = mine.shard ORDER BY id LIMIT $2
) e
LIMIT $2

-- name: remove_published
-- $1 ids, $2 their shards, $3 the versions of our leases on them: a late owner's do not match any more.
DELETE FROM events e
USING unnest($1::uuid[], $2::smallint[], $3::bigint[]) AS published (id, shard, version), outbox_leases l
WHERE e.id = published.id AND l.shard = published.shard AND l.version = published.version

-- name: nudge_publishers
SELECT pg_notify('outbox', '')

-- name: outbox_depth
SELECT count(*) FROM events
