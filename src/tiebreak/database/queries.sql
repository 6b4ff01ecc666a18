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

-- name: insert_image
-- $7 how many the owner may have
INSERT INTO images (id, owner_id, media_type, width, height, bytes)
SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM images WHERE owner_id = $2) < $7::bigint
RETURNING id

-- name: image
SELECT media_type, width, height, bytes FROM images WHERE id = $1

-- name: images_of_owner
SELECT id FROM images WHERE owner_id = $1 AND id = ANY($2::uuid[])

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
INSERT INTO quiz_sessions (id, quiz_id, host_id, title, language, pin, mode, scoring, state, opened_at, options)
SELECT $1, z.id, $3, z.title, z.language, $4, $5, $6, 'open', timestamptz 'epoch' + $7::bigint * interval '1 ms',
       $8::text::jsonb
FROM quizzes z WHERE z.id = $2
ON CONFLICT (pin) WHERE state <> 'finished' DO NOTHING
RETURNING id

-- name: freeze_questions
INSERT INTO quiz_session_questions (quiz_session_id, question_id, position, points, time_limit_ms)
SELECT $1, question_id, position, points, time_limit_ms FROM question_quiz WHERE quiz_id = $2

-- name: quiz_session
SELECT id, host_id, title, language, pin, mode, state, opened_at, closed_at, options FROM quiz_sessions WHERE id = $1

-- name: quiz_sessions_of_host
SELECT id, host_id, title, language, pin, mode, state, opened_at, closed_at, options
FROM quiz_sessions WHERE id IN (
    SELECT id FROM quiz_sessions WHERE host_id = $1
    UNION ALL SELECT quiz_session_id FROM quiz_session_hosts WHERE user_id = $1
) ORDER BY (state = 'finished'), id DESC LIMIT 50

-- name: session_counts
-- In the order of $1.
SELECT (SELECT count(*) FROM quiz_session_questions WHERE quiz_session_id = s.id) AS question_count,
       (SELECT count(*) FROM quiz_session_participants
        WHERE quiz_session_id = s.id AND removed_at IS NULL) AS participant_count,
       (SELECT count(*) FROM participant_answers a
        JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
        WHERE p.quiz_session_id = s.id) AS answer_count
FROM unnest($1::uuid[]) WITH ORDINALITY AS s (id, position) ORDER BY s.position

-- name: session_news
-- $1 sessions, $2 those of them whose newest participants are asked for, $3 how many: of live ones only.
SELECT id, state,
       (SELECT count(*) FROM quiz_session_participants
        WHERE quiz_session_id = s.id AND removed_at IS NULL) AS participant_count,
       CASE WHEN mode = 'live' AND id = ANY($2::uuid[]) THEN ARRAY(
           SELECT name FROM quiz_session_participants
           WHERE quiz_session_id = s.id AND removed_at IS NULL ORDER BY id DESC LIMIT $3::int
       ) END AS newest
FROM quiz_sessions s WHERE id = ANY($1::uuid[])

-- name: sessions_with_boards
-- The latest first. In seconds: $1 how long a board lives from the session's opening, $2 how long from its end.
SELECT id FROM quiz_sessions
WHERE opened_at > now() - $1::float8 * interval '1 second'
    AND (state <> 'finished' OR closed_at > now() - $2::float8 * interval '1 second')
ORDER BY id DESC

-- name: quiz_session_by_pin
SELECT id FROM quiz_sessions WHERE pin = $1 AND state <> 'finished'

-- name: finish_quiz_session
UPDATE quiz_sessions SET state = 'finished', closed_at = now() WHERE id = $1 AND state <> 'finished' RETURNING id

-- name: session_questions
SELECT q.id, q.type, q.prompt, q.body, l.points, l.time_limit_ms,
       (s.options ->> 'shuffle_choices')::bool IS TRUE AS is_shuffled
FROM quiz_session_questions l JOIN questions q ON q.id = l.question_id JOIN quiz_sessions s ON s.id = l.quiz_session_id
WHERE l.quiz_session_id = $1 ORDER BY l.position

