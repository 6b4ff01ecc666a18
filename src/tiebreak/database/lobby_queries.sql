-- Statements about who is in a quiz session, and as what: hosts, participants of live sessions, their names and teams.

-- name: is_host
SELECT EXISTS (SELECT FROM quiz_sessions WHERE id = $1 AND host_id = $2)
    OR EXISTS (SELECT FROM quiz_session_hosts WHERE quiz_session_id = $1 AND user_id = $2)

-- name: hosts_of_session
-- The host first.
SELECT u.id AS user_id, u.name, true AS is_owner
FROM quiz_sessions s JOIN users u ON u.id = s.host_id WHERE s.id = $1
UNION ALL
(SELECT u.id, u.name, false FROM quiz_session_hosts h JOIN users u ON u.id = h.user_id
 WHERE h.quiz_session_id = $1 ORDER BY h.added_at, u.id)

-- name: has_played
-- Removed or not.
SELECT EXISTS (SELECT FROM quiz_session_participants WHERE quiz_session_id = $1 AND user_id = $2)

-- name: add_co_host
INSERT INTO quiz_session_hosts (quiz_session_id, user_id)
SELECT id, $2 FROM quiz_sessions WHERE id = $1 AND host_id <> $2
ON CONFLICT DO NOTHING

-- name: remove_co_host
DELETE FROM quiz_session_hosts WHERE quiz_session_id = $1 AND user_id = $2

-- name: lock_lobbies
-- Until the transaction ends, nobody else decides who is in these live sessions, and as what. In one order: two
-- transactions that meet wait for each other in one direction only.
SELECT pg_advisory_xact_lock(hashtextextended(id::text, 31))
FROM (SELECT DISTINCT id FROM unnest($1::uuid[]) AS given (id) ORDER BY id) sessions

-- name: doors
-- What decides whether a user may enter a live session: one row for each of the given whose session exists.
-- $1 sessions, $2 users
SELECT given.place, s.state, s.late_join, COALESCE(g.locked, false) AS locked, COALESCE(g.begun, false) AS begun,
       s.host_id = given.user_id OR EXISTS (
           SELECT FROM quiz_session_hosts WHERE quiz_session_id = given.quiz_session_id AND user_id = given.user_id
       ) AS is_host,
       p.id AS participant_id, p.name, p.team, p.is_removed, p.banned
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS given (quiz_session_id, user_id, place)
CROSS JOIN LATERAL (
    SELECT state, host_id, COALESCE((options->>'late_join')::boolean, true) AS late_join
    FROM quiz_sessions WHERE id = given.quiz_session_id LIMIT 1
) s
LEFT JOIN LATERAL (
    SELECT (state->>'locked')::boolean AS locked, state->>'phase' <> 'lobby' AS begun
    FROM live_games WHERE quiz_session_id = given.quiz_session_id LIMIT 1
) g ON true
LEFT JOIN LATERAL (
    SELECT id, name, team, removed_at IS NOT NULL AS is_removed, banned FROM quiz_session_participants
    WHERE quiz_session_id = given.quiz_session_id AND user_id = given.user_id LIMIT 1
) p ON true

-- name: names_taken
-- $1 sessions, $2 keys
SELECT DISTINCT given.quiz_session_id, given.name_key
FROM unnest($1::uuid[], $2::text[]) AS given (quiz_session_id, name_key)
CROSS JOIN LATERAL (
    SELECT FROM quiz_session_participants
    WHERE quiz_session_id = given.quiz_session_id AND name_key = given.name_key AND removed_at IS NULL LIMIT 1
) p

-- name: team_sizes
SELECT quiz_session_id, team, count(*) AS players FROM quiz_session_participants
WHERE quiz_session_id = ANY($1::uuid[]) AND team IS NOT NULL AND removed_at IS NULL
GROUP BY quiz_session_id, team

-- name: enter_lobbies
-- Under lock_lobbies. Who was removed, and not banned, is the same participant again.
-- $1 participants' ids, $2 sessions, $3 users, $4 names, $5 their keys, $6 teams
INSERT INTO quiz_session_participants AS p (id, quiz_session_id, user_id, name, name_key, team)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::smallint[])
ON CONFLICT (quiz_session_id, user_id) DO UPDATE
SET name = EXCLUDED.name, name_key = EXCLUDED.name_key, team = EXCLUDED.team, removed_at = NULL
WHERE p.removed_at IS NOT NULL AND NOT p.banned

-- name: participants_of_session
SELECT id, user_id, name, team, extra_time_percent, joined_at,
       EXISTS (SELECT FROM participant_answers WHERE quiz_session_participant_id = p.id) AS has_answered
FROM quiz_session_participants p WHERE quiz_session_id = $1 AND removed_at IS NULL
ORDER BY id LIMIT $2 OFFSET $3

-- name: count_participants
SELECT count(*) FROM quiz_session_participants WHERE quiz_session_id = $1 AND removed_at IS NULL

-- name: remove_participant
-- Who was banned stays so.
UPDATE quiz_session_participants p SET removed_at = COALESCE(removed_at, now()), banned = banned OR $3
WHERE quiz_session_id = $1 AND id = $2
RETURNING id, user_id, name, team, extra_time_percent, joined_at,
          EXISTS (SELECT FROM participant_answers WHERE quiz_session_participant_id = p.id) AS has_answered

-- name: rename_participant
UPDATE quiz_session_participants p SET name = $3, name_key = $4
WHERE quiz_session_id = $1 AND id = $2 AND removed_at IS NULL
RETURNING id, user_id, name, team, extra_time_percent, joined_at,
          EXISTS (SELECT FROM participant_answers WHERE quiz_session_participant_id = p.id) AS has_answered

-- name: give_extra_time
UPDATE quiz_session_participants p SET extra_time_percent = $3
WHERE quiz_session_id = $1 AND id = $2 AND removed_at IS NULL
RETURNING id, user_id, name, team, extra_time_percent, joined_at,
          EXISTS (SELECT FROM participant_answers WHERE quiz_session_participant_id = p.id) AS has_answered

-- name: change_team
UPDATE quiz_session_participants p SET team = $3
WHERE quiz_session_id = $1 AND id = $2 AND removed_at IS NULL
RETURNING id, user_id, name, team, extra_time_percent, joined_at,
          EXISTS (SELECT FROM participant_answers WHERE quiz_session_participant_id = p.id) AS has_answered

-- name: team_totals
-- Of each team that somebody is in: how many, and all their points of questions that are shut.
SELECT m.team, count(*) AS players, COALESCE(sum(t.score), 0)::bigint AS score
FROM quiz_session_participants m
LEFT JOIN LATERAL (
    SELECT sum(a.score) AS score
    FROM participant_answers a
    JOIN quiz_session_questions q ON q.quiz_session_id = $1 AND q.question_id = a.question_id
    WHERE a.quiz_session_participant_id = m.id AND q.shut_at_ms IS NOT NULL
) t ON true
WHERE m.quiz_session_id = $1 AND m.removed_at IS NULL AND m.team IS NOT NULL
GROUP BY m.team
