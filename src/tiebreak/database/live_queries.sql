-- The live game (docs/live.md).

-- name: insert_live_game
INSERT INTO live_games (quiz_session_id, step, told_step, state) VALUES ($1, 0, 0, $2)

-- name: live_game
SELECT state FROM live_games WHERE quiz_session_id = $1

-- name: take_live_step
-- Who names another step than the game's comes too late.
UPDATE live_games SET step = $3, state = $4, due_at_ms = $5 WHERE quiz_session_id = $1 AND step = $2 RETURNING step

-- name: live_step_told
UPDATE live_games SET told_step = $2 WHERE quiz_session_id = $1 AND told_step < $2

-- name: open_window
-- $1 session, $2 question, $3 opens, $4 closes
UPDATE quiz_session_questions SET opens_at_ms = $3, closes_at_ms = $4
WHERE quiz_session_id = $1 AND question_id = $2

-- name: shut_window
UPDATE quiz_session_questions SET shut_at_ms = $3
WHERE quiz_session_id = $1 AND question_id = $2 AND shut_at_ms IS NULL AND opens_at_ms IS NOT NULL

-- name: live_games_to_do
-- Now, and the games that are due, or whose last step the room may not have been told.
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms,
       ARRAY(SELECT quiz_session_id FROM live_games
             WHERE due_at_ms <= (extract(epoch FROM clock_timestamp()) * 1000)::bigint ORDER BY due_at_ms LIMIT 100) AS due,
       ARRAY(SELECT quiz_session_id FROM live_games WHERE told_step < step LIMIT 100) AS untold,
       (SELECT min(due_at_ms) FROM live_games WHERE due_at_ms IS NOT NULL) AS next_due_ms

-- name: longest_extra_time
SELECT COALESCE(max(extra_time_percent), 0) FROM quiz_session_participants
WHERE quiz_session_id = $1 AND removed_at IS NULL

-- name: live_figures
-- Who plays, and who of them has answered $2.
SELECT (SELECT count(*) FROM quiz_session_participants WHERE quiz_session_id = $1 AND removed_at IS NULL) AS players,
       (SELECT count(*) FROM quiz_session_participants p
        JOIN participant_answers a ON a.quiz_session_participant_id = p.id AND a.question_id = $2
        WHERE p.quiz_session_id = $1 AND p.removed_at IS NULL) AS answered

-- name: have_all_answered
-- Whether of the users $3 at least one plays, and all who do have answered $2.
SELECT count(*) > 0 AND bool_and(EXISTS (
    SELECT FROM participant_answers WHERE quiz_session_participant_id = p.id AND question_id = $2))
FROM quiz_session_participants p
WHERE p.quiz_session_id = $1 AND p.user_id = ANY($3::uuid[]) AND p.removed_at IS NULL

-- name: answer_counts
SELECT a.answer, a.correct, count(*) AS count
FROM quiz_session_participants p
JOIN participant_answers a ON a.quiz_session_participant_id = p.id AND a.question_id = $2
WHERE p.quiz_session_id = $1 AND p.removed_at IS NULL
GROUP BY a.answer, a.correct

-- name: session_windows
SELECT question_id, opens_at_ms, shut_at_ms FROM quiz_session_questions
WHERE quiz_session_id = $1 AND opens_at_ms IS NOT NULL

-- name: live_results
-- Each player's points, place and right answers in a row, of the questions that are shut. $2: those of them that can be
-- answered rightly. Who has answered nothing has no place.
WITH shut AS (
    SELECT question_id, position FROM quiz_session_questions WHERE quiz_session_id = $1 AND shut_at_ms IS NOT NULL
), graded AS (
    SELECT question_id, position FROM shut WHERE question_id = ANY($2::uuid[])
), totals AS (
    SELECT p.id, p.user_id, p.name, p.team, p.extra_time_percent, count(a.id) AS answered, COALESCE(sum(a.score), 0)::int AS score
    FROM quiz_session_participants p
    LEFT JOIN (participant_answers a JOIN shut USING (question_id)) ON a.quiz_session_participant_id = p.id
    WHERE p.quiz_session_id = $1 AND p.removed_at IS NULL
    GROUP BY p.id
), ranked AS (
    SELECT id, rank() OVER (ORDER BY score DESC)::int AS rank,
           min(score) OVER (ORDER BY score DESC GROUPS BETWEEN 1 PRECEDING AND 1 PRECEDING) AS next_score
    FROM totals WHERE answered > 0
)
SELECT t.user_id, t.name, t.team, t.extra_time_percent, t.score, r.rank, r.next_score, (
    SELECT count(*) FROM graded g WHERE g.position > COALESCE((
        SELECT max(missed.position) FROM graded missed WHERE NOT EXISTS (
            SELECT FROM participant_answers a
            WHERE a.quiz_session_participant_id = t.id AND a.question_id = missed.question_id AND a.correct)), 0)
)::int AS streak
FROM totals t LEFT JOIN ranked r USING (id)

-- name: answer_of_user
SELECT a.answer, a.correct, a.score
FROM quiz_session_participants p
JOIN participant_answers a ON a.quiz_session_participant_id = p.id AND a.question_id = $2
WHERE p.quiz_session_id = $1 AND p.user_id = $3 AND p.removed_at IS NULL