-- name: join_sessions
-- One row for each of the given whose session exists: its state, the name to play under (null: no such user), and
-- whether the user is a participant now and was not before. `options` is null unless the session is live: into those
-- nobody is taken here (enter_lobbies).
-- $1 participants' ids, $2 sessions, $3 users, $4 names (null: the user's own), $5 whether a team is named
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bool[])
    WITH ORDINALITY AS g (id, quiz_session_id, user_id, name, names_team, place)
), welcome AS (
    SELECT given.id, given.quiz_session_id, given.user_id, given.names_team, given.place, s.state,
           COALESCE(given.name, u.name) AS name, u.name IS NOT NULL AS is_user, s.options, s.language
    FROM given
    CROSS JOIN LATERAL (
        SELECT state, language, CASE WHEN mode = 'live' THEN options END AS options
        FROM quiz_sessions WHERE id = given.quiz_session_id LIMIT 1
    ) s
    LEFT JOIN LATERAL (SELECT name FROM users WHERE id = given.user_id LIMIT 1) u ON true
), joined AS (
    -- In the order of the unique key: two batches that meet wait for each other in one direction only.
    INSERT INTO quiz_session_participants (id, quiz_session_id, user_id, name)
    SELECT id, quiz_session_id, user_id, name FROM welcome
    WHERE state <> 'finished' AND is_user AND options IS NULL AND NOT names_team
    ORDER BY quiz_session_id, user_id, place
    ON CONFLICT (quiz_session_id, user_id) DO NOTHING
    RETURNING id
)
SELECT welcome.place, welcome.state, welcome.name, welcome.is_user, welcome.options, welcome.language,
       joined.id IS NOT NULL AS new
FROM welcome LEFT JOIN joined USING (id)

-- name: participants
-- $1 sessions, $2 users
SELECT given.place, p.id, p.name
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS given (quiz_session_id, user_id, place)
CROSS JOIN LATERAL (
    SELECT id, name FROM quiz_session_participants
    WHERE quiz_session_id = given.quiz_session_id AND user_id = given.user_id LIMIT 1
) p

-- name: participant
SELECT id, name FROM quiz_session_participants WHERE quiz_session_id = $1 AND user_id = $2 AND removed_at IS NULL

-- name: answers_of_participant
SELECT question_id, answer, correct, score FROM participant_answers WHERE quiz_session_participant_id = $1

-- name: record_answers
-- Each answer with its event and its place in the session's log, or none of them; answer and event share their id. No
-- row: the user has not joined, or was removed. `gate` is 'open' if the answer may be taken, or else why not; an open
-- one that is not `new` was answered before, be it by another of the given. `length` and `digest` are the session's
-- log's after all of the batch's new answers, which it has in the order of their ids.
-- In a live session 'moved' means that the question's window does not begin where the score was computed from; a new
-- answer's event is held, on shard -1, until its question is shut (release_answers).
-- LATERAL with LIMIT: one index lookup for each answer, whatever the planner believes of the tables.
-- A log's end is locked last: batches of one session wait there for each other's commits, with their other work done.
-- $1 answers' ids, $2 sessions, $3 users, $4 questions, $5 clients' answer_ids, $6 answers as JSON, $7 correct,
-- $8 scores, $9 answered at (ms), $10 shards, $11 windows' beginnings (ms; null: self-paced), $12 event name,
-- $13 event type
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bool[], $8::int[],
                         $9::bigint[], $10::smallint[], $11::bigint[])
    WITH ORDINALITY AS g (id, quiz_session_id, user_id, question_id, answer_id, answer, correct, score,
                          answered_at_ms, shard, opens_at_ms, place)
), checked AS (
    SELECT given.*, p.id AS participant_id, p.name, p.is_live, p.response_ms, p.gate
    FROM given CROSS JOIN LATERAL (
        SELECT p.id, p.name, s.mode = 'live' AS is_live, given.answered_at_ms - q.opens_at_ms AS response_ms, CASE
            WHEN q.question_id IS NULL THEN 'foreign'
            WHEN s.state <> 'open' THEN 'finished'
            WHEN s.mode = 'self_paced' THEN 'open'
            WHEN given.answered_at_ms < q.opens_at_ms OR q.opens_at_ms IS NULL THEN 'not_open'
            WHEN given.answered_at_ms >= q.shut_at_ms OR given.answered_at_ms >= q.opens_at_ms
                + (q.closes_at_ms - q.opens_at_ms) * (100 + p.extra_time_percent) / 100 THEN 'closed'
            WHEN given.opens_at_ms IS DISTINCT FROM q.opens_at_ms THEN 'moved'
            ELSE 'open' END AS gate
        FROM quiz_session_participants p JOIN quiz_sessions s ON s.id = p.quiz_session_id
        LEFT JOIN quiz_session_questions q ON q.quiz_session_id = s.id AND q.question_id = given.question_id
        WHERE p.quiz_session_id = given.quiz_session_id AND p.user_id = given.user_id AND p.removed_at IS NULL LIMIT 1
    ) p
), recorded AS (
    -- In the order of the unique key: two batches that meet wait for each other in one direction only.
    INSERT INTO participant_answers
        (id, quiz_session_participant_id, question_id, answer_id, answer, correct, score, response_ms, answered_at)
    SELECT id, participant_id, question_id, answer_id, answer, correct, score, response_ms,
           timestamptz 'epoch' + answered_at_ms * interval '1 ms'
    FROM checked WHERE gate = 'open'
    ORDER BY participant_id, question_id, place
    ON CONFLICT (quiz_session_participant_id, question_id) DO NOTHING
    RETURNING id
), accepted AS (
    SELECT checked.* FROM checked JOIN recorded USING (id)
), announced AS (
    INSERT INTO events (id, event_name, type, payload, quiz_session_id, shard)
    SELECT id, $12, $13, CASE WHEN is_live THEN payload || '{"time_decides": false}' ELSE payload END,
        quiz_session_id, CASE WHEN is_live THEN -1 ELSE shard END
    FROM accepted, LATERAL (SELECT jsonb_build_object(
        'participant_answer_id', id, 'quiz_session_id', quiz_session_id, 'quiz_session_participant_id', participant_id,
        'name', name, 'question_id', question_id, 'score', score, 'answered_at_ms', answered_at_ms) AS payload) e
    RETURNING id
), batches AS (
    -- The condition is always true: it has the events written before a log's end is locked.
    SELECT quiz_session_id, array_agg(id ORDER BY id) AS ids, string_agg(
        answer_leaf(id, participant_id, question_id, correct, score, answered_at_ms * 1000, answer), '' ORDER BY id
    ) AS leaves
    FROM accepted WHERE (SELECT count(*) FROM announced) > 0 GROUP BY quiz_session_id
), logged AS (
    -- Adds to the newest end of each log, whatever the statement's snapshot is. In the order of the key, as above.
    INSERT INTO answer_logs AS l (quiz_session_id, length, leaves_digest, digest)
    SELECT quiz_session_id, cardinality(ids), sha256(leaves), sha256(empty_log(quiz_session_id) || sha256(leaves))
    FROM batches ORDER BY quiz_session_id
    ON CONFLICT (quiz_session_id) DO UPDATE SET
        length = l.length + EXCLUDED.length, leaves_digest = EXCLUDED.leaves_digest,
        digest = sha256(l.digest || EXCLUDED.leaves_digest)
    RETURNING quiz_session_id, length, digest
), linked AS (
    INSERT INTO answer_links (quiz_session_id, position, digest, last_id, ids, leaves)
    SELECT quiz_session_id, length, digest, ids[cardinality(ids)], ids, leaves
    FROM batches JOIN logged USING (quiz_session_id)
)
SELECT c.place, c.participant_id, c.gate, r.id IS NOT NULL AS new, l.length, l.digest
FROM checked c LEFT JOIN recorded r USING (id) LEFT JOIN logged l USING (quiz_session_id)

-- name: record_answer
-- record_answers for one, by half the work of Postgres: the same parameters, none of them an array, and the same row.
WITH checked AS (
    SELECT p.id AS participant_id, p.name, s.mode = 'live' AS is_live, $9::bigint - q.opens_at_ms AS response_ms, CASE
        WHEN q.question_id IS NULL THEN 'foreign'
        WHEN s.state <> 'open' THEN 'finished'
        WHEN s.mode = 'self_paced' THEN 'open'
        WHEN $9 < q.opens_at_ms OR q.opens_at_ms IS NULL THEN 'not_open'
        WHEN $9 >= q.shut_at_ms OR $9 >= q.opens_at_ms
            + (q.closes_at_ms - q.opens_at_ms) * (100 + p.extra_time_percent) / 100 THEN 'closed'
        WHEN $11::bigint IS DISTINCT FROM q.opens_at_ms THEN 'moved'
        ELSE 'open' END AS gate
    FROM quiz_session_participants p JOIN quiz_sessions s ON s.id = p.quiz_session_id
    LEFT JOIN quiz_session_questions q ON q.quiz_session_id = s.id AND q.question_id = $4::uuid
    WHERE p.quiz_session_id = $2::uuid AND p.user_id = $3 AND p.removed_at IS NULL
), recorded AS (
    INSERT INTO participant_answers
        (id, quiz_session_participant_id, question_id, answer_id, answer, correct, score, response_ms, answered_at)
    SELECT $1::uuid, participant_id, $4, $5, $6, $7, $8::int, response_ms,
           timestamptz 'epoch' + $9::bigint * interval '1 ms'
    FROM checked WHERE gate = 'open'
    ON CONFLICT (quiz_session_participant_id, question_id) DO NOTHING
    RETURNING answer_leaf(id, quiz_session_participant_id, question_id, correct, score, $9 * 1000, answer) AS leaf
), announced AS (
    INSERT INTO events (id, event_name, type, payload, quiz_session_id, shard)
    SELECT $1, $12, $13, CASE WHEN is_live THEN payload || '{"time_decides": false}' ELSE payload END,
        $2, CASE WHEN is_live THEN -1 ELSE $10 END
    FROM checked, recorded, LATERAL (SELECT jsonb_build_object(
        'participant_answer_id', $1, 'quiz_session_id', $2::uuid, 'quiz_session_participant_id', participant_id,
        'name', name, 'question_id', $4::uuid, 'score', $8::int, 'answered_at_ms', $9::bigint) AS payload) e
), logged AS (
    INSERT INTO answer_logs AS l (quiz_session_id, length, leaves_digest, digest)
    SELECT $2, 1, sha256(leaf), sha256(empty_log($2) || sha256(leaf)) FROM recorded
    ON CONFLICT (quiz_session_id) DO UPDATE SET
        length = l.length + 1, leaves_digest = EXCLUDED.leaves_digest,
        digest = sha256(l.digest || EXCLUDED.leaves_digest)
    RETURNING length, digest
), linked AS (
    INSERT INTO answer_links (quiz_session_id, position, digest, last_id, ids, leaves)
    SELECT $2, length, digest, $1, ARRAY[$1], leaf FROM recorded, logged
)
SELECT 1 AS place, participant_id, gate, length IS NOT NULL AS new, length, digest
FROM checked LEFT JOIN logged ON true

-- name: recorded_answers
-- What is recorded, and its place in the log: null if a Tiebreak that kept none recorded it, and until a live question
-- is shut.
-- $1 sessions, $2 participants, $3 questions
SELECT given.place, a.id, a.answer_id, a.correct, a.score, a.answered_at_ms, l.position, l.digest
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY
    AS given (quiz_session_id, participant_id, question_id, place)
CROSS JOIN LATERAL (
    SELECT id, answer_id, correct, score, floor(extract(epoch FROM answered_at) * 1000)::bigint AS answered_at_ms
    FROM participant_answers
    WHERE quiz_session_participant_id = given.participant_id AND question_id = given.question_id LIMIT 1
) a
LEFT JOIN LATERAL (
    -- Ids follow the clock, so of the links that end later the first ones have it.
    SELECT position - cardinality(ids) + array_position(ids, a.id) AS position, digest FROM answer_links
    WHERE quiz_session_id = given.quiz_session_id AND last_id >= a.id AND a.id = ANY(ids) AND NOT EXISTS (
        SELECT FROM quiz_session_questions WHERE quiz_session_id = given.quiz_session_id
            AND question_id = given.question_id AND opens_at_ms IS NOT NULL AND shut_at_ms IS NULL
    ) ORDER BY last_id LIMIT 1
) l ON true

-- name: answer_log
-- Every answer of a session's log, in order, with its link, what the link says of it, and what the ledger has: null if
-- nothing. Moments no calendar of Python's has become one that no answer has.
SELECT l.position, cardinality(l.ids) AS length, l.digest, i.number, i.id,
       substr(l.leaves, (32 * (i.number - 1) + 1)::int, 32) AS leaf, a.participant_id, a.quiz_session_id, a.question_id,
       a.correct, a.score, a.answer, a.answered_at_us
FROM answer_links l CROSS JOIN LATERAL unnest(l.ids) WITH ORDINALITY AS i (id, number)
LEFT JOIN LATERAL (
    SELECT a.quiz_session_participant_id AS participant_id, p.quiz_session_id, a.question_id, a.correct, a.score, a.answer,
           CASE WHEN a.answered_at BETWEEN '0001-01-01' AND '9999-12-31'
                THEN (extract(epoch FROM a.answered_at) * 1000000)::bigint ELSE -1 END AS answered_at_us
    FROM participant_answers a JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
    WHERE a.id = i.id LIMIT 1
) a ON true
WHERE l.quiz_session_id = $1 ORDER BY l.position, i.number

-- name: answer_log_end
SELECT length, digest FROM answer_logs WHERE quiz_session_id = $1

-- name: answers_not_logged
SELECT a.id FROM participant_answers a JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
WHERE p.quiz_session_id = $1
EXCEPT SELECT unnest(ids) FROM answer_links WHERE quiz_session_id = $1
ORDER BY id LIMIT $2

-- name: answer_position
-- Where an answer stands in a session's log, and when it was accepted; null if the ledger has lost it.
SELECT position - cardinality(ids) + array_position(ids, $2) AS position, (
    SELECT floor(extract(epoch FROM answered_at) * 1000)::bigint FROM participant_answers WHERE id = $2
) AS answered_at_ms FROM answer_links
WHERE quiz_session_id = $1 AND $2 = ANY(ids) ORDER BY position LIMIT 1

-- name: ledger_until
-- The answers of a session's log up to a position, as `ledger` gives them.
SELECT a.id, p.id AS participant_id, p.name, a.question_id, a.score, s.mode = 'self_paced' AS time_decides,
       floor(extract(epoch FROM a.answered_at) * 1000)::bigint AS answered_at_ms, q.shut_at_ms
FROM answer_links l CROSS JOIN LATERAL unnest(l.ids) WITH ORDINALITY AS i (id, number)
JOIN participant_answers a ON a.id = i.id JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
JOIN quiz_sessions s ON s.id = p.quiz_session_id
JOIN quiz_session_questions q ON q.quiz_session_id = p.quiz_session_id AND q.question_id = a.question_id
WHERE l.quiz_session_id = $1 AND l.position - cardinality(l.ids) + i.number <= $2
    AND p.removed_at IS NULL AND (s.mode = 'self_paced' OR q.shut_at_ms IS NOT NULL)

-- name: live_window
SELECT opens_at_ms, shut_at_ms IS NOT NULL AS is_shut FROM quiz_session_questions
WHERE quiz_session_id = $1 AND question_id = $2 AND opens_at_ms IS NOT NULL

-- name: extra_times
SELECT user_id, extra_time_percent FROM quiz_session_participants WHERE quiz_session_id = $1 AND extra_time_percent > 0

-- name: streaks
-- Of the last $3 questions among $2 that were shut, counted back from the last one: how many a user has answered rightly
-- before the first that was not.
WITH asked AS (
    SELECT question_id, row_number() OVER (ORDER BY position DESC) AS number
    FROM quiz_session_questions
    WHERE quiz_session_id = $1 AND question_id = ANY($2::uuid[]) AND shut_at_ms IS NOT NULL
    ORDER BY position DESC LIMIT $3
), answered AS (
    SELECT p.user_id, number, row_number() OVER (PARTITION BY p.id ORDER BY number) AS nth
    FROM quiz_session_participants p CROSS JOIN asked
    JOIN participant_answers a ON a.quiz_session_participant_id = p.id AND a.question_id = asked.question_id
    WHERE p.quiz_session_id = $1 AND a.correct
)
SELECT user_id, count(*)::int AS streak FROM answered WHERE number = nth GROUP BY user_id

-- name: stragglers
-- Sessions with held events of questions that are shut.
SELECT DISTINCT e.quiz_session_id
FROM events e
JOIN quiz_session_questions q
    ON q.quiz_session_id = e.quiz_session_id AND q.question_id = (e.payload ->> 'question_id')::uuid
JOIN quiz_session_participants p ON p.id = (e.payload ->> 'quiz_session_participant_id')::uuid
WHERE e.shard = -1 AND q.shut_at_ms IS NOT NULL AND p.removed_at IS NULL

-- name: release_answers
-- $1 session, $2 its shard. What another transaction is about to release is left to it. Under the names that players
-- have by now: one that was thrown out does not come back with an answer.
UPDATE events e SET shard = $2, payload = jsonb_set(e.payload, '{name}', to_jsonb(released.name))
FROM (
    SELECT e.id, p.name
    FROM events e
    JOIN quiz_session_questions q
        ON q.quiz_session_id = e.quiz_session_id AND q.question_id = (e.payload ->> 'question_id')::uuid
    JOIN quiz_session_participants p ON p.id = (e.payload ->> 'quiz_session_participant_id')::uuid
    WHERE e.shard = -1 AND e.quiz_session_id = $1 AND q.shut_at_ms IS NOT NULL AND p.removed_at IS NULL
    FOR UPDATE OF e SKIP LOCKED
) released
WHERE e.shard = -1 AND e.id = released.id

-- name: session_of_pin
-- The open one, or else the last that had it.
SELECT id FROM quiz_sessions WHERE pin = $1 ORDER BY state = 'finished', opened_at DESC LIMIT 1

-- name: ledger
-- Every answer of a session that belongs on its board, as its event said it: not those of participants who were removed,
-- nor those to a live question that is not shut. `shut_at_ms` is when they came on the board; null: self-paced.
SELECT a.id, p.id AS participant_id, p.name, a.question_id, a.score, s.mode = 'self_paced' AS time_decides,
       floor(extract(epoch FROM a.answered_at) * 1000)::bigint AS answered_at_ms, q.shut_at_ms
FROM participant_answers a
JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
JOIN quiz_sessions s ON s.id = p.quiz_session_id
JOIN quiz_session_questions q ON q.quiz_session_id = p.quiz_session_id AND q.question_id = a.question_id
WHERE p.quiz_session_id = $1 AND p.removed_at IS NULL AND (s.mode = 'self_paced' OR q.shut_at_ms IS NOT NULL)

-- name: standings
-- The leaderboard as the ledger has it: of the answers that `ledger` gives, in the order that quiz/ranking.py describes.
WITH totals AS (
    SELECT p.id, p.name, sum(a.score)::int AS score,
           COALESCE(max(least(greatest(
               floor(extract(epoch FROM a.answered_at - s.opened_at) * 1000), 0), 4294967295))
               FILTER (WHERE a.score > 0 AND s.mode = 'self_paced'), 0)::bigint AS reached_ms
    FROM participant_answers a
    JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
    JOIN quiz_sessions s ON s.id = p.quiz_session_id
    JOIN quiz_session_questions q ON q.quiz_session_id = p.quiz_session_id AND q.question_id = a.question_id
    WHERE p.quiz_session_id = $1 AND p.removed_at IS NULL AND (s.mode = 'self_paced' OR q.shut_at_ms IS NOT NULL)
    GROUP BY p.id, p.name
)
SELECT rank() OVER (ORDER BY score DESC, reached_ms)::int AS rank, id, name, score, reached_ms
FROM totals ORDER BY score DESC, reached_ms, id DESC

-- name: results_questions
-- Each question of a session: when it was asked (null: self-paced, or not yet), how often each answer was given (JSON:
-- [[answer, count, right], …]) and how fast. As in all results: answers to a live question count from its shutting on, and
-- those of removed participants not at all.
WITH given AS (
    SELECT a.question_id, a.answer, a.correct, a.response_ms
    FROM quiz_sessions s
    JOIN quiz_session_participants p ON p.quiz_session_id = s.id AND p.removed_at IS NULL
    JOIN participant_answers a ON a.quiz_session_participant_id = p.id
    JOIN quiz_session_questions l ON l.quiz_session_id = s.id AND l.question_id = a.question_id
    WHERE s.id = $1 AND (s.mode = 'self_paced' OR l.shut_at_ms IS NOT NULL)
), counted AS (
    SELECT question_id, answer, count(*) AS count, count(*) FILTER (WHERE correct) AS correct FROM given GROUP BY 1, 2
), tallied AS (
    SELECT question_id, json_agg(json_build_array(answer::json, count, correct))::text AS tallies FROM counted GROUP BY 1
), timed AS (
    SELECT question_id, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY response_ms))::int AS median_ms,
           round(avg(response_ms))::int AS mean_ms
    FROM given WHERE response_ms IS NOT NULL GROUP BY 1
)
SELECT l.question_id, l.position, l.opens_at_ms, l.shut_at_ms, tallied.tallies, timed.median_ms, timed.mean_ms
FROM quiz_session_questions l LEFT JOIN tallied USING (question_id) LEFT JOIN timed USING (question_id)
WHERE l.quiz_session_id = $1 ORDER BY l.position

-- name: results_participants
-- Everybody who has joined a session, with what the board's order is made of; score is null for who has answered nothing.
-- $2 types of questions that nobody can be right about
SELECT p.id, p.name, p.team, p.removed_at IS NOT NULL AS removed, t.answered, t.correct, t.score, t.reached_at_ms
FROM quiz_session_participants p JOIN quiz_sessions s ON s.id = p.quiz_session_id
CROSS JOIN LATERAL (
    SELECT count(*)::int AS answered, (count(*) FILTER (WHERE a.correct AND q.type <> ALL($2::text[])))::int AS correct,
           sum(a.score)::int AS score,
           floor(extract(epoch FROM max(a.answered_at) FILTER (WHERE a.score > 0)) * 1000)::bigint AS reached_at_ms
    FROM participant_answers a
    JOIN quiz_session_questions l ON l.quiz_session_id = s.id AND l.question_id = a.question_id
    JOIN questions q ON q.id = a.question_id
    WHERE a.quiz_session_participant_id = p.id AND (s.mode = 'self_paced' OR l.shut_at_ms IS NOT NULL)
) t
WHERE p.quiz_session_id = $1 ORDER BY p.id

-- name: results_answers
-- What each of the participants $2 answered, as JSON: [[question's position, answer, correct, score, response_ms], …]. One
-- text for each participant: a crowd's answers are read where they keep nobody waiting.
SELECT p.id, json_agg(
    json_build_array(l.position, a.answer::json, a.correct, a.score, a.response_ms) ORDER BY l.position)::text AS answers
FROM unnest($2::uuid[]) AS p (id)
JOIN participant_answers a ON a.quiz_session_participant_id = p.id
JOIN quiz_session_questions l ON l.quiz_session_id = $1 AND l.question_id = a.question_id
JOIN quiz_sessions s ON s.id = $1
WHERE s.mode = 'self_paced' OR l.shut_at_ms IS NOT NULL
GROUP BY p.id

-- name: results_scores
-- What a session's boards were made of, one text for each participant: [[score, answered at (ms), question's shutting], …].
SELECT p.id, p.name, json_agg(json_build_array(
    a.score, floor(extract(epoch FROM a.answered_at) * 1000)::bigint, l.shut_at_ms))::text AS scores
FROM quiz_sessions s
JOIN quiz_session_participants p ON p.quiz_session_id = s.id AND p.removed_at IS NULL
JOIN participant_answers a ON a.quiz_session_participant_id = p.id
JOIN quiz_session_questions l ON l.quiz_session_id = s.id AND l.question_id = a.question_id
WHERE s.id = $1 AND (s.mode = 'self_paced' OR l.shut_at_ms IS NOT NULL)
GROUP BY p.id, p.name

-- name: results_moments
-- When those of a session's answers came (ms) that are these parts of all, in their order; no row if there are none.
-- $1 session, $2 parts, from 0 (the first) to 1 (the last)
SELECT DISTINCT floor(extract(epoch FROM moment) * 1000)::bigint AS at_ms
FROM (
    SELECT percentile_disc($2::float8[]) WITHIN GROUP (ORDER BY a.answered_at) AS moments
    FROM quiz_session_participants p JOIN participant_answers a ON a.quiz_session_participant_id = p.id
    WHERE p.quiz_session_id = $1 AND p.removed_at IS NULL
) given CROSS JOIN LATERAL unnest(moments) AS m (moment)
ORDER BY at_ms

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
WHERE e.shard = published.shard AND e.id = published.id AND l.shard = published.shard AND l.version = published.version

-- name: nudge_publishers
SELECT pg_notify('outbox', '')

-- name: outbox_depth
-- Those that are held wait for nobody.
SELECT count(*) FROM events WHERE shard <> -1

-- name: revoked_logins
-- Those revoked later than $2 seconds before $1, or before now if $1 is null; and by which now.
SELECT now() AS asked_at, ARRAY(
    SELECT id FROM refresh_families
    WHERE revoked_at > COALESCE($1::timestamptz, now()) - $2::float8 * interval '1 second') AS ids
